"""SimpleRNN, ForgetGateRNN and LSTM over sequences (batch, steps, features); the state begins at zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tauten import _core, activations, initializers, regularizers
from tauten._checks import flag, integer
from tauten._registry import serialize
from tauten.layers.base import ActivationLike, InitializerLike, Layer, RegularizerLike, WeightSpec

if TYPE_CHECKING:
    from tauten._core import Network


class Recurrent(Layer):
    """Base of the recurrent layers: arguments and weights that they share."""

    kind: ClassVar[str]  # of the native cell
    gate_names: ClassVar[tuple[str, ...]]  # in the weights' order; "hidden" for a cell without gates

    keras_defaults: ClassVar[dict[str, Any]] = {
        "kernel_constraint": None, "recurrent_constraint": None, "bias_constraint": None, "dropout": 0.0,
        "recurrent_dropout": 0.0, "seed": None, "return_state": False, "stateful": False, "unroll": False,
    }  # fmt: skip

    def __init__(
        self,
        units: int,
        activation: ActivationLike,
        use_bias: bool,
        kernel_initializer: InitializerLike,
        recurrent_initializer: InitializerLike,
        bias_initializer: InitializerLike,
        kernel_regularizer: RegularizerLike,
        recurrent_regularizer: RegularizerLike,
        bias_regularizer: RegularizerLike,
        return_sequences: bool,
        go_backwards: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        cls = type(self).__name__
        self.units = integer(units, f"{cls}: units")
        self.activation = activations.get(activation, f"{cls}: activation", exclude=("softmax",))
        self.use_bias = flag(use_bias, f"{cls}: use_bias")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.return_sequences = flag(return_sequences, f"{cls}: return_sequences")
        self.go_backwards = flag(go_backwards, f"{cls}: go_backwards")

    def cell(self) -> _core.Cell:
        """The native cell."""
        return _core.Cell(self.kind, self.units, self.activation, "linear", self.use_bias)

    def directions(self) -> dict[str, Recurrent]:
        return {"": self}

    def add_to(self, network: Network, edge: int) -> int:
        return network.add_recurrent(self.name, edge, self.cell(), self.return_sequences, self.go_backwards)

    def weight_specs(self) -> dict[str, WeightSpec]:
        return {
            "kernel": WeightSpec(self.kernel_initializer, self.kernel_regularizer),
            "recurrent_kernel": WeightSpec(self.recurrent_initializer, self.recurrent_regularizer),
            "bias": WeightSpec(self.bias_initializer, self.bias_regularizer),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": self.activation,
            "use_bias": self.use_bias,
            "kernel_initializer": serialize(self.kernel_initializer),
            "recurrent_initializer": serialize(self.recurrent_initializer),
            "bias_initializer": serialize(self.bias_initializer),
            "kernel_regularizer": serialize(self.kernel_regularizer),
            "recurrent_regularizer": serialize(self.recurrent_regularizer),
            "bias_regularizer": serialize(self.bias_regularizer),
            "return_sequences": self.return_sequences,
            "go_backwards": self.go_backwards,
        }


class Gated(Recurrent):
    """Base of the recurrent layers with gates."""

    def __init__(self, recurrent_activation: ActivationLike, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.recurrent_activation = activations.get(
            recurrent_activation, f"{type(self).__name__}: recurrent_activation", exclude=("softmax",)
        )

    def cell(self) -> _core.Cell:
        return _core.Cell(self.kind, self.units, self.activation, self.recurrent_activation, self.use_bias)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "recurrent_activation": self.recurrent_activation}


class SimpleRNN(Recurrent):
    """h_t = f(x_t·W + h_{t-1}·U + b) (chapter §26.2): (batch, steps, features) -> (batch[, steps], units).

    Weights: kernel W (features, units), recurrent_kernel U (units, units), bias (units,).

    Args:
        units: size of h.
        activation: f: "linear", "relu", "sigmoid", "tanh"; default "tanh".
        use_bias: default True.
        kernel_initializer: default "glorot_uniform".
        recurrent_initializer: default "orthogonal".
        bias_initializer: default "zeros".
        kernel_regularizer, recurrent_regularizer, bias_regularizer: default None.
        return_sequences: True gives h_t of every step, False (default) of the last one.
        go_backwards: from the last step of each sequence to its first, and h_t of every step in that order; default
            False.
        name, trainable: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments, Keras arguments that Tauten does not have included.
    """

    kind = "simple_rnn"
    gate_names = ("hidden",)

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        recurrent_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        *,
        return_sequences: bool = False,
        go_backwards: bool = False,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, return_sequences, go_backwards,
            name=name, trainable=trainable, **kwargs,
        )  # fmt: skip


class ForgetGateRNN(Gated):
    """RNN with a forget gate (chapter §26.2.1): (batch, steps, features) -> (batch[, steps], units).

    φ_t = r(x_t·W + h_{t-1}·U + b), u_t = a(...) likewise, h_t = φ_t∘h_{t-1} + (1 - φ_t)∘u_t.
    Weights, gates in the order φ, u: kernel W (features, 2·units), recurrent_kernel U (units, 2·units),
    bias (2·units,).

    Args:
        units: size of h.
        activation: a, of the candidate u: "linear", "relu", "sigmoid", "tanh"; default "tanh".
        recurrent_activation: r, of the gate; default "sigmoid".
        use_bias: default True.
        kernel_initializer: default "glorot_uniform".
        recurrent_initializer: default "orthogonal".
        bias_initializer: default "zeros".
        kernel_regularizer, recurrent_regularizer, bias_regularizer: default None.
        return_sequences: True gives h_t of every step, False (default) of the last one.
        go_backwards: from the last step of each sequence to its first, and h_t of every step in that order; default
            False.
        name, trainable: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments.
    """

    kind = "forget_gate_rnn"
    gate_names = ("forget", "candidate")

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        recurrent_activation: ActivationLike = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        recurrent_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        *,
        return_sequences: bool = False,
        go_backwards: bool = False,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            recurrent_activation, units, activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, kernel_regularizer, recurrent_regularizer, bias_regularizer, return_sequences,
            go_backwards, name=name, trainable=trainable, **kwargs,
        )  # fmt: skip


class LSTM(Gated):
    """Long short-term memory with forget gate (chapter §26.2): (batch, steps, features) -> (batch[, steps], units).

    i, f, o = r(x_t·W + h_{t-1}·U + b), g = a(...) likewise, c_t = f∘c_{t-1} + i∘g, h_t = o∘a(c_t).
    Weights, gates in the order i, f, g, o: kernel W (features, 4·units), recurrent_kernel U (units, 4·units),
    bias (4·units,).

    Args:
        units: size of h and c.
        activation: a: "linear", "relu", "sigmoid", "tanh"; default "tanh".
        recurrent_activation: r, of the gates; default "sigmoid".
        use_bias: default True.
        kernel_initializer: default "glorot_uniform".
        recurrent_initializer: default "orthogonal".
        bias_initializer: default "zeros".
        unit_forget_bias: the forget gate's bias begins at 1; default True.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: default None.
        return_sequences: True gives h_t of every step, False (default) of the last one.
        go_backwards: from the last step of each sequence to its first, and h_t of every step in that order; default
            False.
        name, trainable: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments, Keras arguments that Tauten does not have included.

    Source: Hochreiter & Schmidhuber 1997; Gers et al. 2000; Jozefowicz et al. 2015 for unit_forget_bias.
    """

    kind = "lstm"
    gate_names = ("input", "forget", "candidate", "output")
    keras_defaults: ClassVar[dict[str, Any]] = {**Recurrent.keras_defaults, "use_cudnn": "auto"}

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        recurrent_activation: ActivationLike = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: RegularizerLike = None,
        recurrent_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        *,
        return_sequences: bool = False,
        go_backwards: bool = False,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            recurrent_activation, units, activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, kernel_regularizer, recurrent_regularizer, bias_regularizer, return_sequences,
            go_backwards, name=name, trainable=trainable, **kwargs,
        )  # fmt: skip
        self.unit_forget_bias = flag(unit_forget_bias, "LSTM: unit_forget_bias")

    def initial_value(self, weight: str, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
        if weight != "bias" or not self.unit_forget_bias:
            return super().initial_value(weight, shape, dtype)
        units = self.units
        parts = [self.bias_initializer((units,), dtype), np.ones(units), self.bias_initializer((2 * units,), dtype)]
        return np.concatenate(parts).astype(dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}
