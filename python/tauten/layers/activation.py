"""Activations with arguments or weights, as layers: ReLU, LeakyReLU, ELU, PReLU and Softmax."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from tauten import initializers, regularizers
from tauten._checks import MOST, integer, number, unpacked
from tauten._registry import serialize
from tauten.layers.base import ConstraintLike, InitializerLike, Layer, RegularizerLike, WeightSpec

if TYPE_CHECKING:
    from tauten._core import Network


class ReLU(Layer):
    """f(x) = min(x, max_value) above `threshold`, negative_slope·(x - threshold) below it; any shape.

    Args:
        max_value: at least 0; default None, no limit.
        negative_slope: at least 0; default 0.
        threshold: at least 0; default 0.
        name: as in Layer.

    Raises:
        TypeError, ValueError: for what are no such numbers.
    """

    supports_masking = True
    activation: ClassVar[str] = "relu"

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        *,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.max_value = None if max_value is None else number(max_value, "ReLU: max_value", 0.0)
        self.negative_slope = number(negative_slope, "ReLU: negative_slope", 0.0)
        self.threshold = number(threshold, "ReLU: threshold", 0.0)

    def add_to(self, network: Network, edge: int) -> int:
        most = math.inf if self.max_value is None else self.max_value
        return network.add_relu(self.name, edge, most, self.negative_slope, self.threshold)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


class LeakyReLU(Layer):
    """f(x) = x above 0, negative_slope·x below; any shape.

    Args:
        negative_slope: at least 0; default 0.3 (that of the activation "leaky_relu" is 0.2). Keras 2's name, alpha, is
            taken with a warning, as in Keras.
        name: as in Layer.

    Raises:
        TypeError, ValueError: for what is no such number.
    """

    supports_masking = True
    activation: ClassVar[str] = "leaky_relu"

    def __init__(self, negative_slope: float = 0.3, *, name: str | None = None, **kwargs: Any) -> None:
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
            warnings.warn("LeakyReLU: alpha is deprecated, use negative_slope", stacklevel=2)
        super().__init__(name=name, **kwargs)
        self.negative_slope = number(negative_slope, "LeakyReLU: negative_slope", 0.0)

    def add_to(self, network: Network, edge: int) -> int:
        return network.add_relu(self.name, edge, math.inf, self.negative_slope, 0.0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "negative_slope": self.negative_slope}


class ELU(Layer):
    """f(x) = x above 0, alpha·(exp(x) - 1) below (Clevert et al. 2016); any shape.

    Args:
        alpha: default 1.
        name: as in Layer.

    Raises:
        TypeError, ValueError: for what is no finite number.
    """

    supports_masking = True
    activation: ClassVar[str] = "elu"

    def __init__(self, alpha: float = 1.0, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.alpha = number(alpha, "ELU: alpha")

    def add_to(self, network: Network, edge: int) -> int:
        return network.add_elu(self.name, edge, self.alpha)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}


class PReLU(Layer):
    """f(x) = x above 0, α·x below, with trained slopes α (He et al. 2015); any shape.

    Weights: alpha, of the input's shape without the batch, with 1 on shared axes.

    Sequences whose number of steps is known only at run time need shared_axes=[1]; so does a mask that is to pass
    through: without it a step has slopes of its own.

    Args:
        alpha_initializer: default "zeros".
        alpha_regularizer: default None.
        alpha_constraint: default None.
        shared_axes: axes that share slopes, from 1 on (0 is the batch), such as [1, 2] behind a Conv2D: one slope a
            filter; default None, every value of a sample has its own.
        name, trainable: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments; when the model is built also for axes that the input has not.
    """

    constraint_names: ClassVar[dict[str, str]] = {"alpha_constraint": "alpha"}
    activation: ClassVar[str] = "prelu"

    def __init__(
        self,
        alpha_initializer: InitializerLike = "zeros",
        alpha_regularizer: RegularizerLike = None,
        alpha_constraint: ConstraintLike = None,
        shared_axes: int | Sequence[int] | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, trainable=trainable, alpha_constraint=alpha_constraint, **kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        axes = unpacked(shared_axes)
        if axes is not None and not isinstance(axes, (list, tuple)):
            axes = [axes]
        self.shared_axes = None if axes is None else [integer(axis, "PReLU: shared_axes") for axis in axes]
        self.supports_masking = 1 in (self.shared_axes or [])

    def add_to(self, network: Network, edge: int) -> int:
        return network.add_prelu(self.name, edge, self.shared_axes or [])

    def weight_specs(self) -> dict[str, WeightSpec]:
        return {"alpha": WeightSpec(self.alpha_initializer, self.alpha_regularizer)}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "alpha_initializer": serialize(self.alpha_initializer),
            "alpha_regularizer": serialize(self.alpha_regularizer),
            "shared_axes": self.shared_axes,
        }


class Softmax(Layer):
    """f(x)_i = exp(x_i) / Σ_j exp(x_j) over the last axis; any shape.

    Args:
        axis: only -1, the last one, which is the default.
        name: as in Layer.

    Raises:
        TypeError, ValueError: for another axis.
    """

    supports_masking = True
    activation: ClassVar[str] = "softmax"

    def __init__(self, axis: int = -1, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        axis = unpacked(axis)
        if isinstance(axis, (list, tuple)) and len(axis) == 1:
            axis = axis[0]
        if isinstance(axis, (list, tuple)) or integer(axis, "Softmax: axis", -MOST) != -1:
            raise ValueError(f"Softmax: axis: expected -1, the last axis, got {axis!r}")
        self.axis = -1

    def add_to(self, network: Network, edge: int) -> int:
        return network.add_activation(self.name, edge, "softmax")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
