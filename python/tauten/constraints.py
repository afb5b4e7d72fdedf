"""Constraints: what weights are held to after each update, by Keras' formulas. The native step applies them.

Norms n = √Σw² run along `axis`: 0 of a Dense kernel (features, units) holds the weights of each unit, [0, 1, 2] of a
Conv2D kernel (rows, columns, channels, filters) those of each filter. Where norms change, w becomes w·d / (1e-7 + n).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tauten._checks import MOST, integer, number, unpacked
from tauten._registry import resolve, serialize, with_custom
from tauten.losses.base import EPSILON, floats

__all__ = [
    "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "max_norm", "min_max_norm",
    "non_neg", "serialize", "unit_norm",
]  # fmt: skip

Array = NDArray[Any]
Native = tuple[str, float, float, float, list[int]]  # kind, least, most, rate, axes
NONE: Native = ("none", 0.0, 0.0, 1.0, [])


class Constraint:
    """Base of the constraints. Calling one on an array gives the weights that it makes of it.

    There are MaxNorm, NonNeg, UnitNorm and MinMaxNorm: Python code does not run within a native step.
    """

    _native: Native | None = None

    @property
    def native(self) -> Native:
        """What the network is told. Raises TypeError for a class of one's own."""
        if self._native is None:
            raise TypeError(
                f"constraint: {type(self).__name__} cannot run inside a native step; use MaxNorm, NonNeg, UnitNorm or "
                "MinMaxNorm"
            )
        return self._native

    def __call__(self, w: ArrayLike) -> Array:
        """The weights that it makes of `w`, any shape."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The arguments that would make an equal object."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constraint:
        """The constraint whose get_config() this is."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


class NonNeg(Constraint):
    """w becomes max(w, 0)."""

    _native = ("non_negative", 0.0, 0.0, 1.0, [])

    def __call__(self, w: ArrayLike) -> Array:
        return np.maximum(w, 0)


class _Norm(Constraint):
    """Norms n become rate·clip(n, least, most) + (1 - rate)·n."""

    def _hold(self, least: float, most: float, rate: float, axis: Any) -> None:
        what, axes = type(self).__name__, unpacked(axis)
        if isinstance(axes, (list, tuple)):
            self.axis: int | list[int] = [integer(each, f"{what}: axis", -MOST) for each in axes]
        else:
            self.axis = integer(axes, f"{what}: axis", -MOST)
        self._native = ("norm", least, most, rate, self.axis if isinstance(self.axis, list) else [self.axis])

    def __call__(self, w: ArrayLike) -> Array:
        weights = floats(w)
        _, least, most, rate, axes = self.native
        norms = np.sqrt(np.square(weights).sum(axis=tuple(axes), keepdims=True))
        wanted = rate * np.clip(norms, least, most) + (1 - rate) * norms
        return np.asarray(weights * (wanted / (EPSILON + norms)), weights.dtype)


class MaxNorm(_Norm):
    """Norms are at most max_value.

    Args:
        max_value: at least 0; default 2.
        axis: along which norms run, an integer or several; default 0.

    Source: Srivastava et al. 2014.
    """

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0) -> None:
        self.max_value = number(max_value, "MaxNorm: max_value", 0.0)
        self._hold(0.0, self.max_value, 1.0, axis)

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}


class UnitNorm(_Norm):
    """Norms are 1.

    Args:
        axis: along which norms run, an integer or several; default 0.
    """

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        self._hold(1.0, 1.0, 1.0, axis)

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}


class MinMaxNorm(_Norm):
    """Norms n become rate·clip(n, min_value, max_value) + (1 - rate)·n.

    Args:
        min_value: at least 0; default 0.
        max_value: at least min_value; default 1.
        rate: in [0, 1]; 1, the default, enforces the bounds at once.
        axis: along which norms run, an integer or several; default 0.
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: int | Sequence[int] = 0
    ) -> None:
        self.min_value = number(min_value, "MinMaxNorm: min_value", 0.0)
        self.max_value = number(max_value, "MinMaxNorm: max_value", self.min_value)
        self.rate = number(rate, "MinMaxNorm: rate", 0.0, 1.0)
        self._hold(self.min_value, self.max_value, self.rate, axis)

    def get_config(self) -> dict[str, Any]:
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm  # Keras' other names of the classes

_classes: tuple[type[Constraint], ...] = (MaxNorm, MinMaxNorm, NonNeg, UnitNorm)
_names: dict[str, type[Constraint]] = {
    **{cls.__name__: cls for cls in _classes},
    "max_norm": MaxNorm,
    "min_max_norm": MinMaxNorm,
    "non_neg": NonNeg,
    "unit_norm": UnitNorm,
}


def checked(identifier: Any, what: str) -> Constraint | None:
    """get() for a layer. Raises ValueError or TypeError that begins with `what`, also for what is not native."""
    try:
        found = get(identifier)
        _ = found is None or found.native
    except (ValueError, TypeError) as error:
        raise type(error)(f"{what}: {error}") from None
    return found


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Constraint | None:
    """The constraint that serialize() wrote; or one of your own, by its name in `custom_objects`."""
    return get(with_custom(config, custom_objects))


def get(identifier: Constraint | str | Mapping[str, Any] | None) -> Constraint | None:
    """A constraint from an object, a name ("max_norm", "non_neg", "unit_norm", "min_max_norm"), a config, or None.

    Raises:
        ValueError, TypeError: for what names none.
    """
    return None if identifier is None else resolve(identifier, Constraint, _names, "constraint")
