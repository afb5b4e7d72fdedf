"""The table at the end of docs/equations.md names classes, arguments, functions and tests that exist."""

from __future__ import annotations

import fnmatch
import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from types import ModuleType

import reference
import tauten
from cases import CASES

HERE = Path(__file__).parent
TABLE = (HERE.parents[1] / "docs" / "equations.md").read_text(encoding="utf-8").split("## Section, class, test")[1]
ROWS = [re.split(r"(?<!\\)\|", line) for line in TABLE.splitlines() if line.startswith("| ")][1:]


def code(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def names(module: ModuleType) -> set[str]:
    """Of a module, what is in it, and methods and arguments of its classes."""
    short = module.__name__.split(".")[-1]
    found = {short}
    for name, thing in vars(module).items():
        found |= {name, f"{short}.{name}"}
        for member in dir(thing) if inspect.isclass(thing) else ():
            found |= {member, f"{name}.{member}"}
            if inspect.isfunction(function := getattr(thing, member)):
                found |= set(inspect.signature(function).parameters)
    return found


def test_classes_and_arguments() -> None:
    known = set().union(*(names(getattr(tauten, name)) for name in tauten.__all__ if name[0].islower()))
    known |= {name[:-2] for name in known if name.endswith("1D")}  # ZeroPadding stands for all three
    words = [word.removeprefix("model.") for row in ROWS for word in code(row[3]) if not word[0].isdigit()]
    parts = [part for word in words for part in re.findall(r"[\w.]+(?=[(=]|$)", word)]
    assert len(parts) > 60
    assert {"GRU", "reset_after", "losses.Loss", "UpSampling", "gradients"} <= set(parts)
    assert not set(parts) - known


def test_reference() -> None:
    modules = [
        importlib.import_module(f"reference.{module.name}") for module in pkgutil.iter_modules(reference.__path__)
    ]
    known = set().union(*map(names, modules), (path.name for path in HERE.glob("test_*.py")))
    known |= {name for module in modules for name in re.findall(r"self\.(\w+)", inspect.getsource(module))}
    words = [word for row in ROWS for word in code(row[4])]
    assert len(words) > 40
    assert not set(words) - known


def test_tests() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py"))
    native = {path.name for path in (HERE.parent / "cpp").iterdir()}
    there = native | {path.name for path in HERE.iterdir()} | set(re.findall(r"def (test_\w+)\(", tests))
    words = [word.split("::")[-1].split("[")[0] for word in code(TABLE) if re.search(r"\btest_|_test\b", word)]
    assert len(words) > 60
    missing = {word for word in words if "/" not in word} - there
    assert not missing


def test_cases() -> None:
    listed = [part for line in TABLE.splitlines() for part in re.findall(r"cases? ((?:`[^`]+`(?:, )?)+)", line)]
    patterns = [pattern for part in listed for pattern in code(part)]
    assert len(patterns) > 15
    assert not [pattern for pattern in patterns if not fnmatch.filter([case.name for case in CASES], pattern)]
