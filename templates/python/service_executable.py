{{ signature }}
"""Runs one Python function or class as a service."""

import datetime
import importlib
import inspect
import os
{%- if environment_file.is_some() %}
import re
{%- endif %}
import socket
import stat
import sys
import traceback

NAME = {{ name }}
MODULE = {{ module }}
WORKING_DIRECTORY = {{ working_directory }}
ERROR_LOG = {{ error_log }}
LOG_NAME = os.path.basename(ERROR_LOG)
ERROR_LOG_LIMIT = 1048576
ENTRY_LIMIT = 262144
# What a program returns that was asked to stop and did: 128 and the number of SIGTERM.
STOPPED = 143
{%- if let Some(path) = environment_file %}
ENVIRONMENT_FILE = {{ path }}


def read_environment():
    """Sets the variables of the environment file, in the form that systemd reads, too."""
    with open(ENVIRONMENT_FILE, encoding="utf-8", newline="") as file:
        text = file.read()
    for name, value in re.findall(r'^(\w+)="((?:[^"\\]|\\.)*)"$', text, re.MULTILINE | re.DOTALL):
        os.environ[name] = re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
{%- endif %}


def get_arguments():
    """What the program is given."""
    return [
    {%- for argument in arguments %}
        {{ argument }},
    {%- endfor %}
    ]


def prepare(arguments):
    """Makes the process look as if the program had been called by name in its working directory."""
    sys.argv = [NAME] + arguments
    own_folder = os.path.dirname(os.path.realpath(__file__))
    if sys.path and os.path.realpath(sys.path[0]) == own_folder:
        del sys.path[0]
    sys.path.append(WORKING_DIRECTORY)


def look_up(thing, dotted):
    """The attribute of an attribute of ... a thing."""
    for name in dotted.split("."):
        thing = getattr(thing, name)
    return thing


def tell_ready():
    """Tells systemd that the program was found, with the datagram of sd_notify(3)."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.connect(address)
        notify.sendall(b"READY=1")


def takes_arguments(function):
    """Whether a function can be given the list of arguments. One that does not say is."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return True
    return any(parameter.kind not in (parameter.KEYWORD_ONLY, parameter.VAR_KEYWORD) for parameter in parameters)


def run():
    """Imports the program and calls it; gives what it returned."""
    {%- if environment_file.is_some() %}
    read_environment()
    {%- endif %}
    arguments = get_arguments()
    prepare(arguments)
    module = importlib.import_module(MODULE)
    {%- if let Some(class) = class %}
    function = look_up(module, {{ class }}).run_from_command_line
    {%- endif %}
    {%- if let Some(function) = function %}
    function = look_up(module, {{ function }})
    {%- endif %}
    tell_ready()
    return function(arguments) if takes_arguments(function) else function()


def earlier_log(directory, owners):
    """What is in the error log, if it is a file of one of these users and not too large."""
    try:
        log = os.open(LOG_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return b""
    with open(log, "rb") as file:
        found = os.fstat(log)
        is_ours = stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid in owners
        return file.read(ERROR_LOG_LIMIT) if is_ours and found.st_size <= ERROR_LOG_LIMIT else b""


def replace_log(entry):
    """Puts a new log in the place of the old one, for its owner alone.

    Whoever may write in the directory can have put anything there: a link, a pipe, a huge file. So nothing that is
    there is opened to be written, and all happens in the one directory whose owner was looked at.
    """
    directory = os.open(os.path.dirname(ERROR_LOG), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        found = os.fstat(directory)
        owner = found.st_uid if os.geteuid() == 0 else os.geteuid()
        name = ".{}.{}".format(LOG_NAME, os.urandom(8).hex())
        data = earlier_log(directory, (os.geteuid(), owner)) + entry
        log = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=directory)
        try:
            with open(log, "wb") as file:
                if owner != os.geteuid():
                    os.fchown(log, owner, found.st_gid)
                file.write(data)
            os.replace(name, LOG_NAME, src_dir_fd=directory, dst_dir_fd=directory)
        except BaseException:
            os.unlink(name, dir_fd=directory)
            raise
    finally:
        os.close(directory)


def append_to_log(entry):
    """Adds to the log, which the access list of its directory protects (Windows)."""
    is_large = os.path.exists(ERROR_LOG) and os.path.getsize(ERROR_LOG) > ERROR_LOG_LIMIT
    with open(ERROR_LOG, "wb" if is_large else "ab") as file:
        file.write(entry)


def log_error(message):
    """Adds the time and a message to the error log; begins it anew once it is large."""
    {%- if left_to_root %}
    if os.path.isdir(WORKING_DIRECTORY) and os.stat(WORKING_DIRECTORY).st_uid != os.geteuid():
        # The log is for the owner of the directory, so root writes it, with the last lines of output.
        return
    {%- endif %}
    now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    entry = "{} {}\n{}\n".format(now, NAME, message)
    try:
        data = entry.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = entry.encode("utf-8", "backslashreplace")
    if len(data) > ENTRY_LIMIT:
        # The end of a traceback says what went wrong.
        data = data[: ENTRY_LIMIT // 2] + b"\n[...]\n" + data[-ENTRY_LIMIT // 2 :]
    try:
        if hasattr(os, "fchown"):
            replace_log(data)
        else:
            append_to_log(data)
    except OSError as error:
        print("cannot write the error log: {!r}".format(error), file=sys.stderr)


def main():
    """Runs the program; gives the exit status, and leaves a trace of every error."""
    try:
        result = run()
    except KeyboardInterrupt:
        return 0
    except SystemExit as error:
        if error.code in (None, 0, STOPPED):
            return 0
        log_error(traceback.format_exc())
        if isinstance(error.code, int):
            return int(error.code)
        print(error.code, file=sys.stderr)
        return 1
    except BaseException:  # pylint: disable=broad-except
        message = traceback.format_exc()
        log_error(message)
        print(message, file=sys.stderr)
        return 1
    if isinstance(result, int) and not isinstance(result, bool) and result not in (0, STOPPED):
        log_error("the program returned {!r}\n".format(result))
        return int(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
