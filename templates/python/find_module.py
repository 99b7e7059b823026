# Asked of the interpreter before anybody is asked for a password or a secret: is the module there at all? Nothing of it
# is run. Arguments: working directory, module. The exit status is 1 where it is certainly missing: who asks may not be
# allowed to look everywhere that the service may.
import sys

# It looks where the service will. Nothing but this has been imported yet: `python -c` looks there first.
if sys.path and sys.path[0] == "":
    del sys.path[0]

import importlib.util
import os
import site

directory, module = sys.argv[1:3]
# As the service itself: packages of the interpreter first, then the service's own directory.
sys.path.append(directory)
folders = list(sys.path)
if site.ENABLE_USER_SITE:
    folders.append(site.getusersitepackages())


def could_be_searched(folder):
    try:
        os.listdir(folder)
    except PermissionError:
        return False
    except OSError:  # it is not there, or an archive
        return True
    return True


top = module.split(".")[0]
try:
    is_there = importlib.util.find_spec(top) is not None
except BaseException:  # the import itself says more
    is_there = True
if not is_there and all(could_be_searched(folder) for folder in folders):
    sys.stderr.write("importing `%s` fails: ModuleNotFoundError: No module named '%s'\n" % (module, top))
    sys.exit(1)
