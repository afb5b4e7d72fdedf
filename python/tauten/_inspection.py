"""What single layers write, and what an output owes to each value of the input: activations() and saliency()."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tauten import _data
from tauten._checks import integer
from tauten._core import Source
from tauten._data import Data
from tauten._feeding import Feeder, Inputs
from tauten._graph import Graph
from tauten._structure import Structure
from tauten._wiring import Flat, Wiring
from tauten.layers.base import Layer
from tauten.models import Model

if TYPE_CHECKING:
    Floats = NDArray[np.floating[Any]]
    Values = Floats | list[Floats]


def activations(model: Model, x: Any, layer: str | Layer, batch_size: int | None = None) -> Values:
    """What a layer writes for x, with dropout off: the feature maps of a convolution, h of a recurrent layer, ...

    Where the layer has an activation these are the values behind it. Sequences begin at zero, whatever states stateful
    layers hold.

    Args:
        model: it need not be compiled.
        x: as in predict(), or a single sample without the axis of samples.
        layer: one of the model's, or its name; of one that is called several times the first call.
        batch_size: samples a native call; default 32.

    Returns:
        (samples, ...) in the layer's output shape and the model's float type, without the first axis for a single
        sample; a list for a list of sequences and a layer that writes every step. Nothing in the model changes.

    Raises:
        TypeError, ValueError: for what is no model, a layer that it has not, and data that do not fit.
    """
    check_model(model, "activations")
    chosen = choose(model, layer, "activations")
    batch_size = integer(32 if batch_size is None else batch_size, "activations: batch_size")
    data, single = one_or_many(model, x)
    graph, numbers = _network_below(model, chosen)
    below = Inputs([data.parts[number] for number in numbers], graph.sources([data.parts[n].source for n in numbers]))
    index = np.arange(data.samples, dtype=np.int64)
    parts = [index[begin : begin + batch_size] for begin in range(0, len(index), batch_size)]
    rows = np.concatenate([graph.network.predict(below.sources, part)[0] for part in parts])
    names = [model.input_names[number] for number in numbers]
    values: Values = Feeder(model.name, graph, names, [chosen.name], Structure()).split([rows], below)
    return values[0] if single else values


def saliency(model: Model, x: Any, target: Any = None) -> Values:
    """|∂ score / ∂x|: how much the score of a class would change with each value of the input, dropout off.

    The score is the output, or what a softmax or sigmoid at the end of the model reads (the logit): the probability's
    own gradient vanishes where the model is sure. Simonyan, Vedaldi & Zisserman 2013, "Deep inside convolutional
    networks".

    Args:
        model: of one input, which are numbers and no tokens, and one output; it need not be compiled.
        x: as in predict(), or a single sample without the axis of samples.
        target: the class, or one for each sample; for outputs of more than one axis a tuple, such as (step, class).
            Default: the class that the model predicts.

    Returns:
        In the shape of x and the model's float type; a list for a list. Zeros at masked steps. Nothing in the model
        changes.

    Raises:
        TypeError, ValueError: for what is no model, one that reads integers, data and targets that do not fit.
    """
    return explained(model, x, target)[0]


def explained(model: Model, x: Any, target: Any = None) -> tuple[Values, list[tuple[int, ...]]]:
    """saliency(), and the target of each sample."""
    check_model(model, "saliency")
    inputs, single = one_or_many(model, x)
    graph = model._graph_now()
    assert graph is not None
    if len(graph.entries) > 1 or len(graph.exits) > 1:
        raise ValueError(
            f"saliency: expected a model of one input and one output, model {model.name!r} has "
            f"{len(graph.entries)} and {len(graph.exits)}"
        )
    if graph.entries[0].tables:
        raise ValueError(
            f"saliency: model {model.name!r} reads integers (layer {graph.entries[0].tables[0].name!r}): there is no "
            "gradient to them; diagnostics.activations shows what the layers make of them"
        )
    (data,) = inputs.parts
    index = np.arange(data.samples, dtype=np.int64)
    shapes = [_output_shape(graph, data, i) for i in range(data.samples)]
    targets = _predicted(model, graph, data, index) if target is None else _given(model, target, shapes, data.samples)
    given = []
    for shape, place in zip(shapes, targets, strict=True):
        one = np.zeros(shape, dtype=model.dtype)
        one[place] = 1
        given.append(one)
    _, _, (gradient,) = graph.network.pull_back(inputs.sources, [_source(graph, data, given)], index, True)
    assert gradient is not None
    rows = np.abs(gradient)
    values: Values
    if data.mask is not None:
        full = np.zeros((len(data.mask.valid), *rows.shape[1:]), dtype=rows.dtype)
        full[data.mask.valid] = rows
        if data.mask.shape is None:
            values = np.split(full, np.cumsum(data.mask.steps)[:-1])
        else:
            values = full.reshape(*data.mask.shape, *rows.shape[1:])
    elif data.steps is not None:
        values = np.split(rows, np.cumsum(data.steps)[:-1])
    else:
        values = rows
    return (values[0] if single else values), targets


def check_model(model: Any, what: str) -> None:
    """Raise TypeError unless `model` is one."""
    if not isinstance(model, Model):
        raise TypeError(f"{what}: expected a model, got {type(model).__name__}")


def choose(model: Model, layer: str | Layer, what: str) -> Layer:
    """The model's layer of that name, or that layer. Raises TypeError or ValueError that names what there is."""
    if not isinstance(layer, (str, Layer)):
        raise TypeError(f"{what}: layer: expected a layer or its name, got {layer!r}")
    for one in model.layers:
        if one is layer or one.name == layer:
            return one
    wanted = layer if isinstance(layer, str) else layer.name
    names = [one.name for one in model.layers]
    raise ValueError(f"{what}: model {model.name!r} has no layer {wanted!r}; there are {names}")


def one_or_many(model: Model, x: Any) -> tuple[Inputs, bool]:
    """x for the network, and whether it was a single sample; of several inputs there are always many."""
    if isinstance(x, Mapping) or (model.built and len(model.inputs) > 1):
        return model._input(x), False
    raw = _data.read(x, "x")
    single = not isinstance(raw, list) and model.built and raw.ndim == model.inputs[0].ndim - 1
    return model._input(raw[None] if single else raw), single  # type: ignore[call-overload]


# -- inside


def _network_below(model: Model, layer: Layer) -> tuple[Graph, list[int]]:
    """A network that ends with the layer's first call, and reads the model's weights; and which inputs it needs.

    Not that of the model: there, an activation behind a layer has become a part of it.
    """
    whole, wired = model._graph_now(), model._inner()
    assert whole is not None
    assert wired is not None
    node = min((node for node in wired.nodes if node.layer is layer), key=lambda node: node.number)
    tensor = node.outputs()[0]
    found = {id(tensor)}
    stack = [tensor]
    while stack:
        for read in stack.pop()._node.reads:
            if id(read) not in found:
                found.add(id(read))
                stack.append(read)
    numbers = [number for number, own in enumerate(wired.inputs) if id(own) in found]
    masks = whole.masks
    if masks is not None:
        masks = replace(masks, input=numbers.index(masks.input)) if masks.input in numbers else None
    below = Wiring([wired.inputs[number] for number in numbers], [tensor], model.name)
    flat = Flat.of(below)
    graph = Graph(flat, [tensor.shape[1:]], model.name, model.dtype, whole.winograd, masks=masks)
    graph.share()
    return graph, numbers


def _output_shape(graph: Graph, data: Data, sample: int) -> tuple[int, ...]:
    """Of one sample: with the steps that it has, masked ones too."""
    steps = data.extent if data.steps is None else int(data.steps[sample])
    return tuple((steps or 0) if extent is None or (i == 0 and graph.exits[0].steps is not None) else extent
                 for i, extent in enumerate(graph.exits[0].shape))  # fmt: skip


def _predicted(model: Model, graph: Graph, data: Data, index: NDArray[np.int64]) -> list[tuple[int, ...]]:
    if len(graph.exits[0].shape) != 1:
        raise ValueError(
            f"saliency: target: expected a tuple such as (step, class), since the outputs of model {model.name!r} have "
            f"shape {graph.exits[0].shape}"
        )
    return [(int(place),) for place in graph.network.predict([data.source], index)[0].argmax(axis=-1)]


def _given(model: Model, target: Any, shapes: Sequence[tuple[int, ...]], samples: int) -> list[tuple[int, ...]]:
    """One checked place in the output for each sample."""
    each = [target] * samples
    if isinstance(target, (list, np.ndarray)) and np.ndim(target) > 0:
        if len(target) != samples:
            raise ValueError(f"saliency: target: expected one class, or {samples}, one a sample, got {len(target)}")
        each = list(target)
    places = []
    for shape, one in zip(shapes, each, strict=True):
        place = one if isinstance(one, tuple) else (one,)
        try:
            numbers = tuple(operator.index(axis) for axis in place)
        except TypeError:
            raise TypeError(f"saliency: target: expected a class number or a tuple of integers, got {one!r}") from None
        if any(isinstance(axis, (bool, np.bool_)) for axis in place):
            raise TypeError(f"saliency: target: expected a class number or a tuple of integers, got {one!r}")
        if len(numbers) != len(shape) or not all(0 <= i < n for i, n in zip(numbers, shape, strict=True)):
            raise ValueError(
                f"saliency: target: expected a place in outputs of shape {shape} (model {model.name!r}), got {one!r}"
            )
        places.append(numbers)
    return places


def _source(graph: Graph, data: Data, given: list[NDArray[Any]]) -> Source:
    """∂E/∂output of all samples for the native core; masked steps have none."""
    if graph.exits[0].steps is None:
        return Source(np.stack(given))
    if data.mask is not None:
        return data.mask.source(data.mask.taken(given))
    return Source(given if data.steps is not None else np.stack(given))
