"""Bidirectional: a recurrent layer that reads its sequences in both directions."""

from __future__ import annotations

import contextlib
import copy
import weakref
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tauten import initializers
from tauten._registry import serialize
from tauten.layers.base import Layer, WeightSpec
from tauten.layers.recurrent import Recurrent, checked_states

if TYPE_CHECKING:
    from tauten._core import Network
    from tauten.constraints import Constraint

MERGE_MODES = ("concat", "sum", "ave", "mul")


class Bidirectional(Layer):
    """One recurrent layer reads forwards, another backwards, each with weights of its own (chapter §26.1.4).

    (batch, steps, features) -> (batch[, steps], units), twice the units for "concat". With return_sequences, step t has
    both states of step t; without, it is the last state of each: h_τ forwards and h_1 backwards. Sequences of unequal
    length are read from their own ends. With the layer's return_state, behind the output come the forward layer's
    states and then the backward one's; `initial_state` has the same order.

    Weights: forward_kernel, forward_recurrent_kernel, forward_bias, backward_kernel, ..., as the layers have them.

    Args:
        layer: a SimpleRNN, ForgetGateRNN, LSTM or GRU: the forward direction, and the model of the other one.
        merge_mode: "concat" (default), "sum", "ave" (the mean) or "mul" of the two states; None: both, as two outputs.
        weights: only None; set_weights() sets them once the layer is in a built model.
        backward_layer: the other direction, if it is to differ; same return_sequences and return_state, other
            go_backwards.
        name, trainable: as in Layer. A direction whose own `trainable` is False is frozen, too.

    Raises:
        TypeError, ValueError: for wrong arguments.

    Source: Schuster & Paliwal 1997.
    """

    supports_masking = True

    def __init__(
        self,
        layer: Recurrent,
        merge_mode: str | None = "concat",
        weights: None = None,
        backward_layer: Recurrent | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, trainable=trainable, **kwargs)
        if not isinstance(layer, Recurrent):
            raise TypeError(f"Bidirectional: layer must be a recurrent layer, got {layer!r}")
        if merge_mode is not None and (not isinstance(merge_mode, str) or merge_mode not in MERGE_MODES):
            raise ValueError(
                f"Bidirectional: merge_mode must be one of {', '.join(MERGE_MODES)} or None, got {merge_mode!r}"
            )
        if backward_layer is not None and not isinstance(backward_layer, Recurrent):
            raise TypeError(f"Bidirectional: backward_layer must be a recurrent layer, got {backward_layer!r}")
        if weights is not None:
            raise ValueError("Bidirectional: weights must be None here; use set_weights() in a built model")
        self.merge_mode = merge_mode
        self.forward_layer = _copy(layer, f"forward_{layer.name}")
        other = backward_layer or _copy(layer, layer.name, go_backwards=not layer.go_backwards)
        self.backward_layer = _copy(other, backward_layer.name if backward_layer else f"backward_{layer.name}")
        self._own_backward = backward_layer is not None
        if self.input_shape_argument is None:
            self.input_shape_argument = layer.input_shape_argument
        for direction in self.directions().values():
            direction._wrapper = weakref.ref(self)
        for argument, differs in (("return_sequences", False), ("return_state", False), ("go_backwards", True)):
            ours, theirs = (getattr(one, argument) for one in (self.forward_layer, self.backward_layer))
            if (ours != theirs) != differs:
                raise ValueError(
                    f"Bidirectional: layer and backward_layer must {'differ in' if differs else 'have the same'} "
                    f"{argument}, got {ours} and {theirs}"
                )
        if merge_mode not in ("concat", None) and self.forward_layer.units != self.backward_layer.units:
            raise ValueError(
                f"Bidirectional: merge_mode {merge_mode!r} needs as many units in both directions, got "
                f"{self.forward_layer.units} and {self.backward_layer.units}"
            )

    def add_call(
        self, network: Network, edges: Sequence[int], initial: Sequence[int], wanted: Collection[int]
    ) -> Sequence[int]:
        forwards, backwards = self.forward_layer, self.backward_layer
        sequences = forwards.return_sequences and not {0, self._sequences - 1}.isdisjoint(wanted)
        return network.add_bidirectional_states(
            self.name, edges[0], initial, forwards.cell(), backwards.cell(), self.merge_mode or "none", sequences,
            forwards.go_backwards, forwards.return_state,
        )  # fmt: skip

    @property
    def _sequences(self) -> int:
        """Outputs that are not states."""
        return 1 if self.merge_mode is not None else 2

    @property
    def output_count(self) -> int:
        return self._sequences + len(self.state_sizes) * self.forward_layer.return_state

    @property
    def state_sizes(self) -> list[int]:
        return self.forward_layer.state_size + self.backward_layer.state_size

    @property
    def return_sequences(self) -> bool:
        """Whether states of every step come out."""
        return self.forward_layer.return_sequences

    @property
    def stateful(self) -> bool:
        """Whether the directions keep their states from batch to batch."""
        return self.forward_layer.stateful or self.backward_layer.stateful

    @property
    def states(self) -> list[NDArray[np.floating[Any]] | None]:
        """The forward direction's states, then the backward one's; see the layers."""
        return self.forward_layer.states + self.backward_layer.states

    def reset_state(self, states: Sequence[ArrayLike] | None = None) -> None:
        """Let the next batch begin with `states`, the forward direction's first, or with zeros.

        Raises:
            ValueError, TypeError: without stateful=True, and for what are no such arrays; nothing changes then.
        """
        parts: list[Sequence[ArrayLike] | None] = [None, None]
        if states is not None:
            what = f"layer {self.name!r}: reset_state"
            count = self.forward_layer.state_count
            sizes = self.forward_layer.state_size + self.backward_layer.state_size
            whole = checked_states(states, sizes, self.forward_layer.state_dtype, what)
            parts = [whole[:count], whole[count:]]
        for part, (_, layer) in zip(parts, self.directions().items(), strict=True):
            if layer.stateful or not self.stateful:
                layer.reset_state(part)

    reset_states = reset_state

    def weight_specs(self) -> dict[str, WeightSpec]:
        return {
            f"{prefix}_{name}": spec
            for prefix, layer in self.directions().items()
            for name, spec in layer.weight_specs().items()
        }

    def initial_value(self, weight: str, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
        prefix, name = weight.split("_", 1)
        return self.directions()[prefix].initial_value(name, shape, dtype)

    def constraint_of(self, weight: str) -> Constraint | None:
        prefix, name = weight.split("_", 1)
        return self.directions()[prefix].constraint_of(name)

    def trains(self, weight: str) -> bool:
        return self.trainable and self.directions()[weight.split("_", 1)[0]].trainable

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "merge_mode": self.merge_mode, "layer": _serialized(self.forward_layer)}
        config["layer"]["config"]["name"] = self.forward_layer.name.removeprefix("forward_")
        config["backward_layer"] = _serialized(self.backward_layer) if self._own_backward else None
        return config

    def seeded_config(self) -> dict[str, Any]:
        config = self.get_config()
        config["layer"]["config"]["seed"] = self.forward_layer.seeded_config()["seed"]
        if config["backward_layer"] is not None:
            config["backward_layer"]["config"] = self.backward_layer.seeded_config()
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Bidirectional:
        from tauten.layers import deserialize

        made = dict(config)
        made["layer"] = deserialize(config["layer"])
        if config.get("backward_layer") is not None:
            made["backward_layer"] = deserialize(config["backward_layer"])
        return cls(**made)

    def directions(self) -> dict[str, Recurrent]:
        return {"forward": self.forward_layer, "backward": self.backward_layer}


def _copy(layer: Recurrent, name: str, **changes: Any) -> Recurrent:
    """A layer with the same arguments and no weights."""
    twin = copy.copy(layer)
    twin._forget()
    twin._wrapper = None
    twin._states = None
    for key, value in {"input_shape_argument": None, "name": name, **changes}.items():
        setattr(twin, key, value)
    for key in ("kernel_initializer", "recurrent_initializer", "bias_initializer"):
        with contextlib.suppress(ValueError):  # a Python function has no configuration: both call it
            config = serialize(getattr(layer, key))
            assert config is not None
            setattr(twin, key, initializers.get(config))  # values of its own, unless seeded
    return twin


def _serialized(layer: Recurrent) -> dict[str, Any]:
    return {"class_name": type(layer).__name__, "config": layer.get_config()}
