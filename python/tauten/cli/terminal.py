"""What the demos share: bold where the terminal can, folders, the clock."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from tauten._checks import folder_of
from tauten.callbacks import Callback, Logs

__all__ = ["Stopwatch", "check_writable", "heading", "line", "title", "writable_folder"]

WIDTH = 10


def _styled(text: str, code: str) -> str:
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return text if plain else f"\x1b[{code}m{text}\x1b[0m"


def title(text: str) -> str:
    """A demo's first line."""
    return _styled(text, "1;36")


def heading(name: str) -> str:
    """The name in front of a result, as wide as every other."""
    return _styled(name.ljust(WIDTH), "1")


def line(name: str, *texts: str) -> None:
    """One result: its name, then its lines below each other."""
    for number, text in enumerate(texts):
        print(f"{heading(name) if number == 0 else ' ' * WIDTH}  {text}")


def writable_folder(path: Path) -> Path:
    """Makes the folder now, so that a bad one is known before anything is trained.

    Raises:
        OSError: naming the folder, if it cannot be made or written in.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"cannot make the folder {path}: {error.strerror or error}") from error
    _check_writable(path)
    return path


def check_writable(path: Path) -> None:
    """Raise OSError, which names it, where the folder of a file is missing or cannot be written in."""
    folder_of(str(path))
    _check_writable(path.parent)


def _check_writable(folder: Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OSError(f"cannot write in the folder {folder}")


class Stopwatch(Callback):
    """Seconds spent on training batches; validation does not count."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self._begin = 0.0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Starts."""
        self._begin = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Takes the time up to here."""
        now = time.perf_counter()
        self.seconds += now - self._begin
        self._begin = now
