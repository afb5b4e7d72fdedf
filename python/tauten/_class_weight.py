"""class_weight: a weight for each class, made into sample weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tauten import _data
from tauten._checks import integer, number

Weights = NDArray[np.float64] | list[NDArray[np.float64]]


class ClassWeight:
    """Weights of classes.

    Args:
        weights: class number -> weight; a class that is not named has the weight 1.

    Raises:
        TypeError, ValueError: for what is no such dict.
    """

    def __init__(self, weights: Any) -> None:
        if not isinstance(weights, Mapping) or not weights:
            raise TypeError(f"class_weight: expected a dict of class numbers and weights, got {weights!r}")
        pairs = {
            integer(key, "class_weight: class", 0): number(value, f"class_weight[{key}]")
            for key, value in weights.items()
        }
        self._classes = np.array(sorted(pairs), dtype=np.int64)
        self._weights = np.array([pairs[key] for key in sorted(pairs)], dtype=np.float64)

    def sample_weight(self, y: Any, given: Any, sparse: bool, prefix: str = "") -> Weights:
        """The weight of each sample's class, or of each step's, times the weight that it was given.

        Args:
            y: class numbers (samples,), (samples, 1), (samples, steps); or what has a class in the last axis, of
                which the largest counts, as in Keras; or a list of such arrays, one a sample.
            given: sample_weight or None.
            sparse: are the targets class numbers?
            prefix: of messages.

        Raises:
            TypeError, ValueError: for targets and weights that cannot be read.
        """
        raw = _data.read(y, f"{prefix}y")
        if isinstance(raw, list) and len({array.shape for array in raw}) == 1:
            raw = np.stack(raw)
        if isinstance(raw, list):
            own: Weights = [self._of(_classes(array, sparse)) for array in raw]
        else:
            own = self._of(_classes(raw, sparse))
            if own.ndim > 2:
                raise ValueError(f"{prefix}class_weight: expected one class a sample or step, got y of {raw.shape}")
        return own if given is None else product(own, given, prefix)

    def _of(self, classes: NDArray[np.int64]) -> NDArray[np.float64]:
        place = np.minimum(np.searchsorted(self._classes, classes), len(self._classes) - 1)
        weights: NDArray[np.float64] = np.where(self._classes[place] == classes, self._weights[place], 1.0)
        return weights


def _classes(y: NDArray[Any], sparse: bool) -> NDArray[np.int64]:
    if y.ndim > 1 and y.shape[-1] == 1:
        y = y[..., 0]
    elif y.ndim > 1 and not sparse:
        return np.asarray(np.argmax(y, axis=-1), dtype=np.int64)
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        return np.full(y.shape, -1)  # refused where y itself is checked
    return np.asarray(np.rint(y), dtype=np.int64)


def product(own: Weights, given: Any, prefix: str) -> Weights:
    """Weights of samples or steps times those that a user gave. Raises ValueError for shapes that do not fit."""
    what = f"{prefix}sample_weight"
    raw = _data.read(given, what)
    if len(raw) != len(own):
        raise ValueError(f"{what}: expected weights of {len(own)} samples as y has, got {len(raw)}")
    if not isinstance(own, list) and not isinstance(raw, list):
        if own.ndim < raw.ndim:
            own = own.reshape(own.shape + (1,) * (raw.ndim - own.ndim))
        elif own.ndim > raw.ndim:
            raw = raw.reshape(raw.shape + (1,) * (own.ndim - raw.ndim))
        if own.shape[1:] != raw.shape[1:] and 1 not in (own[0].size, raw[0].size):
            raise ValueError(f"{what}: shape {raw.shape} does not go with targets of shape {own.shape}")
        return np.asarray(own * raw, dtype=np.float64)
    products = []
    for i, (mine, theirs) in enumerate(zip(own, raw, strict=True)):
        if np.ndim(mine) and np.ndim(theirs) and np.shape(mine) != np.shape(theirs):
            raise ValueError(f"{what}[{i}]: expected shape {np.shape(mine)} as y[{i}] has, got {np.shape(theirs)}")
        products.append(np.asarray(mine * theirs, dtype=np.float64))
    return np.array(products) if products[0].ndim == 0 else products
