"""Which classes are taken for which: labels from whatever models and data sets hold, and their counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Counts = NDArray[np.int64]


def counts(true: Array, predicted: Array, classes: int) -> Counts:
    """(classes, classes): how many of each true class (rows) were taken for each one (columns)."""
    return np.bincount(true * classes + predicted, minlength=classes**2).reshape(classes, classes)


def confusion(y_true: Any, y_pred: Any, names: Sequence[str] | None, what: str) -> tuple[Counts, list[str]]:
    """Counts and names of the classes; plot.confusion_matrix() says what it takes.

    Raises TypeError, ValueError that begin with `what`.
    """
    true, predicted = _array(y_true, f"{what}: y_true"), _array(y_pred, f"{what}: y_pred")
    if names is not None:
        if isinstance(names, (str, bytes)) or not all(isinstance(name, str) for name in names):
            raise TypeError(f"{what}: class_names: expected a list of strings, got {names!r}")
        names = list(names)
        if len(set(names)) < len(names):
            raise ValueError(f"{what}: class_names: expected different names, got {names}")
    true, predicted, classes = _labels(true, predicted, what)
    if "U" in (true.dtype.kind, predicted.dtype.kind):
        if names is None and true.dtype.kind != predicted.dtype.kind:
            raise ValueError(f"{what}: one of y_true and y_pred has names, the other numbers: give class_names")
        names = names or sorted({*true.tolist(), *predicted.tolist()})
    true, predicted = _numbers(true, names, f"{what}: y_true"), _numbers(predicted, names, f"{what}: y_pred")
    present = np.union1d(true, predicted)
    if classes is None and names is None:  # numbers may begin anywhere
        places = np.searchsorted(present, true), np.searchsorted(present, predicted)
        return counts(*places, len(present)), [str(number) for number in present]
    if names is not None and classes is not None and len(names) != classes:
        raise ValueError(f"{what}: class_names: expected {classes} names, one a class of the model, got {len(names)}")
    size = len(names) if names is not None else int(classes or 0)
    if present[0] < 0 or present[-1] >= size:
        which = "one for each of class_names" if names is not None else "as y_pred has columns"
        raise ValueError(f"{what}: expected class numbers in [0, {size}), {which}, got {present[0]} to {present[-1]}")
    return counts(true, predicted, size), names or [str(number) for number in range(size)]


def _array(value: Any, what: str) -> Array:
    """With the samples in front; lists of sequences of unequal length one behind the other."""
    several = isinstance(value, (list, tuple)) and all(getattr(one, "ndim", 0) for one in value)
    if several and len({one.shape for one in value}) > 1:
        try:
            value = np.concatenate(value)
        except ValueError as error:
            raise ValueError(f"{what}: the arrays in the list do not fit each other: {error}") from None
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{what}: expected an array, got lists of unequal lengths") from None
    if array.dtype.kind == "O" and array.size and all(isinstance(one, str) for one in array.flat):
        array = array.astype(str)
    if array.dtype.kind not in "biufU":
        raise TypeError(f"{what}: expected class numbers, names or probabilities, got dtype {array.dtype}")
    if array.ndim == 0 or not array.size:
        raise ValueError(f"{what}: expected at least one sample, got shape {array.shape}")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise ValueError(f"{what}: there is NaN in it")
    return array[..., 0] if array.ndim > 1 and array.shape[-1] == 1 else array


def _labels(true: Array, predicted: Array, what: str) -> tuple[Array, Array, int | None]:
    """One label a sample (or step), and the number of classes where probabilities or one-hot rows tell it."""
    classes = None
    if predicted.shape[:-1] == true.shape and predicted.ndim > 1:
        classes = predicted.shape[-1]
        predicted = predicted.argmax(axis=-1)
    elif true.shape[:-1] == predicted.shape and true.ndim > 1 and _one_hot(true):
        classes = true.shape[-1]
        true = true.argmax(axis=-1)
    elif true.shape != predicted.shape:
        raise ValueError(
            f"{what}: expected as many labels as predictions, or probabilities with an axis of classes, got shapes "
            f"{true.shape} and {predicted.shape}"
        )
    elif true.ndim > 1 and _one_hot(true):
        classes = true.shape[-1]
        true, predicted = true.argmax(axis=-1), predicted.argmax(axis=-1)
    elif predicted.dtype.kind == "f" and (predicted != np.floor(predicted)).any():
        if predicted.min() < 0 or predicted.max() > 1:
            raise ValueError(
                f"{what}: y_pred: expected probabilities in [0, 1], or class numbers, got values from "
                f"{predicted.min():g} to {predicted.max():g}"
            )
        classes, predicted = 2, (predicted > 0.5).astype(np.int64)
    return true.reshape(-1), predicted.reshape(-1), classes


def _one_hot(array: Array) -> bool:
    return array.dtype.kind in "biuf" and bool(np.isin(array, (0, 1)).all() and (array.sum(axis=-1) == 1).all())


def _numbers(labels: Array, names: list[str] | None, what: str) -> Counts:
    """Class numbers, of names their places."""
    if labels.dtype.kind == "U":
        assert names is not None
        places = {name: place for place, name in enumerate(names)}
        unknown = sorted(set(labels.tolist()) - set(names))
        if unknown:
            raise ValueError(f"{what}: {unknown[0]!r} is not among class_names, {names}")
        return np.array([places[name] for name in labels.tolist()], dtype=np.int64)
    if labels.dtype.kind == "f" and (labels != np.floor(labels)).any():
        raise ValueError(f"{what}: expected whole numbers as classes, got fractions")
    return labels.astype(np.int64)
