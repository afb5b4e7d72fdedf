"""50,000 and 10,000 colour pictures in ten classes (Krizhevsky 2009)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tauten import config
from tauten.datasets import _files

__all__ = ["load_data"]

_ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz, unpack it"
_FOLDER = "cifar-10-batches-py"


def load_data() -> Any:
    """(x_train, y_train), (x_test, y_test): images (samples, 32, 32, 3) of 0..255 and labels (samples, 1), uint8.

    From the folder cifar-10-batches-py, or cifar-10-batches-py-target/cifar-10-batches-py, as Keras unpacks it. With
    "channels_first" as tauten.config.image_data_format() images are (samples, 3, 32, 32).

    Raises:
        FileNotFoundError: that says where to get the files.
        ValueError: for other files.
    """
    try:
        folder = _files.found(f"{_FOLDER}-target/{_FOLDER}", _ORIGIN, "cifar10.load_data")
    except FileNotFoundError:
        folder = _files.found(_FOLDER, _ORIGIN, "cifar10.load_data")
    batches = [_read(folder / f"data_batch_{i}") for i in range(1, 6)]
    train = np.concatenate([x for x, _ in batches]), np.concatenate([y for _, y in batches])
    return train, _read(folder / "test_batch")


def _read(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    with path.open("rb") as file:
        batch = _files.unpickled(file, f"cifar10.load_data: {path.name}")
    if not isinstance(batch, dict) or not {b"data", b"labels"} <= batch.keys():
        raise ValueError(f"cifar10.load_data: {path.name} holds no data and labels")
    x = np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, 32, 32)
    y = np.asarray(batch[b"labels"], np.uint8).reshape(-1, 1)
    return (x if config.image_data_format() == "channels_first" else x.transpose(0, 2, 3, 1)), y
