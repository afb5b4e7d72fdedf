"""How objects that are made of arguments are shown."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any


def shown(thing: object, values: Mapping[str, Any]) -> str:
    """`Class(argument=value, ...)` of the arguments of its class that `values` has, but for those at their default."""
    given = [
        f"{name}={values[name]!r}"
        for name, argument in inspect.signature(type(thing)).parameters.items()
        if name in values and repr(values[name]) != repr(argument.default)
    ]
    return f"{type(thing).__name__}({', '.join(given)})"
