"""The native network of a model while it grows, and when it is finished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tauten import config
from tauten._core import Network
from tauten._weights import Variable

if TYPE_CHECKING:
    from tauten.layers.base import Layer, Shape


class Graph:
    """A chain of layers in a native network.

    Layers are added one by one, so that shapes are checked at once; finish() closes the network and gives every
    layer its weights: those that it had before, or initial ones.

    Args:
        dtype: "float32" or "float64".
        name: of the input.
        shape: of one sample.
        index: the input is integers to look up.
        masked: masked steps are taken out: the network takes sequences of any length, whatever `shape` says.
    """

    def __init__(self, dtype: str, name: str, shape: Shape, index: bool, masked: bool = False) -> None:
        self.network = Network(dtype, config.winograd())
        self.dtype = dtype
        self.masked = masked
        self._steps = shape[0] if masked else None
        self._edge = self.network.add_input(name, (None, *shape[1:]) if masked else shape, index)
        self._added: list[tuple[Layer, Shape, Shape]] = []
        self._closed = False
        self._finished = False

    @property
    def input_shape(self) -> Shape:
        """Shape of one sample, after finish() too."""
        return self._shape(0)

    @property
    def output_shape(self) -> Shape:
        """Shape of one sample's output."""
        return self._shape(self._edge)

    @property
    def per_step(self) -> bool:
        """Has the output as many steps as the input of the moment?"""
        return self.network.edge_shape(self._edge)[0] is None

    @property
    def closed(self) -> bool:
        """Does the network take no more layers?"""
        return self._closed

    @property
    def finished(self) -> bool:
        """Is the network closed?"""
        return self._finished

    def add(self, layer: Layer) -> None:
        """Add a layer behind the last one. Raises ValueError if its input does not fit."""
        before = self.output_shape
        self._edge = layer.add_to(self.network, self._edge)
        self._added.append((layer, before, self.output_shape))

    def _shape(self, edge: int) -> Shape:
        """An edge's shape as the user sees it: with the steps that the input was declared with."""
        shape = tuple(self.network.edge_shape(edge))
        return (self._steps, *shape[1:]) if shape[0] is None else shape

    def attach(self) -> None:
        """Make the layers part of this network: their shapes and weights come from here."""
        for layer, before, after in self._added:
            layer._graph = self
            layer._shapes = ((None, *before), (None, *after))

    def close(self) -> None:
        """Let the network take no more layers; its weights are zeros. The second time nothing happens."""
        if not self._closed:
            self.network.finalize([self._edge])
            self._closed = True

    def finish(self) -> None:
        """Close the network and give every layer its weights. The second time nothing happens.

        Raises ValueError if a layer has weights for another input, or initial values are not finite; no layer has
        then changed.
        """
        if self._finished:
            return
        self.close()
        by_layer: dict[str, list[Variable]] = {}
        for index, parameter in enumerate(self.network.parameters):
            variable = Variable(self.network, index, parameter, self.dtype)
            by_layer.setdefault(parameter.name.rsplit("/", 1)[0], []).append(variable)
        for layer, *_ in self._added:
            _check_kept(layer, by_layer.get(layer.name, []))
        for layer, *_ in self._added:
            self._initialize(layer, by_layer.get(layer.name, []))
        for layer, *_ in self._added:
            layer._variables = [_settle(layer, variable) for variable in by_layer.get(layer.name, [])]
        self._finished = True
        self._added = []  # layers know their graph; the graph need not know them any longer

    def _initialize(self, layer: Layer, variables: list[Variable]) -> None:
        """Initial values for the weights that the layer does not have yet."""
        kept = {old.name for old in layer._variables}
        for variable in variables:
            if variable.name not in kept:
                variable.assign(layer.initial_value(variable.name, variable.shape, self.dtype))


def _settle(layer: Layer, variable: Variable) -> Variable:
    """The layer's weight in its new network: the object that users may hold already, or the new one."""
    kept = {old.name: old for old in layer._variables}.get(variable.name)
    if kept is not None:
        kept.move(variable)
        variable = kept
    layer.configure(variable)
    return variable


def _check_kept(layer: Layer, variables: list[Variable]) -> None:
    kept = {old.name: old.shape for old in layer._variables}
    for variable in variables:
        if kept.get(variable.name, variable.shape) != variable.shape:
            raise ValueError(
                f"layer {layer.name!r} has weights for another input: {variable.name} is {kept[variable.name]}, "
                f"needed here {variable.shape}; use a new layer"
            )
