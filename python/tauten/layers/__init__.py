"""Layers, with Keras' names, arguments, defaults and weight shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tauten._checks import keras_only
from tauten.layers.activation import ELU, LeakyReLU, PReLU, ReLU, Softmax
from tauten.layers.aggregation import Aggregation1D, Aggregation2D, Aggregation3D
from tauten.layers.base import Layer
from tauten.layers.bidirectional import Bidirectional
from tauten.layers.convolution import Conv1D, Conv2D, Conv3D
from tauten.layers.core import Activation, Dense, Dropout, Embedding, Flatten, Input, InputLayer, Masking, Reshape
from tauten.layers.depthwise import DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D
from tauten.layers.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from tauten.layers.margins import Cropping1D, Cropping2D, Cropping3D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D
from tauten.layers.merging import (
    Add,
    Average,
    Concatenate,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    maximum,
    minimum,
    multiply,
    subtract,
)
from tauten.layers.normalization import BatchNormalization, LayerNormalization
from tauten.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from tauten.layers.recurrent import GRU, LSTM, ForgetGateRNN, SimpleRNN
from tauten.layers.reshaping import Permute, RepeatVector
from tauten.layers.spatial_dropout import SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from tauten.layers.time_distributed import TimeDistributed
from tauten.layers.upsampling import UpSampling1D, UpSampling2D, UpSampling3D

# Keras' other names of the classes
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
)
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "Activation",
    "Add",
    "Aggregation1D",
    "Aggregation2D",
    "Aggregation3D",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Bidirectional",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "Convolution1D",
    "Convolution2D",
    "Convolution3D",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dropout",
    "Embedding",
    "Flatten",
    "ForgetGateRNN",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "Input",
    "InputLayer",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "Minimum",
    "Multiply",
    "PReLU",
    "Permute",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "SimpleRNN",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "Subtract",
    "TimeDistributed",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]

_classes: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (
        Activation, Add, Aggregation1D, Aggregation2D, Aggregation3D, Average, AveragePooling1D, AveragePooling2D,
        AveragePooling3D, BatchNormalization, Bidirectional, Concatenate, Conv1D, Conv2D, Conv3D, Cropping1D,
        Cropping2D, Cropping3D, Dense, DepthwiseConv1D, DepthwiseConv2D, Dropout, ELU, Embedding, Flatten,
        ForgetGateRNN, GRU, GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D, GlobalMaxPooling1D,
        GlobalMaxPooling2D, GlobalMaxPooling3D, InputLayer, LSTM, LayerNormalization, LeakyReLU, Masking, MaxPooling1D,
        MaxPooling2D, MaxPooling3D, Maximum, Minimum, Multiply, PReLU, Permute, ReLU, RepeatVector, Reshape,
        SeparableConv1D, SeparableConv2D, SimpleRNN, Softmax, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D,
        Subtract, TimeDistributed, UpSampling1D, UpSampling2D, UpSampling3D, ZeroPadding1D, ZeroPadding2D,
        ZeroPadding3D,
    )
}  # fmt: skip


def serialize(layer: Layer) -> dict[str, Any]:
    """{"class_name": ..., "config": {...}} of a layer, or of a model as a layer."""
    return {"class_name": layer.class_name, "config": layer.get_config()}


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Layer:
    """The layer, or model, that serialize() wrote. custom_objects: None; layers are native code.

    Raises:
        ValueError: for a class or arguments that Tauten does not know.
    """
    keras_only("layers.deserialize", {"custom_objects": custom_objects}, {"custom_objects": None})
    if not isinstance(config, Mapping) or not isinstance(config.get("config"), Mapping):
        raise ValueError(f"layer: expected {{'class_name': ..., 'config': {{...}}}}, got {config!r}")
    name = config.get("class_name")
    if name in ("Functional", "Sequential"):
        from tauten import models

        return (models.Model if name == "Functional" else models.Sequential).from_config(dict(config["config"]))
    if not isinstance(name, str) or name not in _classes:
        raise ValueError(f"layer: class {name!r} is not known; Tauten has {', '.join(sorted(_classes))}")
    try:
        return _classes[name].from_config(dict(config["config"]))
    except TypeError as error:
        raise ValueError(f"layer: {name} does not take this config: {error}") from None
