"""Histories of fit as curves: what plots and notebooks show of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tauten.models import Model

VALIDATION = "val_"


@dataclass(frozen=True, eq=False)
class Curve:
    """One number an epoch.

    Attributes:
        epochs: counted from 1; rising, with gaps where nothing was validated.
        values: of the same length.
    """

    epochs: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Run:
    """A fit.

    Attributes:
        name: what it is called beside others.
        curves: by the names of the logs.
        model: that was trained, if it is known.
    """

    name: str
    curves: dict[str, Curve]
    model: Model | None = None

    def pair(self, metric: str) -> tuple[Curve | None, Curve | None]:
        """Of training and of validation."""
        return self.curves.get(metric), self.curves.get(VALIDATION + metric)

    def best(self, monitor: str | None, mode: str, what: str) -> tuple[str, int] | None:
        """The curve that decides, and its best epoch, the first one of equals; None if there is no such curve.

        Args:
            monitor: its name; None for the validation loss, or else the loss.
            mode: "min", "max" or "auto".
            what: begins messages.
        """
        if monitor is None:
            found = [name for name in (f"{VALIDATION}loss", "loss") if name in self.curves]
            if not found:
                return None
            monitor = found[0]
        curve = self.curves.get(monitor)
        if curve is None:
            return None
        upwards = mode == "max" or (mode == "auto" and self._upwards(monitor, what))
        values = np.where(np.isnan(curve.values), -np.inf, curve.values if upwards else -curve.values)
        return (monitor, int(curve.epochs[values.argmax()])) if np.isfinite(values).any() else None

    def _upwards(self, monitor: str, what: str) -> bool:
        """Is a large value good? The callbacks' rule; accuracies also where the model is not known."""
        from tauten.callbacks import monitor as rules

        name = monitor.removeprefix(VALIDATION)
        known = rules._upwards(name, self.model)
        if known is None and name.endswith(("accuracy", "loss")):
            known = name.endswith("accuracy")
        if known is None:
            raise ValueError(
                f"{what}: cannot tell whether a large or a small {monitor!r} is good: pass mode='max' or mode='min'"
            )
        return known


def metrics(runs: Sequence[Run]) -> list[str]:
    """The names of the curves, those of validation without their prefix; the loss first, the learning rate last."""
    names = dict.fromkeys(name.removeprefix(VALIDATION) for run in runs for name in run.curves)
    return sorted(names, key=lambda name: (name != "loss", name == "learning_rate"))


def read(history: Any, what: str) -> list[Run]:
    """Histories, or their dicts: one, a list of several, or a dict of several by name.

    Raises TypeError for anything else, ValueError for such without epochs, and for lists of unequal lengths of which
    nobody knows the epochs.
    """
    if _is_history(history) or _is_logs(history):
        return [_run("", history, what)]
    if isinstance(history, Mapping):
        several = {str(name): one for name, one in history.items()}
    elif isinstance(history, Sequence) and not isinstance(history, (str, bytes)):
        several = {str(number): one for number, one in enumerate(history, 1)}
    else:
        several = {"": history}
    if not several:
        raise ValueError(f"{what}: expected a History, got none")
    for one in several.values():
        if not (_is_history(one) or _is_logs(one)):
            raise TypeError(
                f"{what}: expected what fit() returns, its .history, or a list or dict of several such, got "
                f"{one!r} of type {type(one).__name__}"
            )
    return [_run(name, one, what) for name, one in several.items()]


def _is_history(value: Any) -> bool:
    return isinstance(getattr(value, "history", None), Mapping)


def _is_logs(value: Any) -> bool:
    """Names with lists of numbers? An empty dict is a history without epochs."""
    return isinstance(value, Mapping) and all(
        isinstance(numbers, (Sequence, np.ndarray))
        and not isinstance(numbers, str)
        and not any(isinstance(number, Mapping) or _is_history(number) for number in numbers)
        for numbers in value.values()
    )


def _run(name: str, history: Any, what: str) -> Run:
    logs = history.history if _is_history(history) else history
    measured = getattr(history, "_measured", {})
    begin = f"{what}: history{f' {name!r}' if name else ''}"
    curves: dict[str, Curve] = {}
    for key, numbers in logs.items():
        try:
            values = np.asarray(numbers, dtype=np.float64)
        except (TypeError, ValueError):
            raise TypeError(f"{begin}: {key}: expected one number an epoch, got {numbers!r}") from None
        if values.ndim != 1:
            raise ValueError(f"{begin}: {key}: expected one number an epoch, got an array of shape {values.shape}")
        epochs = np.asarray(measured.get(key, ()), dtype=np.int64) + 1
        if len(values):
            curves[str(key)] = Curve(epochs if len(epochs) == len(values) else np.arange(1, len(values) + 1), values)
    if not curves:
        raise ValueError(f"{begin}: there are no epochs in it")
    lengths = {
        key: len(curve.values) for key, curve in curves.items() if len(measured.get(key, ())) != len(curve.values)
    }
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"{begin}: expected lists of one length, got {lengths}; the History that fit() returns knows the epochs"
        )
    return Run(name, curves, getattr(history, "model", None))
