"""Predictions beside the truth, an output at a time: what plot.series() shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pair:
    """One panel.

    Attributes:
        title: which output, and which sample; empty if there is one of each.
        true, predicted: of equal length.
    """

    title: str
    true: Array
    predicted: Array


def pairs(y_true: Any, y_pred: Any, names: Sequence[str] | None, together: bool, what: str) -> list[Pair]:
    """One for each output; if not `together`, one for each sample, too. plot.series() says what it takes.

    Raises TypeError, ValueError that begin with `what`.
    """
    true, predicted = _samples(y_true, f"{what}: y_true"), _samples(y_pred, f"{what}: y_pred")
    if [one.shape for one in true] != [one.shape for one in predicted]:
        raise ValueError(
            f"{what}: expected y_true and y_pred of one shape, got {_shapes(true)} and {_shapes(predicted)}"
        )
    outputs = true[0].shape[1]
    if names is not None:
        if isinstance(names, (str, bytes)) or not all(isinstance(name, str) for name in names):
            raise TypeError(f"{what}: names: expected a list of strings, got {names!r}")
        if len(names) != outputs:
            raise ValueError(f"{what}: names: expected {outputs}, one an output, got {len(names)}")
    if together:
        true, predicted = [np.concatenate(true)], [np.concatenate(predicted)]
    found = []
    for sample in range(len(true)):
        for output in range(outputs):
            words = [names[output]] if names is not None else [f"output {output}"] if outputs > 1 else []
            words = [f"sample {sample}", *words] if len(true) > 1 else words
            found.append(Pair(", ".join(words), true[sample][:, output], predicted[sample][:, output]))
    return found


def _samples(value: Any, what: str) -> list[Array]:
    """(steps, outputs) of each sample."""
    ragged = isinstance(value, (list, tuple)) and all(getattr(one, "ndim", 0) for one in value)
    arrays = [_array(one, what) for one in value] if ragged and value else [_array(value, what)]
    if not ragged and arrays[0].ndim == 3:
        arrays = list(arrays[0])
    arrays = [array[:, None] if array.ndim == 1 else array for array in arrays]
    for array in arrays:
        if array.ndim != 2 or not array.size or array.shape[1] != arrays[0].shape[1]:
            raise ValueError(
                f"{what}: expected (steps,), (steps, outputs) or (samples, steps, outputs), got {_shapes(arrays)}"
            )
    return arrays


def _array(value: Any, what: str) -> Array:
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{what}: expected an array, got lists of unequal lengths") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{what}: expected numbers, got dtype {array.dtype}")
    return array.astype(np.float64)


def _shapes(arrays: Sequence[Array]) -> str:
    return str(arrays[0].shape) if len(arrays) == 1 else f"{len(arrays)} of shapes {[one.shape for one in arrays[:4]]}"
