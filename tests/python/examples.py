"""Random weights and examples for a reference network, away from kinks and ties."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import reference as ref
from numerics import MARGIN


@dataclass
class Case:
    """A network and what it is to be fed: `batch` samples, or one for each of the unequal `lengths`."""

    name: str
    shape: tuple[int | None, ...]
    layers: list[ref.Layer]  # not built; build() copies them
    loss: str = "mean_squared_error"
    from_logits: bool = False
    batch: int = 3
    lengths: tuple[int, ...] | None = None
    weighted: bool | str = False  # with sample weights; "steps": one for every step, some of them 0
    penalties: dict[int, tuple[float, float]] = field(default_factory=dict)  # weight number -> (l1, l2)
    metrics: tuple[str, ...] = ()
    margin: float = MARGIN

    def build(self) -> tuple[ref.Network, Batch]:
        """Random weights and examples, drawn again until no kink or tie is near."""
        for seed in range(2000):
            rng = np.random.default_rng(seed)
            net = ref.Network(self.shape, deepcopy(self.layers), self.loss, self.from_logits, self.metrics)
            net.calls = 3  # a frozen mask that is not the first one
            randomize(net, rng)
            for number, penalty in self.penalties.items():
                net.penalties[number] = penalty
            batch = draw(net, rng, self.batch, self.lengths, self.weighted)
            nearest = net.gradients(batch.x, batch.y, batch.weight).margin
            for w, (l1, _) in zip(net.weights, net.penalties, strict=True):
                nearest = min(nearest, np.abs(w).min()) if l1 else nearest
            if nearest >= self.margin:
                return net, batch
        raise AssertionError(f"{self.name}: no example without a kink found")

    def __str__(self) -> str:
        return self.name


@dataclass
class Batch:
    x: Any  # array, or list of arrays of unequal length
    y: Any
    weight: Any = None

    def __len__(self) -> int:
        return len(self.x)

    def cast(self, dtype: str) -> Batch:
        """Floating arrays in another dtype."""

        def convert(data):
            if isinstance(data, list):
                return [convert(part) for part in data]
            return data.astype(dtype) if data is not None and data.dtype.kind == "f" else data

        return Batch(convert(self.x), convert(self.y), convert(self.weight))


def randomize(net: ref.Network, rng: np.random.Generator) -> None:
    """Weights of about 1/sqrt(inputs), biases included: no value is special."""
    net.weights = [rng.normal(size=w.shape) / np.sqrt(max(w[..., 0].size, 4)) for w in net.weights]
    for layer in net.layers:
        if isinstance(layer, ref.BatchNormalization):
            layer.weights[-1] = 0.5 + np.abs(layer.weights[-1])  # a variance


def draw(net: ref.Network, rng: np.random.Generator, batch: int, lengths=None, weighted: bool | str = False) -> Batch:
    """Inputs and targets that fit the network and its loss."""

    def value(shape):
        if isinstance(net.layers[0], ref.Embedding):
            return rng.integers(net.layers[0].vocabulary, size=shape)
        return rng.normal(size=shape)

    def target(shape):
        if net.loss == "mean_squared_error":
            return rng.normal(size=shape)
        if net.loss == "binary_crossentropy":
            return rng.random(shape)
        if net.loss == "sparse_categorical_crossentropy":
            return rng.integers(shape[-1], size=shape[:-1])
        share = rng.random(shape)
        return share / share.sum(axis=-1, keepdims=True)

    output = net.edges[-1]
    if lengths is None:
        x, y = value((batch, *net.shape)), target((batch, *output))
    else:
        x = [value((n, *net.shape[1:])) for n in lengths]
        y = [target((n, *output[1:])) for n in lengths] if output[0] is None else target((len(lengths), *output))
    if weighted != "steps":
        return Batch(x, y, rng.random(len(x)) + 0.5 if weighted else None)
    weight = [(rng.random(n) + 0.5) * (rng.random(n) < 0.7) for n in lengths or [output[0]] * batch]
    return Batch(x, y, weight if lengths else np.stack(weight))
