# Asked of the interpreter before a Python program is installed: can it be imported there?
# Arguments: working directory, module, name in the module, "function" or "class", then pairs of
# an argument's name and the regular expression given for it. What is wrong goes to stderr. The exit
# status is 1 where a module is missing, and 3 for anything else; then the names that the module has
# in the place of one that it lacks follow in a line of their own.
import sys

# It runs where the service will. Nothing but this has been imported yet: `python -c` looks there first.
if sys.path and sys.path[0] == "":
    del sys.path[0]

import importlib
import re

directory, module, name, kind = sys.argv[1:5]
patterns = sys.argv[5:]
del sys.argv[1:]
# As the service itself: packages of the interpreter first, then the service's own directory.
sys.path.append(directory)
problems = []
names = []
is_missing = False


def takes_its_place(value):
    return callable(value) if kind == "function" else callable(getattr(value, "run_from_command_line", None))


try:
    imported = importlib.import_module(module)
except BaseException as error:
    problems.append("importing `%s` fails: %s: %s" % (module, type(error).__name__, error))
    is_missing = isinstance(error, ImportError)
else:
    found = imported
    before = ""
    for part in name.split("."):
        holder, found = found, getattr(found, part, None)
        if found is None:
            others = [other for other in dir(holder) if not other.startswith("_")]
            names = [before + other for other in others if takes_its_place(getattr(holder, other, None))]
            break
        before += part + "."
    if found is None:
        problems.append("`%s` has no %s `%s`" % (module, kind, name))
    elif kind == "class" and not callable(getattr(found, "run_from_command_line", None)):
        problems.append("the class `%s` has no `run_from_command_line` to call" % name)
    elif kind == "function" and not callable(found):
        problems.append("`%s` of `%s` cannot be called" % (name, module))
for argument, pattern in zip(patterns[::2], patterns[1::2]):
    try:
        re.compile(pattern)
    except re.error as error:
        problems.append("argument `%s`: `%s` is not a regular expression: %s" % (argument, pattern, error))
if problems:
    sys.stderr.write("; ".join(problems) + "\n")
    if is_missing:
        sys.exit(1)
    sys.stderr.write(" ".join(names) + "\n")
    sys.exit(3)
