"""SimpleRNN, ForgetGateRNN, LSTM and GRU over sequences (batch, steps, features)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tauten import _core, _random, activations, config, initializers, regularizers
from tauten._checks import MOST_SEED, flag, integer, number
from tauten._registry import serialize
from tauten._weights import as_array
from tauten.layers.base import ActivationLike, InitializerLike, Layer, RegularizerLike, WeightSpec

if TYPE_CHECKING:
    from tauten._core import Network


class Recurrent(Layer):
    """Base of the recurrent layers: arguments and weights that they share.

    Activations are those whose derivative follows from the output: "linear", "relu", "sigmoid", "tanh", "celu", "elu",
    "hard_sigmoid", "hard_tanh", "leaky_relu", "relu6", "selu", "softsign".
    """

    kind: ClassVar[str]  # of the native cell
    gate_names: ClassVar[tuple[str, ...]]  # in the weights' order; "hidden" for a cell without gates
    state_count: ClassVar[int] = 1
    supports_masking = True

    keras_defaults: ClassVar[dict[str, Any]] = {"unroll": False}
    constraint_names: ClassVar[dict[str, str]] = {
        "kernel_constraint": "kernel", "recurrent_constraint": "recurrent_kernel", "bias_constraint": "bias",
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
        return_state: bool,
        go_backwards: bool,
        stateful: bool,
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        cls = type(self).__name__
        self.units = integer(units, f"{cls}: units")
        self.activation = activations.name_of(activation, f"{cls}: activation", among=activations.OF_CELLS)
        self.use_bias = flag(use_bias, f"{cls}: use_bias")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.return_sequences = flag(return_sequences, f"{cls}: return_sequences")
        self.return_state = flag(return_state, f"{cls}: return_state")
        self.go_backwards = flag(go_backwards, f"{cls}: go_backwards")
        self.stateful = flag(stateful, f"{cls}: stateful")
        self.dropout = _rate(dropout, f"{cls}: dropout")
        self.recurrent_dropout = _rate(recurrent_dropout, f"{cls}: recurrent_dropout")
        self.seed = None if seed is None else integer(seed, f"{cls}: seed", 0, MOST_SEED)
        self.mask_seed = self.seed if self.seed is not None else _random.draw_seed() if self._drops else 0
        self._states: list[NDArray[np.floating[Any]]] | None = None

    def cell(self) -> _core.Cell:
        """The native cell."""
        return _core.Cell(
            self.kind, self.units, self.activation, self.gate_activation, self.use_bias, self.dropout,
            self.recurrent_dropout, self.mask_seed,
        )  # fmt: skip

    @property
    def _drops(self) -> bool:
        return self.dropout > 0 or self.recurrent_dropout > 0

    @property
    def gate_activation(self) -> str:
        """The gates' activation; "linear" where there are no gates."""
        return "linear"

    @property
    def state_size(self) -> list[int]:
        """Values a sample of each state: h, and of an LSTM also c."""
        return [self.units] * self.state_count

    @property
    def state_dtype(self) -> str:
        """Float type of the states: the model's, or, before there is one, that of new models."""
        wrapper = self._wrapper() if self._wrapper is not None else None
        holder = self if wrapper is None else wrapper
        owner = holder._owner() if holder._owner is not None else None
        return config.floatx() if owner is None else owner.dtype

    @property
    def states(self) -> list[NDArray[np.floating[Any]] | None]:
        """With stateful=True copies of the states behind the last batch, (batch, units) each; None: zeros."""
        return [None] * self.state_count if self._states is None else [state.copy() for state in self._states]

    def reset_state(self, states: Sequence[ArrayLike] | None = None) -> None:
        """Let the next batch begin with `states`, or with zeros.

        Args:
            states: arrays (batch, units), h first, then an LSTM's c; default None.

        Raises:
            ValueError, TypeError: without stateful=True, and for what are no such arrays; nothing changes then.
        """
        what = f"layer {self.name!r}: reset_state"
        if not self.stateful:
            raise ValueError(f"{what}: the layer keeps no states: make it with stateful=True")
        self._states = None if states is None else checked_states(states, self.state_size, self.state_dtype, what)

    reset_states = reset_state

    def directions(self) -> dict[str, Recurrent]:
        return {"": self}

    @property
    def output_count(self) -> int:
        return 1 + self.state_count * self.return_state

    @property
    def state_sizes(self) -> list[int]:
        return self.state_size

    def add_call(
        self, network: Network, edges: Sequence[int], initial: Sequence[int], wanted: Collection[int]
    ) -> Sequence[int]:
        sequences = self.return_sequences and 0 in wanted
        return network.add_recurrent_states(
            self.name, edges[0], initial, self.cell(), sequences, self.go_backwards, self.return_state
        )

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
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }

    def seeded_config(self) -> dict[str, Any]:
        return {**self.get_config(), "seed": self.mask_seed if self._drops else self.seed}


def checked_states(
    states: Sequence[ArrayLike], sizes: list[int], dtype: str, what: str
) -> list[NDArray[np.floating[Any]]]:
    """Copies of `states`, finite, one (batch, size) a size. Raises ValueError or TypeError that begins with `what`."""
    if not isinstance(states, (list, tuple)) or len(states) != len(sizes):
        got = f"{len(states)} of them" if isinstance(states, (list, tuple)) else type(states).__name__
        raise ValueError(f"{what}: expected a list of {len(sizes)} states, got {got}")
    arrays = [as_array(state, what) for state in states]
    for array, size in zip(arrays, sizes, strict=True):
        if array.dtype.kind not in "fiub":
            raise TypeError(f"{what}: expected numbers, got dtype {array.dtype}")
        if array.ndim != 2 or array.shape[1] != size or len(array) != len(arrays[0]) or not len(array):
            shapes = ", ".join(str(a.shape) for a in arrays)
            wanted = ", ".join(f"(batch, {s})" for s in sizes)
            raise ValueError(f"{what}: expected states of shapes {wanted}, got {shapes}")
        if not (np.abs(array) <= np.finfo(dtype).max).all():
            raise ValueError(f"{what}: expected finite numbers, got NaN, infinity or numbers beyond {dtype}")
    return [np.array(array, dtype=dtype) for array in arrays]


def _rate(value: float, what: str) -> float:
    rate = number(value, what, 0.0, 1.0)
    if rate == 1.0:
        raise ValueError(f"{what}: expected a number in [0, 1), got 1, which would drop everything")
    return rate


class Gated(Recurrent):
    """Base of the recurrent layers with gates."""

    def __init__(self, recurrent_activation: ActivationLike, *args: Any, **kwargs: Any) -> None:
        if "implementation" in self.keras_defaults and kwargs.get("implementation") == 1:
            kwargs["implementation"] = 2  # Keras' two ways to the same numbers
        super().__init__(*args, **kwargs)
        self.recurrent_activation = activations.name_of(
            recurrent_activation, f"{type(self).__name__}: recurrent_activation", among=activations.OF_CELLS
        )

    @property
    def gate_activation(self) -> str:
        return self.recurrent_activation

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "recurrent_activation": self.recurrent_activation}


class SimpleRNN(Recurrent):
    """h_t = f(x_t·W + h_{t-1}·U + b) (chapter §26.1): (batch, steps, features) -> (batch[, steps], units).

    Weights: kernel W (features, units), recurrent_kernel U (units, units), bias (units,).

    Args:
        units: size of h.
        activation: f: as in tauten.activations.OF_CELLS; default "tanh".
        use_bias: default True.
        kernel_initializer: default "glorot_uniform".
        recurrent_initializer: default "orthogonal".
        bias_initializer: default "zeros".
        kernel_regularizer, recurrent_regularizer, bias_regularizer: default None.
        kernel_constraint, recurrent_constraint, bias_constraint: default None.
        dropout, recurrent_dropout: share of x_t, and of h_{t-1} on its way into U, that is dropped while training, in
            [0, 1); one mask for all steps and gates of a sample (Gal & Ghahramani 2016); default 0.
        return_sequences: True gives h_t of every step, False (default) of the last one.
        return_state: True gives a tuple: the output, then each state behind the last step, (batch, units); default
            False. In a Model; a Sequential takes one output.
        go_backwards: from the last step of each sequence to its first, and h_t of every step in that order; default
            False.
        stateful: sample i of a batch goes on where sample i of the batch before ended, until reset_state(); default
            False, every sequence begins at zero. In fit() with shuffle=False and batches of one size.
        seed: of the masks; default None, one drawn from the generator of tauten.utils.set_random_seed().
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
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        seed: int | None = None,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, return_sequences, return_state, go_backwards,
            stateful, dropout, recurrent_dropout, seed, name=name, trainable=trainable, **kwargs,
        )  # fmt: skip


class ForgetGateRNN(Gated):
    """RNN with a forget gate (chapter §26.2.1): (batch, steps, features) -> (batch[, steps], units).

    φ_t = r(x_t·W + h_{t-1}·U + b), u_t = a(...) likewise, h_t = φ_t∘h_{t-1} + (1 - φ_t)∘u_t.
    Weights, gates in the order φ, u: kernel W (features, 2·units), recurrent_kernel U (units, 2·units),
    bias (2·units,).

    Args:
        units: size of h.
        activation: a, of the candidate u: as in tauten.activations.OF_CELLS; default "tanh".
        recurrent_activation: r, of the gate; default "sigmoid".
        use_bias: default True.
        kernel_initializer: default "glorot_uniform".
        recurrent_initializer: default "orthogonal".
        bias_initializer: default "zeros".
        kernel_regularizer, recurrent_regularizer, bias_regularizer: default None.
        kernel_constraint, recurrent_constraint, bias_constraint: default None.
        dropout, recurrent_dropout: share of x_t, and of h_{t-1} on its way into U, that is dropped while training, in
            [0, 1); one mask for all steps and gates of a sample (Gal & Ghahramani 2016); default 0.
        return_sequences: True gives h_t of every step, False (default) of the last one.
        return_state: True gives a tuple: the output, then each state behind the last step, (batch, units); default
            False. In a Model; a Sequential takes one output.
        go_backwards: from the last step of each sequence to its first, and h_t of every step in that order; default
            False.
        stateful: sample i of a batch goes on where sample i of the batch before ended, until reset_state(); default
            False, every sequence begins at zero. In fit() with shuffle=False and batches of one size.
        seed: of the masks; default None, one drawn from the generator of tauten.utils.set_random_seed().
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
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        seed: int | None = None,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            recurrent_activation, units, activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, kernel_regularizer, recurrent_regularizer, bias_regularizer, return_sequences,
            return_state, go_backwards, stateful, dropout, recurrent_dropout, seed, name=name, trainable=trainable,
            **kwargs,
        )  # fmt: skip


class LSTM(Gated):
    """Long short-term memory with forget gate (chapter §26.2.2): (batch, steps, features) -> (batch[, steps], units).

    i, f, o = r(x_t·W + h_{t-1}·U + b), g = a(...) likewise, c_t = f∘c_{t-1} + i∘g, h_t = o∘a(c_t).
    Weights, gates in the order i, f, g, o: kernel W (features, 4·units), recurrent_kernel U (units, 4·units),
    bias (4·units,).

    Args:
        units: size of h and c.
        activation: a: as in tauten.activations.OF_CELLS; default "tanh".
        recurrent_activation: r, of the gates; default "sigmoid".
        use_bias: default True.
        kernel_initializer: default "glorot_uniform".
        recurrent_initializer: default "orthogonal".
        bias_initializer: default "zeros".
        unit_forget_bias: the forget gate's bias begins at 1; default True.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: default None.
        kernel_constraint, recurrent_constraint, bias_constraint: default None.
        dropout, recurrent_dropout: share of x_t, and of h_{t-1} on its way into U, that is dropped while training, in
            [0, 1); one mask for all steps and gates of a sample (Gal & Ghahramani 2016); default 0.
        return_sequences: True gives h_t of every step, False (default) of the last one.
        return_state: True gives a tuple: the output, then each state behind the last step, (batch, units); default
            False. In a Model; a Sequential takes one output.
        go_backwards: from the last step of each sequence to its first, and h_t of every step in that order; default
            False.
        stateful: sample i of a batch goes on where sample i of the batch before ended, until reset_state(); default
            False, every sequence begins at zero. In fit() with shuffle=False and batches of one size.
        seed: of the masks; default None, one drawn from the generator of tauten.utils.set_random_seed().
        name, trainable: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments, Keras arguments that Tauten does not have included.

    Source: Hochreiter & Schmidhuber 1997; Gers et al. 2000; Jozefowicz et al. 2015 for unit_forget_bias.
    """

    kind = "lstm"
    gate_names = ("input", "forget", "candidate", "output")
    state_count = 2
    keras_defaults: ClassVar[dict[str, Any]] = {
        **Recurrent.keras_defaults, "use_cudnn": "auto", "implementation": 2,
    }  # fmt: skip

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
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        seed: int | None = None,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            recurrent_activation, units, activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, kernel_regularizer, recurrent_regularizer, bias_regularizer, return_sequences,
            return_state, go_backwards, stateful, dropout, recurrent_dropout, seed, name=name, trainable=trainable,
            **kwargs,
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


class GRU(Gated):
    """Gated recurrent unit: (batch, steps, features) -> (batch[, steps], units).

    z, r = s(x_t·W + b + h_{t-1}·U + d), u = a(x_t·W_u + b_u + r∘(h_{t-1}·U_u + d_u)), h_t = z∘h_{t-1} + (1 - z)∘u.
    Weights, gates in the order z, r, u: kernel W (features, 3·units), recurrent_kernel U (units, 3·units),
    bias (2, 3·units): b, then d.

    Args:
        units: size of h.
        activation: a, of the candidate u: as in tauten.activations.OF_CELLS; default "tanh".
        recurrent_activation: s, of the gates; default "sigmoid".
        use_bias: default True.
        kernel_initializer: default "glorot_uniform".
        recurrent_initializer: default "orthogonal".
        bias_initializer: default "zeros".
        kernel_regularizer, recurrent_regularizer, bias_regularizer: default None.
        kernel_constraint, recurrent_constraint, bias_constraint: default None.
        dropout, recurrent_dropout: share of x_t, and of h_{t-1} on its way into U, that is dropped while training, in
            [0, 1); one mask for all steps and gates of a sample (Gal & Ghahramani 2016); default 0.
        return_sequences: True gives h_t of every step, False (default) of the last one.
        return_state: True gives a tuple: the output, then each state behind the last step, (batch, units); default
            False. In a Model; a Sequential takes one output.
        go_backwards: from the last step of each sequence to its first, and h_t of every step in that order; default
            False.
        stateful: sample i of a batch goes on where sample i of the batch before ended, until reset_state(); default
            False, every sequence begins at zero. In fit() with shuffle=False and batches of one size.
        seed: of the masks; default None, one drawn from the generator of tauten.utils.set_random_seed().
        reset_after: the reset gate acts behind the product with U_u, as above; False: before it, on h_{t-1}, as in the
            first paper, with a bias (3·units,), and slower; default True.
        name, trainable: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments, Keras arguments that Tauten does not have included.

    Source: Cho et al. 2014; reset_after as in cuDNN.
    """

    gate_names = ("update", "reset", "candidate")
    keras_defaults: ClassVar[dict[str, Any]] = {
        **Recurrent.keras_defaults, "use_cudnn": "auto", "implementation": 2,
    }  # fmt: skip

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
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        seed: int | None = None,
        reset_after: bool = True,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            recurrent_activation, units, activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, kernel_regularizer, recurrent_regularizer, bias_regularizer, return_sequences,
            return_state, go_backwards, stateful, dropout, recurrent_dropout, seed, name=name, trainable=trainable,
            **kwargs,
        )  # fmt: skip
        self.reset_after = flag(reset_after, "GRU: reset_after")

    @property
    def kind(self) -> str:  # type: ignore[override]
        """Of the native cell."""
        return "gru" if self.reset_after else "reset_first_gru"

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "reset_after": self.reset_after}
