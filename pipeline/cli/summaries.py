"""What commands are for, read from the source of their modules: the help of all of them imports none."""

import ast
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec

GROUP = "app"
"""The group of commands of a module that has one only."""


def summary(name: str, module: str) -> str:
    """The help of a command of a module: the docstring of its function, or what its group was given. Empty
    where neither is found."""
    tree = _parsed(module)
    for call in _calls(tree):
        if isinstance(call.func, ast.Call) and _adds(call.func, "command") and _first(call.func) == name:
            return _docstring(tree, _named(call.args))
        if _adds(call, "add_typer") and _given(call, "name") == name:
            return _help_of_group(tree, _named(call.args))
    return _help_of_group(tree, GROUP)


@cache
def _parsed(module: str) -> ast.Module:
    spec = find_spec(module)
    source = getattr(spec.loader, "get_source", lambda _: None)(module) if spec else None
    return ast.parse(source or "")


def _calls(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _adds(call: ast.Call, what: str) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == what


def _first(call: ast.Call) -> object:
    return call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None


def _given(call: ast.Call, name: str) -> object:
    values = {keyword.arg: keyword.value for keyword in call.keywords}
    found = values.get(name)
    return found.value if isinstance(found, ast.Constant) else None


def _named(arguments: list[ast.expr]) -> str:
    return arguments[0].id if arguments and isinstance(arguments[0], ast.Name) else ""


def _docstring(tree: ast.Module, function: str) -> str:
    bodies = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function)
    return next((ast.get_docstring(body) or "" for body in bodies), "")


def _help_of_group(tree: ast.Module, group: str) -> str:
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and _named(node.targets) == group
        ):
            return str(_given(node.value, "help") or "")
    return ""
