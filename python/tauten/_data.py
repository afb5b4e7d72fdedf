"""From what users pass to sources that the native core reads: conversions, shapes and values, checked up front."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tauten._core import Source, all_finite
from tauten._weights import as_array

if TYPE_CHECKING:
    from tauten._masking import Mask
    from tauten.layers.base import Shape

Raw = NDArray[Any] | list[NDArray[Any]]

NATIVE = {np.dtype(name) for name in ("float32", "float64", "uint8", "int32", "int64", "bool")}
WIDER = {"float16": "float32", "longdouble": "float64", "int8": "int32", "int16": "int32", "uint16": "int32"}


class Data(NamedTuple):
    """Samples for the native core.

    Attributes:
        source: what the core reads.
        samples: how many.
        steps: time steps of each sample when given as a list of arrays; else None.
        extent: the first extent of the samples of one array; None for numbers and lists.
        mask: which steps `source` has, if some may be missing; `steps` and `extent` count all.
    """

    source: Source
    samples: int
    steps: NDArray[np.int64] | None
    extent: int | None
    mask: Mask | None = None

    @staticmethod
    def of(raw: Raw, mask: Mask | None = None) -> Data:
        """The data in `raw`, without the steps that are masked; made contiguous sample by sample where it is not."""
        if mask is not None:
            listed, extent = isinstance(raw, list), mask.shape and mask.shape[1]
            return Data(mask.compact(raw), len(raw), mask.steps if listed else None, extent, mask)
        if isinstance(raw, list):
            arrays = [np.ascontiguousarray(array) for array in raw]
            return Data(Source(arrays), len(arrays), np.array([len(a) for a in arrays], dtype=np.int64), None)
        if raw.ndim > 1 and not raw[0].flags.c_contiguous:
            raw = np.ascontiguousarray(raw)
        return Data(Source(raw), len(raw), None, raw.shape[1] if raw.ndim > 1 else None)


def read(value: Any, what: str) -> Raw:
    """Arrays from what a user passed: one array (samples, ...), or a list of arrays, one a sample.

    Raises:
        TypeError: for what is no array of numbers.
        ValueError: for no data.
    """
    if value is None:
        raise ValueError(f"{what}: no data given")
    if isinstance(value, (str, bytes, Mapping, set)) or hasattr(value, "__next__"):
        raise TypeError(f"{what}: expected an array or a list of arrays, got {type(value).__name__}")
    if isinstance(value, (list, tuple)):
        if not value:
            raise ValueError(f"{what}: no samples: the list is empty")
        samples = [as_array(item, f"{what}[{i}]") for i, item in enumerate(value)]
        if samples[0].ndim > 0:
            return _unify(samples, what)
    array = as_array(value, what)
    if array.ndim == 0:
        raise ValueError(f"{what}: expected an array of samples, got the single number {array}")
    if len(array) == 0:
        raise ValueError(f"{what}: no samples: shape {array.shape}")
    return _numeric(array, what)


def sample_shape(raw: Raw) -> Shape:
    """The shape of one sample; the first extent is None if the samples differ in it."""
    if not isinstance(raw, list):
        return tuple(raw.shape[1:])
    first = {len(array) for array in raw}
    return (first.pop() if len(first) == 1 else None, *raw[0].shape[1:])


def stack(raw: Raw, what: str) -> NDArray[Any]:
    """One array from a list of arrays of one shape. Raises ValueError if lengths differ."""
    if not isinstance(raw, list):
        return raw
    lengths = {len(array) for array in raw}
    if len(lengths) > 1:
        raise ValueError(
            f"{what}: expected samples of one length here, got a list of {min(lengths)} to {max(lengths)} steps; "
            "for unequal lengths begin the model with Input((None, ...)) and give y in the form of the output"
        )
    return np.stack(raw)


def conform(raw: Raw, spec: Shape, what: str, expected: str, hint: str = "") -> Raw:
    """Samples of shape `spec`; a last axis of extent 1 is added or taken away, as in Keras.

    Raises ValueError that says `expected`, and `hint`, if the samples have another shape.
    """
    shape = raw[0].shape if isinstance(raw, list) else raw.shape[1:]
    if fits(shape, spec):
        return raw
    if spec and spec[-1] == 1 and fits(shape, spec[:-1]):
        return [a[..., None] for a in raw] if isinstance(raw, list) else raw[..., None]
    if shape and shape[-1] == 1 and fits(shape[:-1], spec):
        return [a[..., 0] for a in raw] if isinstance(raw, list) else raw[..., 0]
    got = f"a list of arrays like {shape}" if isinstance(raw, list) else f"an array of shape {raw.shape}"
    raise ValueError(f"{what}: expected {expected}, got {got}{hint}")


def bounds(raw: Raw) -> tuple[Any, Any]:
    """Smallest and largest value; both NaN if there is one."""
    if isinstance(raw, list):
        return np.min([array.min() for array in raw]), np.max([array.max() for array in raw])
    return raw.min(), raw.max()


def check_finite(raw: Raw, what: str, dtype: str, of: str = "samples") -> None:
    """Raise ValueError for NaN, infinity, and numbers too large for the model's float type."""
    if kind(raw) != "f":
        return
    if not isinstance(raw, list) and raw.flags.c_contiguous and raw.dtype == dtype and all_finite(raw):
        return
    low, high = bounds(raw)
    largest = np.finfo(dtype).max
    if -largest <= low and high <= largest:
        return
    bad = [i for i, sample in enumerate(raw) if not np.all(np.abs(sample) <= largest)]
    too_large = "" if np.isnan(low) or np.isinf(low) or np.isinf(high) else f" or numbers too large for {dtype}"
    raise ValueError(
        f"{what}: {len(bad)} of {len(raw)} {of} hold NaN or infinity{too_large}, the first is number {bad[0]}; "
        "they would poison the weights: clean or drop them"
    )


def whole(raw: Raw, what: str, names: str) -> Raw:
    """Integers; floats are converted if they are whole. Raises TypeError or ValueError else."""
    if kind(raw) != "f":
        return raw
    if isinstance(raw, list):
        return [_whole(array, what, names) for array in raw]
    return _whole(raw, what, names)


def check_range(raw: Raw, low: int, high: int, what: str, names: str) -> None:
    """Raise ValueError unless all values are in [low, high)."""
    least, most = bounds(raw)
    if least < low or most >= high:
        wrong = int(least) if least < low else int(most)
        raise ValueError(f"{what}: expected {names} in [{low}, {high}), got {wrong}")


def kind(raw: Raw) -> str:
    """NumPy's letter: "f" for floats, "i" and "u" for integers, "b" for bool."""
    return (raw[0] if isinstance(raw, list) else raw).dtype.kind


def _unify(samples: list[NDArray[Any]], what: str) -> list[NDArray[Any]]:
    shape = samples[0].shape
    for i, sample in enumerate(samples):
        if sample.ndim != len(shape) or sample.shape[1:] != shape[1:]:
            raise ValueError(
                f"{what}[{i}]: expected shape {('steps', *shape[1:])} as in {what}[0], got {sample.shape}; "
                "only the first extent may differ"
            )
        if sample.size == 0:
            raise ValueError(f"{what}[{i}]: the sample is empty: shape {sample.shape}")
    samples = [_numeric(sample, f"{what}[{i}]") for i, sample in enumerate(samples)]
    dtypes = {sample.dtype for sample in samples}
    if len(dtypes) == 1:
        return samples
    common = np.result_type(*dtypes)
    return [sample.astype(common) for sample in samples]


def _numeric(array: NDArray[Any], what: str) -> NDArray[Any]:
    """An aligned array of a dtype that the core reads."""
    if array.dtype in NATIVE and array.dtype.isnative:
        return array if array.flags.aligned else array.copy()
    if array.dtype.kind not in "biuf":
        hint = ""
        if array.dtype.kind == "O":
            hint = "; for samples of unequal length pass a list of arrays of numbers"
        raise TypeError(f"{what}: expected numbers, got dtype {array.dtype}{hint}")
    if array.dtype.kind == "u" and array.dtype.itemsize == 8 and array.size and array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"{what}: expected integers below 2**63, got {array.max()}")
    default = "float64" if array.dtype.kind == "f" else "int64"
    name = array.dtype.newbyteorder("=").name
    return array.astype(name if np.dtype(name) in NATIVE else WIDER.get(name, default))


def fits(shape: tuple[int, ...], spec: Shape) -> bool:
    """Is `shape` one of those that `spec` allows, None being any extent?"""
    if shape == spec:
        return True
    return len(shape) == len(spec) and all(
        extent == wanted or (wanted is None and extent > 0) for extent, wanted in zip(shape, spec, strict=True)
    )


def _whole(array: NDArray[Any], what: str, names: str) -> NDArray[Any]:
    if not (np.isfinite(array).all() and (array == np.floor(array)).all()):
        raise ValueError(f"{what}: expected whole numbers as {names}, got fractions or NaN (dtype {array.dtype})")
    return array.astype(np.int64)
