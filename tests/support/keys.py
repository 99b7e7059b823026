"""keys.py TEXT KEYS [TEXT KEYS]... -- COMMAND...: runs a command on a terminal of its own, types KEYS (`^C` is
Ctrl-C, `^Z` Ctrl-Z) once TEXT is to be seen there, then waits for the next TEXT. Prints everything that was to be seen;
its exit status is the command's. `COLUMNS` says how wide the terminal is."""

import os
import pty
import select
import sys
import termios

end = sys.argv.index("--")
words, command = sys.argv[1:end], sys.argv[end + 1 :]
words = [word.replace("^C", "\x03").replace("^Z", "\x1a").encode() for word in words]
steps = list(zip(words[::2], words[1::2]))
process, terminal = pty.fork()
if process == 0:
    if columns := os.environ.get("COLUMNS"):
        termios.tcsetwinsize(0, (24, int(columns)))
    os.execvp(command[0], command)
seen = b""
looked_at = 0
keys = b""
while True:
    # sudo does not hear what comes in the moment between its question and its waiting. People press the keys again.
    while keys == b"\x03" and not select.select([terminal], [], [], 1)[0]:
        os.write(terminal, keys)
    try:
        chunk = os.read(terminal, 4096)
    except OSError:  # the other side has closed it
        break
    if not chunk:
        break
    seen += chunk
    while steps and steps[0][0] in seen[looked_at:]:
        text, keys = steps.pop(0)
        looked_at = seen.index(text, looked_at) + len(text)
        os.write(terminal, keys)
sys.stdout.buffer.write(seen.replace(b"\r\n", b"\n"))
sys.stdout.buffer.flush()
status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
sys.exit(status if status >= 0 else 128 - status)
