"""What Python computes of a batch: losses between the halves of a native step, and metrics of its predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tauten.losses.base import checked_pair, expanded

if TYPE_CHECKING:
    from tauten._data import Raw
    from tauten.losses import Loss

Index = NDArray[np.int64]
Seen = tuple[Any, Any, Any]  # y_true, y_pred, sample_weight


@dataclass(frozen=True)
class Kept:
    """An output's targets and sample weights for Python.

    Attributes:
        y: as the user gave them; of an output with a step for each of unequal lengths, a list of each sample's.
        weight: (samples,), or as y one for each step; None: all 1.
        steps: (samples,) rows that each sample has in predictions, which then lie one after the other; else None.
        valid: which of a sample's steps these are; None: all.
        loss: computed in Python; None: the core does it, or there is none.
        share: the loss' weight in the sum.
    """

    y: Raw
    weight: Raw | None
    steps: NDArray[np.int64] | None
    valid: list[NDArray[np.bool_]] | None
    loss: Loss | None
    share: float

    def rows(self, index: Index) -> tuple[Any, Any]:
        """y_true and sample_weight of some samples, as their predictions lie."""
        weight = self.weight
        if self.steps is None or weight is None or not isinstance(weight, np.ndarray) or weight.ndim > 1:
            return self._taken(self.y, index), None if weight is None else self._taken(weight, index)
        return self._taken(self.y, index), np.repeat(weight[index], self.steps[index])

    def _taken(self, data: Raw, index: Index) -> NDArray[Any]:
        if self.steps is None:
            assert isinstance(data, np.ndarray)
            return data[index]
        parts = [np.asarray(data[i]) for i in index]
        if self.valid is not None:
            parts = [part[self.valid[i]] for part, i in zip(parts, index, strict=True)]
        return np.concatenate(parts)


class Judge:
    """One batch's losses in Python, and what metrics in Python get to see.

    Args:
        kept: of each output; None where Python has nothing to do.
        index: the batch's samples.
        gradients: are gradients of the losses needed?

    Attributes:
        arguments: for the native call.
    """

    def __init__(self, kept: Sequence[Kept | None], index: Index, gradients: bool) -> None:
        self._kept = kept
        self._rows = [None if own is None else own.rows(index) for own in kept]
        self._gradients = gradients
        self._outputs: list[NDArray[np.floating[Any]]] = []
        losses = any(own is not None and own.loss is not None for own in kept)
        self.arguments: dict[str, Any] = {"outside": self._losses} if losses else {"outputs": self._outputs}

    def seen(self) -> list[Seen | None]:
        """What metrics get of each output, behind the call."""
        pairs = zip(self._rows, self._outputs, strict=True)
        return [None if rows is None else (rows[0], output, rows[1]) for rows, output in pairs]

    def _losses(self, outputs: list[NDArray[np.floating[Any]]]) -> list[tuple[float, Any] | None]:
        self._outputs = outputs
        found: list[tuple[float, Any] | None] = []
        for own, rows, output in zip(self._kept, self._rows, outputs, strict=True):
            if own is None or own.loss is None or rows is None:
                found.append(None)
            else:
                found.append(_judged(own, *rows, output, self._gradients))
        return found


def _judged(own: Kept, y_true: Any, weight: Any, output: Any, wanted: bool) -> tuple[float, Any]:
    """An output's loss, and its gradient times what the reduction makes of it. Raises what the function raises.

    Raises also TypeError and ValueError for a result that is none, and, where a gradient is wanted, FloatingPointError.
    """
    assert own.loss is not None
    name = own.loss.name
    if output.size == 0:  # every step of the batch is masked
        return 0.0, output
    y_pred = output.copy()  # the function may do with it what it likes: metrics see the predictions
    values, gradient = checked_pair(own.loss.call(y_true, y_pred), name)
    values = _numbers(values, f"loss {name!r}: its values")
    if values.shape != output.shape[: values.ndim]:
        raise ValueError(
            f"loss {name!r}: expected values of shape {output.shape[:-1]}, one a row of y_pred {output.shape}, got "
            f"{values.shape}"
        )
    values = values.astype(np.float64)
    if weight is not None:
        if weight.ndim > values.ndim:
            raise ValueError(
                f"loss {name!r}: sample_weight of shape {weight.shape} needs a value each, got {values.shape}"
            )
        weight = expanded(weight, values.ndim)
        values = values * weight
    loss = float(values.mean())
    if not wanted:
        return loss, None
    gradient = _numbers(gradient, f"loss {name!r}: its gradient")
    if gradient.shape != output.shape:
        raise ValueError(f"loss {name!r}: expected a gradient of y_pred's shape {output.shape}, got {gradient.shape}")
    gradient = gradient.astype(np.result_type(gradient, output), copy=False)  # shares may be too small for a float16
    scale = own.share / values.size if weight is None else expanded(weight, output.ndim) * (own.share / values.size)
    with np.errstate(all="ignore"):
        gradient = np.asarray(gradient * scale, dtype=output.dtype)
    for array, what in ((values, "the loss"), (gradient, "its gradient")):
        if not np.isfinite(array).all():
            raise FloatingPointError(f"loss {name!r}: {what} is not finite; the weights are as before this step")
    return loss, gradient


def _numbers(values: Any, what: str) -> NDArray[Any]:
    try:
        array = np.asarray(values)
    except ValueError as error:  # lists of unequal length
        raise ValueError(f"{what}: expected an array: {error}") from error
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{what}: expected numbers, got dtype {array.dtype}")
    return array
