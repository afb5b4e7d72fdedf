"""The pictures of predictions beside the truth; matplotlib is imported only when one is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tauten._plots import COLOURS, GREY, figure_of
from tauten._series import Pair

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    Array = NDArray[Any]

MOST_WRITTEN = 25  # classes whose cells have numbers in them
LABELLED = 40  # names on an axis
MOST_POINTS = 3000  # that are drawn one by one
RIGHT, WRONG = "Blues", "Oranges"


def confusion(counts: Array, names: Sequence[str], normalize: str | None, figure: Any) -> Figure:
    """(true, predicted) counts: what is right in blue, what is wrong in orange, each with a scale of its own."""
    shown = _shares(counts, normalize)
    n = len(names)
    written = n <= MOST_WRITTEN
    longest = max(map(len, names))
    inches = float(np.clip((0.55 if written else 0.12) * n, 2.6, 9.0))
    aside = 0.8 + 0.075 * min(longest, 24)
    fig, axes = figure_of(figure, (inches + aside + (0.4 if written else 1.6), inches + aside + 0.4))
    images = []
    for right, cmap in ((True, RIGHT), (False, WRONG)):
        values = np.ma.masked_where((np.eye(n, dtype=bool) != right) | np.isnan(shown), shown)
        top = float(values.max()) if values.count() else 0.0
        images.append(axes.imshow(values, cmap=cmap, vmin=0.0, vmax=top or 1.0, interpolation="nearest"))
    if written:
        for i, j in np.ndindex(n, n):
            if not np.isnan(shown[i, j]):
                image = images[i != j]
                dark = image.norm(shown[i, j]) > 0.6
                colour = "white" if dark else GREY if shown[i, j] == 0 else "black"
                size = 9 if n <= 12 else 7
                axes.text(
                    j, i, _number(float(shown[i, j]), normalize), ha="center", va="center", color=colour, fontsize=size
                )
    else:
        for image, label in zip(images, ("right", "wrong"), strict=True):
            fig.colorbar(image, ax=axes, pad=0.03, aspect=25, shrink=0.85, label=label)
    ticks = range(0, n, -(-n // LABELLED))
    labels = [_short(names[i]) for i in ticks]
    upright = longest * n > 12 * 10 or longest > 8
    axes.set_xticks(ticks, labels, rotation=90 if upright else 0, fontsize=9, parse_math=False)
    axes.set_yticks(ticks, labels, fontsize=9, parse_math=False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    total = int(counts.sum())
    of = {None: "", "true": ", shares of the true class", "pred": ", shares of the predicted class", "all": ", shares"}
    share = 100 * np.trace(counts) / total
    fig.suptitle(f"{share:.1f} % of {total:,} right{of[normalize]}", fontsize=11)
    return fig


def _shares(counts: Array, normalize: str | None) -> Array:
    """NaN where there is nothing to divide by."""
    if normalize is None:
        return counts.astype(np.float64)
    axis = {"true": 1, "pred": 0, "all": None}[normalize]
    sums = counts.sum(axis=axis, keepdims=True).astype(np.float64)
    return np.asarray(counts / np.where(sums == 0, np.nan, sums))


def _number(value: float, normalize: str | None) -> str:
    if normalize is None:
        return f"{int(value)}"
    return "0" if value == 0 else f"{100 * value:.0f} %" if value >= 0.005 else "<1 %"


def _short(name: str) -> str:
    return name if len(name) <= 24 else name[:23] + "…"


def lines(pairs: Sequence[Pair], note: str, figure: Any) -> Figure:
    """Values over steps, below each other."""
    height = 3.0 if len(pairs) == 1 else 1.8 * len(pairs) + 0.5
    fig, panels = figure_of(figure, (9, height), len(pairs), 1, squeeze=False)
    for axes, pair in zip(panels[:, 0], pairs, strict=True):
        marker = "o" if len(pair.true) == 1 else None
        steps = np.arange(len(pair.true))
        axes.plot(steps, pair.true, color=COLOURS[-1], linewidth=1.2, marker=marker, label="true")
        axes.plot(
            steps, pair.predicted, color=COLOURS[1], linewidth=1.4, linestyle="--", marker=marker, label="predicted"
        )
        _panel(axes, pair.title)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.margins(x=0.01)
    panels[-1, 0].set_xlabel("step")
    panels[0, 0].legend(frameon=False, fontsize=9, ncols=2, loc="lower right", bbox_to_anchor=(1.0, 1.0), borderpad=0.1)
    if note:
        fig.suptitle(note, fontsize=11)
    return fig


def scatter(pairs: Sequence[Pair], note: str, figure: Any) -> Figure:
    """Predicted over true values, with the line on which they are equal."""
    columns = min(len(pairs), 3)
    rows = -(-len(pairs) // columns)
    fig, panels = figure_of(figure, (4.2 * columns, 4.0 * rows), rows, columns, squeeze=False)
    for axes, pair in zip(panels.flat, pairs, strict=False):
        known = np.isfinite(pair.true) & np.isfinite(pair.predicted)
        true, predicted = pair.true[known], pair.predicted[known]
        alpha = float(np.clip(200 / max(len(true), 1), 0.15, 0.8))
        axes.plot(
            true, predicted, "o", markersize=4, color=COLOURS[0], alpha=alpha, markeredgewidth=0,
            rasterized=len(true) > MOST_POINTS,
        )  # fmt: skip
        axes.axline((0.0, 0.0), slope=1.0, color=GREY, linewidth=1.0, linestyle="--")
        both = np.concatenate([true, predicted])
        if len(both):
            low, high = float(both.min()), float(both.max())
            margin = 0.05 * (high - low) or 0.5
            axes.set_xlim(low - margin, high + margin)
            axes.set_ylim(low - margin, high + margin)
        axes.set_aspect("equal")
        _panel(axes, f"{pair.title}{'; ' * bool(pair.title)}{_quality(true, predicted)}")
        axes.set_xlabel("true")
        axes.set_ylabel("predicted")
    for axes in panels.flat[len(pairs) :]:
        axes.set_visible(False)
    if note:
        fig.suptitle(note, fontsize=11)
    return fig


def _quality(true: Array, predicted: Array) -> str:
    if not len(true):
        return "no values"
    error = f"mean absolute error {np.abs(predicted - true).mean():.3g}"
    spread = np.square(true - true.mean()).sum()
    return f"R² {1 - np.square(predicted - true).sum() / spread:.3f}, {error}" if spread > 0 else error


def _panel(axes: Any, title: str) -> None:
    axes.set_title(title, fontsize=10, loc="left", parse_math=False)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
