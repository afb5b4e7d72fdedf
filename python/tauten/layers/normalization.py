"""BatchNormalization and LayerNormalization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from tauten import initializers, regularizers
from tauten._checks import flag, integer, number, unpacked
from tauten._registry import serialize
from tauten.layers._axes import with_axis_last
from tauten.layers.base import InitializerLike, Layer, RegularizerLike, Shape, WeightSpec

if TYPE_CHECKING:
    from tauten._core import Network

MOST_AXIS = 64


class Normalization(Layer):
    """Base of the layers that normalize, scale by gamma and shift by beta."""

    constraint_names: ClassVar[dict[str, str]] = {"beta_constraint": "beta", "gamma_constraint": "gamma"}
    supports_masking = True

    def _take(
        self,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: InitializerLike,
        gamma_initializer: InitializerLike,
        beta_regularizer: RegularizerLike,
        gamma_regularizer: RegularizerLike,
    ) -> None:
        cls = type(self).__name__
        self.epsilon = number(epsilon, f"{cls}: epsilon", 0.0)
        self.center = flag(center, f"{cls}: center")
        self.scale = flag(scale, f"{cls}: scale")
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)

    def weight_specs(self) -> dict[str, WeightSpec]:
        return {
            "gamma": WeightSpec(self.gamma_initializer, self.gamma_regularizer),
            "beta": WeightSpec(self.beta_initializer, self.beta_regularizer),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": serialize(self.beta_initializer),
            "gamma_initializer": serialize(self.gamma_initializer),
            "beta_regularizer": serialize(self.beta_regularizer),
            "gamma_regularizer": serialize(self.gamma_regularizer),
        }


class BatchNormalization(Normalization):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, channel by channel; `axis` is the channels.

    While training, mean and variance (Σ (x - mean)² / n) are the batch's, over samples, positions and time steps;
    masked steps and those that shorter sequences do not have are not counted. Each training step moves the averages:
    moving = momentum * moving + (1 - momentum) * batch's, by which evaluate() and predict() go. A step that fails
    leaves them as they are; so does model(x, training=True). With trainable=False the layer goes by the moving
    averages in training, too, and leaves them alone.

    Weights: gamma, beta, moving_mean, moving_variance (channels,) each; the last two get no gradient.

    Source: Ioffe & Szegedy 2015, "Batch normalization: accelerating deep network training by reducing internal
    covariate shift".

    Args:
        axis: of the channels, the batch being 0; default -1, the last one; 1 where a convolution has
            data_format="channels_first".
        momentum: of the moving averages, in [0, 1]; default 0.99.
        epsilon: at least 0; default 0.001.
        center: with beta; default True.
        scale: with gamma; default True.
        beta_initializer: default "zeros".
        gamma_initializer: default "ones".
        moving_mean_initializer: default "zeros".
        moving_variance_initializer: default "ones".
        beta_regularizer: default None.
        gamma_regularizer: default None.
        name, trainable: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments, Keras arguments that Tauten does not have included; when the model
            is built, for an axis that the inputs do not have.
    """

    keras_defaults: ClassVar[dict[str, Any]] = {
        "renorm": False, "renorm_clipping": None, "renorm_momentum": 0.99, "synchronized": False,
    }  # fmt: skip

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitializerLike = "zeros",
        gamma_initializer: InitializerLike = "ones",
        moving_mean_initializer: InitializerLike = "zeros",
        moving_variance_initializer: InitializerLike = "ones",
        beta_regularizer: RegularizerLike = None,
        gamma_regularizer: RegularizerLike = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, trainable=trainable, **kwargs)
        self.axis = integer(axis, "BatchNormalization: axis", -MOST_AXIS, MOST_AXIS)
        self.momentum = number(momentum, "BatchNormalization: momentum", 0.0, 1.0)
        self._take(
            epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer
        )  # fmt: skip
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    def add_to(self, network: Network, edge: int) -> int:
        shape = tuple(network.edge_shape(edge))
        rank = len(shape) + 1
        axis = self.axis + rank if self.axis < 0 else self.axis
        if not 0 < axis < rank:
            raise ValueError(
                f"{self.name}: axis: expected one from 1 to {rank - 1}, or -1 to {1 - rank}, for inputs of shape "
                f"{(None, *shape)}, got {self.axis}"
            )
        options = self.momentum, self.epsilon, self.center, self.scale
        return with_axis_last(
            network, self.name, edge, axis - 1, lambda e: network.add_batch_normalization(self.name, e, *options)
        )

    def weight_specs(self) -> dict[str, WeightSpec]:
        return {
            **super().weight_specs(),
            "moving_mean": WeightSpec(self.moving_mean_initializer),
            "moving_variance": WeightSpec(self.moving_variance_initializer),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "moving_mean_initializer": serialize(self.moving_mean_initializer),
            "moving_variance_initializer": serialize(self.moving_variance_initializer),
        }


class LayerNormalization(Normalization):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, mean and variance over `axis` of each sample by itself.

    With the last axis alone, the default, every position and time step is normalized by itself, and sequences may have
    any length. Training and prediction do the same.

    Weights: gamma, beta, of the shape of the axes.

    Source: Ba, Kiros & Hinton 2016, "Layer normalization".

    Args:
        axis: -1 (default), or the last axes of a sample, as (-2, -1), or by their numbers, the batch being 0.
        epsilon: at least 0; default 0.001.
        center: with beta; default True.
        scale: with gamma; default True.
        beta_initializer: default "zeros".
        gamma_initializer: default "ones".
        beta_regularizer: default None.
        gamma_regularizer: default None.
        name, trainable: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments, Keras arguments that Tauten does not have included; when the model
            is built, for axes that are not the last ones.
    """

    keras_defaults: ClassVar[dict[str, Any]] = {"rms_scaling": False}

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitializerLike = "zeros",
        gamma_initializer: InitializerLike = "ones",
        beta_regularizer: RegularizerLike = None,
        gamma_regularizer: RegularizerLike = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, trainable=trainable, **kwargs)
        axis = unpacked(axis)
        several = list(axis) if isinstance(axis, (list, tuple)) else None
        if several == []:
            raise ValueError("LayerNormalization: axis: expected at least one axis, got none")
        axes = [integer(a, "LayerNormalization: axis", -MOST_AXIS, MOST_AXIS) for a in several or [axis]]
        self.axis = axes[0] if several is None else axes
        self._take(
            epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer
        )  # fmt: skip

    def add_to(self, network: Network, edge: int) -> int:
        axes = self._axes(tuple(network.edge_shape(edge)))
        return network.add_layer_normalization(self.name, edge, axes, self.epsilon, self.center, self.scale)

    def _axes(self, shape: Shape) -> int:
        """How many of a sample's last axes are meant. Raises ValueError for others."""
        rank = len(shape) + 1
        given = self.axis if isinstance(self.axis, list) else [self.axis]
        axes = sorted({a + rank if a < 0 else a for a in given})
        if axes != list(range(rank - len(axes), rank)) or axes[0] < 1 or len(axes) != len(given):
            raise ValueError(
                f"{self.name}: axis: expected the last axes, -1 or some of 1 to {rank - 1} that end with {rank - 1}, "
                f"for inputs of shape {(None, *shape)}, got {self.axis}"
            )
        return len(axes)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
