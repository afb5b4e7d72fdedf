"""Models as configurations, which JSON can hold, and back: Keras' keys, with the layers' calls as [name, call, tensor].

A layer that stands in several models within one is written in full once; elsewhere "shared" says where: its names from
the outermost model on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tauten import config as settings
from tauten import layers as layer_module
from tauten._checks import keras_only
from tauten._structure import Structure
from tauten._tensors import KerasTensor

if TYPE_CHECKING:
    from tauten._wiring import Wiring
    from tauten.layers.base import Layer
    from tauten.models.model import Model

Seen = dict[Any, Any]


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Any = None,
    call_function: Any = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Model:
    """A model of the same architecture and names, with layers and initial weights of its own, not compiled.

    Args:
        model: a Model or Sequential.
        input_tensors, clone_function, call_function, recursive: Keras'; at their defaults only.

    Raises:
        TypeError: for what is no model.
        ValueError: for initializers that are Python functions.
    """
    from tauten.models.model import Model

    given = {
        "input_tensors": input_tensors,
        "clone_function": clone_function,
        "call_function": call_function,
        "recursive": recursive,
    }
    keras_only("clone_model", {**given, **kwargs}, {**dict.fromkeys(given), "recursive": False})
    if not isinstance(model, Model):
        raise TypeError(f"clone_model: expected a model, got {type(model).__name__}")
    return read(model.get_config(), model.class_name)


def written(model: Model, seeded: bool) -> dict[str, Any]:
    """The configuration of a model.

    Args:
        model: built, unless it is a Sequential.
        seeded: with the seeds that were drawn where none was given.
    """
    return _write(model, seeded, {}, "")


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Model:
    """The model whose to_json() this is, with new weights, not compiled. custom_objects: None; layers are native.

    Raises:
        ValueError: for what is no such text.
    """
    try:
        found = json.loads(json_string)
        kind, config = found["class_name"], found["config"]
    except (TypeError, LookupError, ValueError) as error:
        raise ValueError(f"model_from_json: expected what Model.to_json() wrote: {error}") from None
    if kind not in ("Functional", "Sequential"):
        raise ValueError(f"model_from_json: expected a Functional or Sequential model, got {kind!r}")
    return read(config, kind, custom_objects)


def read(config: Any, kind: str, custom_objects: Mapping[str, Any] | None = None) -> Model:
    """The model of a configuration: "Functional" or "Sequential". Raises ValueError for what is none."""
    keras_only("from_config", {"custom_objects": custom_objects}, {"custom_objects": None})
    return _read(config, kind, {}, "")


def _write(model: Model, seeded: bool, seen: Seen, prefix: str) -> dict[str, Any]:
    config: dict[str, Any] = {"name": model.name}
    if model.class_name == "Functional":
        config["trainable"] = model.trainable
    config["dtype"] = model.dtype
    inner = model._inner()
    layers: list[Layer] = list(getattr(model, "_layers", model.layers))  # a Sequential's with its Input
    config["layers"] = [_layer(layer, seeded, seen, prefix) for layer in layers]
    if model.class_name == "Functional":
        assert inner is not None
        calls = _numbered(inner)

        def place(tensor: KerasTensor) -> list[Any]:
            return [tensor._node.layer.name, calls[id(tensor._node)], tensor._index]

        for layer, entry in zip(layers, config["layers"], strict=True):
            entry["name"] = layer.name
            entry["inbound_nodes"] = [
                node.structure.map(place, node.data) for node in _calls(inner, layer) if node.reads
            ]
            initial = [[place(tensor) for tensor in node.initial] for node in _calls(inner, layer)]
            if any(initial):
                entry["initial_states"] = initial
        config["input_layers"] = model._input_structure.map(place, inner.inputs)
        config["output_layers"] = model._output_structure.map(place, inner.outputs)
    return config


def _layer(layer: Layer, seeded: bool, seen: Seen, prefix: str) -> dict[str, Any]:
    """One layer's entry."""
    path = prefix + layer.name
    entry: dict[str, Any] = {"class_name": layer.class_name}
    if id(layer) in seen:
        entry["config"] = {"name": layer.name}
        entry["shared"] = seen[id(layer)]
        return entry
    seen[id(layer)] = path
    if layer._inner() is not None or hasattr(layer, "layers"):
        entry["config"] = _write(layer, seeded, seen, f"{path}/")  # type: ignore[arg-type]
    else:
        entry["config"] = layer.seeded_config() if seeded else layer.get_config()
    return entry


def _calls(wiring: Wiring, layer: Layer) -> list[Any]:
    """A layer's calls within a model, in the order in which they were made."""
    return sorted((node for node in wiring.nodes if node.layer is layer), key=lambda node: node.number)


def _numbered(wiring: Wiring) -> dict[int, int]:
    """id of a call -> its number among the layer's calls within the model."""
    return {id(node): number for layer in wiring.layers for number, node in enumerate(_calls(wiring, layer))}


# -- and back


def _read(config: Any, kind: str, seen: Seen, prefix: str) -> Model:
    from tauten.models.model import Model
    from tauten.models.sequential import Sequential

    name = "Sequential" if kind == "Sequential" else "Model"
    if not isinstance(config, Mapping) or not isinstance(config.get("layers"), (list, tuple)):
        raise ValueError(f"{name}: expected a configuration with 'name' and 'layers', got {config!r}")
    dtype = config.get("dtype", settings.floatx())
    if dtype not in settings.FLOAT_TYPES:
        raise ValueError(f"{name}: dtype: expected one of {settings.FLOAT_TYPES}, got {dtype!r}")
    if kind == "Sequential":
        if "input_layers" in config:
            raise ValueError("Sequential: the configuration is that of a graph: use tauten.Model.from_config")
        chain = Sequential(name=config.get("name"))
        chain.dtype = str(dtype)
        for entry in config["layers"]:
            chain.add(_made(entry, seen, prefix))
        return chain
    for key in ("input_layers", "output_layers"):
        if key not in config:
            raise ValueError(f"{name}: expected a configuration with {key!r}, got the keys {list(config)}")
    tensors = _called(config["layers"], seen, prefix)
    try:
        inputs, outputs = (_tensors(config[key], tensors.__getitem__) for key in ("input_layers", "output_layers"))
    except KeyError as error:
        raise ValueError(f"{name}: the configuration names what no layer writes: {error}") from None
    model = Model(inputs, outputs, name=config.get("name"))
    model.dtype = str(dtype)
    model._graph = model._assembled()
    return model


def _made(entry: Any, seen: Seen, prefix: str) -> Layer:
    """The layer of an entry, new or one that stands elsewhere, too."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("config"), Mapping):
        return layer_module.deserialize(entry)  # which says what is wrong
    if "shared" in entry:
        if entry["shared"] not in seen:
            raise ValueError(f"layer: shared with {entry['shared']!r}, which there is not")
        layer: Layer = seen[entry["shared"]]
        return layer
    kind = entry.get("class_name")
    path = f"{prefix}{entry['config'].get('name')}"
    if kind in ("Functional", "Sequential"):
        layer = _read(entry["config"], kind, seen, f"{path}/")
    else:
        layer = layer_module.deserialize(entry)
    seen[path] = layer
    return layer


def _called(entries: Sequence[Any], seen: Seen, prefix: str) -> dict[tuple[str, int, int], KerasTensor]:
    """(layer, call, tensor) -> tensor, of all calls in a configuration."""
    tensors: dict[tuple[str, int, int], KerasTensor] = {}
    waiting: list[tuple[Layer, list[Any], int]] = []
    states: dict[int, list[Any]] = {}  # id of a layer -> of each call the places of what it begins with
    for entry in entries:
        layer = _made(entry, seen, prefix)
        if not entry.get("inbound_nodes"):
            if not isinstance(layer, layer_module.InputLayer):
                raise ValueError(f"layer: {layer.name!r} reads nothing: its entry has no 'inbound_nodes'")
            tensors[layer.name, 0, 0] = layer.output
        else:
            waiting.append((layer, list(entry["inbound_nodes"]), 0))
            states[id(layer)] = list(entry.get("initial_states") or [[]] * len(entry["inbound_nodes"]))
            if len(states[id(layer)]) != len(entry["inbound_nodes"]):
                raise ValueError(f"layer: {layer.name!r}: expected initial_states of as many calls as inbound_nodes")
    while waiting:
        left = []
        for layer, calls, done in waiting:
            number = done
            while number < len(calls):
                try:
                    inputs = _tensors(calls[number], tensors.__getitem__)
                    initial = _tensors([*states[id(layer)][number]], tensors.__getitem__)
                except KeyError:
                    break
                written = layer(inputs, initial_state=initial or None)
                for index, tensor in enumerate(Structure.split(written, layer.name)[1]):
                    tensors[layer.name, number, index] = tensor
                number += 1
            if number < len(calls):
                left.append((layer, calls, number))
        if [item[2] for item in left] == [item[2] for item in waiting] and len(left) == len(waiting):
            names = [layer.name for layer, *_ in left]
            raise ValueError(f"model: the calls of layers {names} read each other, or what there is not")
        waiting = left
    return tensors


def _tensors(places: Any, find: Callable[[tuple[str, int, int]], KerasTensor]) -> Any:
    """The tensors at one [name, call, tensor], or a list or dict of such. Raises KeyError for what is not there yet."""
    if isinstance(places, Mapping):
        return {str(key): _tensors(place, find) for key, place in places.items()}
    if not isinstance(places, (list, tuple)):
        raise ValueError(f"model: expected a place [name, call, tensor], got {places!r}")
    if len(places) == 3 and isinstance(places[0], str):
        if not all(isinstance(number, int) for number in places[1:]):
            raise ValueError(f"model: expected a place [name, call, tensor], got {places!r}")
        return find((places[0], places[1], places[2]))
    return [_tensors(place, find) for place in places]
