"""Penalties on weights, added to the loss: l1·Σ|W| + l2·ΣW² (chapter §26.4; sign(0) = 0).

As in Keras, L2 has no factor ½: the chapter's α/2·ΣW² is L2(α/2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tauten._checks import number
from tauten._registry import resolve, serialize, with_custom

__all__ = [
    "L1", "L1L2", "L2", "ElasticNet", "Regularizer", "deserialize", "get", "l1", "l1_l2", "l2", "serialize",
]  # fmt: skip


class Regularizer:
    """Base of all penalties: l1·Σ|W| + l2·ΣW². A layer hands `penalty` to the native step.

    Calling a regularizer on an array gives the penalty's value.
    """

    _l1: float = 0.0
    _l2: float = 0.0

    @property
    def penalty(self) -> tuple[float, float]:
        """The two factors (l1, l2) of Σ|W| and ΣW²."""
        return self._l1, self._l2

    def __call__(self, x: ArrayLike) -> float:
        """The penalty of the weights `x`, any shape."""
        weights = np.asarray(x)
        return float(self._l1 * np.abs(weights).sum() + self._l2 * np.square(weights).sum())

    def get_config(self) -> dict[str, Any]:
        """The arguments that would make an equal object."""
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Regularizer:
        """The regularizer whose get_config() this is."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


class L1(Regularizer):
    """l1·Σ|W|.

    Args:
        l1: factor, at least 0; default 0.01.

    Raises:
        TypeError, ValueError: unless the factor is a finite number of at least 0.
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = self._l1 = _factor(l1, 0.01, "L1: l1")

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


class L2(Regularizer):
    """l2·ΣW².

    Args:
        l2: factor, at least 0; default 0.01.

    Raises:
        TypeError, ValueError: unless the factor is a finite number of at least 0.
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = self._l2 = _factor(l2, 0.01, "L2: l2")

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


class L1L2(Regularizer):
    """l1·Σ|W| + l2·ΣW².

    Args:
        l1: factor of Σ|W|, at least 0; default 0.
        l2: factor of ΣW², at least 0; default 0.

    Raises:
        TypeError, ValueError: unless the factors are finite numbers of at least 0.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = self._l1 = _factor(l1, 0.0, "L1L2: l1")
        self.l2 = self._l2 = _factor(l2, 0.0, "L1L2: l2")

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


class ElasticNet(Regularizer):
    """alpha·(mix·ΣW² + (1 - mix)·Σ|W|): the chapter's elastic net (§26.4), which Keras has not.

    Args:
        alpha: factor of the whole, at least 0; default 0.01.
        mix: share of the squares, in [0, 1]; default 0.5. 1 is L2(alpha), 0 is L1(alpha).

    Raises:
        TypeError, ValueError: unless alpha >= 0 and 0 <= mix <= 1.
    """

    def __init__(self, alpha: float = 0.01, mix: float = 0.5) -> None:
        self.alpha = _factor(alpha, 0.01, "ElasticNet: alpha")
        self.mix = number(mix, "ElasticNet: mix", 0.0, 1.0)
        self._l1 = self.alpha * (1.0 - self.mix)
        self._l2 = self.alpha * self.mix

    def get_config(self) -> dict[str, Any]:
        return {"alpha": self.alpha, "mix": self.mix}


_names: dict[str, type[Regularizer]] = {
    "L1": L1,
    "l1": L1,
    "L2": L2,
    "l2": L2,
    "L1L2": L1L2,
    "l1_l2": L1L2,
    "ElasticNet": ElasticNet,
    "elastic_net": ElasticNet,
}

l1, l2, l1_l2 = L1, L2, L1L2  # Keras' other names of the classes


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Regularizer | None:
    """The regularizer that serialize() wrote; or one of your own, by its name in `custom_objects`."""
    return get(with_custom(config, custom_objects))


def get(identifier: Regularizer | str | dict[str, Any] | None) -> Regularizer | None:
    """A regularizer from an object, a name ("l1", "l2", "l1_l2", "elastic_net"), a config, or None for none.

    Raises:
        ValueError, TypeError: for what names none.
    """
    return None if identifier is None else resolve(identifier, Regularizer, _names, "regularizer")


def _factor(value: float | None, default: float, what: str) -> float:
    return number(default if value is None else value, what, 0.0)
