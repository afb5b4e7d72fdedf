"""1,797 handwritten digits of 8x8 pixels, which come with Tauten (Alpaydin & Kaynak 1998)."""

from __future__ import annotations

from typing import Any

__all__ = ["load_data"]


def load_data() -> Any:
    """(x_train, y_train), (x_test, y_test): images (1437 and 360, 8, 8, 1) in [0, 1], float32, and labels, int64."""
    from tauten.cli.digits import load_digits

    return load_digits()
