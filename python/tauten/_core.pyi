"""The native core: networks that are built node by node, planned once and run one native call per step.

Everything here checks its arguments and raises ValueError or TypeError naming the layer, what was expected
and what came. Arrays go in and out in Keras' layouts; how they lie inside is the core's own business.
"""

from collections.abc import Callable, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

_States = Sequence[NDArray[np.floating] | None]
_Outside = Callable[[list[NDArray[np.floating]]], Sequence[tuple[float, NDArray[np.floating] | None] | None]]

__version__: str

class Source:
    """Samples to read from: one array (samples, ...) or a list of arrays (steps_i, ...) of unequal length.

    Nothing is copied or converted here; steps gather and convert the rows they need. Accepted dtypes: float32,
    float64, uint8, int32, int64, bool. Each sample must be C-contiguous.
    """

    @overload
    def __init__(self, data: NDArray[np.generic] | list[NDArray[np.generic]]) -> None: ...
    @overload
    def __init__(self, rows: NDArray[np.generic], first: NDArray[np.int64], lengths: NDArray[np.int64]) -> None:
        """Sample i is rows[first[i] : first[i] + lengths[i]]; it may have no steps, as an empty array may not."""

    @property
    def samples(self) -> int: ...
    @property
    def shape(self) -> tuple[int | None, ...]:
        """Shape of one sample; the first extent is None for a list of unequal lengths."""

class Parameter:
    """What a network says of one of its weights."""

    @property
    def name(self) -> str:
        """`layer/kernel`, `layer/recurrent_kernel`, `layer/bias`, `layer/embeddings`, ..."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Keras' shape."""

    @property
    def trainable(self) -> bool:
        """False for state that the step itself updates (moving statistics) and for frozen weights."""

class StepResult:
    """What one step measured, before the weights changed."""

    @property
    def loss(self) -> float:
        """The outputs' losses times their weights, plus the penalties."""

    @property
    def penalty(self) -> float: ...
    @property
    def samples(self) -> int: ...
    @property
    def losses(self) -> tuple[float, ...]:
        """Of each output: the mean loss over its rows (samples x valid steps); 0 without a loss."""

    @property
    def rows(self) -> tuple[int, ...]:
        """Of each output: samples x valid time steps, for per-step outputs; else samples."""

    @property
    def metrics(self) -> tuple[tuple[float, ...], ...]:
        """Of each output: means over its rows, in the order given to compile()."""

class Cell:
    """A recurrent layer: "simple_rnn", "forget_gate_rnn" (gates φ, u), "lstm" (i, f, g, o), "gru" (z, r, u) or
    "reset_first_gru", the GRU with the reset gate before the product.

    activation, recurrent_activation: as in tauten.activations.OF_CELLS. dropout, recurrent_dropout: share of the
    inputs, and of h_{t-1} in the recurrent product, that is dropped while training; one mask for all steps of a sample.
    """

    def __init__(
        self,
        kind: str,
        units: int,
        activation: str,
        recurrent_activation: str,
        use_bias: bool,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int = 0,
    ) -> None: ...

class Update:
    """How a training step changes the weights: a rule (sgd, adam, rmsprop, adagrad) and its settings, Keras' names.

    0 stands for no weight decay, clipping or overwriting, 1 for no accumulation.
    """

    def __init__(self, rule: str = "sgd") -> None: ...
    learning_rate: float
    momentum: float
    nesterov: bool
    beta_1: float
    beta_2: float
    amsgrad: bool
    rho: float
    centered: bool
    epsilon: float
    initial_accumulator_value: float
    weight_decay: float
    clipvalue: float
    clipnorm: float
    global_clipnorm: float
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int
    gradient_accumulation_steps: int

class Network:
    """A network of one dtype ("float32" or "float64").

    Built by add_*() calls: each takes the number of the edge (tensor) it reads and returns the number of the edge
    it writes. Then finalize(), and the rest. Shapes exclude the batch; None as the first extent of an input is a
    number of time steps known only at run time.
    """

    def __init__(self, dtype: str = "float32", winograd: bool = True) -> None:
        """winograd: of convolutions, where it pays."""

    # -- building
    def add_input(self, name: str, shape: Sequence[int | None], index: bool = False) -> int:
        """index=True: integers, for an embedding to look up."""

    def add_dense(self, name: str, input: int, units: int, activation: str = "linear", use_bias: bool = True) -> int:
        """On the last axis. activation: a name of tauten.activations (here and below)."""

    def add_activation(self, name: str, input: int, activation: str) -> int: ...
    def add_relu(self, name: str, input: int, max_value: float, negative_slope: float, threshold: float) -> int:
        """x > threshold: min(x, max_value), which may be infinity; below: negative_slope (x - threshold)."""

    def add_elu(self, name: str, input: int, alpha: float) -> int: ...
    def add_prelu(self, name: str, input: int, shared_axes: Sequence[int]) -> int:
        """shared_axes: of the input, from 1 on; 0 is the batch. Weight: alpha."""

    def add_flatten(self, name: str, input: int, channels_first: bool = False) -> int:
        """channels_first, here and below: the first axis of input and output is the channels, not the last."""

    def add_reshape(self, name: str, input: int, shape: Sequence[int]) -> int:
        """One extent may be -1."""

    def add_dropout(self, name: str, input: int, rate: float, seed: int) -> int:
        """rate in [0, 1): the share of values dropped while training; the rest are scaled by 1 / (1 - rate)."""

    def add_spatial_dropout(self, name: str, input: int, rank: int, rate: float, seed: int) -> int:
        """As add_dropout, but whole channels of a sample, which has `rank` dimensions in front of them."""

    def add_batch_normalization(
        self,
        name: str,
        input: int,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
    ) -> int:
        """Over all axes but the last. Parameters: gamma, beta, and the states moving_mean, moving_variance."""

    def add_layer_normalization(
        self, name: str, input: int, axes: int = 1, epsilon: float = 1e-3, center: bool = True, scale: bool = True
    ) -> int:
        """Over the last `axes` axes of each sample. Parameters: gamma, beta."""

    def add_conv(
        self,
        name: str,
        input: int,
        filters: int,
        kernel_size: Sequence[int],
        strides: Sequence[int],
        padding: str | Sequence[tuple[int, int]],
        activation: str = "linear",
        use_bias: bool = True,
        dilation: Sequence[int] = (),
        groups: int = 1,
        padding_value: float = 0.0,
        channels_first: bool = False,
    ) -> int:
        """1, 2 or 3 spatial dimensions, as kernel_size has. padding: "valid", "same" or (before, after) each, with
        padding_value in it. dilation: none is 1. groups divides channels and filters."""

    def add_depthwise_conv(
        self,
        name: str,
        input: int,
        multiplier: int,
        kernel_size: Sequence[int],
        strides: Sequence[int],
        padding: str | Sequence[tuple[int, int]],
        activation: str = "linear",
        use_bias: bool = True,
        dilation: Sequence[int] = (),
        padding_value: float = 0.0,
        channels_first: bool = False,
    ) -> int:
        """Each channel by itself, with `multiplier` filters of its own: kernel (k..., channels, multiplier)."""

    def add_separable_conv(
        self,
        name: str,
        input: int,
        filters: int,
        multiplier: int,
        kernel_size: Sequence[int],
        strides: Sequence[int],
        padding: str | Sequence[tuple[int, int]],
        activation: str = "linear",
        use_bias: bool = True,
        dilation: Sequence[int] = (),
        padding_value: float = 0.0,
        channels_first: bool = False,
    ) -> int:
        """A depthwise convolution, then one of 1 position: depthwise_kernel, pointwise_kernel, bias."""

    def add_pool(
        self,
        name: str,
        input: int,
        kind: str,
        pool_size: Sequence[int],
        strides: Sequence[int],
        padding: str | Sequence[tuple[int, int]],
        channels_first: bool = False,
    ) -> int:
        """kind: "max" or "average"."""

    def add_global_pool(
        self, name: str, input: int, kind: str, rank: int, keepdims: bool = False, channels_first: bool = False
    ) -> int:
        """Over `rank` spatial extents, or the steps of a sequence: (channels,), or with ones in their places."""

    def add_margins(
        self, name: str, input: int, amounts: Sequence[tuple[int, int]], channels_first: bool = False
    ) -> int:
        """Zeros before and after each spatial extent; negative amounts cut off."""

    def add_upsampling(
        self, name: str, input: int, size: Sequence[int], interpolation: str = "nearest", channels_first: bool = False
    ) -> int:
        """Spatial extents times `size`; "nearest", or for two of them "bilinear"."""

    def add_permute(self, name: str, input: int, order: Sequence[int]) -> int:
        """Axis j of the output is axis order[j] of the input."""

    def add_aggregate(
        self,
        name: str,
        input: int,
        kind: str,
        window: Sequence[int],
        strides: Sequence[int],
        padding: str | Sequence[tuple[int, int]],
    ) -> int:
        """kind: "sum", "average" or "max" of the products with a weighted window, whose weights are a parameter.

        window, strides and (before, after) pairs have all extents of the input, channels included; "valid" and "same"
        are the spatial extents', the channels are then not padded.
        """

    def add_recurrent(self, name: str, input: int, cell: Cell, return_sequences: bool, go_backwards: bool) -> int:
        """go_backwards: from the last step to the first; with return_sequences h come out in that order."""

    def add_bidirectional(
        self,
        name: str,
        input: int,
        first: Cell,
        second: Cell,
        merge: str,
        return_sequences: bool,
        go_backwards: bool,
    ) -> int:
        """merge: "concat", "sum", "ave", "mul". go_backwards: of `first`. Weights: forward_*, then backward_*."""

    def add_recurrent_states(
        self,
        name: str,
        input: int,
        initial: Sequence[int],
        cell: Cell,
        return_sequences: bool,
        go_backwards: bool,
        return_state: bool,
    ) -> list[int]:
        """The same, beginning with states on edges (units,), none or all; returns the edges that it writes.

        These are h and, with return_state, the states behind the last step; one of them has to be read.
        """

    def add_bidirectional_states(
        self,
        name: str,
        input: int,
        initial: Sequence[int],
        first: Cell,
        second: Cell,
        merge: str,
        return_sequences: bool,
        go_backwards: bool,
        return_state: bool,
    ) -> list[int]:
        """The same for a pair, the first one's states in front; merge "none": two edges, one for each."""

    def add_embedding(self, name: str, input: int, vocabulary: int, units: int) -> int:
        """input is an index edge (steps,); a token outside [0, vocabulary) makes the step raise ValueError."""

    def edge_shape(self, edge: int) -> tuple[int | None, ...]: ...
    def add_fork(self, name: str, input: int, count: int) -> list[int]:
        """`count` edges of the same values: an edge can be read by one layer, or be an output, and no more."""

    def add_merge(self, name: str, inputs: Sequence[int], kind: str) -> int:
        """Elementwise over inputs of one shape, or of shapes that differ in extents of 1, which count for all.

        kind: "add", "subtract" (two inputs), "multiply", "average", "maximum" or "minimum".
        """

    def add_concatenate(self, name: str, inputs: Sequence[int], axis: int) -> int:
        """One behind the other along an axis, counted from 1 (0 is the batch); their other extents are the same."""

    def finalize(self, outputs: Sequence[int]) -> None:
        """Close the network: layouts are chosen, weights allocated (zeros).

        A layer that was added twice under one name is one layer in two places: its parameters appear once.
        """

    # -- weights, numbered in the order of their layers, kernel, (recurrent kernel,) bias within each
    @property
    def parameters(self) -> list[Parameter]: ...
    def get(self, parameter: int) -> NDArray[np.floating]: ...
    def set(self, parameter: int, value: NDArray[np.floating]) -> None: ...
    def set_all(self, parameters: list[int], values: list[NDArray[np.floating]]) -> None:
        """Several at once: all or, where one does not fit, none."""

    def set_penalty(self, parameter: int, l1: float, l2: float) -> None:
        """Adds l1·Σ|w| + l2·Σw² to the loss; sign(0) = 0."""

    def set_constraint(
        self,
        parameter: int,
        kind: str,
        least: float = 0.0,
        most: float = 0.0,
        rate: float = 1.0,
        axes: Sequence[int] = (),
    ) -> None:
        """Holds it after each update; kind is "none", "non_negative" or "norm".

        Norms n along Keras' axes become rate·clip(n, least, most) + (1 - rate)·n.
        """

    def share(self, parameter: int, other: Network, other_parameter: int) -> None:
        """From now on the parameter has the memory of the other network's: what changes one changes the other.

        For networks that no thread is using. Gradients and the optimizer's memory stay each network's own.
        """

    def set_trainable(self, parameter: int, trainable: bool) -> None: ...

    # -- what optimizers keep a parameter: slots 0 to 2 are the rule's, 3 the average, 4 the accumulated gradient
    def get_slot(self, parameter: int, slot: int) -> NDArray[np.floating] | None:
        """None before a step has needed it."""

    def set_slot(self, parameter: int, slot: int, value: NDArray[np.floating]) -> None: ...
    def reset_slots(self) -> None:
        """All slots are empty again, and steps is 0."""

    def take_average(self, parameter: int) -> None:
        """The parameter becomes its average, if it has one and is trainable."""
    steps: int  # training steps since the slots were empty

    # -- training
    def compile(self, heads: Sequence[tuple[str, bool, float, Sequence[str]] | None]) -> None:
        """(loss, from_logits, weight, metrics) for each output; None, or the loss "", for one without a loss.

        loss: mean_squared_error, categorical_crossentropy, sparse_categorical_crossentropy, binary_crossentropy; or
        outside: whoever calls a step computes it.

        metrics: binary_accuracy, categorical_accuracy, sparse_categorical_accuracy, mean_squared_error,
        mean_absolute_error.
        """

    def train_step(
        self,
        x: Sequence[Source],
        y: Sequence[Source | None],
        index: NDArray[np.int64],
        sample_weight: Sequence[NDArray[np.floating] | Source | None] | None,
        rule: Update,
        fused: bool = True,
        initial_states: _States | None = None,
        keep_states: bool = False,
        outside: _Outside | None = None,
        outputs: list[NDArray[np.floating]] | None = None,
    ) -> Any:
        """One minibatch step on the samples that `index` names. y, sample_weight: an entry an output; weights are
        (source samples,), not indexed yet, or for outputs of every step a Source of (steps,).

        fused: weights are updated as their gradients arrive; otherwise all gradients are stored and checked first
        (the same bits). Raises FloatingPointError, weights unchanged, if the loss or, unless fused, a gradient is not
        finite.

        initial_states: of the recurrent layers, as `states` lists them, each (len(index), width) or None for zeros.
        With keep_states the result is (StepResult, states behind the last step), and likewise below.

        outside: computes the losses of that name. It is called between forward and backward phase (after a test_step),
        with the GIL and no lock held, with what predict() would return, and returns for each output None, or its mean
        loss and ∂E/∂output, weights and reduction included, in the output's shape (None: not needed). If weights change
        meanwhile the step begins anew and it is called again; RuntimeError after eight times. outputs: a list to which
        the predictions are appended, in place of it.
        """

    def test_step(
        self,
        x: Sequence[Source],
        y: Sequence[Source | None],
        index: NDArray[np.int64],
        sample_weight: Sequence[NDArray[np.floating] | Source | None] | None,
        initial_states: _States | None = None,
        keep_states: bool = False,
        outside: _Outside | None = None,
        outputs: list[NDArray[np.floating]] | None = None,
    ) -> Any: ...
    def train_arrays(self, x: object, y: object, rule: Update, fused: bool) -> float | list[float] | None:
        """train_step() on arrays as they are, of a network of one input, of numbers, and one output: the loss, or loss
        and metrics. None, and nothing was done, for all but plain contiguous arrays of the network's shapes whose
        values pass the checks of tauten._feeding.
        """

    def test_arrays(self, x: object, y: object) -> float | list[float] | None:
        """test_step() in the same way."""

    def predict_array(self, x: object) -> NDArray[np.floating] | None:
        """predict() in the same way, but whatever the values are."""

    def predict(
        self,
        x: Sequence[Source],
        index: NDArray[np.int64],
        training: bool = False,
        initial_states: _States | None = None,
        keep_states: bool = False,
    ) -> Any:
        """A list of an array an output: the samples named, (len(index), ...). For sources of unequal length and an
        output a step: (Σ steps_i, ...), one sample after the other."""

    def gradients(
        self,
        x: Sequence[Source],
        y: Sequence[Source | None],
        index: NDArray[np.int64],
        sample_weight: Sequence[NDArray[np.floating] | Source | None] | None,
        training: bool = True,
        initial_states: _States | None = None,
        outside: _Outside | None = None,
    ) -> tuple[StepResult, list[NDArray[np.floating] | None], list[NDArray[np.floating] | None]]:
        """Loss, gradient of each parameter (penalties included; None where not trainable) and of each input.

        Raises FloatingPointError if the loss is not finite.
        Weights, velocities and the call counter stay as they are: with the same counter dropout's mask is the same.
        """

    def pull_back(
        self, x: Sequence[Source], y: Sequence[Source | None], index: NDArray[np.int64], below: bool = False
    ) -> tuple[StepResult, list[NDArray[np.floating] | None], list[NDArray[np.floating] | None]]:
        """gradients() for a given ∂E/∂output, y, of E = Σ output ⊙ y: no mean over rows, no penalties, dropout off.

        below: y is the gradient to what the softmax or sigmoid at the end of the network reads, if it ends in one.
        Needs no compile(); values that are not finite are passed on.
        """

    def deltas(
        self,
        x: Sequence[Source],
        y: Sequence[Source | None],
        index: NDArray[np.int64],
        sample_weight: Sequence[NDArray[np.floating] | Source | None] | None,
        outside: _Outside | None = None,
    ) -> tuple[StepResult, list[tuple[str, NDArray[np.int64], NDArray[np.floating]]]]:
        """δ = ∂E/∂net of all recurrent layers at every step, dropout off; nothing changes.

        For each of them, each direction by itself: the name of its recurrent kernel, the steps of each sample, and
        values (Σ steps_i, gates, units), one sample after the other, gates in Keras' order. Step t is the input's,
        whichever way the layer reads. Raises FloatingPointError if the loss is not finite.
        """

    def gates(
        self, x: Sequence[Source], index: NDArray[np.int64]
    ) -> list[tuple[str, NDArray[np.int64], NDArray[np.floating]]]:
        """The gates' values of all recurrent layers at every step, laid out as deltas() has them; dropout off.

        h where there are no gates ("simple_rnn"). Needs no compile().
        """

    @property
    def states(self) -> list[tuple[str, int]]:
        """The states of recurrent layers: layer and values a sample; h, then an LSTM's c, forwards, then backwards."""

    @property
    def calls(self) -> int:
        """Training steps so far: together with its seed it fixes dropout's masks."""

    @calls.setter
    def calls(self, value: int) -> None: ...
    @property
    def allocations(self) -> int:
        """How often working memory was allocated or grown, for tests: steady after the first step of a size."""

    @property
    def plan(self) -> str:
        """The plan in words: nodes, layouts, buffers."""

def num_threads() -> int: ...
def set_num_threads(threads: int) -> None: ...
def default_num_threads() -> int:
    """min(affinity, cgroup quota, physical cores, OMP_NUM_THREADS, OMP_THREAD_LIMIT), or TAUTEN_NUM_THREADS."""

def work_a_thread() -> float: ...
def set_work_a_thread(flops: float) -> None:
    """FLOPs from which on a call takes one more thread; 0: all threads for any call. No bit depends on it."""

def all_finite(array: NDArray[np.floating]) -> bool:
    """No infinity and no NaN; contiguous, float32 or float64."""

def isa() -> str:
    """The kernels' instruction-set level in use: baseline, avx2 or avx512."""

def isa_levels() -> list[str]:
    """The levels that this machine and this build have."""
