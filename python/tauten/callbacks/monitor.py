"""What callbacks share that watch one number of the logs for getting better."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tauten._checks import integer, number
from tauten.callbacks.callback import Callback

if TYPE_CHECKING:
    from tauten.models import Model


class Monitor(Callback):
    """Base of EarlyStopping, ModelCheckpoint and ReduceLROnPlateau.

    Args:
        monitor: a name of the logs.
        mode: "min" if small is good, "max" if large is, "auto" decides by the name.
        best: what the first value must beat; None is nothing.
        min_delta: a change of less is none.

    Raises:
        ValueError: for another mode.
    """

    def __init__(self, monitor: str, mode: str, best: float | None = None, min_delta: float = 0.0) -> None:
        super().__init__()
        owner = type(self).__name__
        if not isinstance(monitor, str):
            raise TypeError(f"{owner}: monitor: expected a name such as 'val_loss', got {monitor!r}")
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"{owner}: mode: expected 'auto', 'min' or 'max', got {mode!r}")
        self.monitor = monitor
        self.mode = mode
        self.best = None if best is None else number(best, f"{owner}: best value so far")
        self.min_delta = abs(number(min_delta, f"{owner}: min_delta"))

    def improves(self, value: Any, reference: float | None) -> bool:
        """Is `value` better than `reference` by more than min_delta? NaN never is.

        Raises ValueError if mode is "auto" and nobody knows which direction is good.
        """
        value = float(value)
        if math.isnan(value):
            return False
        if reference is None:
            return True
        if self._upwards():
            return bool(value - self.min_delta > reference)
        return bool(value + self.min_delta < reference)

    def _upwards(self) -> bool:
        if self.mode == "auto":
            upwards = _upwards(self.monitor.removeprefix("val_"), self.model)
            if upwards is None:
                raise ValueError(
                    f"{type(self).__name__}: cannot tell whether a large or a small {self.monitor!r} is good: pass "
                    "mode='max' or mode='min'"
                )
            return upwards
        return self.mode == "max"


def _upwards(name: str, model: Model | None) -> bool | None:
    """Is a large value of that loss or metric good? None if nobody knows."""
    if name == "loss":
        return False
    compiled = None if model is None else model._compiled
    if compiled is None:
        return None
    if name in (known for _, known in compiled.names.losses):
        return False
    return _metric_upwards(compiled.named[name]) if name in compiled.named else None


def _metric_upwards(metric: Any) -> bool | None:
    if isinstance(metric, str):
        return True  # accuracy
    return None if metric._direction is None else bool(metric._direction == "up")


def save_frequency(value: Any, owner: str) -> int | None:
    """save_freq as a number of batches; None for "epoch". Raises TypeError, ValueError."""
    if isinstance(value, str):
        if value != "epoch":
            raise ValueError(f"{owner}: save_freq: expected 'epoch' or a number of batches, got {value!r}")
        return None
    return integer(value, f"{owner}: save_freq")
