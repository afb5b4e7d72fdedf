"""Tauten, through its public interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tauten
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
from tauten import layers


def _layer(layer: Layer, dimensions: int) -> Any:
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
    kind = {"rnn": "SimpleRNN", "forget": "ForgetGateRNN", "gru": "GRU", "lstm": "LSTM"}[layer.cell]
    cell = getattr(layers, kind)(layer.units, return_sequences=layer.sequences)
    return layers.Bidirectional(cell) if layer.bidirectional else cell


def _residual(layer: Residual, dimensions: int, x: Any) -> Any:
    conv = getattr(layers, f"Conv{dimensions}D")
    f = x
    for activation in (layers.ReLU, None):
        f = conv(x.shape[-1], layer.kernel, padding="same", use_bias=False)(f)
        f = layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON)(f)
        f = activation()(f) if activation else f
    return layers.ReLU()(layers.Add()([x, f]))


def _network(workload: Workload, weights: list[Array]) -> tauten.Model:
    dimensions = len(workload.shape) - 1
    x = inputs = tauten.Input((None, *workload.shape[1:]) if workload.unequal else workload.shape)
    for layer in workload.layers:
        x = _residual(layer, dimensions, x) if isinstance(layer, Residual) else _layer(layer, dimensions)(x)
    model = tauten.Model(inputs, x)
    model.set_weights(weights)
    return model


Data = tuple[Any, Array]


class Model:
    """A model; x and y stay NumPy arrays, or x a list of sequences."""

    def __init__(self, workload: Workload, weights: list[Array], learning_rate: float, momentum: float) -> None:
        self.model = _network(workload, weights)
        self.optimizer = tauten.optimizers.SGD(learning_rate, momentum=momentum)
        self.model.compile(
            optimizer=self.optimizer,
            loss=tauten.losses.SparseCategoricalCrossentropy(from_logits=True),
        )

    def put(self, x: Array, y: Array, lengths: Array | None = None) -> Data:
        if lengths is not None:
            return [np.ascontiguousarray(x[i, :length]) for i, length in enumerate(lengths)], y
        return np.ascontiguousarray(x), np.ascontiguousarray(y)

    def train(self, data: Data, index: Array | None = None) -> None:
        x, y = data
        if index is not None:
            x, y = [x[i] for i in index] if isinstance(x, list) else x[index], y[index]
        self.model.train_on_batch(x, y)

    def set_learning_rate(self, rate: float) -> None:
        self.optimizer.learning_rate = rate

    def wait(self) -> None:
        pass

    def loss(self, data: Data, batch: int) -> float:
        loss = self.model.evaluate(*data, batch_size=batch, verbose=0)
        assert isinstance(loss, float)
        return loss

    def accuracy(self, data: Data, batch: int) -> float:
        x, y = data
        predicted = np.asarray(self.model.predict(x, batch_size=batch, verbose=0))
        return float(np.mean(predicted.argmax(-1) == y))


class Library:
    """Tauten with a number of threads."""

    def __init__(self, threads: int) -> None:
        tauten.config.set_num_threads(threads)
        self.version = str(tauten.__version__)

    def variants(self, workload: Workload, quick: bool) -> tuple[str, ...]:
        return ("default",)

    def model(
        self, workload: Workload, weights: list[Array], learning_rate: float, momentum: float, variant: str
    ) -> Model:
        return Model(workload, weights, learning_rate, momentum)

    def predictor_variants(self, workload: Workload, quick: bool) -> tuple[str, ...]:
        return self.variants(workload, quick)

    def predictor(self, workload: Workload, weights: list[Array], variant: str) -> Callable[[Array], Array]:
        model = _network(workload, weights)
        return lambda x: np.asarray(model.predict_on_batch(x))
