"""Describe the console scripts of a Python environment: python -c SCRIPT [PACKAGE] [--timeout SECONDS]

Prints one JSON document. Each script is looked at in a process of its own, by the program in PROBE
(probe.py, put in front of this one), so that none of them can stop, disturb or crash the others.
Needs nothing but Python 3.8 or newer.
"""

import sys

if sys.version_info < (3, 8):
    sys.exit("Python 3.8 or newer is needed, this is " + sys.version.split()[0])
sys.path[:] = [path for path in sys.path if path != ""]

import concurrent.futures
import json
import os
import shutil
import signal
import subprocess
import tempfile
from importlib import metadata


def scripts_of(distribution):
    """The console scripts of one distribution, by name."""
    found = {}
    for point in distribution.entry_points:
        if point.group == "console_scripts":
            found[point.name] = point.value.split("[")[0].replace(" ", "")
    return sorted(found.items())


def probe(name, entry, timeout):
    """What PROBE writes down about one script, or why it wrote nothing."""
    module, _, attribute = entry.partition(":")
    if not attribute:
        return {"skipped": "its entry point names no function"}
    folder = tempfile.mkdtemp(prefix="discover-")
    answer = os.path.join(folder, "answer.json")
    try:
        with open(os.path.join(folder, "stderr"), "w+b") as stderr:
            child = subprocess.Popen(
                [sys.executable, "-c", PROBE, name, module, attribute, answer],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                cwd=folder,
                env=environment(),
                start_new_session=True,
            )
            try:
                status = child.wait(timeout)
            except subprocess.TimeoutExpired:
                stop(child)
                return {"skipped": "it did not come to its arguments within %g seconds" % timeout}
            if os.path.exists(answer):
                with open(answer, encoding="ascii") as file:
                    return json.load(file)
            stderr.seek(0)
            lines = stderr.read().decode("utf-8", "replace").strip().splitlines()
            return {"skipped": "its process ended with status %d%s" % (status, ": " + lines[-1] if lines else "")}
    except (OSError, ValueError) as error:
        return {"skipped": "it could not be looked at: %s" % error}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def environment():
    """This one's, with the module path that a change of directory would break made absolute."""
    paths = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    return dict(os.environ, PYTHONPATH=os.pathsep.join(map(os.path.abspath, paths)))


def stop(child):
    """End the process and, where there are such, the group it leads."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    except OSError:
        pass
    child.wait()


def main(arguments):
    timeout = 60.0
    if "--timeout" in arguments:
        at = arguments.index("--timeout")
        timeout = float(arguments[at + 1])
        del arguments[at : at + 2]
    package = arguments[0] if arguments else None
    if package:
        try:
            distributions = [metadata.distribution(package)]
        except metadata.PackageNotFoundError:
            sys.exit("the package %s is not installed for %s" % (package, sys.executable))
    else:
        distributions = list(metadata.distributions())

    wanted = {}
    scripts = []
    for distribution in distributions:
        try:
            for name, entry in scripts_of(distribution):
                wanted.setdefault(name, (entry, distribution.metadata))
        except Exception as error:  # one that is broken says nothing about the others
            reason = "its console scripts cannot be read: %s: %s" % (type(error).__name__, error)
            path = str(getattr(distribution, "_path", distribution))
            scripts.append({"name": path, "entry": "", "package": None, "summary": None, "skipped": reason})
    names = sorted(wanted)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = list(pool.map(lambda name: probe(name, wanted[name][0], timeout), names))
    for name, answer in zip(names, found):
        entry, info = wanted[name]
        scripts.append(dict(answer, name=name, entry=entry, package=info["Name"], summary=info["Summary"]))
    info = distributions[0].metadata if package else {"Name": None, "Version": None, "Summary": None}
    document = {
        "format": 1,
        "python": sys.version.split()[0],
        "package": info["Name"],
        "version": info["Version"],
        "summary": info["Summary"],
        "scripts": scripts,
    }
    print(json.dumps(document, indent=1, sort_keys=True))


main(sys.argv[1:])
