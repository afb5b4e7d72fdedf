"""60,000 and 10,000 pictures of clothes in ten classes (Xiao et al. 2017)."""

from __future__ import annotations

import gzip
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tauten.datasets import _files

__all__ = ["load_data"]


def load_data() -> Any:
    """(x_train, y_train), (x_test, y_test): images (samples, 28, 28) of 0..255 and labels (samples,), uint8.

    From fashion-mnist/train-images-idx3-ubyte.gz and its three companions.

    Raises:
        FileNotFoundError: that says where to get a file.
        ValueError: for another file.
    """
    (x, u), (y, v) = (
        [_read(f"{part}-{kind}-ubyte.gz") for part in ("train", "t10k")] for kind in ("images-idx3", "labels-idx1")
    )
    return (x, y), (u, v)


def _read(name: str) -> NDArray[np.uint8]:
    path = _files.found(f"fashion-mnist/{name}", f"{_files.ORIGIN}{name}", "fashion_mnist.load_data")
    with gzip.open(path) as file:
        content = file.read()
    rank = content[3] if content[:3] == b"\0\0\x08" else 0
    shape = np.frombuffer(content, ">u4", count=rank, offset=4) if len(content) >= 4 + 4 * rank else np.zeros(1)
    values = np.frombuffer(content, np.uint8, offset=min(4 + 4 * rank, len(content)))
    if rank == 0 or values.size != np.prod(shape):
        raise ValueError(f"fashion_mnist.load_data: {name} is no whole IDX file of bytes")
    return values.reshape(shape)
