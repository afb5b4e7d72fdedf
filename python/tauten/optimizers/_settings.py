"""Attributes of optimizers that are checked whenever they are set, also from a callback between two steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar, overload

from tauten import _checks

V = TypeVar("V")


class Holder(Protocol):
    """What has settings."""

    def _changed(self) -> None:
        """A setting has a new value."""


class Setting(Generic[V]):
    """A descriptor: check(value, what) gives the value to keep or raises an error that begins with `what`."""

    def __init__(self, check: Callable[[Any, str], V]) -> None:
        self._check = check

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Setting[V]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> V: ...
    def __get__(self, instance: object | None, owner: type) -> Setting[V] | V:
        if instance is None:
            return self
        value: V = instance.__dict__[self._name]
        return value

    def __set__(self, instance: Holder, value: Any) -> None:
        instance.__dict__[self._name] = self._check(value, f"{type(instance).__name__}: {self._name}")
        instance._changed()


def number(least: float = 0.0, most: float = math.inf) -> Setting[float]:
    """A finite number in [least, most]."""
    return Setting(lambda value, what: _checks.number(value, what, least, most))


def below_one() -> Setting[float]:
    """A number in [0, 1)."""

    def check(value: Any, what: str) -> float:
        result = _checks.number(value, what, 0.0, 1.0)
        if result == 1.0:
            raise ValueError(f"{what}: expected a number below 1, got {result}")
        return result

    return Setting(check)


def positive() -> Setting[float]:
    """A finite number above 0."""

    def check(value: Any, what: str) -> float:
        result = _checks.number(value, what, 0.0)
        if result == 0.0:
            raise ValueError(f"{what}: expected a positive number, got {result}")
        return result

    return Setting(check)


def optional_number(least: float = 0.0) -> Setting[float | None]:
    """None, or a finite number of at least `least`."""
    return Setting(lambda value, what: None if value is None else _checks.number(value, what, least))


def optional_integer(least: int) -> Setting[int | None]:
    """None, or an integer of at least `least`."""
    return Setting(lambda value, what: None if value is None else _checks.integer(value, what, least))


def flag() -> Setting[bool]:
    """True or False."""
    return Setting(_checks.flag)
