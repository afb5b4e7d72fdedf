"""A smaller learning rate when training no longer gets better."""

from __future__ import annotations

from typing import Any
from warnings import warn

from tauten._checks import integer, number
from tauten.callbacks.callback import Logs
from tauten.callbacks.monitor import Monitor


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate when a number of the logs has not got better for some epochs.

    "learning_rate" is added to the logs.

    Args:
        monitor: a name of the logs; default "val_loss".
        factor: what it is multiplied with, below 1; default 0.1.
        patience: epochs without a better value until then; default 10.
        verbose: 1 says what is done; default 0.
        mode: "min", "max", or "auto", which decides by the name; default "auto".
        min_delta: a change of less is none; default 1e-4.
        cooldown: epochs after a change that do not count; default 0.
        min_lr: the least learning rate; default 0.

    Raises:
        TypeError, ValueError: for arguments out of range; in fit, with mode "auto" for a metric of unknown direction.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.factor = number(factor, "ReduceLROnPlateau: factor", 0.0)
        if self.factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau: factor: expected a number below 1, got {factor}")
        self.patience = integer(patience, "ReduceLROnPlateau: patience", 0)
        self.verbose = verbose
        self.cooldown = integer(cooldown, "ReduceLROnPlateau: cooldown", 0)
        self.min_lr = number(min_lr, "ReduceLROnPlateau: min_lr", 0.0)
        self.on_train_begin()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.best = None
        self.wait = 0
        self.cooldown_counter = 0

    def in_cooldown(self) -> bool:
        """Do epochs not count at the moment?"""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert self.model is not None and self.model.optimizer is not None
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        current = logs.get(self.monitor)
        if current is None:
            warn(
                f"ReduceLROnPlateau: there is no {self.monitor!r} to watch; there are {', '.join(logs)}",
                UserWarning,
                stacklevel=2,
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(current, self.best):
            self.best = float(current)
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        assert self.model is not None and self.model.optimizer is not None
        optimizer = self.model.optimizer
        before = float(optimizer.learning_rate)
        if before <= self.min_lr:
            return
        optimizer.learning_rate = max(before * self.factor, self.min_lr)
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {optimizer.learning_rate}.")
        self.cooldown_counter = self.cooldown
        self.wait = 0

    def get_state(self) -> dict[str, Any]:
        return {"best": self.best, "wait": self.wait, "cooldown": self.cooldown_counter}

    def set_state(self, state: dict[str, Any]) -> None:
        self.best, self.wait, self.cooldown_counter = state["best"], state["wait"], state["cooldown"]
