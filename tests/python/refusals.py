"""How refusals are tested: lists of (name, what to do, the error's type, words that its message has)."""

from __future__ import annotations

import pytest

import tauten


def add(first, *rest):
    """What to do: a model of an Input and layers, which are made by calls."""
    return lambda: tauten.Sequential([tauten.Input(first), *(make() for make in rest)])


def refused(cases):
    """A test for each of the cases; it passes its arguments on to check()."""
    return pytest.mark.parametrize(
        ("act", "error", "words"), [pytest.param(*case[1:], id=case[0].replace(" ", "-")) for case in cases]
    )


def check(act, error, words) -> None:
    with pytest.raises(error) as info:
        act()
    assert type(info.value) is error
    for word in words:
        assert word in str(info.value), str(info.value)
