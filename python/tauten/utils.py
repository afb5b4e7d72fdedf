"""Small helpers: seeds, what makes data ready, data sets that make batches by number."""

from __future__ import annotations

import gc
import random
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tauten import _naming, _random
from tauten._checks import integer
from tauten._dataset import PyDataset
from tauten._preparation import (
    is_keras_tensor,
    normalize,
    pack_x_y_sample_weight,
    pad_sequences,
    split_dataset,
    timeseries_dataset_from_array,
    unpack_x_y_sample_weight,
)

Sequence = PyDataset  # its name in Keras 2

__all__ = [
    "PyDataset",
    "Sequence",
    "clear_session",
    "is_keras_tensor",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "set_random_seed",
    "split_dataset",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]


def set_random_seed(seed: int) -> None:
    """Seed everything random: Tauten's initial weights, shuffling and dropout, and Python's and NumPy's generators.

    With the same seed a script gives the same bits, on any number of threads.

    Args:
        seed: in [0, 2^32).

    Raises:
        TypeError, ValueError: unless `seed` is such an integer.
    """
    seed = integer(seed, "set_random_seed: seed", 0, 2**32 - 1)
    random.seed(seed)
    np.random.seed(seed)
    _random.set_seed(seed)


def clear_session(free_memory: bool = True) -> None:
    """Start automatic layer names anew: the next Dense is "dense" again. Models that exist stay as they are.

    Args:
        free_memory: collect what nobody refers to any more; default True.
    """
    _naming.reset()
    if free_memory:
        gc.collect()


def to_categorical(x: ArrayLike, num_classes: int | None = None) -> NDArray[Any]:
    """One-hot rows of class numbers: (...) or (..., 1) -> (..., num_classes), in tauten.config.floatx().

    Args:
        x: integers in [0, num_classes).
        num_classes: the width; by default the largest class plus one.

    Raises:
        ValueError: for numbers that are not whole or out of range.
    """
    from tauten.config import floatx

    given = np.asarray(x)
    if given.dtype.kind not in "iufb":
        raise TypeError(f"to_categorical: expected class numbers, got dtype {given.dtype}")
    labels = given.astype(np.int64)
    if given.dtype.kind == "f" and not np.array_equal(labels, given):
        raise ValueError("to_categorical: expected whole numbers as classes, got fractions or NaN")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if labels.size == 0 and num_classes is None:
        raise ValueError("to_categorical: no labels to count the classes of: give num_classes")
    classes = int(labels.max()) + 1 if num_classes is None else integer(num_classes, "to_categorical: num_classes")
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        raise ValueError(
            f"to_categorical: expected classes in [0, {classes}), got {int(labels.min())} to {int(labels.max())}"
        )
    one_hot = np.zeros((*labels.shape, classes), dtype=floatx())
    np.put_along_axis(one_hot, labels[..., None], 1, axis=-1)
    return one_hot
