"""The arguments in _core.pyi are the extension's. That all its names are in both, mypy.stubtest checks (.ci/run)."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

import tauten
from tauten import _core

STUB = ast.parse((Path(tauten.__file__).parent / "_core.pyi").read_text(encoding="utf-8"))


def arguments(function: ast.FunctionDef) -> list[tuple[str, Any]]:
    """Names, each with its default; an empty tuple is an empty list."""
    found = function.args
    assert not found.posonlyargs and not found.kwonlyargs and not found.vararg and not found.kwarg
    defaults = [ast.literal_eval(default) for default in found.defaults]
    defaults = [[] if default == () else default for default in defaults]
    names = [argument.arg for argument in found.args]
    return list(zip(names, [...] * (len(names) - len(defaults)) + defaults, strict=True))


def in_extension(thing: Any, name: str) -> list[list[tuple[str, Any]]]:
    """The arguments of a function and its overloads, which pybind11 writes into its docstring."""
    signatures = re.findall(rf"^(?:\d+\. )?({name}\((?!\*args, \*\*kwargs).*\) -> .*)$", thing.__doc__, re.M)
    functions = (ast.parse(f"def {signature}: ...").body[0] for signature in signatures)
    return [arguments(function) for function in functions if isinstance(function, ast.FunctionDef)]


def functions(body: list[ast.stmt], owner: Any) -> dict[str, tuple[Any, list[ast.FunctionDef]]]:
    """Path -> the extension's function, and its definitions in the stub; properties apart."""
    found: dict[str, tuple[Any, list[ast.FunctionDef]]] = {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            inside = functions(node.body, getattr(owner, node.name))
            found |= {f"{node.name}.{name}": value for name, value in inside.items()}
        elif isinstance(node, ast.FunctionDef) and not isinstance(getattr(owner, node.name), property):
            found.setdefault(node.name, (getattr(owner, node.name), []))[1].append(node)
    return found


FUNCTIONS = functions(STUB.body, _core)


def test_all_are_compared() -> None:
    assert len(FUNCTIONS) > 60
    assert len(FUNCTIONS["Source.__init__"][1]) == 2


@pytest.mark.parametrize("path", FUNCTIONS)
def test_arguments(path: str) -> None:
    thing, definitions = FUNCTIONS[path]
    assert [arguments(node) for node in definitions] == in_extension(thing, path.split(".")[-1])
