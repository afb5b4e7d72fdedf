"""1,797 handwritten digits of 8x8 pixels, which come with Tauten (Alpaydin & Kaynak 1998)."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["load_data"]

TEST_SAMPLES = 360

Array = NDArray[Any]


def load_data() -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """(x, y) to train on and (x, y) to test on: images (samples, 8, 8, 1) in [0, 1], labels; always the same split."""
    with (files("tauten") / "data" / "digits.npz").open("rb") as file, np.load(file) as archive:
        x = archive["images"][..., None].astype(np.float32) / np.float32(16)
        y = archive["labels"].astype(np.int64)
    order = np.random.default_rng(0).permutation(len(x))
    train, test = order[TEST_SAMPLES:], order[:TEST_SAMPLES]
    return (x[train], y[train]), (x[test], y[test])
