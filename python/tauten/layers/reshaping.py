"""Permute and RepeatVector: axes in another order, a vector at every step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tauten._checks import integer, unpacked
from tauten.layers.base import Layer

if TYPE_CHECKING:
    from tauten._core import Network


class Permute(Layer):
    """Axes in another order: axis j of the output is axis dims[j - 1] of the input.

    Args:
        dims: the axes behind the batch, counted from 1, each once: (2, 1) swaps two.
        name: as in Layer.

    Raises:
        TypeError, ValueError: for what is no permutation; when the model is built also for another number of axes.
    """

    def __init__(self, dims: Sequence[int], *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        dims = unpacked(dims)
        if isinstance(dims, str) or not isinstance(dims, Sequence):
            raise TypeError(f"Permute: dims: expected a tuple of integers, got {dims!r}")
        axes = tuple(integer(axis, "Permute: dims") for axis in dims)
        if sorted(axes) != list(range(1, len(axes) + 1)) or not axes:
            raise ValueError(f"Permute: dims: expected each of 1, 2, ... once, got {axes}")
        self.dims = axes

    def add_to(self, network: Network, edge: int) -> int:
        return network.add_permute(self.name, edge, [axis - 1 for axis in self.dims])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dims": list(self.dims)}


class RepeatVector(Layer):
    """The same features at every one of n steps: (batch, features) -> (batch, n, features).

    Args:
        n: how many steps.
        name: as in Layer.

    Raises:
        TypeError, ValueError: for what is no positive integer; when the model is built also for an input that is no
            vector.
    """

    def __init__(self, n: int, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.n = integer(n, "RepeatVector: n")

    def add_to(self, network: Network, edge: int) -> int:
        shape = tuple(network.edge_shape(edge))
        if len(shape) != 1:
            raise ValueError(f"{self.name}: expected a vector (features,), got shape {shape}")
        return network.add_upsampling(self.name, network.add_reshape(self.name, edge, (1, -1)), (self.n,))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n": self.n}
