"""Describe one console script: python -c PROBE NAME MODULE ATTRIBUTE ANSWER_FILE

The script is called as its users call it, with --help. The first parser it asks for its arguments is
written down and ends the process, so that the program's own work never starts.
"""

import sys

sys.path[:] = [path for path in sys.path if path != ""]

import importlib
import io
import json
import os
import re

NAME, MODULE, ATTRIBUTE, ANSWER = sys.argv[1:5]


def finish(answer):
    """Write the answer down and end the process, whatever the program has running by now."""
    with io.open(ANSWER, "w", encoding="ascii") as file:
        json.dump(answer, file)
    os._exit(0)


def skip(reason):
    finish({"skipped": reason})


def first_line(error):
    text = str(error).strip().splitlines()
    return type(error).__name__ + (": " + text[0] if text else "")


def scalar(value):
    """A default or choice as it would be typed, or None if it cannot be typed."""
    import pathlib

    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (str, pathlib.PurePath)):
        return str(value)
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        return value.pattern
    return None


def type_name(convert):
    """The dotted name of what turns the text into a value."""
    if convert is None:
        return None
    if not hasattr(convert, "__qualname__"):
        convert = getattr(convert, "func", type(convert))
    return "%s.%s" % (getattr(convert, "__module__", ""), getattr(convert, "__qualname__", "?"))


def choices(action):
    """The words, or None when there are none to list."""
    import itertools

    if action.choices is None:
        return None
    listed = [scalar(choice) for choice in itertools.islice(action.choices, 101)]
    return None if len(listed) > 100 or None in listed else listed


def package_dir(text):
    """A directory of an installed package that the help names, and the suffix of most files in it."""
    for root in sorted(filter(os.path.isabs, sys.path), key=len, reverse=True):
        start = text.find(root + os.sep)
        if start < 0:
            continue
        path = re.match(r"[^\s,;:'\"()]+", text[start + len(root) + 1 :])
        folder = os.path.join(root, path.group().rstrip(".")) if path else ""
        if not os.path.isdir(folder):
            continue
        suffixes = [os.path.splitext(name)[1] for name in sorted(os.listdir(folder))]
        suffix = max(suffixes, key=suffixes.count, default="")
        return os.path.relpath(folder, root).replace(os.sep, "/"), suffix
    return None, None


def describe(parser, action):
    import argparse

    known = [c.__name__ for c in type(action).__mro__ if c.__module__ == "argparse"]
    try:
        text = parser._get_formatter()._expand_help(action) if action.help else ""
    except Exception:
        text = action.help
    hidden = action.help is argparse.SUPPRESS
    folder, suffix = package_dir(text) if not hidden else (None, None)
    default = None if action.default is argparse.SUPPRESS else action.default
    nargs = {argparse.REMAINDER: "...", argparse.PARSER: "A..."}.get(action.nargs, action.nargs)
    group = getattr(action, "container", None)
    title = getattr(group, "title", None)
    return {
        "dest": action.dest,
        "flags": list(action.option_strings),
        "action": known[0] if known else "Action",
        "type": type_name(action.type),
        "nargs": nargs,
        "default": scalar(default),
        "choices": choices(action),
        "required": bool(action.required),
        "help": "" if hidden else " ".join(text.split()),
        "metavar": action.metavar if isinstance(action.metavar, str) else None,
        "group": title if title in titles(parser) else None,
        "package_dir": folder,
        "suffix": suffix,
    }


def titles(parser):
    """The headings the program made itself; argparse's own two come first."""
    return [group.title for group in parser._action_groups[2:]]


def capture(parser, *_args, **_kwargs):
    try:
        actions = [describe(parser, action) for action in parser._actions]
        answer = {"about": parser.description, "actions": actions}
    except BaseException as error:
        skip("its parser could not be read: " + first_line(error))
    finish(answer)


def mentions_argparse(name, seen):
    """Whether a module, or one of the same package that it imports anywhere, names argparse."""
    import ast
    import importlib.util as util

    if name in seen or name.partition(".")[0] != MODULE.partition(".")[0]:
        return False
    seen.add(name)
    try:
        spec = util.find_spec(name)
    except Exception:
        return False
    if spec is None:
        return False
    source = spec.loader.get_source(name) if hasattr(spec.loader, "get_source") else None
    # Without its source nobody can tell.
    if source is None or "argparse" in source:
        return True
    imports = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imports += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = spec.name if spec.submodule_search_locations else spec.parent
            base = util.resolve_name("." * node.level + (node.module or ""), package)
            imports += [base] + [base + "." + alias.name for alias in node.names]
    return any(mentions_argparse(name, seen) for name in imports)


def probe():
    sys.argv = [NAME, "--help"]
    try:
        module = importlib.import_module(MODULE)
        function = module
        for part in ATTRIBUTE.split("."):
            function = getattr(function, part)
    except BaseException as error:
        skip("it cannot be imported: " + first_line(error))
    # Otherwise calling it would only start its work.
    if "argparse" not in sys.modules and not mentions_argparse(MODULE, set()):
        skip("it does not use argparse")
    import argparse

    argparse.ArgumentParser.parse_args = capture
    argparse.ArgumentParser.parse_known_args = capture
    try:
        function()
    except SystemExit:
        skip("it ended without asking argparse for its arguments")
    except BaseException as error:
        skip("it failed before it asked argparse for its arguments: " + first_line(error))
    skip("it does not use argparse")


probe()
