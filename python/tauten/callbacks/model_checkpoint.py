"""Saving the model while it is trained."""

from __future__ import annotations

import os
from typing import Any
from warnings import warn

from tauten import saving
from tauten._checks import flag
from tauten.callbacks.callback import Logs
from tauten.callbacks.monitor import Monitor, save_frequency


class ModelCheckpoint(Monitor):
    """Saves the model, or its weights, behind epochs or batches; each file appears whole or not at all.

    A model that load_model() reads from such a file goes on in fit(initial_epoch=...) to the bit as if it had never
    stopped. Put it behind callbacks that change the learning rate, so that the file has what they changed.

    Args:
        filepath: ends in ".safetensors" and may have {epoch}, counted from 1, {batch} and names of the logs, such as
            "model-{epoch:02d}-{val_loss:.2f}.safetensors". Folders are made.
        monitor: a name of the logs, for save_best_only; default "val_loss".
        verbose: 1 says what is done; default 0.
        save_best_only: save only what is better than all before; default False.
        save_weights_only: save_weights() instead of save(); default False.
        mode: "min", "max", or "auto", which decides by the name; default "auto".
        save_freq: "epoch", or a number of batches, counted over epochs; default "epoch".
        initial_value_threshold: what the first value must beat; default None.

    Raises:
        TypeError, ValueError: for arguments out of range; in fit, for a filepath with names that the logs lack.
        OSError: for a folder; in fit, if a file cannot be written.
    """

    def __init__(
        self,
        filepath: saving.Path,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fsdecode(filepath)
        saving.check_name(self.filepath)
        self.verbose = verbose
        self.save_best_only = flag(save_best_only, "ModelCheckpoint: save_best_only")
        self.save_weights_only = flag(save_weights_only, "ModelCheckpoint: save_weights_only")
        self.save_freq = save_freq
        self._every = save_frequency(save_freq, "ModelCheckpoint")
        self._batches = 0  # since the last file
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self._every is None:
            return
        self._batches += 1
        if self._batches >= self._every:
            self._batches = 0
            self._save(self._epoch, batch, logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self._every is None:
            self._save(epoch, None, logs or {})

    def _save(self, epoch: int, batch: int | None, logs: Logs) -> None:
        assert self.model is not None
        path = self._path(epoch, batch, logs)
        if not self._wanted(epoch, logs, path):
            return
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: finished saving model to {path}")

    def _path(self, epoch: int, batch: int | None, logs: Logs) -> str:
        places = {**({} if batch is None else {"batch": batch + 1}), **logs, "epoch": epoch + 1}
        try:
            return self.filepath.format(**places)
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(
                f"ModelCheckpoint: filepath {self.filepath!r} cannot be filled in from {', '.join(places)}: {error}"
            ) from None

    def _wanted(self, epoch: int, logs: Logs, path: str) -> bool:
        if not self.save_best_only:
            if self.verbose > 0:
                print(f"\nEpoch {epoch + 1}: saving model to {path}")
            return True
        current = logs.get(self.monitor)
        if current is None:
            warn(
                f"ModelCheckpoint: there is no {self.monitor!r} to tell the best by; the model is saved. There are "
                f"{', '.join(logs)}",
                UserWarning,
                stacklevel=2,
            )
            return True
        best = "None" if self.best is None else f"{self.best:.5f}"
        if not self.improves(current, self.best):
            if self.verbose > 0:
                print(f"\nEpoch {epoch + 1}: {self.monitor} did not improve from {best}")
            return False
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: {self.monitor} improved from {best} to {current:.5f}, saving model to {path}")
        self.best = float(current)
        return True

    def get_state(self) -> dict[str, Any]:
        return {"best": self.best, "batches": self._batches}

    def set_state(self, state: dict[str, Any]) -> None:
        self.best, self._batches = state["best"], state["batches"]
