"""The picture of histories of fit; matplotlib is imported only when it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tauten._histories import VALIDATION, Curve, Run
from tauten._plots import COLOURS, GREY, figure_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLES = {
    "loss": "Loss",
    "accuracy": "Accuracy",
    "mae": "Mean absolute error",
    "mse": "Mean squared error",
    "mean_absolute_error": "Mean absolute error",
    "mean_squared_error": "Mean squared error",
    "learning_rate": "Learning rate",
}
COLUMNS = 3
WIDTH, HEIGHT = 4.8, 3.6  # inches a panel
SPREAD = 20.0  # of losses and learning rates that are shown on a log scale


def draw(
    runs: Sequence[Run],
    metrics: Sequence[str],
    best: Sequence[tuple[str, int] | None],
    log: bool | None,
    figure: Figure | None,
) -> Figure:
    """A panel for each metric; `best`: of each run the curve that decides, and its best epoch."""
    columns = min(len(metrics), COLUMNS)
    rows = -(-len(metrics) // columns)
    size = (WIDTH * columns + 1.9 * (len(runs) > 1), HEIGHT * rows)
    fig, panels = figure_of(figure, size, rows, columns, squeeze=False)
    for axes, metric in zip(panels.flat, metrics, strict=False):
        shown = [curve for run in runs for curve in run.pair(metric) if curve is not None]
        for number, (run, decided) in enumerate(zip(runs, best, strict=True)):
            _curves(axes, run, metric, number, len(runs), decided)
        if _falls_far(metric, shown) if log is None else log and any((curve.values > 0).any() for curve in shown):
            axes.set_yscale("log", nonpositive="mask")
        axes.set_title(TITLES.get(metric, metric), fontsize=11, loc="left", parse_math=False)
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels.flat[len(metrics) :]:
        axes.set_visible(False)
    beside = panels.flat[0] if len(runs) == 1 else panels[0, -1]
    _legend(beside, runs, metrics, best)
    return fig


def _curves(axes: Any, run: Run, metric: str, number: int, count: int, best: tuple[str, int] | None) -> None:
    """Of one run a colour, training dashed if there is validation; of a single run a colour each."""
    training, validation = run.pair(metric)
    for curve, held in ((training, False), (validation, True)):
        if curve is None:
            continue
        colour, style = _look(number, count, held, validation is not None)
        label = f"{run.name} {'validation' if held else 'training'}".strip()
        marker = "o" if len(curve.values) == 1 else None
        axes.plot(curve.epochs, curve.values, color=colour, linestyle=style, linewidth=1.5, marker=marker, label=label)
    if best is None:
        return
    monitor, epoch = best
    if count == 1:
        axes.axvline(epoch, color=GREY, linestyle=":", linewidth=1.2)
    decides = validation if monitor.startswith(VALIDATION) and validation is not None else training
    if decides is None or epoch not in decides.epochs:
        return
    colour, _ = _look(number, count, decides is validation, validation is not None)
    value = decides.values[list(decides.epochs).index(epoch)]
    axes.plot([epoch], [value], "o", color=colour, markeredgecolor="white", markersize=7, zorder=3, label="best")


def _look(number: int, count: int, held: bool, both: bool) -> tuple[Any, str]:
    """Colour and style of a curve."""
    if count == 1:
        return COLOURS[int(held)], "-"
    style = "--" if both and not held else "-"
    if count <= len(COLOURS):
        return COLOURS[number], style
    from matplotlib import colormaps

    return colormaps["viridis"](0.95 * number / (count - 1)), style


def _falls_far(metric: str, curves: Sequence[Curve]) -> bool:
    """Is that a positive loss, or learning rate, that falls far?"""
    if not (metric == "learning_rate" or metric.endswith("loss")):
        return False
    values = np.concatenate([curve.values for curve in curves])
    values = values[np.isfinite(values)]
    return bool(len(values) and values.min() > 0 and values.max() > SPREAD * values.min())


def _legend(axes: Any, runs: Sequence[Run], metrics: Sequence[str], best: Sequence[tuple[str, int] | None]) -> None:
    """What the colours and styles of all panels mean."""
    from matplotlib.lines import Line2D

    held = any(run.pair(metric)[1] is not None for run in runs for metric in metrics)
    handles, labels = [], []
    if len(runs) == 1:
        for validation in (False, True)[: 1 + held]:
            colour, _ = _look(0, 1, validation, held)
            handles.append(Line2D([], [], color=colour))
            labels.append("validation" if validation else "training")
        if best[0] is not None:
            handles.append(Line2D([], [], color=GREY, linestyle=":", marker="o", markeredgecolor="white"))
            labels.append(f"best: epoch {best[0][1]}")
    else:
        for number, (run, decided) in enumerate(zip(runs, best, strict=True)):
            colour, _ = _look(number, len(runs), True, held)
            handles.append(Line2D([], [], color=colour, marker="o", markeredgecolor="white"))
            labels.append(run.name if decided is None else f"{run.name}, best: epoch {decided[1]}")
        if held:
            handles += [Line2D([], [], color=GREY, linestyle="--"), Line2D([], [], color=GREY)]
            labels += ["training", "validation"]
    aside = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)} if len(runs) > 1 else {}
    axes.legend(handles, labels, frameon=False, fontsize=9, **aside)
