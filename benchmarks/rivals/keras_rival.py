"""Keras on TensorFlow, its training step in one tf.function, compiled by XLA or not."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from benchmarks.workloads import (
    EPSILON,
    MOMENTUM,
    Array,
    Conv,
    Dense,
    Embedding,
    Flatten,
    Layer,
    Pool,
    Recurrent,
    Residual,
    Workload,
)

RECURRENT = {"rnn": layers.SimpleRNN, "gru": layers.GRU, "lstm": layers.LSTM}


def _layer(layer: Layer, dimensions: int, unroll: bool) -> Any:
    if isinstance(layer, Conv):
        conv = getattr(layers, f"Conv{dimensions}D")
        return conv(layer.filters, layer.kernel, padding="same", activation="relu")
    if isinstance(layer, Pool):
        return getattr(layers, f"MaxPooling{dimensions}D")(layer.size)
    if isinstance(layer, Flatten):
        return layers.Flatten()
    if isinstance(layer, Embedding):
        return layers.Embedding(layer.vocabulary, layer.units)
    if isinstance(layer, Dense):
        return layers.Dense(layer.units, activation=layer.activation)
    assert isinstance(layer, Recurrent)
    cell = RECURRENT[layer.cell](layer.units, return_sequences=layer.sequences, unroll=unroll)
    return layers.Bidirectional(cell) if layer.bidirectional else cell


def _residual(layer: Residual, dimensions: int, x: Any) -> Any:
    conv = getattr(layers, f"Conv{dimensions}D")
    f = x
    for activation in (layers.ReLU, None):
        f = conv(x.shape[-1], layer.kernel, padding="same", use_bias=False)(f)
        f = layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON)(f)
        f = activation()(f) if activation else f
    return layers.ReLU()(layers.Add()([x, f]))


def _network(workload: Workload, weights: list[Array], variant: str) -> Any:
    index = isinstance(workload.layers[0], Embedding)
    x = inputs = keras.Input(workload.shape, dtype="int32" if index else "float32")
    if workload.unequal:
        x = layers.Masking()(x)
    unroll, dimensions = variant == "tf.function, unrolled", len(workload.shape) - 1
    for layer in workload.layers:
        x = _residual(layer, dimensions, x) if isinstance(layer, Residual) else _layer(layer, dimensions, unroll)(x)
    network = keras.Model(inputs, x)
    network.set_weights(weights)
    return network


Data = tuple[Any, Any]


class Model:
    """A Sequential model, its optimizer and its step; data are resident tensors."""

    def __init__(
        self, workload: Workload, weights: list[Array], learning_rate: float, momentum: float, variant: str
    ) -> None:
        self.network = _network(workload, weights, variant)
        optimizer = keras.optimizers.SGD(learning_rate, momentum=momentum)
        optimizer.build(self.network.trainable_variables)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

        def step(x: Any, y: Any) -> None:
            with tf.GradientTape() as tape:
                value = loss(y, self.network(x, training=True))
            variables = self.network.trainable_variables
            optimizer.apply(tape.gradient(value, variables), variables)

        compiled = tf.function(step, jit_compile=variant == "XLA")

        @tf.function
        def step_on(x: Any, y: Any, index: Any) -> None:
            compiled(tf.gather(x, index), tf.gather(y, index))

        @tf.function(reduce_retracing=True)
        def judge(x: Any, y: Any) -> Any:
            logits = self.network(x, training=False)
            hits = tf.equal(tf.argmax(logits, -1, tf.int32), y)
            return loss(y, logits), tf.reduce_sum(tf.cast(hits, tf.int32))

        self.optimizer, self._step, self._step_on, self._judge = optimizer, compiled, step_on, judge

    def put(self, x: Array, y: Array, lengths: Array | None = None) -> Data:
        if lengths is not None:  # what Masking hides is zero; a true step is never all zero
            assert all(x[i, :length].any(-1).all() for i, length in enumerate(lengths))
        return tf.constant(x), tf.constant(y.astype(np.int32))

    def train(self, data: Data, index: Array | None = None) -> None:
        if index is None:
            self._step(*data)
        else:
            self._step_on(*data, index)

    def set_learning_rate(self, rate: float) -> None:
        self.optimizer.learning_rate.assign(rate)

    def wait(self) -> None:
        self.network.trainable_variables[0].numpy()

    def _judged(self, data: Data, batch: int) -> tuple[float, float]:
        x, y = data
        loss, hits = 0.0, 0
        for first in range(0, len(x), batch):
            labels = y[first : first + batch]
            one = self._judge(x[first : first + batch], labels)
            loss, hits = loss + float(one[0]) * labels.numpy().size, hits + int(one[1])
        return loss / y.numpy().size, hits / y.numpy().size

    def loss(self, data: Data, batch: int) -> float:
        return self._judged(data, batch)[0]

    def accuracy(self, data: Data, batch: int) -> float:
        return self._judged(data, batch)[1]


class Library:
    """Keras on TensorFlow with a number of threads within an operation, and one operation at a time."""

    def __init__(self, threads: int) -> None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        self.version = f"{keras.__version__}/{tf.__version__}"

    def variants(self, workload: Workload, quick: bool) -> list[str]:
        if not workload.cells <= RECURRENT.keys():
            return []
        unrolled = workload.recurrent and not workload.unequal and not quick
        return ["tf.function", "XLA", *(["tf.function, unrolled"] if unrolled else [])]

    def model(
        self, workload: Workload, weights: list[Array], learning_rate: float, momentum: float, variant: str
    ) -> Model:
        return Model(workload, weights, learning_rate, momentum, variant)

    def predictor_variants(self, workload: Workload, quick: bool) -> list[str]:
        return self.variants(workload, quick)

    def predictor(self, workload: Workload, weights: list[Array], variant: str) -> Callable[[Array], Array]:
        network = _network(workload, weights, variant)
        forward = tf.function(lambda x: network(x, training=False), jit_compile=variant == "XLA")
        return lambda x: forward(tf.constant(x)).numpy()
