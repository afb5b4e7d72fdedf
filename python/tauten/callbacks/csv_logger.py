"""The logs of every epoch in a file."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from typing import IO, Any

import numpy as np

from tauten._checks import folder_of
from tauten.callbacks.callback import Callback, Logs


class CSVLogger(Callback):
    """Writes a line of comma-separated values an epoch: its number from 0, then the logs by name.

    The names are those of the first epoch, and without validation in it the val_ ones too; a value that is missing is
    "NA".

    Args:
        filename: the file.
        separator: between values; default ",".
        append: True adds lines to a file that exists, for a fit that goes on; default False, which writes it anew.

    Raises:
        OSError: in fit, if the file cannot be written; FileNotFoundError names a folder that is not there.
    """

    def __init__(self, filename: str | bytes | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = os.fsdecode(filename)
        self.sep = separator
        self.append = append
        self._file: IO[str] | None = None
        self._writer: Any = None
        self._keys: list[str] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._close()
        self._header = not (self.append and os.path.exists(self.filename) and os.path.getsize(self.filename))
        folder_of(self.filename)
        mode = "a" if self.append else "w"
        self._file = open(self.filename, mode, newline="", encoding="utf-8")  # noqa: SIM115 (closed when fit ends)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        assert self._file is not None
        if self._writer is None:
            self._keys = sorted(logs)
            if self._keys and not any(key.startswith("val_") for key in self._keys):
                self._keys += [f"val_{key}" for key in self._keys]
            self._writer = csv.writer(self._file, delimiter=self.sep)
            if self._header:
                self._writer.writerow(["epoch", *self._keys])
        self._writer.writerow([epoch, *(_shown(logs.get(key, "NA")) for key in self._keys)])
        self._file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = self._writer = None


def _shown(value: Any) -> Any:
    if isinstance(value, str) or not isinstance(value, Iterable) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value
    return f'"[{", ".join(map(str, value))}]"'
