"""Layers that read several tensors and write one: Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from tauten._checks import integer
from tauten._structure import Structure
from tauten._tensors import KerasTensor
from tauten.layers.base import Layer

if TYPE_CHECKING:
    from tauten._core import Network

MOST_AXIS = 64


class Merge(Layer):
    """Base of the layers that merge a list of tensors."""

    merges = True
    supports_masking = False  # but where all tensors have the mask: see _masking

    def _call(self, structure: Structure, tensors: Sequence[KerasTensor], initial: Sequence[KerasTensor] = ()) -> Any:
        if structure.kind not in (list, tuple):
            got = "a dict" if structure.kind is dict else "a single tensor"
            raise ValueError(
                f"layer {self.name!r} ({type(self).__name__}): expected a list of tensors to merge, got {got}"
            )
        return super()._call(structure, tensors)


class _Elementwise(Merge):
    """Base of the layers that merge values at the same place."""

    kind: ClassVar[str]
    exactly: ClassVar[int | None] = None

    def add_merged(self, network: Network, edges: Sequence[int]) -> int:
        if self.exactly is not None and len(edges) != self.exactly:
            raise ValueError(f"{self.name}: expected exactly {self.exactly} tensors, got {len(edges)}")
        if len(edges) == 1:
            return edges[0]
        shapes = [tuple(network.edge_shape(edge)) for edge in edges]
        rank = max(map(len, shapes))
        reshaped = []
        for edge, shape in zip(edges, shapes, strict=True):
            if len(shape) < rank:  # Keras: new axes stand behind the batch
                if shape[0] is None:
                    raise ValueError(
                        f"{self.name}: expected tensors of one rank or of known steps, got shapes {shapes}"
                    )
                known = [extent or 1 for extent in shape]
                edge = network.add_reshape(self.name, edge, [1] * (rank - len(shape)) + known)
            reshaped.append(edge)
        return network.add_merge(self.name, reshaped, self.kind)


_MERGED = """

    Tensors have the same shape, or 1 where others have more, which then stands for all of these; one of fewer axes gets
    axes of 1 behind the batch. Merged are numbers at the same place. A mask passes if all tensors have it.

    Args:
        name: as in Layer.

    Raises:
        ValueError: when called, for a tensor that is not in a list, and for shapes that do not fit.
    """


def _documented(cls: type[Merge]) -> type[Merge]:
    cls.__doc__ = f"{cls.__doc__}{_MERGED}"
    return cls


@_documented
class Add(_Elementwise):
    """y = Σ_i x_i: a list of tensors, the residual connection of He et al. 2016 among others."""

    kind = "add"


@_documented
class Subtract(_Elementwise):
    """y = x_0 - x_1: two tensors."""

    kind = "subtract"
    exactly = 2


@_documented
class Multiply(_Elementwise):
    """y = Π_i x_i: a list of tensors, such as values and what a gate lets through of them."""

    kind = "multiply"


@_documented
class Average(_Elementwise):
    """y = Σ_i x_i / n: n tensors."""

    kind = "average"


@_documented
class Maximum(_Elementwise):
    """y = max_i x_i: a list of tensors. The gradient goes to the first of those that have the maximum."""

    kind = "maximum"


@_documented
class Minimum(_Elementwise):
    """y = min_i x_i: a list of tensors. The gradient goes to the first of those that have the minimum."""

    kind = "minimum"


class Concatenate(Merge):
    """Tensors one behind the other along one axis; their other extents are equal. A mask passes if all have it.

    Args:
        axis: the batch being 0, or from the end; default -1. The batch's itself is not supported.
        name: as in Layer.

    Raises:
        TypeError, ValueError: for what is no such axis; when called, for a tensor that is not in a list and for shapes
            that do not fit.
    """

    def __init__(self, axis: int = -1, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.axis = integer(axis, "Concatenate: axis", -MOST_AXIS, MOST_AXIS)

    def add_merged(self, network: Network, edges: Sequence[int]) -> int:
        shapes = [tuple(network.edge_shape(edge)) for edge in edges]
        rank = len(shapes[0]) + 1
        axis = self.axis + rank if self.axis < 0 else self.axis
        if not 0 < axis < rank:
            raise ValueError(
                f"{self.name}: axis: expected one from 1 to {rank - 1}, or -1 to {1 - rank}, for tensors of shape "
                f"{(None, *shapes[0])}, got {self.axis}; the batch cannot grow"
            )
        return edges[0] if len(edges) == 1 else network.add_concatenate(self.name, edges, axis)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


def add(inputs: Sequence[KerasTensor], **kwargs: Any) -> KerasTensor:
    """Add(**kwargs)(inputs)."""
    return _called(Add(**kwargs), inputs)


def subtract(inputs: Sequence[KerasTensor], **kwargs: Any) -> KerasTensor:
    """Subtract(**kwargs)(inputs)."""
    return _called(Subtract(**kwargs), inputs)


def multiply(inputs: Sequence[KerasTensor], **kwargs: Any) -> KerasTensor:
    """Multiply(**kwargs)(inputs)."""
    return _called(Multiply(**kwargs), inputs)


def average(inputs: Sequence[KerasTensor], **kwargs: Any) -> KerasTensor:
    """Average(**kwargs)(inputs)."""
    return _called(Average(**kwargs), inputs)


def maximum(inputs: Sequence[KerasTensor], **kwargs: Any) -> KerasTensor:
    """Maximum(**kwargs)(inputs)."""
    return _called(Maximum(**kwargs), inputs)


def minimum(inputs: Sequence[KerasTensor], **kwargs: Any) -> KerasTensor:
    """Minimum(**kwargs)(inputs)."""
    return _called(Minimum(**kwargs), inputs)


def concatenate(inputs: Sequence[KerasTensor], axis: int = -1, **kwargs: Any) -> KerasTensor:
    """Concatenate(axis, **kwargs)(inputs)."""
    return _called(Concatenate(axis, **kwargs), inputs)


def _called(layer: Merge, inputs: Sequence[KerasTensor]) -> KerasTensor:
    tensor: KerasTensor = layer(inputs)
    return tensor
