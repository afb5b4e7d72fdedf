"""Checks of arguments that many classes share. Each names what it checks, what it wanted and what came."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

MOST = 2**46  # of extents and counts: products of a few are checked natively, this keeps each within 64 bits
MOST_SEED = 2**63 - 1


def integer(value: Any, what: str, least: int = 1, most: int = MOST) -> int:
    """`value` as an int in [least, most]. Raises TypeError or ValueError that begins with `what`."""
    if isinstance(value, bool):
        raise TypeError(f"{what}: expected an integer, got {value!r}")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{what}: expected an integer, got {value!r} of type {type(value).__name__}") from None
    if number < least:
        raise ValueError(f"{what}: expected at least {least}, got {_short(number)}")
    if number > most:
        raise ValueError(f"{what}: expected at most {most}, got {_short(number)}")
    return number


def number(value: Any, what: str, least: float = -math.inf, most: float = math.inf) -> float:
    """`value` as a finite float in [least, most]. Raises TypeError or ValueError that begins with `what`."""
    if isinstance(value, (bool, str, bytes)):
        raise TypeError(f"{what}: expected a number, got {value!r}")
    try:
        result = float(value)
    except OverflowError:
        raise ValueError(f"{what}: expected a number within float64, got a larger one") from None
    except (TypeError, ValueError):
        raise TypeError(f"{what}: expected a number, got {value!r} of type {type(value).__name__}") from None
    if not math.isfinite(result):
        raise ValueError(f"{what}: expected a finite number, got {result}")
    if not least <= result <= most:
        raise ValueError(f"{what}: expected a number {_interval(least, most)}, got {result}")
    return result


def flag(value: Any, what: str) -> bool:
    """`value` as a bool: True, False or NumPy's. Raises TypeError for everything else."""
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return bool(value)
    raise TypeError(f"{what}: expected True or False, got {value!r}")


def extents(value: Any, rank: int, what: str) -> tuple[int, ...]:
    """One positive extent a dimension; a single integer stands for all of them, as in Keras."""
    value = unpacked(value)
    if isinstance(value, (list, tuple)):
        if len(value) != rank:
            raise ValueError(f"{what}: expected an integer or {rank} of them, got {tuple(value)}")
        return tuple(integer(extent, what) for extent in value)
    return (integer(value, what),) * rank


def sample_shape(value: Any, what: str) -> tuple[int | None, ...]:
    """The shape of one sample: positive extents, None for one that is known only at run time."""
    value = unpacked(value)
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Sequence):
        raise TypeError(f"{what}: expected a tuple of extents such as (28, 28, 1), got {value!r}")
    return tuple(None if extent is None else integer(extent, what) for extent in value)


def unpacked(value: Any) -> Any:
    """A NumPy array as a list of Python numbers; all else as it is."""
    return value.tolist() if isinstance(value, np.ndarray) else value


def layer_name(value: Any, what: str) -> str:
    """A layer's or model's name: Unicode, not empty, without "/", which separates layer and weight in a path."""
    if not isinstance(value, str):
        raise TypeError(f"{what}: expected a string as name, got {value!r}")
    if not value or "/" in value:
        raise ValueError(f"{what}: a name must not be empty nor contain '/', got {value!r}")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError(f"{what}: a name must be valid Unicode, got {value!r} with half a surrogate pair")
    return value


def folder_of(path: str) -> None:
    """Raise FileNotFoundError unless the folder in which a file is to be written is there."""
    folder = os.path.dirname(path)
    if folder and not os.path.isdir(folder):
        raise FileNotFoundError(f"{path}: no such folder: {folder}; make it first")


def keras_only(owner: str, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Refuse Keras arguments that Tauten does not have; those at the value that changes nothing may stay.

    Raises ValueError for a known argument with another value and TypeError for an unknown one.
    """
    for key, value in given.items():
        if key not in defaults:
            unexpected(owner, key)
        default = defaults[key]
        same = value is None if default is None else value in (default, None)
        if not same:
            hint = "" if key != "dtype" else " (a model has one float type: tauten.config.set_floatx)"
            raise ValueError(f"{owner}: {key}={value!r} is not supported by Tauten{hint}")


def unexpected(owner: str, key: str) -> NoReturn:
    """Raise the TypeError that Python itself would raise for an unknown argument."""
    raise TypeError(f"{owner}: unexpected keyword argument {key!r}")


def _short(number: int) -> str:
    return str(number) if number.bit_length() <= 128 else f"an integer of {number.bit_length()} bits"


def _interval(least: float, most: float) -> str:
    if most == math.inf:
        return f"of at least {least:g}"
    if least == -math.inf:
        return f"of at most {most:g}"
    return f"in [{least:g}, {most:g}]"
