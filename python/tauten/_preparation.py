"""What makes data ready for fit: padding, scaling, windows of a series, two parts of a set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from tauten import _random
from tauten._checks import integer, keras_only, number
from tauten._dataset import PyDataset

Array = NDArray[Any]


def normalize(x: ArrayLike, axis: int = -1, order: int = 2) -> Array:
    """x over its norm along an axis; where that is 0, x.

    Args:
        x: numbers, any shape.
        axis: default -1.
        order: of the norm; default 2, √Σx².
    """
    values = np.asarray(x)
    values = values if values.dtype.kind == "f" else values.astype(np.float64)
    norm = np.atleast_1d(np.linalg.norm(values, order, axis, keepdims=True))
    return np.asarray(values / np.where(norm == 0, 1, norm).astype(values.dtype))


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: DTypeLike = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> Array:
    """Sequences of unequal length as one array (sequences, maxlen, ...). (Tauten also takes lists as they are.)

    Args:
        sequences: lists or arrays, of equal shape but for their length.
        maxlen: default None, that of the longest.
        dtype: default "int32".
        padding: "pre" or "post": where values are put.
        truncating: "pre" or "post": where what is too long is cut.
        value: what is put; default 0.

    Raises:
        TypeError, ValueError: for what are no such sequences, and other words.
    """
    for name, word in (("padding", padding), ("truncating", truncating)):
        if word not in ("pre", "post"):
            raise ValueError(f"pad_sequences: {name}: expected 'pre' or 'post', got {word!r}")
    if not hasattr(sequences, "__len__") or not all(hasattr(each, "__len__") for each in sequences):
        raise ValueError("pad_sequences: expected a list of lists or arrays")
    lengths = [len(each) for each in sequences]
    longest = max(lengths, default=0) if maxlen is None else integer(maxlen, "pad_sequences: maxlen", 0)
    shape = next((np.asarray(each).shape[1:] for each in sequences if len(each)), ())
    padded = np.full((len(lengths), longest, *shape), value, dtype=dtype)
    for i, each in enumerate(sequences):
        kept = np.asarray(each[max(len(each) - longest, 0) :] if truncating == "pre" else each[:longest], dtype=dtype)
        if len(kept) == 0:
            continue
        if kept.shape[1:] != shape:
            raise ValueError(f"pad_sequences: expected steps of shape {shape}, got {kept.shape[1:]} in sequence {i}")
        padded[i, slice(longest - len(kept), None) if padding == "pre" else slice(len(kept))] = kept
    return padded


class Windows(PyDataset):
    """Batches of windows of a series: x (batch, sequence_length, ...), with targets (x, y)."""

    def __init__(self, data: Array, targets: Array | None, steps: Array, starts: Array, batch_size: int) -> None:
        super().__init__()
        self._data, self._targets = data, targets
        self._steps, self._starts, self._batch_size = steps, starts, batch_size

    def __len__(self) -> int:
        return -(-len(self._starts) // self._batch_size)

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(index)
        starts = self._starts[index * self._batch_size : (index + 1) * self._batch_size]
        x = self._data[starts[:, None] + self._steps]
        return x if self._targets is None else (x, self._targets[starts])

    def take(self, count: int) -> Windows:
        """The first `count` batches alone, or all if there are fewer."""
        starts = self._starts[: integer(count, "take: count") * self._batch_size]
        return Windows(self._data, self._targets, self._steps, starts, self._batch_size)

    def __repr__(self) -> str:
        shape = (len(self._steps), *self._data.shape[1:])
        targets = "" if self._targets is None else f", targets of shape {self._targets.shape[1:]}"
        return f"<{len(self._starts)} windows of shape {shape}{targets}, in batches of {self._batch_size}>"


def timeseries_dataset_from_array(
    data: ArrayLike,
    targets: ArrayLike | None,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> PyDataset:
    """Windows of a series, in batches: x for fit, evaluate and predict; take(n) is the first n batches of it.

    Window i has the steps i·sequence_stride + k·sampling_rate, k below sequence_length; its target is targets at its
    first step.

    Args:
        data: (steps, ...).
        targets: one a window, targets[first step]; None: batches are x alone.
        sequence_length: steps of a window.
        sequence_stride: from one window to the next; default 1.
        sampling_rate: from one step of a window to the next; default 1.
        batch_size: windows a batch; default 128.
        shuffle: windows in another order, drawn once; default False.
        seed: of that order; default None, the global generator.
        start_index, end_index: only data[start_index:end_index]; default all.
        format: "tf", as the default is in Keras; what comes is a PyDataset.

    Raises:
        TypeError, ValueError: for wrong numbers, and where there is no whole window.
    """
    what = "timeseries_dataset_from_array"
    keras_only(what, {"format": format}, {"format": "tf"})
    length = integer(sequence_length, f"{what}: sequence_length")
    stride = integer(sequence_stride, f"{what}: sequence_stride")
    rate = integer(sampling_rate, f"{what}: sampling_rate")
    series = np.asarray(data)
    begin = 0 if start_index is None else integer(start_index, f"{what}: start_index", 0)
    end = len(series) if end_index is None else integer(end_index, f"{what}: end_index", begin + 1, len(series))
    goals = None if targets is None else np.asarray(targets)[begin:end]
    count = end - begin - (length - 1) * rate
    count = count if goals is None else min(count, len(goals))
    if count < 1:
        raise ValueError(f"{what}: {end - begin} steps hold no window of {length} steps at every {rate}th")
    starts = np.arange(0, count, stride)
    if shuffle:
        generator = _random.generator() if seed is None else np.random.default_rng(seed)
        starts = generator.permutation(starts)
    if batch_size is None:
        raise ValueError(f"{what}: batch_size=None is not supported: fit takes batches")
    return Windows(
        series[begin:end], goals, np.arange(length) * rate, starts, integer(batch_size, f"{what}: batch_size")
    )


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Any, Any]:
    """Two parts of arrays: of one array, or of each in a tuple, list or dict such as (x, y).

    Args:
        dataset: arrays, or lists of arrays, with samples first.
        left_size, right_size: samples, or shares in (0, 1); one of them says what the other is.
        shuffle: draw them at random; default False: the first and the last ones.
        seed: of that; default None, the global generator.
        preferred_backend: None.

    Returns:
        left and right, arrays in what the data set was.

    Raises:
        TypeError, ValueError: for arrays of unequal length, and sizes that cannot be.
    """
    keras_only("split_dataset", {"preferred_backend": preferred_backend}, {"preferred_backend": None})
    several = isinstance(dataset, (tuple, dict)) or _columns(dataset)
    pieces = (dataset if isinstance(dataset, dict) else dict(enumerate(dataset))) if several else {0: dataset}
    arrays = {key: np.asarray(each) for key, each in pieces.items()}
    lengths = {len(each) for each in arrays.values()}
    if len(lengths) != 1:
        raise ValueError(f"split_dataset: expected arrays with as many samples each, got {sorted(lengths)}")
    total = lengths.pop()
    left, right = _count(left_size, total, "left_size"), _count(right_size, total, "right_size")
    if left is None and right is None:
        raise ValueError("split_dataset: expected left_size or right_size")
    left = total - right if left is None else left  # type: ignore[operator]
    right = total - left if right is None else right
    if left + right > total or min(left, right) < 1:
        raise ValueError(f"split_dataset: {total} samples cannot be split into {left} and {right}")
    order = np.arange(total)
    if shuffle:
        order = (_random.generator() if seed is None else np.random.default_rng(seed)).permutation(total)

    def part(chosen: Array) -> Any:
        found = {key: each[chosen] for key, each in arrays.items()}
        if isinstance(dataset, dict):
            return found
        return type(dataset)(found.values()) if several else found[0]

    return part(order[:left]), part(order[total - right :])


def _columns(dataset: Any) -> bool:
    """Is a list one of arrays that belong together, not of samples?"""
    return isinstance(dataset, list) and bool(dataset) and all(isinstance(each, np.ndarray) for each in dataset)


def _count(size: float | None, total: int, what: str) -> int | None:
    if size is None:
        return None
    if isinstance(size, float):
        share = number(size, f"split_dataset: {what}", 0.0, 1.0)
        return round(total * share)
    return integer(size, f"split_dataset: {what}", 1, total)


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """x, (x, y) or (x, y, sample_weight), as a data set gives its batches."""
    if y is None:
        return (x,) if isinstance(x, (list, tuple)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of such a batch, None for what is not there."""
    given = data if isinstance(data, tuple) else tuple(data) if isinstance(data, list) and len(data) < 4 else (data,)
    if not 1 <= len(given) <= 3:
        raise ValueError(f"unpack_x_y_sample_weight: expected at most (x, y, sample_weight), got {len(given)} items")
    return (*given, *(None,) * (3 - len(given)))


def is_keras_tensor(x: Any) -> bool:
    """Is it a symbolic tensor, as Input() and layers give it?"""
    from tauten._tensors import KerasTensor

    return isinstance(x, KerasTensor)
