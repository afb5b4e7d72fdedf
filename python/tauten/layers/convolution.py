"""Convolutions over one, two or three dimensions: one code, the rank is the number of kernel extents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from tauten import activations, initializers, regularizers
from tauten._checks import extents, flag, integer, unpacked
from tauten._registry import serialize
from tauten.config import known_data_format
from tauten.layers.base import ActivationLike, InitializerLike, Layer, RegularizerLike, WeightSpec

if TYPE_CHECKING:
    from tauten._core import Network

Extents = int | Sequence[int]
PaddingLike = str | int | Sequence[int | Sequence[int]]
Padding = str | tuple[tuple[int, int], ...]


def padding_pairs(value: Any, rank: int, what: str, words: tuple[str, ...] = ("valid", "same")) -> Padding:
    """One of `words`, or (before, after) for each dimension.

    An integer pads every side; one integer a dimension pads both its sides; in one dimension two integers are
    (before, after): as in Keras' ZeroPadding layers.
    """
    value = unpacked(value)
    if isinstance(value, str):
        if value.lower() not in words:
            raise ValueError(f"{what}: expected one of {words}, an integer or (before, after) pairs, got {value!r}")
        return value.lower()
    if not isinstance(value, (list, tuple)):
        size = integer(value, what, least=0)
        return ((size, size),) * rank
    items = list(value)
    if rank == 1 and len(items) == 2 and not any(isinstance(item, (list, tuple)) for item in items):
        items = [items]
    if len(items) != rank:
        raise ValueError(f"{what}: expected {rank} dimensions, got {value!r}")
    return tuple(_pair(item, what) for item in items)


_ARGUMENTS = """

    Output extents: "valid" ⌊(n - k) / s⌋ + 1; "same" ⌈n / s⌉, the odd zero behind; explicit padding p:
    ⌊(n + p_before + p_after - k) / s⌋ + 1.

    Args:
        filters: channels of the output.
        kernel_size: k, one integer or one a dimension.
        strides: s, one integer or one a dimension; default 1.
        padding: "valid" (default), "same", an integer, or (before, after) for each dimension (not in Keras);
            Conv1D also "causal": k - 1 zeros before.
        data_format: "channels_last" or "channels_first", where shapes have the channels right behind the batch;
            default None, tauten.config.image_data_format().
        dilation_rate, groups: 1; others are not supported yet.
        activation: f: "linear", "relu", "sigmoid", "softmax", "tanh", or None for "linear"; default None.
        use_bias: default True.
        kernel_initializer: default "glorot_uniform".
        bias_initializer: default "zeros".
        kernel_regularizer: default None.
        bias_regularizer: default None.
        name, trainable: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments, Keras arguments that Tauten does not have included.
    """


class Conv(Layer):
    """Base of Conv1D, Conv2D and Conv3D."""

    rank: ClassVar[int]
    words: ClassVar[tuple[str, ...]] = ("valid", "same")
    keras_defaults: ClassVar[dict[str, Any]] = {"kernel_constraint": None, "bias_constraint": None}

    def __init_subclass__(cls) -> None:
        cls.__doc__ = (cls.__doc__ or "").rstrip() + _ARGUMENTS

    def __init__(
        self,
        filters: int,
        kernel_size: Extents,
        strides: Extents = 1,
        padding: PaddingLike = "valid",
        data_format: str | None = None,
        dilation_rate: Extents = 1,
        groups: int = 1,
        activation: ActivationLike = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, trainable=trainable, **kwargs)
        cls = type(self).__name__
        self.filters = integer(filters, f"{cls}: filters")
        self.kernel_size = extents(kernel_size, self.rank, f"{cls}: kernel_size")
        self.strides = extents(strides, self.rank, f"{cls}: strides")
        self.padding = padding_pairs(padding, self.rank, f"{cls}: padding", self.words)
        self.data_format = known_data_format(data_format, f"{cls}: data_format")
        if set(extents(dilation_rate, self.rank, f"{cls}: dilation_rate")) != {1}:
            raise ValueError(f"{cls}: dilation_rate={dilation_rate!r} is not supported yet")
        if integer(groups, f"{cls}: groups") != 1:
            raise ValueError(f"{cls}: groups={groups!r} is not supported yet")
        self.activation = activations.get(activation, f"{cls}: activation")
        self.use_bias = flag(use_bias, f"{cls}: use_bias")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)

    def add_to(self, network: Network, edge: int) -> int:
        padding = ((self.kernel_size[0] - 1, 0),) if self.padding == "causal" else self.padding
        return network.add_conv(
            self.name,
            edge,
            self.filters,
            self.kernel_size,
            self.strides,
            padding,
            self.activation,
            self.use_bias,
            self.data_format == "channels_first",
        )

    def weight_specs(self) -> dict[str, WeightSpec]:
        return {
            "kernel": WeightSpec(self.kernel_initializer, self.kernel_regularizer),
            "bias": WeightSpec(self.bias_initializer, self.bias_regularizer),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": list(self.kernel_size),
            "strides": list(self.strides),
            "padding": self.padding if isinstance(self.padding, str) else [list(pair) for pair in self.padding],
            "data_format": self.data_format,
            "activation": self.activation,
            "use_bias": self.use_bias,
            "kernel_initializer": serialize(self.kernel_initializer),
            "bias_initializer": serialize(self.bias_initializer),
            "kernel_regularizer": serialize(self.kernel_regularizer),
            "bias_regularizer": serialize(self.bias_regularizer),
        }


class Conv1D(Conv):
    """y = f(x ⋆ W + b) over steps (chapter §26.3): (batch, steps, channels) -> (batch, steps', filters).

    Weights: kernel (k, channels, filters), bias (filters,).
    """

    rank = 1
    words = ("valid", "same", "causal")


class Conv2D(Conv):
    """y = f(x ⋆ W + b) over rows and columns (chapter §26.3).

    (batch, rows, columns, channels) -> (batch, rows', columns', filters).
    Weights: kernel (k_rows, k_columns, channels, filters), bias (filters,).
    """

    rank = 2


class Conv3D(Conv):
    """y = f(x ⋆ W + b) over three dimensions (chapter §26.3).

    (batch, depth, rows, columns, channels) -> (batch, depth', rows', columns', filters).
    Weights: kernel (k_depth, k_rows, k_columns, channels, filters), bias (filters,).
    """

    rank = 3


def _pair(item: Any, what: str) -> tuple[int, int]:
    if isinstance(item, (list, tuple)):
        if len(item) != 2:
            raise ValueError(f"{what}: expected (before, after), got {item!r}")
        return integer(item[0], what, least=0), integer(item[1], what, least=0)
    size = integer(item, what, least=0)
    return size, size
