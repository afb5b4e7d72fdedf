"""The API reference (docs/site) has every public module, and every public name has a docstring to stand in it."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

import tauten

SITE = Path(__file__).resolve().parents[2] / "docs" / "site"
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in (SITE / "api").glob("*.rst")}


def public_modules(module: ModuleType) -> list[str]:
    """Its name, and those of the modules that it says are public."""
    parts = (getattr(module, name) for name in module.__all__)
    below = [public_modules(part) for part in parts if inspect.ismodule(part)]
    return [module.__name__, *(name for names in below for name in names)]


MODULES = [*public_modules(tauten), "tauten.sklearn"]  # which is imported only by who has scikit-learn


def load(name: str) -> ModuleType:
    if name == "tauten.sklearn":
        pytest.importorskip("sklearn")
    return importlib.import_module(name)


def test_every_module_is_there() -> None:
    assert len(MODULES) > 20
    described = [name for text in PAGES.values() for name in re.findall(r"^\.\. automodule:: (\S+)$", text, re.M)]
    assert sorted(described) == sorted(MODULES)
    listed = re.findall(r"^docs/site/api/(\S+)$", (SITE / "contents.md").read_text(encoding="utf-8"), re.M)
    assert sorted(listed) == sorted(PAGES)


@pytest.mark.parametrize("name", MODULES)
def test_public_names_have_docstrings(name: str) -> None:
    """Methods may have those of the method that they override."""
    module = load(name)
    assert module.__doc__
    silent = []
    for public in module.__all__:
        thing = getattr(module, public)
        if not public.startswith("__") and not thing.__doc__:
            silent.append(public)
        members = vars(thing) if inspect.isclass(thing) else {}
        for member, value in members.items():
            what = callable(value) or isinstance(value, (classmethod, staticmethod, property))
            if what and not member.startswith("_") and not inspect.getdoc(getattr(thing, member)):
                silent.append(f"{public}.{member}")
    assert not silent


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_leaves_out_it_names(page: str) -> None:
    """A public name that is described elsewhere is at least said to be there."""
    text = PAGES[page]
    public = load(page).__all__
    left_out = [
        name for names in re.findall(r":exclude-members: ((?:.|\n {6})+)", text) for name in re.split(r",\s+", names)
    ]
    missing = [name for name in left_out if name in public and f"``{page}.{name}``" not in text]
    assert not missing
