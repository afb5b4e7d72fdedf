"""Depthwise and separable convolutions: every channel has filters of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tauten import initializers, regularizers
from tauten._checks import integer
from tauten._registry import serialize
from tauten.layers._docs import FORMAT, documented
from tauten.layers.base import ActivationLike, InitializerLike, RegularizerLike, WeightSpec
from tauten.layers.convolution import DILATION, END, EXTENTS, FILTERS, WINDOW, Convolution

if TYPE_CHECKING:
    from tauten._core import Network
    from tauten.layers._windows import Extents, PaddingLike

_MULTIPLIER = "\n        depth_multiplier: m, filters of each channel; default 1."


class DepthwiseConv(Convolution):
    """Base of DepthwiseConv1D and DepthwiseConv2D."""

    constraint_names: ClassVar[dict[str, str]] = {"depthwise_constraint": "kernel", "bias_constraint": "bias"}

    def __init_subclass__(cls) -> None:
        documented(
            cls,
            EXTENTS,
            WINDOW.format(causal=""),
            _MULTIPLIER,
            FORMAT,
            DILATION.format(strides=""),
            END.format(
                kernels="depthwise_initializer", penalties="depthwise_regularizer", constraints="depthwise_constraint"
            ),
        )

    def __init__(
        self,
        kernel_size: Extents,
        strides: Extents = 1,
        padding: PaddingLike = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Extents = 1,
        activation: ActivationLike = None,
        use_bias: bool = True,
        depthwise_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        depthwise_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        *,
        padding_value: float = 0.0,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, trainable=trainable, **kwargs)
        self._windows(kernel_size, strides, padding, data_format, dilation_rate, padding_value)
        self.depth_multiplier = integer(depth_multiplier, f"{type(self).__name__}: depth_multiplier")
        self._outputs(activation, use_bias, bias_initializer, bias_regularizer)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)

    def add_to(self, network: Network, edge: int) -> int:
        return network.add_depthwise_conv(self.name, edge, self.depth_multiplier, **self._native())

    def kernels(self) -> dict[str, WeightSpec]:
        return {"kernel": WeightSpec(self.depthwise_initializer, self.depthwise_regularizer)}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **self._window_config(),
            "depth_multiplier": self.depth_multiplier,
            **self._output_config(),
            "depthwise_initializer": serialize(self.depthwise_initializer),
            "depthwise_regularizer": serialize(self.depthwise_regularizer),
        }


class DepthwiseConv1D(DepthwiseConv):
    """y_{cm+j} = f(x_c ⋆ W_{c,j} + b) over steps: (batch, steps, channels) -> (batch, steps', channels·m).

    Weights: kernel (k, channels, m), bias (channels·m,).
    """

    rank = 1


class DepthwiseConv2D(DepthwiseConv):
    """y_{cm+j} = f(x_c ⋆ W_{c,j} + b) over rows and columns: every channel has m filters of its own.

    (batch, rows, columns, channels) -> (batch, rows', columns', channels·m).
    Weights: kernel (k_rows, k_columns, channels, m), bias (channels·m,).
    """

    rank = 2


class SeparableConv(Convolution):
    """Base of SeparableConv1D and SeparableConv2D."""

    constraint_names: ClassVar[dict[str, str]] = {
        "depthwise_constraint": "depthwise_kernel",
        "pointwise_constraint": "pointwise_kernel",
        "bias_constraint": "bias",
    }

    def __init_subclass__(cls) -> None:
        documented(
            cls,
            EXTENTS,
            FILTERS,
            WINDOW.format(causal=""),
            FORMAT,
            DILATION.format(strides=""),
            _MULTIPLIER,
            END.format(
                kernels="depthwise_initializer, pointwise_initializer",
                penalties="depthwise_regularizer, pointwise_regularizer",
                constraints="depthwise_constraint, pointwise_constraint",
            ),
        )

    def __init__(
        self,
        filters: int,
        kernel_size: Extents,
        strides: Extents = 1,
        padding: PaddingLike = "valid",
        data_format: str | None = None,
        dilation_rate: Extents = 1,
        depth_multiplier: int = 1,
        activation: ActivationLike = None,
        use_bias: bool = True,
        depthwise_initializer: InitializerLike = "glorot_uniform",
        pointwise_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        depthwise_regularizer: RegularizerLike = None,
        pointwise_regularizer: RegularizerLike = None,
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
        self.depth_multiplier = integer(depth_multiplier, f"{cls}: depth_multiplier")
        self._outputs(activation, use_bias, bias_initializer, bias_regularizer)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)

    def add_to(self, network: Network, edge: int) -> int:
        return network.add_separable_conv(self.name, edge, self.filters, self.depth_multiplier, **self._native())

    def kernels(self) -> dict[str, WeightSpec]:
        return {
            "depthwise_kernel": WeightSpec(self.depthwise_initializer, self.depthwise_regularizer),
            "pointwise_kernel": WeightSpec(self.pointwise_initializer, self.pointwise_regularizer),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            **self._window_config(),
            "depth_multiplier": self.depth_multiplier,
            **self._output_config(),
            "depthwise_initializer": serialize(self.depthwise_initializer),
            "pointwise_initializer": serialize(self.pointwise_initializer),
            "depthwise_regularizer": serialize(self.depthwise_regularizer),
            "pointwise_regularizer": serialize(self.pointwise_regularizer),
        }


class SeparableConv1D(SeparableConv):
    """y = f((x ⋆ D) P + b) over steps: (batch, steps, channels) -> (batch, steps', filters).

    D is a depthwise convolution, P mixes its channels at each step.
    Weights: depthwise_kernel D (k, channels, m), pointwise_kernel P (1, channels·m, filters), bias (filters,).
    """

    rank = 1


class SeparableConv2D(SeparableConv):
    """y = f((x ⋆ D) P + b) over rows and columns (Chollet 2017, "Xception"; Keras' order of the two).

    (batch, rows, columns, channels) -> (batch, rows', columns', filters).
    D is a depthwise convolution, P mixes its channels at each position. Weights: depthwise_kernel D
    (k_rows, k_columns, channels, m), pointwise_kernel P (1, 1, channels·m, filters), bias (filters,).
    """

    rank = 2
