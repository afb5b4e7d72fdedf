"""Accuracies: the share of what is right."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tauten._checks import flag, integer, number
from tauten.losses.base import aligned
from tauten.metrics.base import RowMetric


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[np.float64]:
    """1 where both are equal, else 0: arrays of one shape."""
    y, p = aligned(y_true, y_pred, "accuracy")
    return np.asarray(y == p, np.float64)


def binary_accuracy(y_true: ArrayLike, y_pred: ArrayLike, threshold: float = 0.5) -> NDArray[np.float64]:
    """Share of y_pred > threshold that equals y_true, over the last axis: (..., features) twice -> (...)."""
    y, p = aligned(y_true, y_pred, "binary_accuracy")
    return np.asarray(((p > threshold) == y).mean(axis=-1))


def categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[np.float64]:
    """1 where the largest of both is at the same place: (..., classes) twice -> (...)."""
    y, p = aligned(y_true, y_pred, "categorical_accuracy")
    return np.asarray(y.argmax(axis=-1) == p.argmax(axis=-1), np.float64)


def sparse_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[np.float64]:
    """1 where the largest of y_pred is at the place y_true: (...) or (..., 1), and (..., classes) -> (...)."""
    p = np.asarray(y_pred)
    return np.asarray(_labels(y_true, p) == p.argmax(axis=-1), np.float64)


def top_k_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike, k: int = 5) -> NDArray[np.float64]:
    """1 where the k largest of y_pred have the class of y_true's largest: (..., classes) twice -> (...)."""
    y, p = aligned(y_true, y_pred, "top_k_categorical_accuracy")
    return sparse_top_k_categorical_accuracy(y.argmax(axis=-1), p, k)


def sparse_top_k_categorical_accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, k: int = 5, from_sorted_ids: bool = False
) -> NDArray[np.float64]:
    """1 where the k largest of y_pred have the class y_true: (...) or (..., 1), and (..., classes) -> (...).

    from_sorted_ids=True: y_pred are class numbers, the likeliest first; its first k count.
    """
    p = np.asarray(y_pred)
    if from_sorted_ids:
        y = np.asarray(y_true)
        y = y if y.ndim == p.ndim else y[..., None]
        return np.asarray((p[..., :k] == y).any(axis=-1), np.float64)
    own = np.take_along_axis(p, _labels(y_true, p)[..., None], axis=-1)
    return np.asarray((p > own).sum(axis=-1) < k, np.float64)


def by_form(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[np.float64]:
    """The accuracy that "accuracy" stands for, by Keras' rule, from the shapes of targets and predictions."""
    y, p = np.asarray(y_true), np.asarray(y_pred)
    if p.shape[-1] == 1:
        return binary_accuracy(y, p)
    if y.ndim < p.ndim or y.shape[-1] == 1:
        return sparse_categorical_accuracy(y, p)
    return categorical_accuracy(y, p)


def _labels(y_true: ArrayLike, p: NDArray[Any]) -> NDArray[np.int64]:
    y = np.asarray(y_true)
    if y.ndim == p.ndim and y.shape[-1] == 1:
        y = y[..., 0]
    if y.shape != p.shape[:-1]:
        raise ValueError(f"accuracy: expected class numbers of shape {p.shape[:-1]}, got {np.shape(y_true)}")
    return y.astype(np.int64)


class Accuracy(RowMetric):
    """Share of outputs that equal their target.

    Args:
        name: in the logs; default "accuracy".
    """

    _function = staticmethod(accuracy)
    _direction = "up"


class BinaryAccuracy(RowMetric):
    """Share of outputs on their target's side of 0.5: mean over features and rows. y: 0 or 1, the output's shape.

    Args:
        name: in the logs; default "binary_accuracy".
        threshold: what is above it counts as 1; default 0.5.
    """

    native: str | None = "binary_accuracy"
    _function = staticmethod(binary_accuracy)
    _direction = "up"

    def __init__(self, name: str | None = None, dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(name, dtype=dtype)
        self.threshold = number(threshold, "BinaryAccuracy: threshold", 0.0, 1.0)
        self._fn_kwargs = {"threshold": self.threshold}
        if self.threshold != 0.5:
            self.native = None

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "threshold": self.threshold}


class CategoricalAccuracy(RowMetric):
    """Share of rows whose largest output is the target's largest. y: one-hot (..., classes).

    Args:
        name: in the logs; default "categorical_accuracy".
    """

    native = "categorical_accuracy"
    _function = staticmethod(categorical_accuracy)
    _direction = "up"


class SparseCategoricalAccuracy(RowMetric):
    """Share of rows whose largest output is the target's class. y: class numbers (...).

    Args:
        name: in the logs; default "sparse_categorical_accuracy".
    """

    native = "sparse_categorical_accuracy"
    _function = staticmethod(sparse_categorical_accuracy)
    _direction = "up"


class TopKCategoricalAccuracy(RowMetric):
    """Share of rows whose k largest outputs have the target's largest. y: one-hot (..., classes).

    Args:
        k: default 5.
        name: in the logs; default "top_k_categorical_accuracy".
    """

    _function = staticmethod(top_k_categorical_accuracy)
    _direction = "up"

    def __init__(self, k: int = 5, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.k = integer(k, f"{type(self).__name__}: k")
        self._fn_kwargs = {"k": self.k}

    def get_config(self) -> dict[str, Any]:
        return {"k": self.k, "name": self.name}


class SparseTopKCategoricalAccuracy(TopKCategoricalAccuracy):
    """Share of rows whose k largest outputs have the target's class. y: class numbers (...).

    Args:
        k: default 5.
        name: in the logs; default "sparse_top_k_categorical_accuracy".
        from_sorted_ids: outputs are class numbers, the likeliest first; default False.
    """

    _function = staticmethod(sparse_top_k_categorical_accuracy)
    _direction = "up"

    def __init__(self, k: int = 5, name: str | None = None, dtype: Any = None, from_sorted_ids: bool = False) -> None:
        super().__init__(k, name, dtype=dtype)
        self.from_sorted_ids = flag(from_sorted_ids, "SparseTopKCategoricalAccuracy: from_sorted_ids")
        self._fn_kwargs["from_sorted_ids"] = self.from_sorted_ids

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "from_sorted_ids": self.from_sorted_ids}
