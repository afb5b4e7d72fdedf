"""How good a model is: its scores on data, as tables in the terminal."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tauten import _confusion
from tauten.cli.data.contents import Array, Samples
from tauten.cli.data.targets import Target
from tauten.cli.terminal import WIDTH, line
from tauten.models import Model

BATCH = 256
MOST_CLASSES = 12  # of a confusion matrix that is shown
LONGEST_NAME = 12


@dataclass(frozen=True)
class Scores:
    """Of a model on some data.

    Attributes:
        samples: how many.
        values: name -> number: loss and accuracy, or loss, mean absolute error and R².
        confusion: (true class, predicted class) -> how many; None of a regression.
    """

    samples: int
    values: dict[str, float]
    confusion: Array | None


def scores(model: Model, x: Samples, y: Array, target: Target) -> Scores:
    """Evaluate a compiled model; y as the model predicts it, not standardised."""
    predicted = np.asarray(model.predict(x, batch_size=BATCH, verbose=0))
    found = model.evaluate(x, y, batch_size=BATCH, verbose=0, return_dict=True)
    assert isinstance(found, dict)
    if target.classes:
        confusion = _confusion.counts(np.asarray(y), predicted.argmax(axis=1), len(target.classes))
        return Scores(len(y), {"loss": found["loss"], "accuracy": found["accuracy"]}, confusion)
    error = ((predicted[:, 0].astype(np.float64) - y) ** 2).mean()
    spread = np.asarray(y).var()
    values = {"loss": found["loss"], "mean absolute error": found["mae"]}
    if spread > 0:  # else R² is not defined
        values["R²"] = float(1 - error / spread)
    return Scores(len(y), values, None)


def table(columns: Mapping[str, Scores]) -> None:
    """Scores side by side: a column for each set of data, a short title above it."""
    names = list(dict.fromkeys(name for one in columns.values() for name in one.values))
    wide = max(map(len, names))
    lines = [" " * wide + "".join(f"{title:>14}" for title in columns)]
    lines.append(f"{'samples':{wide}}" + "".join(f"{one.samples:>14,}" for one in columns.values()))
    for name in names:
        cells = [_show(name, one.values[name]) if name in one.values else "-" for one in columns.values()]
        lines.append(f"{name:{wide}}" + "".join(f"{cell:>14}" for cell in cells))
    line("scores", *lines)


def confusion(counts: Array, target: Target, what: str) -> None:
    """Rows are the true classes, columns the predicted ones; many classes only by what is confused most."""
    names = [_shortened(name) for name in target.classes]
    wide = max(map(len, names))
    cell = max(wide, len(str(counts.max()))) + 2
    if len(names) <= MOST_CLASSES and WIDTH + 2 + wide + cell * len(names) <= shutil.get_terminal_size().columns:
        lines = [f"{what}: true classes below each other, predicted ones side by side"]
        lines.append(" " * wide + "".join(f"{name:>{cell}}" for name in names))
        lines += [
            f"{name:{wide}}" + "".join(f"{count:>{cell}}" for count in row)
            for name, row in zip(names, counts, strict=True)
        ]
        line("confusion", *lines)
        return
    wrong = counts * (1 - np.eye(len(counts), dtype=counts.dtype))
    worst = [divmod(int(place), len(counts)) for place in np.argsort(-wrong, axis=None, kind="stable")[:5]]
    texts = [f"{names[i]} taken for {names[j]}: {wrong[i, j]}" for i, j in worst if wrong[i, j]]
    line("confusion", f"{what}: " + ("; ".join(texts) or "none"))


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _show(name: str, value: float) -> str:
    return f"{100 * value:.2f} %" if name == "accuracy" else f"{value:.5g}"
