"""Symbolic tensors: what layers are called on to make a model. They have a shape and a history, and no values."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, NoReturn

from tauten._naming import auto_name
from tauten._structure import Structure

if TYPE_CHECKING:
    from tauten.layers.base import Layer, Shape


class Node:
    """One call of a layer.

    Tensors hold their node, nodes hold their layer and what they read; nothing points the other way but weakly, so that
    a model that nobody holds is freed at once.

    Attributes:
        layer: that was called.
        data: the tensors that it was called on; none for an Input.
        initial: those of its `initial_state`.
        structure: how `data` were handed over.
        number: counts the calls of this layer, whatever model they belong to.
    """

    def __init__(
        self,
        layer: Layer,
        data: tuple[KerasTensor, ...],
        structure: Structure,
        number: int,
        initial: tuple[KerasTensor, ...] = (),
    ) -> None:
        self.layer = layer
        self.data = data
        self.initial = initial
        self.structure = structure
        self.number = number
        self._writes: list[weakref.ref[KerasTensor]] = []
        self._written: list[tuple[Shape, str, str]] = []

    @property
    def reads(self) -> tuple[KerasTensor, ...]:
        """All tensors that it reads, `data` first."""
        return self.data + self.initial

    def write(self, shape: Shape, dtype: str, name: str | None = None) -> KerasTensor:
        """A new tensor that this call writes."""
        tensor = KerasTensor(shape, dtype, name, self, len(self._writes))
        self._writes.append(weakref.ref(tensor))
        self._written.append((shape, dtype, tensor.name))
        return tensor

    def outputs(self) -> list[KerasTensor]:
        """All tensors that it wrote; those that nobody holds made again."""
        found = []
        for index, (reference, (shape, dtype, name)) in enumerate(zip(self._writes, self._written, strict=True)):
            tensor = reference()
            if tensor is None:
                tensor = KerasTensor(shape, dtype, name, self, index)
                self._writes[index] = weakref.ref(tensor)
            found.append(tensor)
        return found

    def writes(self) -> list[KerasTensor]:
        """The tensors that it wrote and that somebody holds."""
        tensors = (reference() for reference in self._writes)
        return [tensor for tensor in tensors if tensor is not None]


class KerasTensor:
    """What a layer reads or writes, without values. Made by tauten.Input() and by calling layers on tensors.

    `a + b`, `a - b` and `a * b` of two tensors call Add, Subtract and Multiply.

    Attributes:
        shape: None for the batch, and for steps that are known only at run time.
        dtype: the input's, or the model's float type.
        name: an Input's; else "keras_tensor", numbered.
    """

    def __init__(self, shape: Shape, dtype: str, name: str | None, node: Node, index: int) -> None:
        self.shape = shape
        self.dtype = dtype
        self.name = auto_name("KerasTensor") if name is None else name
        self._node = node
        self._index = index

    @property
    def ndim(self) -> int:
        """The number of axes, the batch included."""
        return len(self.shape)

    def __add__(self, other: Any) -> KerasTensor:
        return _merged("add", "+", self, other)

    def __sub__(self, other: Any) -> KerasTensor:
        return _merged("subtract", "-", self, other)

    def __mul__(self, other: Any) -> KerasTensor:
        return _merged("multiply", "*", self, other)

    def __radd__(self, other: Any) -> NoReturn:
        _refuse("+", other)

    def __rsub__(self, other: Any) -> NoReturn:
        _refuse("-", other)

    def __rmul__(self, other: Any) -> NoReturn:
        _refuse("*", other)

    # NumPy must not try to make arrays of objects from it, nor Python to iterate.
    __array_ufunc__ = None
    __hash__ = object.__hash__

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        raise TypeError(f"{self!r} has no values: it can only be read by layers; model.predict() has values")

    def __bool__(self) -> bool:
        raise TypeError(f"{self!r} has no values: it is neither true nor false")

    def __iter__(self) -> NoReturn:
        raise TypeError(f"{self!r} has no values to iterate over")

    def __len__(self) -> int:
        raise TypeError(f"{self!r} has no length: its shape is {self.shape}")

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


def _merged(function: str, sign: str, left: KerasTensor, right: Any) -> KerasTensor:
    from tauten.layers import merging

    if not isinstance(right, KerasTensor):
        _refuse(sign, right)
    result: KerasTensor = getattr(merging, function)([left, right])
    return result


def _refuse(sign: str, other: Any) -> NoReturn:
    raise TypeError(
        f"{sign} of symbolic tensors: expected another tensor, got {other!r} of type {type(other).__name__}"
    )
