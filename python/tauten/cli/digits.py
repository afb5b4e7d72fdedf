"""`tauten demo digits`: a small CNN learns real handwritten digits."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tauten
from tauten import layers
from tauten.cli.terminal import WIDTH, Stopwatch, line, title
from tauten.datasets.digits import load_data as load_digits

__all__ = ["load_digits", "run"]

EPOCHS = 15
INK = 0.4  # pixels darker than this are drawn
HALVES = np.array([[" ", "▄"], ["▀", "█"]])  # [upper][lower] of two pixels
PITCH = 11  # columns from one drawn digit to the next

Array = NDArray[Any]


def build() -> tauten.Sequential:
    """8x8 images -> two convolutions, pooling, dropout -> ten classes."""
    return tauten.Sequential(
        [
            tauten.Input((8, 8, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ],
        name="digits",
    )


def run(folder: Path, epochs: int | None) -> None:
    """Trains, tells, saves `digits.safetensors` in the folder."""
    (x, y), (xt, yt) = load_digits()
    print(title(f"Handwritten digits: a CNN on {len(x):,} images of 8x8 pixels, tested on {len(xt)} others"))
    model = build()
    model.compile(
        optimizer=tauten.optimizers.SGD(0.05, momentum=0.9),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    clock = Stopwatch()
    epochs = epochs or EPOCHS
    model.fit(x, y, batch_size=32, epochs=epochs, callbacks=[clock])
    predicted = np.asarray(model.predict(xt, batch_size=128, verbose=0)).argmax(axis=1)
    wrong = int((predicted != yt).sum())
    path = folder / "digits.safetensors"
    model.save(path)

    print()
    room = (shutil.get_terminal_size().columns - WIDTH - 2) // PITCH
    shown = [int(np.flatnonzero(yt == digit)[0]) for digit in range(max(1, min(room, 10)))]
    line("seen", *_pictures(xt[shown, :, :, 0]))
    line("read as", "".join(f"{digit:^8}".ljust(PITCH) for digit in predicted[shown]).rstrip())
    line("accuracy", f"{100 * (1 - wrong / len(yt)):.1f} % on the test images ({wrong} of {len(yt)} wrong)")
    line("speed", f"{epochs * len(x) / clock.seconds:,.0f} images/s in training ({clock.seconds:.1f} s)")
    line("saved", f"{path}; in Python: model = tauten.models.load_model({str(path)!r})")


def _pictures(images: Array) -> list[str]:
    """Four lines of text with the images side by side, a character for two pixels above each other."""
    ink = (images > INK).astype(int)
    blocks = HALVES[ink[:, 0::2], ink[:, 1::2]]  # (images, 4, 8)
    return ["".join("".join(row).ljust(PITCH) for row in rows).rstrip() for rows in blocks.transpose(1, 0, 2)]
