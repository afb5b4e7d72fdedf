"""Tauten, through its public interface."""

from __future__ import annotations

from typing import Any

import numpy as np

import tauten
from benchmarks.workloads import Array, Conv, Dense, Embedding, Flatten, Layer, Pool, Recurrent, Workload
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
    return {"rnn": layers.SimpleRNN, "lstm": layers.LSTM}[layer.cell](layer.units, return_sequences=True)


class Model:
    """A Sequential model; x and y stay NumPy arrays."""

    def __init__(self, workload: Workload, weights: list[Array], learning_rate: float, momentum: float) -> None:
        parts = [_layer(layer, len(workload.shape) - 1) for layer in workload.layers]
        self.model = tauten.Sequential([tauten.Input(workload.shape), *parts])
        self.model.compile(
            optimizer=tauten.optimizers.SGD(learning_rate, momentum=momentum),
            loss=tauten.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        self.model.set_weights(weights)

    def put(self, x: Array, y: Array) -> tuple[Array, Array]:
        return np.ascontiguousarray(x), np.ascontiguousarray(y)

    def train(self, data: tuple[Array, Array], index: Array | None = None) -> None:
        x, y = data
        if index is not None:
            x, y = x[index], y[index]
        self.model.train_on_batch(x, y)

    def loss(self, data: tuple[Array, Array], batch: int) -> float:
        loss = self.model.evaluate(*data, batch_size=batch, verbose=0)
        assert isinstance(loss, float)
        return loss

    def accuracy(self, data: tuple[Array, Array], batch: int) -> float:
        x, y = data
        predicted = np.asarray(self.model.predict(x, batch_size=batch, verbose=0))
        return float(np.mean(predicted.argmax(-1) == y))


class Library:
    """Tauten with a number of threads."""

    def __init__(self, threads: int) -> None:
        tauten.config.set_num_threads(threads)
        self.version = str(tauten.__version__)

    def variants(self, workload: Workload) -> tuple[str, ...]:
        return ("default",)

    def model(
        self, workload: Workload, weights: list[Array], learning_rate: float, momentum: float, variant: str
    ) -> Model:
        return Model(workload, weights, learning_rate, momentum)
