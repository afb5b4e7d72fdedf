"""Functional models made together with their twins in the reference."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import reference as ref
import tauten
from reference.graph import Concatenate, Graph, Head, Merge
from tauten import layers


class Both(NamedTuple):
    """A symbolic tensor and its name in the reference."""

    tensor: tauten.KerasTensor
    name: str


class Twins:
    """Calls of layers, made in both."""

    def __init__(self) -> None:
        self.graph = Graph()
        self.inputs: list[tauten.KerasTensor] = []
        self.pairs: dict[layers.Layer, ref.Layer] = {}

    def input(self, *shape: int | None) -> Both:
        tensor = tauten.Input(shape)
        self.inputs.append(tensor)
        self.graph.inputs.append(tensor.name)
        return Both(tensor, tensor.name)

    def call(self, layer: layers.Layer, twin: ref.Layer | None, *reads: Both) -> Both:
        """The layer on what it reads; one that was called before keeps the twin that it has."""
        tensors = [read.tensor for read in reads]
        written = layer(tensors if layer.merges else tensors[0])
        if layer not in self.pairs:
            assert twin is not None
            self.pairs[layer] = twin
            if not isinstance(twin, Merge):
                assert twin.build(tensors[0].shape[1:]) == written.shape[1:]
        self.graph.nodes.append((self.pairs[layer], [read.name for read in reads], written.name))
        return Both(written, written.name)

    def model(self, *outputs: Both) -> tauten.Model:
        """The model, with random weights that the twins have, too."""
        self.graph.outputs = [output.name for output in outputs]
        model = tauten.Model(self.inputs, [output.tensor for output in outputs])
        rng = np.random.default_rng(5)
        for layer, twin in self.pairs.items():
            weights = [rng.uniform(-0.5, 0.5, weight.shape) for weight in layer.weights]
            if isinstance(layer, layers.BatchNormalization):
                weights[3] = np.abs(weights[3]) + 0.5
            layer.set_weights(weights)
            twin.weights[:] = [weight.astype(np.float64) for weight in layer.get_weights()]
        return model


# The graphs that tests look at: (twins, outputs, data of each input, targets and heads of each output).


def dense(units: int, activation: str = "linear") -> tuple[layers.Layer, ref.Layer]:
    return layers.Dense(units, activation), ref.Dense(units, activation)


def conv(
    filters: int, size: int, activation: str = "linear", strides: int = 1, use_bias: bool = True
) -> tuple[layers.Layer, ref.Layer]:
    twin = ref.Conv(filters, (size, size), (strides, strides), "same", activation, use_bias)
    return layers.Conv2D(filters, size, strides, "same", activation=activation, use_bias=use_bias), twin


def merge(cls: type) -> tuple[layers.Layer, ref.Layer]:
    return cls(), Merge(cls.__name__.lower())


SOFTMAX = Head("sparse_categorical_crossentropy")


def residual(x, labels):
    """A block with batch normalization that is added to what it reads, and one that changes the extents."""
    t = Twins()
    e = t.call(*conv(4, 3, "tanh"), t.input(8, 8, 1))
    a = t.call(layers.BatchNormalization(), ref.BatchNormalization(), t.call(*conv(4, 3, use_bias=False), e))
    a = t.call(*conv(4, 3), t.call(layers.Activation("tanh"), ref.Activation("tanh"), a))
    e = t.call(layers.Activation("tanh"), ref.Activation("tanh"), t.call(*merge(layers.Add), a, e))
    e = t.call(*merge(layers.Add), t.call(*conv(6, 3, strides=2), e), t.call(*conv(6, 1, strides=2), e))
    e = t.call(layers.GlobalAveragePooling2D(), ref.GlobalPool("average"), e)
    return t, [t.call(*dense(10, "softmax"), e)], [x], [labels], [SOFTMAX]


def branches(x, labels):
    """Windows of 1, 3 and 5 and a pooling side by side."""
    t = Twins()
    e = t.call(*conv(3, 3, "sigmoid"), t.input(8, 8, 1))
    pool = t.call(layers.AveragePooling2D(3, 1, "same"), ref.Pool("average", (3, 3), (1, 1), "same"), e)
    parts = [t.call(*conv(2, 1, "tanh"), e), t.call(*conv(3, 3, "tanh"), e), t.call(*conv(2, 5, "sigmoid"), e), pool]
    e = t.call(layers.Concatenate(), Concatenate(), *parts)
    e = t.call(layers.Flatten(), ref.Flatten(), t.call(*conv(3, 3, strides=2), e))
    return t, [t.call(*dense(10, "softmax"), e)], [x], [labels], [SOFTMAX]


def excited(x, labels):
    """Squeeze and excitation (Hu et al. 2018): channels times what the whole image says."""
    t = Twins()
    e = t.call(*conv(4, 3, "tanh"), t.input(8, 8, 1))
    gate = t.call(layers.GlobalAveragePooling2D(), ref.GlobalPool("average"), e)
    gate = t.call(*dense(4, "sigmoid"), t.call(*dense(2, "tanh"), gate))
    gate = t.call(layers.Reshape((1, 1, 4)), ref.Reshape((1, 1, 4)), gate)
    e = t.call(layers.Flatten(), ref.Flatten(), t.call(*merge(layers.Multiply), e, gate))
    return t, [t.call(*dense(10, "softmax"), e)], [x], [labels], [SOFTMAX]


def two_by_two(x, labels):
    """An image and its rows' sums; a class, the image again, and a code without a loss."""
    t = Twins()
    image, sums = t.input(8, 8, 1), t.input(8)
    e = t.call(layers.Flatten(), ref.Flatten(), t.call(*conv(3, 3, "tanh", 2), image))
    code = t.call(*dense(6, "tanh"), e)
    e = t.call(layers.Concatenate(), Concatenate(), code, t.call(*dense(4, "sigmoid"), sums))
    outputs = [t.call(*dense(10, "softmax"), e), t.call(*dense(64, "sigmoid"), code), code]
    heads = [Head(SOFTMAX.loss, weight=0.7), Head("mean_squared_error", weight=2.0), None]
    return t, outputs, [x, x.sum((2, 3)) / 8], [labels, x.reshape(len(x), 64), None], heads


def siamese(x, labels):
    """The same convolution, normalization and dense layer on two halves of an image."""
    t = Twins()
    shared = conv(3, 3, "tanh"), (layers.BatchNormalization(), ref.BatchNormalization()), dense(5, "tanh")
    codes = []
    for _ in range(2):
        e = t.input(8, 4, 1)
        for pair in shared[:2]:
            e = t.call(*pair, e)
        codes.append(t.call(*shared[2], t.call(layers.Flatten(), ref.Flatten(), e)))
    e = t.call(*merge(layers.Subtract), *codes)
    return t, [t.call(*dense(10, "softmax"), e)], [x[:, :, :4], x[:, :, 4:]], [labels], [SOFTMAX]


def recurrent(x, labels):
    """One LSTM on two inputs and once more on their product; a Dense at every step, and one layer called in a row."""
    t = Twins()
    lstm = layers.LSTM(4, return_sequences=True), ref.LSTM(4, return_sequences=True)
    mix = dense(4, "tanh")
    a, b = t.call(*lstm, t.input(8, 4)), t.call(*lstm, t.input(8, 4))
    e = t.call(*lstm, t.call(*mix, t.call(*mix, t.call(*merge(layers.Multiply), a, b))))
    return (
        t,
        [t.call(*dense(10, "softmax"), e)],
        [x[:, :, :4, 0], x[:, :, 4:, 0]],
        [np.repeat(labels[:, None], 8, 1)],
        [SOFTMAX],
    )


def tokens(x, labels):
    """One table for two inputs of tokens; the second is also looked up in another table."""
    t = Twins()
    table, other = (layers.Embedding(17, 3), ref.Embedding(17, 3)), (layers.Embedding(17, 2), ref.Embedding(17, 2))
    a, b = t.input(8), t.input(8)
    e = t.call(*merge(layers.Average), t.call(*table, a), t.call(*table, b))
    e = t.call(layers.Concatenate(), Concatenate(), e, t.call(*other, b))
    e = t.call(layers.GRU(4), ref.GRU(4), e)
    whole = (x[..., 0] * 16).astype(np.int64)
    return t, [t.call(*dense(10, "softmax"), e)], [whole[:, 0], whole[:, 3]], [labels], [SOFTMAX]


def kinds(x, labels):
    """Every merge, with tensors of fewer axes and extents of 1."""
    t = Twins()
    e = t.input(8, 8)
    parts = [t.call(*dense(5, "tanh"), e) for _ in range(4)]
    row = t.call(layers.Flatten(), ref.Flatten(), t.call(*dense(1, "tanh"), e))
    row = t.call(*dense(5, "sigmoid"), row)
    e = t.call(*merge(layers.Maximum), parts[0], parts[1])
    e = t.call(*merge(layers.Minimum), e, parts[2], row)
    e = t.call(*merge(layers.Multiply), e, t.call(*dense(1, "sigmoid"), parts[3]))
    e = t.call(*merge(layers.Average), e, parts[3], parts[0])
    e = t.call(*merge(layers.Subtract), e, row)
    e = t.call(layers.Concatenate(axis=1), Concatenate(1), e, parts[1])
    e = t.call(layers.Flatten(), ref.Flatten(), t.call(*merge(layers.Add), e, e))
    return t, [t.call(*dense(10, "softmax"), e)], [x[..., 0]], [labels], [SOFTMAX]


GRAPHS = [residual, branches, excited, two_by_two, siamese, recurrent, tokens, kinds]
