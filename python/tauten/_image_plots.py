"""The pictures of tauten.plot; matplotlib is imported only when one is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tauten._plots import COLOURS, GREY, figure_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    Array = NDArray[Any]

FEW = 6  # channels that lines can show
LABELLED = 24  # tiles of a row or column that get a number each


def filters(name: str, kernel: Array, most: int, figure: Any) -> Figure:
    """A kernel (k_1, ..., channels, filters); name: "Filters of ..."."""
    channels, count = kernel.shape[-2:]
    rank = kernel.ndim - 2
    title = f"{name}{_cut(count, most, 'filters')}"
    if channels > 1:
        title += _cut(channels, most, "channels")
    kernel = kernel[..., :most, :most]
    if rank == 1 and channels <= FEW:
        return _filter_lines(title, kernel, figure)
    if rank == 1:
        tiles = kernel.transpose(2, 1, 0)  # an image, channels x steps, for each filter
        return _grid(title, tiles, figure, "step", "channel")
    if rank == 2 and channels == 1:
        return _grid(title, kernel[:, :, 0].transpose(2, 0, 1), figure)
    slices = kernel if rank == 3 else kernel[None]
    depth = slices.shape[0]
    # rows: channels, and the slices of each; columns: filters
    tiles = slices.transpose(3, 0, 4, 1, 2).reshape(-1, kernel.shape[-1], *slices.shape[1:3])
    rows = [f"{c}" if depth == 1 else f"{c}, {d}" for c in range(slices.shape[3]) for d in range(depth)]
    return _table(title, tiles, figure, "filter", "channel of the input" if depth == 1 else "channel, slice", rows)


def feature_maps(layer: str, values: Array, most: int, figure: Any) -> Figure:
    """What a layer wrote for one sample, (..., channels)."""
    if values.ndim > 4:
        raise ValueError(f"plot.feature_maps: layer {layer!r} writes {values.shape}, expected at most four axes")
    channels = values.shape[-1]
    title = f"Feature maps of {layer}" if values.ndim > 2 else f"Values of {layer}"
    title += _cut(channels, most, "channels") if values.ndim > 1 else ""
    if values.ndim == 1:
        fig, axes = figure_of(figure, (7, 2.8))
        _bars(axes, values)
        axes.set_xlabel("unit")
        fig.suptitle(title, fontsize=11)
        return fig
    values = values[..., :most]
    if values.ndim == 2:
        fig, axes = figure_of(
            figure, (8, 3.2 if channels <= FEW else min(10.0, max(3.2, 1.0 + 0.14 * values.shape[1])))
        )
        if channels <= FEW:
            _lines(axes, values)
        else:
            _heat(fig, axes, values.T, "channel")
        axes.set_xlabel("step")
        fig.suptitle(title, fontsize=11)
        return fig
    if values.ndim == 3:
        return _grid(title, values.transpose(2, 0, 1), figure)
    title += _cut(values.shape[0], most, "slices")
    tiles = values[:most].transpose(3, 0, 1, 2)
    return _table(title, tiles, figure, "slice", "channel", [str(c) for c in range(len(tiles))])


def saliency(sample: Array, values: Array, target: str, figure: Any) -> Figure:
    """A sample beside |∂ score / ∂x|, in the same shape."""
    about = f"|∂ score of class {target} / ∂x|"
    if sample.ndim > 4:
        raise ValueError(f"plot.saliency: x: expected a sample of at most four axes, got shape {sample.shape}")
    if sample.ndim == 1 or (sample.ndim == 2 and sample.shape[1] <= FEW):
        fig, (above, below) = figure_of(figure, (8, 4.2), 2, 1, sharex=True, height_ratios=(3, 2))
        if sample.ndim == 1:
            _bars(above, sample)
            _bars(below, values, COLOURS[1])
            below.set_xlabel("feature")
        else:
            _lines(above, sample)
            _heat(fig, below, values.T, "channel", "magma")
            below.set_xlabel("step")
        above.set_title("sample", fontsize=10, loc="left")
        below.set_title(about, fontsize=10, loc="left")
        return fig
    if sample.ndim == 4:
        return _saliency_slices(sample, values, about, figure)
    fig, (left, right) = figure_of(figure, (7.6, 3.6), 1, 2)
    if sample.ndim == 2:  # rows of an image, or many features a step
        left.imshow(sample, cmap="gray", interpolation="nearest")
        image = right.imshow(values, cmap="magma", vmin=0, interpolation="nearest")
    else:
        left.imshow(_visible(sample), cmap="gray", interpolation="nearest")
        image = right.imshow(values.max(axis=-1), cmap="magma", vmin=0, interpolation="nearest")
    fig.colorbar(image, ax=right, pad=0.02, shrink=0.85)
    for axes, title in ((left, "sample"), (right, about)):
        axes.set_title(title, fontsize=10, loc="left")
        axes.set_xticks([])
        axes.set_yticks([])
    return fig


# -- parts of figures


def _cut(count: int, most: int, what: str) -> str:
    return f", {most} of {count} {what}" if count > most else ""


def _scale(values: Array) -> dict[str, Any]:
    """Blue, white and red around 0 for signed values, else from 0 up."""
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max(initial=0.0)) or 1.0
    if (values < 0).any():
        return {"cmap": "RdBu_r", "vmin": -largest, "vmax": largest}
    return {"cmap": "viridis", "vmin": 0.0, "vmax": largest}


class _Mosaic:
    """Tiles (rows, columns, h, w) in one image; what is not finite is left white.

    Small tiles are drawn larger, so that the gaps between them can be narrower than one of their values.
    """

    def __init__(self, tiles: Array, gap: float) -> None:
        self.rows, self.columns, h, w = (int(extent) for extent in tiles.shape)
        times = max(1, round(24 / max(h, w)))
        self.gap = max(1, round(gap * max(h, w) * times))
        self.h, self.w = h * times, w * times
        self.image = np.full((self.top(self.rows) - self.gap, self.left(self.columns) - self.gap), np.nan)
        for i in range(self.rows):
            for j in range(self.columns):
                large = tiles[i, j].repeat(times, axis=0).repeat(times, axis=1)
                self.image[self.top(i) : self.top(i) + self.h, self.left(j) : self.left(j) + self.w] = large

    def top(self, row: int) -> int:
        return row * (self.h + self.gap)

    def left(self, column: int) -> int:
        return column * (self.w + self.gap)

    def show(self, title: str, figure: Any, count: int, scale: dict[str, Any]) -> tuple[Figure, Any]:
        """In a figure of some 0.8 inches a tile, within a page, with thin frames around the first `count`."""
        from matplotlib.collections import PolyCollection

        height, width = self.image.shape
        inches = min(11.0, max(3.5, 0.8 * self.columns))
        if inches * height / width > 11.0:
            inches = max(2.5, 11.0 * width / height)
        size = inches + 1.4, min(11.0, max(1.2, inches * height / width)) + 0.9
        fig, axes = figure_of(figure, size)
        shown = axes.imshow(np.ma.masked_invalid(self.image), interpolation="nearest", **scale)
        fig.colorbar(shown, ax=axes, pad=0.04, shrink=0.9, aspect=25)
        frames = []
        for number in range(count):
            y, x = self.top(number // self.columns) - 0.5, self.left(number % self.columns) - 0.5
            frames.append([(x, y), (x + self.w, y), (x + self.w, y + self.h), (x, y + self.h)])
        axes.add_collection(PolyCollection(frames, facecolors="none", edgecolors="#999999", linewidths=0.5))
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0, labelsize=8)
        axes.set_xticks([])
        axes.set_yticks([])
        fig.suptitle(title, fontsize=11)
        return fig, axes


def _columns(n: int, wanted: float) -> int:
    """About as many columns as wanted, and so that the last row is as full as may be."""
    choice = range(max(1, int(0.8 * wanted)), max(1, int(np.ceil(1.5 * wanted))) + 1)
    return min(n, min(choice, key=lambda c: (-n % c, abs(c - wanted))))


def _grid(title: str, tiles: Array, figure: Any, x: str = "", y: str = "") -> Figure:
    """Images (n, h, w), numbered, in about as many columns as fit a landscape page."""
    n, h, w = tiles.shape
    columns = _columns(n, float(np.sqrt(1.6 * n * h / w)))
    rows = -(-n // columns)
    padded = np.full((rows * columns, h, w), np.nan)
    padded[:n] = tiles
    numbered = n <= 100
    mosaic = _Mosaic(padded.reshape(rows, columns, h, w), 0.3 if numbered else 0.12)
    fig, axes = mosaic.show(title, figure, n, _scale(tiles))
    for i in range(n if numbered else 0):
        at = mosaic.left(i % columns) - 0.5, mosaic.top(i // columns) - 0.5 - 0.08 * mosaic.gap
        axes.text(*at, str(i), fontsize=8, color=GREY, va="bottom")
    if x:
        axes.set_xlabel(f"each: {x} →", fontsize=9)
        axes.set_ylabel(f"← {y}", fontsize=9)
    return fig


def _table(title: str, tiles: Array, figure: Any, x: str, y: str, rows: Sequence[str]) -> Figure:
    """Images (rows, columns, h, w); rows and columns have numbers."""
    mosaic = _Mosaic(tiles, 0.15)
    fig, axes = mosaic.show(title, figure, mosaic.rows * mosaic.columns, _scale(tiles))
    columns = range(0, mosaic.columns, -(-mosaic.columns // LABELLED))
    axes.set_xticks([mosaic.left(j) + (mosaic.w - 1) / 2 for j in columns], [str(j) for j in columns])
    numbers = range(0, len(rows), -(-len(rows) // LABELLED))
    axes.set_yticks([mosaic.top(i) + (mosaic.h - 1) / 2 for i in numbers], [rows[i] for i in numbers])
    axes.set_xlabel(x, fontsize=9)
    axes.set_ylabel(y, fontsize=9)
    return fig


def _filter_lines(title: str, kernel: Array, figure: Any) -> Figure:
    """Filters (k, channels, n) as small plots of lines, a colour a channel."""
    k, channels, n = kernel.shape
    columns = _columns(n, float(np.sqrt(1.5 * n)))
    rows = -(-n // columns)
    size = (max(3.5, 1.4 * columns), 0.9 + 1.15 * rows)
    fig, panels = figure_of(figure, size, rows, columns, sharex=True, sharey=True, squeeze=False)
    for i, axes in enumerate(panels.flat):
        if i >= n:
            axes.set_visible(False)
            continue
        axes.axhline(0, color=GREY, linewidth=0.7)
        for c in range(channels):
            axes.plot(np.arange(k), kernel[:, c, i], color=COLOURS[c], marker=".", markersize=4, linewidth=1.2)
        axes.set_title(str(i), fontsize=8, loc="left", color=GREY, pad=2)
        axes.tick_params(labelsize=7)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.spines[["top", "right"]].set_visible(False)
    if channels > 1:
        handles = panels.flat[0].get_lines()[1:]
        fig.legend(handles, [str(c) for c in range(channels)], title="channel", fontsize=8, loc="outside right upper")
    fig.suptitle(title, fontsize=11)
    return fig


def _saliency_slices(sample: Array, values: Array, about: str, figure: Any) -> Figure:
    """Up to six slices of a sample over three dimensions, those with the largest values, in order."""
    largest = values.max(axis=(1, 2, 3))
    chosen = np.sort(np.argsort(-largest, kind="stable")[:6])
    fig, panels = figure_of(figure, (1.7 * len(chosen) + 1.2, 4.2), 2, len(chosen), squeeze=False)
    shown = _visible(sample)
    limits = {"vmin": float(shown.min()), "vmax": float(shown.max())}
    top = float(largest.max()) or 1.0
    for column, number in enumerate(chosen):
        panels[0][column].imshow(shown[number], cmap="gray", interpolation="nearest", **limits)
        image = panels[1][column].imshow(
            values[number].max(axis=-1), cmap="magma", vmin=0, vmax=top, interpolation="nearest"
        )
        panels[0][column].set_title(f"slice {number}", fontsize=9, loc="left")
        for axes in panels[:, column]:
            axes.set_xticks([])
            axes.set_yticks([])
    fig.colorbar(image, ax=list(panels[1]), pad=0.02, aspect=15)
    fig.suptitle(f"The sample, and {about}", fontsize=10)
    return fig


def _visible(sample: Array) -> Array:
    """An image as imshow takes it: (..., 3) in [0, 1], or one channel."""
    if sample.shape[-1] == 3 and sample.dtype == np.uint8:
        return sample
    if sample.shape[-1] == 3 and sample.min() >= 0 and sample.max() <= 1:
        return sample
    grey: Array = sample.astype(np.float64).mean(axis=-1)
    return grey


def _lines(axes: Any, values: Array) -> None:
    """(steps, channels)"""
    for c in range(values.shape[1]):
        axes.plot(np.arange(len(values)), values[:, c], color=COLOURS[c % len(COLOURS)], linewidth=1.2, label=str(c))
    if values.shape[1] > 1:
        axes.legend(title="channel", fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.get_major_locator().set_params(integer=True)


def _bars(axes: Any, values: Array, colour: str = COLOURS[0]) -> None:
    axes.bar(np.arange(len(values)), values, width=0.8, color=colour)
    axes.axhline(0, color=GREY, linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.get_major_locator().set_params(integer=True)


def _heat(figure: Any, axes: Any, values: Array, y: str, cmap: str | None = None) -> None:
    """(channels, steps)"""
    scale = _scale(values)
    if cmap is not None:
        scale["cmap"] = cmap
    image = axes.imshow(values, aspect="auto", interpolation="nearest", origin="lower", **scale)
    axes.set_ylabel(y, fontsize=9)
    axes.yaxis.get_major_locator().set_params(integer=True)
    if len(values) == 1:
        axes.set_yticks([0])
    axes.xaxis.get_major_locator().set_params(integer=True)
    figure.colorbar(image, ax=axes, pad=0.01, aspect=12)
