"""The history of a training as a picture; pip install 'tauten[plot]'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tauten._plots import COLOURS, GREY

TITLES = {"loss": "Loss", "accuracy": "Accuracy", "mae": "Mean absolute error"}


def check(path: Path) -> None:
    """Can such a picture be made? Raises ImportError without matplotlib, ValueError for an unknown ending."""
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError:
        raise ImportError("--plot needs matplotlib: pip install 'tauten[plot]'") from None
    endings = sorted(FigureCanvasBase.get_supported_filetypes())
    if path.suffix[1:].lower() not in endings:
        raise ValueError(f"--plot {path}: expected a file that ends in {', '.join('.' + one for one in endings)}")


def save(path: Path, history: Mapping[str, Sequence[float]], best: int, title: str) -> None:
    """Loss and metric over epochs, of training and validation; `best` is the epoch that was kept, from 1."""
    from matplotlib.figure import Figure

    names = [name for name in TITLES if name in history]
    figure = Figure(figsize=(4.8 * len(names), 3.6), layout="constrained")
    for name, axes in zip(names, figure.subplots(1, len(names), squeeze=False)[0], strict=True):
        for i, (key, label) in enumerate(((name, "training"), (f"val_{name}", "validation"))):
            if key in history:
                epochs = range(1, len(history[key]) + 1)
                axes.plot(epochs, history[key], color=COLOURS[i], label=label, marker="o" if len(epochs) == 1 else None)
        axes.axvline(best, color=GREY, linestyle=":", label=f"kept: epoch {best}")
        values = [value for key in (name, f"val_{name}") for value in history.get(key, ())]
        if name == "loss" and min(values) > 0 and max(values) > 20 * min(values):
            axes.set_yscale("log")
        axes.set_title(TITLES[name], fontsize=11, loc="left")
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    figure.suptitle(title, fontsize=11)
    figure.savefig(path, dpi=120)
