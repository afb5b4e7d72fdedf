"""60,000 and 10,000 handwritten digits (LeCun et al. 1998)."""

from __future__ import annotations

from typing import Any

from tauten.datasets import _files

__all__ = ["load_data"]


def load_data(path: _files.Path_ = "mnist.npz") -> Any:
    """(x_train, y_train), (x_test, y_test): images (samples, 28, 28) of 0..255 and labels (samples,), uint8.

    Raises:
        FileNotFoundError: that says where to get the file.
        ValueError: for another file.
    """
    place = _files.found(path, f"{_files.ORIGIN}mnist.npz", "mnist.load_data")
    x, y, u, v = _files.read_npz(place, ("x_train", "y_train", "x_test", "y_test"), "mnist.load_data")
    return (x, y), (u, v)
