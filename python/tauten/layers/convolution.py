"""Convolutions over one, two or three dimensions: one code, the rank is the number of kernel extents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tauten import activations, initializers, regularizers
from tauten._checks import extents, flag, integer, number
from tauten._registry import serialize
from tauten.config import known_data_format
from tauten.layers._docs import FORMAT, documented
from tauten.layers._windows import Padding, padding_pairs
from tauten.layers.base import ActivationLike, InitializerLike, Layer, RegularizerLike, WeightSpec

if TYPE_CHECKING:
    from tauten._core import Network
    from tauten.layers._windows import Extents, PaddingLike

# What the layers' docstrings share.
EXTENTS = """

    Output extents, with w = (k - 1)·d + 1 positions from a window's first to its last: "valid" ⌊(n - w) / s⌋ + 1;
    "same" ⌈n / s⌉, the odd zero behind; explicit padding p: ⌊(n + p_before + p_after - w) / s⌋ + 1.

    Args:"""
FILTERS = """
        filters: channels of the output."""
WINDOW = """
        kernel_size: k, one integer or one a dimension.
        strides: s, one integer or one a dimension; default 1.
        padding: "valid" (default), "same", an integer, or (before, after) for each dimension (not in Keras){causal}."""
DILATION = """
        dilation_rate: d, the distance of a window's positions, one integer or one a dimension; default 1.{strides}"""
END = """
        activation: f: a name or function of tauten.activations, or None for "linear"; default None.
        use_bias: default True.
        {kernels}: default "glorot_uniform".
        bias_initializer: default "zeros".
        {penalties}, bias_regularizer: default None.
        {constraints}, bias_constraint: default None.
        padding_value: what stands in the padding, whichever kind it is; default 0.0 (not in Keras).
        name, trainable: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments, Keras arguments that Tauten does not have included.
    """


class Convolution(Layer):
    """What all convolutions share: windows over the spatial dimensions, activation and bias."""

    rank: ClassVar[int]
    words: ClassVar[tuple[str, ...]] = ("valid", "same")

    def _windows(
        self,
        kernel_size: Extents,
        strides: Extents,
        padding: PaddingLike,
        data_format: str | None,
        dilation_rate: Extents,
        padding_value: float,
    ) -> None:
        cls = type(self).__name__
        self.kernel_size = extents(kernel_size, self.rank, f"{cls}: kernel_size")
        self.strides = extents(strides, self.rank, f"{cls}: strides")
        self.padding = padding_pairs(padding, self.rank, f"{cls}: padding", self.words)
        self.data_format = known_data_format(data_format, f"{cls}: data_format")
        self.dilation_rate = extents(dilation_rate, self.rank, f"{cls}: dilation_rate")
        self.padding_value = number(padding_value, f"{cls}: padding_value")

    def _outputs(
        self,
        activation: ActivationLike,
        use_bias: bool,
        bias_initializer: InitializerLike,
        bias_regularizer: RegularizerLike,
    ) -> None:
        cls = type(self).__name__
        self.activation = activations.name_of(activation, f"{cls}: activation")
        self.use_bias = flag(use_bias, f"{cls}: use_bias")
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)

    def _native_padding(self) -> Padding:
        if self.padding != "causal":
            return self.padding
        return tuple(((k - 1) * d, 0) for k, d in zip(self.kernel_size, self.dilation_rate, strict=True))

    def _native(self) -> dict[str, Any]:
        """What the network takes for all of them."""
        return {
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self._native_padding(),
            "activation": self.activation,
            "use_bias": self.use_bias,
            "dilation": self.dilation_rate,
            "padding_value": self.padding_value,
            "channels_first": self.data_format == "channels_first",
        }

    def kernels(self) -> dict[str, WeightSpec]:
        """The weights besides the bias."""
        raise NotImplementedError

    def weight_specs(self) -> dict[str, WeightSpec]:
        return {**self.kernels(), "bias": WeightSpec(self.bias_initializer, self.bias_regularizer)}

    def _window_config(self) -> dict[str, Any]:
        return {
            "kernel_size": list(self.kernel_size),
            "strides": list(self.strides),
            "padding": self.padding if isinstance(self.padding, str) else [list(pair) for pair in self.padding],
            "data_format": self.data_format,
            "dilation_rate": list(self.dilation_rate),
        }

    def _output_config(self) -> dict[str, Any]:
        return {
            "activation": self.activation,
            "use_bias": self.use_bias,
            "bias_initializer": serialize(self.bias_initializer),
            "bias_regularizer": serialize(self.bias_regularizer),
            "padding_value": self.padding_value,
        }


class Conv(Convolution):
    """Base of Conv1D, Conv2D and Conv3D."""

    constraint_names: ClassVar[dict[str, str]] = {"kernel_constraint": "kernel", "bias_constraint": "bias"}

    def __init_subclass__(cls) -> None:
        causal = ';\n            Conv1D also "causal": w - 1 positions before' if "causal" in cls.words else ""
        documented(
            cls,
            EXTENTS,
            FILTERS,
            WINDOW.format(causal=causal),
            FORMAT,
            DILATION.format(strides=" Not with\n            strides (as in Keras)."),
            "\n        groups: parts of channels and filters, each convolved by itself; it divides both; default 1.",
            END.format(kernels="kernel_initializer", penalties="kernel_regularizer", constraints="kernel_constraint"),
        )

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
        padding_value: float = 0.0,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, trainable=trainable, **kwargs)
        cls = type(self).__name__
        self.filters = integer(filters, f"{cls}: filters")
        self._windows(kernel_size, strides, padding, data_format, dilation_rate, padding_value)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{cls}: expected strides or dilation_rate of 1, got strides={self.strides} and "
                f"dilation_rate={self.dilation_rate}"
            )
        self.groups = integer(groups, f"{cls}: groups")
        if self.filters % self.groups:
            raise ValueError(f"{cls}: groups must divide filters, got {self.groups} groups of {self.filters} filters")
        self._outputs(activation, use_bias, bias_initializer, bias_regularizer)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)

    def add_to(self, network: Network, edge: int) -> int:
        return network.add_conv(self.name, edge, self.filters, groups=self.groups, **self._native())

    def kernels(self) -> dict[str, WeightSpec]:
        return {"kernel": WeightSpec(self.kernel_initializer, self.kernel_regularizer)}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            **self._window_config(),
            "groups": self.groups,
            **self._output_config(),
            "kernel_initializer": serialize(self.kernel_initializer),
            "kernel_regularizer": serialize(self.kernel_regularizer),
        }


class Conv1D(Conv):
    """y = f(x ⋆ W + b) over steps (chapter §26.3): (batch, steps, channels) -> (batch, steps', filters).

    Weights: kernel (k, channels / groups, filters), bias (filters,).
    """

    rank = 1
    words = ("valid", "same", "causal")


class Conv2D(Conv):
    """y = f(x ⋆ W + b) over rows and columns (chapter §26.3).

    (batch, rows, columns, channels) -> (batch, rows', columns', filters).
    Weights: kernel (k_rows, k_columns, channels / groups, filters), bias (filters,).
    """

    rank = 2


class Conv3D(Conv):
    """y = f(x ⋆ W + b) over three dimensions (chapter §26.3).

    (batch, depth, rows, columns, channels) -> (batch, depth', rows', columns', filters).
    Weights: kernel (k_depth, k_rows, k_columns, channels / groups, filters), bias (filters,).
    """

    rank = 3
