"""Ending the training when it no longer gets better."""

from __future__ import annotations

from typing import Any
from warnings import warn

import numpy as np
from numpy.typing import NDArray

from tauten._checks import flag, integer, number
from tauten.callbacks.callback import Logs
from tauten.callbacks.monitor import Monitor


class EarlyStopping(Monitor):
    """Ends fit when a number of the logs has not got better for some epochs (early stopping as regularization).

    Attributes:
        best, best_epoch: the best value and its epoch, counted from 0.
        best_weights: that epoch's weights, if restore_best_weights.
        stopped_epoch: the epoch that was the last, counted from 0; 0 if fit was not stopped.
        wait: epochs since the best.

    Args:
        monitor: a name of the logs; default "val_loss".
        min_delta: a change of less is none; default 0.
        patience: epochs without a better value until fit ends; default 0.
        verbose: 1 says what is done; default 0.
        mode: "min", "max", or "auto", which decides by the name; default "auto".
        baseline: counts as without change until a value beats it; default None.
        restore_best_weights: at the end set the best epoch's weights, all at once; default False.
        start_from_epoch: epochs at the beginning that are not looked at; default 0.

    Raises:
        TypeError, ValueError: for arguments out of range; in fit, with mode "auto" for a metric of unknown direction.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = integer(patience, "EarlyStopping: patience", 0)
        self.verbose = verbose
        self.baseline = None if baseline is None else number(baseline, "EarlyStopping: baseline")
        self.restore_best_weights = flag(restore_best_weights, "EarlyStopping: restore_best_weights")
        self.start_from_epoch = integer(start_from_epoch, "EarlyStopping: start_from_epoch", 0)
        self.on_train_begin()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights: list[NDArray[np.floating[Any]]] | None = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert self.model is not None
        current = (logs or {}).get(self.monitor)
        if current is None:
            warn(
                f"EarlyStopping: there is no {self.monitor!r} to watch; there are {', '.join(logs or {})}",
                UserWarning,
                stacklevel=2,
            )
            return
        if epoch < self.start_from_epoch:
            return
        improves = self.improves(current, self.best)
        if self.restore_best_weights and (improves or self.best_weights is None):
            self.best_weights = self.model.get_weights()
            self.best_epoch = epoch
        self.wait += 1
        if improves:
            self.best, self.best_epoch = float(current), epoch
            if self.baseline is None or self.improves(current, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        assert self.model is not None
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def get_state(self) -> dict[str, Any]:
        return {"wait": self.wait, "best": self.best, "epoch": self.best_epoch, "weights": self.best_weights}

    def set_state(self, state: dict[str, Any]) -> None:
        self.wait, self.best, self.best_epoch = state["wait"], state["best"], state["epoch"]
        self.best_weights = state["weights"]
