"""What layers over windows share: extents, and padding as (before, after) pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tauten._checks import integer, unpacked

Extents = int | Sequence[int]
PaddingLike = str | int | Sequence[int | Sequence[int]]
Padding = str | tuple[tuple[int, int], ...]


def padding_pairs(value: Any, rank: int, what: str, words: tuple[str, ...] = ("valid", "same")) -> Padding:
    """One of `words`, or (before, after) for each dimension.

    An integer pads every side; one integer a dimension pads both its sides; in one dimension two integers are
    (before, after): as in Keras' ZeroPadding layers.
    """
    value = unpacked(value)
    if isinstance(value, str):
        if value.lower() not in words:
            raise ValueError(f"{what}: expected one of {words}, an integer or (before, after) pairs, got {value!r}")
        return value.lower()
    if not isinstance(value, (list, tuple)):
        size = integer(value, what, least=0)
        return ((size, size),) * rank
    items = list(value)
    if rank == 1 and len(items) == 2 and not any(isinstance(item, (list, tuple)) for item in items):
        items = [items]
    if len(items) != rank:
        raise ValueError(f"{what}: expected {rank} dimensions, got {value!r}")
    return tuple(_pair(item, what) for item in items)


def _pair(item: Any, what: str) -> tuple[int, int]:
    if isinstance(item, (list, tuple)):
        if len(item) != 2:
            raise ValueError(f"{what}: expected (before, after), got {item!r}")
        return integer(item[0], what, least=0), integer(item[1], what, least=0)
    size = integer(item, what, least=0)
    return size, size
