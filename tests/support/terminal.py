"""terminal.py QUESTION ANSWER [QUESTION ANSWER]... -- COMMAND...: runs a command on a terminal of its own, types each
answer once its question has been asked, and prints everything that was to be seen there. Its exit status is the
command's."""

import os
import pty
import sys
import termios
import time

end = sys.argv.index("--")
words, command = [word.encode() for word in sys.argv[1:end]], sys.argv[end + 1 :]
steps = list(zip(words[::2], words[1::2]))
process, terminal = pty.fork()
if process == 0:
    os.execvp(command[0], command)
seen = b""
looked_at = 0
while True:
    try:
        chunk = os.read(terminal, 4096)
    except OSError:  # the other side has closed it
        break
    if not chunk:
        break
    seen += chunk
    while steps and steps[0][0] in seen[looked_at:]:
        question, answer = steps.pop(0)
        looked_at = seen.index(question, looked_at) + len(question)
        # Nobody types as fast as this: not before the terminal has stopped to show what is typed.
        while termios.tcgetattr(terminal)[3] & termios.ECHO:
            time.sleep(0.01)
        os.write(terminal, answer + b"\n")
sys.stdout.buffer.write(seen)
sys.stdout.buffer.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
