"""20,640 districts of California with the median prices of their houses (Pace & Barry 1997)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tauten.datasets import _files

__all__ = ["load_data"]


def load_data(
    version: str = "large", path: _files.Path_ = "california_housing.npz", test_split: float = 0.2, seed: int = 113
) -> Any:
    """(x_train, y_train), (x_test, y_test): (samples, 8) and prices in dollars (samples,), shuffled.

    Args:
        version: "large", or "small" for the first 600.
        path: of the .npz file.
        test_split: share to test on.
        seed: of the order, which is Keras'.

    Raises:
        FileNotFoundError: that says where to get the file.
        ValueError: for another file, version or share.
    """
    if version not in ("large", "small"):
        raise ValueError(f"california_housing.load_data: version: expected 'large' or 'small', got {version!r}")
    place = _files.found(path, f"{_files.ORIGIN}california_housing.npz", "california_housing.load_data")
    x, y = _files.read_npz(place, ("x", "y"), "california_housing.load_data")
    if version == "small":
        x, y = x[:600], y[:600]
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    return _files.parts(x[order], y[order], test_split)
