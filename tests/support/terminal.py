"""terminal.py QUESTION ANSWER COMMAND...: runs a command on a terminal of its own, types the answer once the
question has been asked, and prints everything that was to be seen there. Its exit status is the command's."""

import os
import pty
import sys
import termios
import time

question, answer, command = sys.argv[1].encode(), sys.argv[2].encode(), sys.argv[3:]
process, terminal = pty.fork()
if process == 0:
    os.execvp(command[0], command)
seen = b""
asked = False
while True:
    try:
        chunk = os.read(terminal, 4096)
    except OSError:  # the other side has closed it
        break
    if not chunk:
        break
    seen += chunk
    if not asked and question in seen:
        asked = True
        # Nobody types as fast as this: not before the terminal has stopped to show what is typed.
        while termios.tcgetattr(terminal)[3] & termios.ECHO:
            time.sleep(0.01)
        os.write(terminal, answer + b"\n")
sys.stdout.buffer.write(seen)
sys.stdout.buffer.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
