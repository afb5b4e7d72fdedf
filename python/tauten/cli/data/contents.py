"""What a data file holds, before anything is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Samples = Array | list[Array]  # (samples, ...), or series (steps_i, features) of unequal length


@dataclass(frozen=True)
class Table:
    """A CSV file as it stands: cells are text without blanks around it."""

    path: str
    names: list[str]  # "column 1", ... where the file has no header
    rows: list[list[str]]
    lines: list[int]  # where in the file each row begins, from 1
    named: bool  # is there a header?

    def place(self, row: int) -> str:
        """Where a row is, for people."""
        return f"{self.path}: line {self.lines[row]}"


@dataclass(frozen=True)
class Arrays:
    """Numbers, ready to be samples of a network; labels as text."""

    path: str
    x: Samples
    y: list[str] | None
    task: str | None = None  # where the file says it
    name: str = "y"  # of the targets
    lines: Sequence[int] | None = None

    def place(self, sample: int) -> str:
        """Where a sample is, for people."""
        return f"{self.path}: sample {sample + 1}" if self.lines is None else f"{self.path}: line {self.lines[sample]}"


Contents = Table | Arrays


def take(x: Samples, index: Array) -> Samples:
    """The samples of these numbers."""
    return [x[i] for i in index] if isinstance(x, list) else x[index]


def label(value: Any) -> str:
    """The text of a label: whole numbers without a point, whatever they are kept as."""
    text = str(value).strip()
    if not any(mark in text for mark in ".eE"):
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if np.isfinite(number) and number == int(number) else text
