"""Layers of the native network work on the last axis; for those that are told of another one it is moved there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tauten._core import Network


def with_axis_last(network: Network, name: str, edge: int, axis: int, add: Callable[[int], int]) -> int:
    """Move `axis` of a sample (0 is the one behind the batch) to the end, add(edge), and move it back.

    A layer that follows with the same axis costs no second move: the network drops a move that undoes another one.
    """
    rank = len(network.edge_shape(edge))
    if axis == rank - 1:
        return add(edge)
    there = [*(other for other in range(rank) if other != axis), axis]
    back = [there.index(other) for other in range(rank)]
    return network.add_permute(name, add(network.add_permute(name, edge, there)), back)
