"""Which axis of the data is what: named by the user where it can be read in more than one way, never guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

Array = NDArray[Any]
Data = Array | list[Array]  # samples in one array, or series of unequal length

GRIDS = {1: "steps", 2: "rows, columns", 3: "depth, rows, columns"}
LAYOUTS = """
        layout: what the axes of X are, in words: "samples, steps, features" or "samples, features, steps"{more}.
            Needed for arrays of more than two axes, and with input_shape. An array of two axes is "samples, steps",
            series of one feature, unless it says otherwise.
        input_shape: for X of two axes, as pipelines have it: the shape that each row is brought into (C order);
            `layout` then names the axes of the result. Default None.{lists}"""
IMAGES = """;
            "samples, rows, columns", the same with "channels" last or behind samples, and the three with "depth, rows,
            columns". "channels_last" and "channels_first" stand for those with channels and as many axes as X has"""


@dataclass(frozen=True)
class Layout:
    """The axes of samples: a grid of `rank` extents, and where the channels are."""

    rank: int
    channels: str  # "none", "last", "first"

    def __str__(self) -> str:
        word = "features" if self.rank == 1 else "channels"
        names = {"none": "", "last": f", {word}", "first": f"{word}, "}[self.channels]
        grid = GRIDS[self.rank]
        return f"samples, {names}{grid}" if self.channels == "first" else f"samples, {grid}{names}"

    @property
    def axes(self) -> int:
        """How many, the samples included."""
        return 1 + self.rank + (self.channels != "none")

    def arranged(self, X: Array) -> Array:
        """The same data with the channels last: (samples, ..., channels)."""
        if self.channels == "none":
            return X[..., None]
        return X if self.channels == "last" else np.moveaxis(X, 1, -1)


def possible(ranks: Sequence[int], axes: int | None = None) -> list[Layout]:
    """All layouts of grids of these ranks; with `axes` those of so many axes."""
    found = [Layout(rank, channels) for rank in ranks for channels in ("none", "last", "first")]
    return [layout for layout in found if axes is None or layout.axes == axes]


def chosen(layout: Any, shape: tuple[int, ...], ranks: Sequence[int], owner: str) -> Layout:
    """The layout that a user named for data of this shape. Raises ValueError that says what can be passed."""
    fitting = possible(ranks, len(shape))
    choices = " or ".join(f"{str(choice)!r}" for choice in fitting)
    if not fitting:
        most = max(choice.axes for choice in possible(ranks))
        raise ValueError(f"{owner}: X: expected 2 to {most} axes, got shape {shape}")
    if layout is None:
        if len(fitting) == 1:
            return fitting[0]
        raise ValueError(f"{owner}: X of shape {shape} can be read in several ways: pass layout={choices}")
    named = _named(layout)
    for choice in fitting:
        if named in (_named(str(choice)), [f"channels_{choice.channels}"]):
            return choice
    raise ValueError(f"{owner}: layout={layout!r} does not name the axes of X of shape {shape}: pass {choices}")


def _named(layout: Any) -> list[str]:
    """The words of a layout; "features" and "channels" are one."""
    if not isinstance(layout, str):
        return []
    return ["channels" if word.strip() == "features" else word.strip() for word in layout.lower().split(",")]


def is_listed(X: Any) -> bool:
    """Is it a list of arrays, one a series, or such an array of objects?"""
    if isinstance(X, np.ndarray):
        return X.dtype == object and X.ndim == 1 and len(X) > 0 and isinstance(X[0], np.ndarray)
    return isinstance(X, (list, tuple)) and len(X) > 0 and isinstance(X[0], np.ndarray) and X[0].ndim > 0


def series(X: Any, owner: str) -> list[Array]:
    """A list of series, each (steps_i, features); (steps_i,) is one feature. Raises ValueError naming the series."""
    found = []
    for number, one in enumerate(X):
        what = f"{owner}: X[{number}]"
        if np.ndim(one) not in (1, 2):
            raise ValueError(f"{what}: expected a series (steps, features) or (steps,), got shape {np.shape(one)}")
        checked = check_array(one, ensure_2d=False, dtype="numeric", input_name=f"X[{number}]")
        found.append(checked[:, None] if checked.ndim == 1 else checked)
    features = found[0].shape[1]
    for number, one in enumerate(found):
        if one.shape[1] != features:
            raise ValueError(
                f"{owner}: X[{number}]: expected {features} features as X[0] has, got shape {one.shape}; series are "
                "(steps, features)"
            )
    return found


def grid(X: Any) -> Array:
    """An array of numbers of more than two axes. Raises ValueError for NaN, infinity and no samples."""
    return np.asarray(check_array(X, ensure_2d=False, allow_nd=True, dtype="numeric", input_name="X"))


def axes_of(X: Any) -> int:
    """How many axes data have that are not a list of series."""
    return int(X.ndim) if hasattr(X, "ndim") else np.asarray(X).ndim


def take(data: Data, index: Array) -> Data:
    """Some of the samples."""
    return [data[i] for i in index] if isinstance(data, list) else data[index]
