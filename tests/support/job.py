"""job.py STEP... -- COMMAND...: runs a command as a shell runs a job, on a terminal of its own, and prints everything
that is to be seen there. The steps, each two words:

  see TEXT        waits until it is to be seen
  hidden -        waits until the terminal shows nothing of what is typed
  type KEYS       `^C` is Ctrl-C, and so on; `^M` is Enter
  send SIGNAL     such as TERM, to the command alone
  stopped -       waits until the command is stopped, and adds a line on the terminal as it then is
  back fg|bg      lets it go on in the foreground, with the terminal as a shell has it, or in the background
  show -          the terminal shows what is typed, as a shell has it that reads the next command
  grow -          types 5000 times `x`, which is more than a terminal takes in one line

The last line says how the command ended, and how the terminal is: whether it shows what is typed (echo), reads whole
lines (lines) and makes signals of Ctrl-C (signals)."""

import os
import re
import select
import signal
import sys
import termios

end = sys.argv.index("--")
words, command = sys.argv[1:end], sys.argv[end + 1 :]
steps = list(zip(words[::2], words[1::2]))
LIMIT = 60  # seconds for one step, on the slowest machine

terminal, other = os.openpty()
orders, told = os.pipe()
report_out, report_in = os.pipe()


def shell():
    """Leads the session, starts the job, and says when it stops or ends."""
    os.setsid()
    import fcntl

    fcntl.ioctl(other, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.close(terminal)
    os.close(told)
    os.close(report_out)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(other, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        for stream in 0, 1, 2:
            os.dup2(other, stream)
        for descriptor in other, orders, report_in:
            os.close(descriptor)
        os.execvp(command[0], command)
    os.write(report_in, b"job %d\n" % job)
    while True:
        _, status = os.waitpid(job, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            code = os.waitstatus_to_exitcode(status)
            os.write(report_in, b"ended %d\n" % (code if code >= 0 else 128 - code))
            os.tcsetpgrp(other, os.getpgrp())
            os.read(orders, 1)  # until nobody wants to look at the terminal any more
            os._exit(0)
        os.tcsetpgrp(other, os.getpgrp())
        os.write(report_in, b"stopped %s\n" % signal.Signals(os.WSTOPSIG(status)).name.encode())
        if os.read(orders, 1) == b"f":
            os.tcsetpgrp(other, job)
        os.killpg(job, signal.SIGCONT)


leader = os.fork()
if leader == 0:
    shell()
os.close(orders)
os.close(report_in)

seen = b""
reports = b""


def state():
    flags = termios.tcgetattr(other)[3]
    names = {"echo": termios.ECHO, "lines": termios.ICANON, "signals": termios.ISIG}
    return ", ".join(f"{name} {'on' if flags & flag else 'off'}" for name, flag in names.items())


def until(what, done):
    """Reads what comes until `done()` has a value."""
    global seen, reports
    while True:
        value = done()
        if value:
            return value
        ready, _, _ = select.select([terminal, report_out], [], [], LIMIT if what != "hidden" else 0.01)
        if terminal in ready:
            seen += os.read(terminal, 4096)
        if report_out in ready:
            reports += os.read(report_out, 4096)
        if not ready and what != "hidden":
            sys.exit(f"waited {LIMIT} s for {what}; seen: {seen!r}, reports: {reports!r}")
        if what != "ended" and b"ended" in reports:
            return None


def drain():
    global seen
    while select.select([terminal], [], [], 0)[0]:
        seen += os.read(terminal, 4096)


job = int(until("job", lambda: re.search(rb"job (\d+)\n", reports))[1])
looked_at = 0
for step, word in steps:
    if step == "see":
        text = word.encode()
        until(word, lambda: text in seen[looked_at:])
        looked_at = seen.find(text, looked_at) + len(text)
    elif step == "hidden":
        until("hidden", lambda: not termios.tcgetattr(other)[3] & termios.ECHO)
    elif step == "type":
        keys = re.sub(r"\^([A-Z\\\[])", lambda match: chr(ord(match[1]) & 0x1F), word)
        os.write(terminal, os.fsencode(keys))
    elif step == "grow":
        for _ in range(100):
            os.write(terminal, b"x" * 50)
            drain()
    elif step == "show":
        flags = termios.tcgetattr(other)
        flags[3] |= termios.ECHO
        termios.tcsetattr(other, termios.TCSANOW, flags)
    elif step == "send":
        os.kill(job, signal.Signals["SIG" + word])
    elif step == "stopped":
        stop = until("stopped", lambda: re.search(rb"stopped (\w+)\n", reports))
        if stop:
            drain()
            seen += b"[stopped: %s]\n" % state().encode()
            reports = reports.replace(stop[0], b"", 1)
    elif step == "back":
        os.write(told, b"f" if word == "fg" else b"b")
    else:
        sys.exit(f"no such step: {step}")
code = int(until("ended", lambda: re.search(rb"ended (\d+)\n", reports))[1])
drain()
sys.stdout.buffer.write(seen.replace(b"\r\n", b"\n") + b"[ended %d: %s]\n" % (code, state().encode()))
os.close(told)
os.waitpid(leader, 0)
