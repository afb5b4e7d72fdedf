"""Input, Dense, Activation, Flatten, Reshape, Dropout, Masking and Embedding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tauten import _random, activations, config, initializers, regularizers
from tauten._checks import MOST_SEED, flag, integer, number, sample_shape, unexpected, unpacked
from tauten._registry import serialize
from tauten._structure import Structure
from tauten._tensors import KerasTensor, Node
from tauten.config import known_data_format
from tauten.layers.base import ActivationLike, InitializerLike, Layer, RegularizerLike, WeightSpec

if TYPE_CHECKING:
    from tauten._core import Network


class InputLayer(Layer):
    """What is behind an Input(): the shape of one sample, in front of a model. It has no weights."""

    keras_defaults: ClassVar[dict[str, Any]] = {
        "sparse": None, "ragged": None, "input_tensor": None, "tensor": None, "optional": False,
    }  # fmt: skip

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: str | None = None,
        *,
        batch_shape: Sequence[int | None] | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        for key in ("input_shape", "input_dim"):
            if key in kwargs:
                unexpected("Input", key)
        super().__init__(name=name, **kwargs)
        if batch_size is not None:
            integer(batch_size, "Input: batch_size", 1)
        if (shape is None) == (batch_shape is None):
            raise ValueError("Input: expected either shape or batch_shape")
        if batch_shape is None:
            self.shape = sample_shape(shape, "Input: shape")
        else:
            whole = sample_shape(batch_shape, "Input: batch_shape")
            if not whole:
                raise ValueError("Input: batch_shape: expected the batch's size, or None, and a sample's shape, got ()")
            self.shape = whole[1:]
        if dtype is not None and np.dtype(dtype).kind not in "iuf":
            raise ValueError(f"Input: dtype: expected a float or integer type, got {dtype!r}")
        self.dtype = None if dtype is None else np.dtype(dtype).name

    @property
    def output(self) -> KerasTensor:
        """The tensor that stands for the input."""
        for node in self._live():
            return node.writes()[0]
        shape = (None, *self.shape)
        node = Node(self, (), Structure(), 0)
        tensor = node.write(shape, self.dtype or config.floatx(), self.name)
        self._called = 0
        self._remember(node, shape, shape)
        return tensor

    def _call(self, structure: Structure, tensors: Sequence[KerasTensor], initial: Sequence[KerasTensor] = ()) -> Any:
        raise TypeError(f"layer {self.name!r}: an Input reads no tensor; its own is tauten.Input(...)")

    @property
    def integers(self) -> bool:
        """Was an integer dtype asked for?"""
        return self.dtype is not None and np.dtype(self.dtype).kind in "iu"

    def get_config(self) -> dict[str, Any]:
        return {"shape": list(self.shape), "dtype": self.dtype, "name": self.name}


def Input(
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    tensor: None = None,
    optional: bool = False,
    **kwargs: Any,
) -> KerasTensor:
    """A tensor that stands for a model's input: to call layers on, or as the first item of a Sequential.

    Args:
        shape: without the batch, such as (28, 28, 1); None as the first extent is a number of time steps known
            only at run time, such as (None, 16), or (None,) for an Embedding.
        dtype: an integer type asks for integer data; default None, whatever comes is converted.
        batch_size: Keras'; taken and forgotten, any batch will do.
        batch_shape: in the place of shape: (batch_size, *shape).
        name: default "input_layer".
        sparse, ragged, tensor, optional: Keras'; at their defaults only.

    Returns:
        A symbolic tensor (None, *shape), whose name is the input's.

    Raises:
        TypeError, ValueError: for a wrong shape or dtype.
    """
    return InputLayer(
        shape, batch_size, dtype, batch_shape=batch_shape, name=name, sparse=sparse, ragged=ragged, tensor=tensor,
        optional=optional, **kwargs,
    ).output  # fmt: skip


class Dense(Layer):
    """y = f(x·W + b) on the last axis (chapter §26.1): (batch, ..., features) -> (batch, ..., units).

    Weights: kernel (features, units), bias (units,).

    Args:
        units: positive.
        activation: f: a name or function of tauten.activations, or None for "linear"; default None.
        use_bias: default True.
        kernel_initializer: default "glorot_uniform".
        bias_initializer: default "zeros".
        kernel_regularizer: default None.
        bias_regularizer: default None.
        kernel_constraint, bias_constraint: default None.
        name, trainable: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments, Keras arguments that Tauten does not have included.
    """

    keras_defaults: ClassVar[dict[str, Any]] = {"lora_rank": None, "lora_alpha": None, "quantization_config": None}
    constraint_names: ClassVar[dict[str, str]] = {"kernel_constraint": "kernel", "bias_constraint": "bias"}
    supports_masking = True

    def __init__(
        self,
        units: int,
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
        self.units = integer(units, "Dense: units")
        self.activation = activations.name_of(activation, "Dense: activation")
        self.use_bias = flag(use_bias, "Dense: use_bias")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)

    def add_to(self, network: Network, edge: int) -> int:
        return network.add_dense(self.name, edge, self.units, self.activation, self.use_bias)

    def weight_specs(self) -> dict[str, WeightSpec]:
        return {
            "kernel": WeightSpec(self.kernel_initializer, self.kernel_regularizer),
            "bias": WeightSpec(self.bias_initializer, self.bias_regularizer),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": self.activation,
            "use_bias": self.use_bias,
            "kernel_initializer": serialize(self.kernel_initializer),
            "bias_initializer": serialize(self.bias_initializer),
            "kernel_regularizer": serialize(self.kernel_regularizer),
            "bias_regularizer": serialize(self.bias_regularizer),
        }


class Activation(Layer):
    """y = f(x), any shape; softmax and log_softmax over the last axis (chapter §26.1.2).

    Args:
        activation: a name or function of tauten.activations.
        name: as in Layer.

    Raises:
        TypeError, ValueError: for an activation that Tauten does not have.
    """

    supports_masking = True

    def __init__(self, activation: ActivationLike, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.activation = activations.name_of(activation, "Activation: activation")

    def add_to(self, network: Network, edge: int) -> int:
        return network.add_activation(self.name, edge, self.activation)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": self.activation}


class Flatten(Layer):
    """(batch, ...) -> (batch, features), in C order.

    Args:
        data_format: "channels_last" or "channels_first", where the channels are moved behind the other axes first, so
            that the features come in the same order; default None, tauten.config.image_data_format().
        name: as in Layer.

    Raises:
        ValueError: for another data_format; when the model is built also for extents that are not known beforehand.
    """

    def __init__(self, data_format: str | None = None, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.data_format = known_data_format(data_format, "Flatten: data_format")

    def add_to(self, network: Network, edge: int) -> int:
        return network.add_flatten(self.name, edge, self.data_format == "channels_first")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


class Reshape(Layer):
    """(batch, ...) -> (batch, *target_shape), in C order.

    Args:
        target_shape: without the batch; one extent may be -1, for what is left.
        name: as in Layer.

    Raises:
        TypeError, ValueError: for wrong extents; when the model is built also for a wrong size.
    """

    def __init__(self, target_shape: Sequence[int], *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        target_shape = unpacked(target_shape)
        if isinstance(target_shape, str) or not isinstance(target_shape, Sequence):
            raise TypeError(f"Reshape: target_shape: expected a tuple of integers, got {target_shape!r}")
        shape = tuple(integer(extent, "Reshape: target_shape", least=-1) for extent in target_shape)
        if 0 in shape or shape.count(-1) > 1:
            raise ValueError(f"Reshape: target_shape: expected positive extents and at most one -1, got {shape}")
        self.target_shape = shape

    def add_to(self, network: Network, edge: int) -> int:
        return network.add_reshape(self.name, edge, self.target_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_shape": list(self.target_shape)}


class Dropping(Layer):
    """Base of the layers that have dropout's rate and seed."""

    supports_masking = True

    def __init__(self, rate: float, *, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        cls = type(self).__name__
        self.rate = number(rate, f"{cls}: rate", 0.0, 1.0)
        if self.rate == 1.0:
            raise ValueError(f"{cls}: rate: expected a number in [0, 1), got 1, which would drop everything")
        self.seed = None if seed is None else integer(seed, f"{cls}: seed", 0, MOST_SEED)
        self.mask_seed = _random.draw_seed() if self.seed is None else self.seed

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}

    def seeded_config(self) -> dict[str, Any]:
        return {**self.get_config(), "seed": self.mask_seed}


class Dropout(Dropping):
    """While training, sets each value to 0 with probability `rate` and scales the rest by 1 / (1 - rate) (§26.4.2).

    Args:
        rate: share that is dropped, in [0, 1); the chapter's keep probability is 1 - rate.
        seed: of the masks; default None, one drawn from the generator of tauten.utils.set_random_seed().
        name: as in Layer.

    Raises:
        TypeError, ValueError: for a rate outside [0, 1).
    """

    keras_defaults: ClassVar[dict[str, Any]] = {"noise_shape": None}

    def add_to(self, network: Network, edge: int) -> int:
        return network.add_dropout(self.name, edge, self.rate, self.mask_seed)


class Masking(Layer):
    """Masks the steps whose features all have one value: (batch, steps, features) -> the same.

    What follows behaves as if the masked steps were not there: a recurrent layer carries its state unchanged through
    them, its last output is that of the last valid step (zeros if there is none), and for outputs of every step loss
    and metrics are means over the valid steps. Dense, Dropout, SpatialDropout1D, activations, LayerNormalization,
    BatchNormalization, TimeDistributed, recurrent layers and Bidirectional pass the mask on; a recurrent layer without
    return_sequences and GlobalAveragePooling1D end it. If another layer comes before any recurrent one or
    BatchNormalization, it reads all steps, the masked ones as zeros, and there is no mask any more.

    It must be the first layer behind the Input. Masked steps are taken out before the native network sees them, so
    that they cost nothing; x may be a padded array or a list of sequences of unequal length, with masked steps
    anywhere.

    predict() gives an output of a masked step the value at the last valid step before it, and zeros if there is none.
    Keras differs where that value has no meaning: it runs the layers above on the carried state, which is zero before
    the first valid step, and in a Bidirectional the backward state comes from the valid step behind. With go_backwards
    and return_sequences outputs, targets and mask are those of the valid steps in their order; Keras does not turn the
    mask around with the outputs.

    Args:
        mask_value: default 0.
        name: as in Layer.

    Raises:
        TypeError, ValueError: for what is no finite number; Sequential.add() raises where a mask cannot be read.
    """

    supports_masking = True
    makes_mask = True

    def __init__(self, mask_value: float = 0.0, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.mask_value = number(mask_value, "Masking: mask_value")

    def valid(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        """False for the masked steps of (..., steps, features)."""
        valid: NDArray[np.bool_] = (x != self.mask_value).any(axis=-1)
        return valid

    def add_to(self, network: Network, edge: int) -> int:
        return edge

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mask_value": self.mask_value}


class Embedding(Layer):
    """y_t = E[x_t], one row of a table a token: integers (batch, steps) -> (batch, steps, output_dim).

    It must be a model's first layer. Weights: embeddings (input_dim, output_dim).

    Args:
        input_dim: size of the vocabulary; tokens are in [0, input_dim).
        output_dim: length of a row.
        embeddings_initializer: default "uniform".
        embeddings_regularizer: default None.
        embeddings_constraint: default None.
        mask_zero: True masks the steps of token 0, as Masking says; its row then gets no gradient, unless a layer
            that does not support masks ends the mask. Default False.
        name, trainable: as in Layer.

    Raises:
        TypeError, ValueError: for wrong arguments; fit, evaluate and predict raise for tokens out of range.
    """

    keras_defaults: ClassVar[dict[str, Any]] = {
        "weights": None, "lora_rank": None, "lora_alpha": None,
        "quantization_config": None,
    }  # fmt: skip
    constraint_names: ClassVar[dict[str, str]] = {"embeddings_constraint": "embeddings"}
    reads_index = True

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: InitializerLike = "uniform",
        embeddings_regularizer: RegularizerLike = None,
        *,
        mask_zero: bool = False,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, trainable=trainable, **kwargs)
        self.input_dim = integer(input_dim, "Embedding: input_dim")
        self.output_dim = integer(output_dim, "Embedding: output_dim")
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.mask_zero = flag(mask_zero, "Embedding: mask_zero")

    @property
    def makes_mask(self) -> bool:
        """Does it mask the token 0?"""
        return self.mask_zero

    def valid(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        """False for the masked steps of tokens (..., steps)."""
        valid: NDArray[np.bool_] = x != 0
        return valid

    def add_to(self, network: Network, edge: int) -> int:
        return network.add_embedding(self.name, edge, self.input_dim, self.output_dim)

    def weight_specs(self) -> dict[str, WeightSpec]:
        return {"embeddings": WeightSpec(self.embeddings_initializer, self.embeddings_regularizer)}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": serialize(self.embeddings_initializer),
            "embeddings_regularizer": serialize(self.embeddings_regularizer),
            "mask_zero": self.mask_zero,
        }
