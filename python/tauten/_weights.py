"""A weight as Python sees it: a view of one parameter of a native network."""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from tauten._core import Network, Parameter
    from tauten.constraints import Native

SLOTS = 5  # of a weight, in the core


class Variable:
    """One weight of a built layer.

    Attributes:
        name: "kernel", "recurrent_kernel", "bias", "embeddings", "gamma", "beta", "moving_mean", "moving_variance".
        path: "layer/name".
        shape: Keras' shape.
        dtype: "float32" or "float64".
        trainable: does it get gradients? Moving averages do not, though training moves them.
    """

    def __init__(self, network: Network, index: int, parameter: Parameter, dtype: str, layer: str) -> None:
        self._network = network
        self._index = index
        self._lent: list[tuple[weakref.ref[Network], int]] = []  # further networks that read it, and its number there
        self.name = parameter.name.rsplit("/", 1)[1]
        self.path = f"{layer}/{self.name}"
        self.shape = tuple(parameter.shape)
        self.dtype = dtype
        self._state = not parameter.trainable  # what only the step itself updates
        self.trainable = parameter.trainable

    @property
    def index(self) -> int:
        """Its number in the network that it came from."""
        return self._index

    def join(self, other: Variable, replaced: Network | None) -> None:
        """Be the weight that `other` is in its network, too: both networks read the same memory from now on.

        Where this weight comes from the network `replaced`, it moves to the other one.
        """
        network, index = other._network, other._index
        network.share(index, self._network, self._index)
        if self._network is not replaced:
            self.lend(network, index, shared=True)
        else:
            self._network, self._index = network, index

    def lend(self, network: Network, index: int, shared: bool = False) -> None:
        """Let a network read this weight in the place of its own."""
        if not shared:
            network.share(index, self._network, self._index)
        self._lent = [(reference, number) for reference, number in self._lent if reference() is not None]
        self._lent.append((weakref.ref(network), index))

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    def numpy(self) -> NDArray[np.floating[Any]]:
        """A copy of the values."""
        return self._network.get(self._index)

    def assign(self, value: ArrayLike) -> None:
        """Set the values.

        Raises:
            ValueError, TypeError: if shape or dtype do not fit, and for NaN, infinity and numbers beyond the dtype.
        """
        self._network.set(self._index, self.convert(value, self.path))

    def convert(self, value: ArrayLike, what: str) -> NDArray[np.floating[Any]]:
        """`value` as an array that fits this weight. Raises ValueError or TypeError that begins with `what`."""
        array = as_array(value, what)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"{what}: expected numbers for {self.path}, got dtype {array.dtype}")
        if array.shape != self.shape:
            raise ValueError(f"{what}: expected shape {self.shape} for {self.path}, got {array.shape}")
        if array.dtype.kind == "f" and not (np.abs(array) <= np.finfo(self.dtype).max).all():
            raise ValueError(
                f"{what}: expected finite numbers for {self.path}, got NaN, infinity or numbers beyond {self.dtype}"
            )
        return np.require(array, dtype=self.dtype, requirements=["C", "A"])

    def configure(self, trainable: bool, penalty: tuple[float, float], constraint: Native) -> None:
        """Set whether training changes it, what it costs and what holds it after each update."""
        self.trainable = trainable and not self._state
        lent = ((reference(), index) for reference, index in self._lent)
        for network, index in ((self._network, self._index), *lent):
            if network is None:
                continue
            network.set_trainable(index, trainable)  # of a state: whether training steps move it
            if not self._state:
                network.set_penalty(index, *penalty)
                network.set_constraint(index, *constraint)

    @property
    def slots(self) -> dict[int, NDArray[np.floating[Any]]]:
        """What the optimizer keeps of it so far, by the native number of the slot (Optimizer.slot_number())."""
        found = ((number, self._network.get_slot(self._index, number)) for number in range(SLOTS))
        return {number: value for number, value in found if value is not None}

    def set_slot(self, number: int, value: ArrayLike) -> None:
        """Set what the optimizer keeps in one slot."""
        self._network.set_slot(self._index, number, self.convert(value, "slot"))

    def take_average(self) -> None:
        """Become the average that the optimizer keeps, if it keeps one and the weight is trainable."""
        self._network.take_average(self._index)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self.numpy() if dtype is None else self.numpy().astype(dtype)

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}>"


def as_array(value: ArrayLike, what: str) -> NDArray[Any]:
    """`value` as an array. Raises TypeError for what is none, and for masked arrays, whose mask would be lost."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{what}: masked arrays are not supported: fill them, or drop what is masked, first")
    try:
        return np.asarray(value)
    except (ValueError, TypeError) as error:
        raise TypeError(f"{what}: expected an array of numbers or a list of such arrays: {error}") from None


def assign_all(variables: Sequence[Variable], values: Sequence[ArrayLike], what: str) -> None:
    """Set several weights, all of them or, when one does not fit, none; those of a network at once.

    Raises:
        ValueError, TypeError: that begin with `what`.
    """
    if not isinstance(values, (list, tuple)):
        raise TypeError(f"{what}: expected a list of arrays, got {type(values).__name__}")
    if len(values) != len(variables):
        raise ValueError(f"{what}: expected {len(variables)} arrays, got {len(values)}")
    arrays = [variable.convert(value, what) for variable, value in zip(variables, values, strict=True)]
    for network in {id(variable._network): variable._network for variable in variables}.values():
        pairs = zip(variables, arrays, strict=True)
        mine = [(variable._index, array) for variable, array in pairs if variable._network is network]
        network.set_all([index for index, _ in mine], [array for _, array in mine])
