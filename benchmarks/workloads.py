"""The public workloads: what each network is, said once, for every library to build in its own way."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

GATES = {"rnn": 1, "forget": 2, "gru": 3, "lstm": 4}  # of each recurrent cell


@dataclass(frozen=True)
class Conv:
    """A convolution with "same" padding, stride 1, and ReLU; in as many dimensions as the images have."""

    filters: int
    kernel: int


@dataclass(frozen=True)
class Residual:
    """relu(x + F(x)), F: convolution, normalization, ReLU, convolution, normalization; as many filters as channels.

    Convolutions have "same" padding and no bias; batch normalization has MOMENTUM and EPSILON (He et al. 2016).
    """

    kernel: int


MOMENTUM, EPSILON = 0.99, 1e-3  # Keras' defaults: of moving averages; added to variances


@dataclass(frozen=True)
class Pool:
    """Max pooling, stride = size."""

    size: int


@dataclass(frozen=True)
class Flatten:
    """(batch, ...) -> (batch, features)."""


@dataclass(frozen=True)
class Dense:
    """Fully connected; on the last axis, so at every step of a sequence."""

    units: int
    activation: str = "linear"


@dataclass(frozen=True)
class Recurrent:
    """Returns its state at every step, or only the last one.

    cell: "rnn" (tanh), "forget" (RNN with a forget gate), "gru" (the reset gate behind the product with the state, so
    two rows of biases) or "lstm".
    """

    cell: str
    units: int
    bidirectional: bool = False
    sequences: bool = True


@dataclass(frozen=True)
class Embedding:
    """Integers below `vocabulary` -> vectors; only as the first layer."""

    vocabulary: int
    units: int


Layer = Conv | Residual | Pool | Flatten | Dense | Recurrent | Embedding


@dataclass(frozen=True)
class Workload:
    """One network and its batch; trained with softmax cross-entropy on the last axis and SGD."""

    name: str
    text: str
    batch: int
    shape: tuple[int, ...]
    layers: tuple[Layer, ...]
    unequal: bool = False  # sequences have lengths of their own; shape[0] is the longest
    learning_rate: float = 0.01

    @property
    def classes(self) -> int:
        """Size of the softmax."""
        last = self.layers[-1]
        assert isinstance(last, Dense)
        return last.units

    @property
    def per_step(self) -> bool:
        """Whether there is a label at every step."""
        return any(isinstance(layer, Recurrent) and layer.sequences for layer in self.layers)

    @property
    def convolutional(self) -> bool:
        """Whether there are convolutions."""
        return any(isinstance(layer, Conv) for layer in self.layers)

    @property
    def recurrent(self) -> bool:
        """Whether there are recurrent layers."""
        return any(isinstance(layer, Recurrent) for layer in self.layers)

    @property
    def cells(self) -> set[str]:
        """Recurrent cells in it."""
        return {layer.cell for layer in self.layers if isinstance(layer, Recurrent)}

    @property
    def flops(self) -> int:
        """Multiplications and additions of one training step, matrix products only.

        Forward, gradient of the weights, gradient of the input; the first layer needs no gradient of its input.
        """
        products = []
        shape = self.shape
        for layer in self.layers:
            places = math.prod(shape[:-1])
            if isinstance(layer, Conv):
                products.append((places * layer.kernel ** (len(shape) - 1) * shape[-1] * layer.filters, 0))
                shape = (*shape[:-1], layer.filters)
            elif isinstance(layer, Residual):
                products += [(places * layer.kernel ** (len(shape) - 1) * shape[-1] ** 2, 0)] * 2
            elif isinstance(layer, Pool):
                shape = (*(extent // layer.size for extent in shape[:-1]), shape[-1])
            elif isinstance(layer, Flatten):
                shape = (math.prod(shape),)
            elif isinstance(layer, Embedding):
                shape = (*shape, layer.units)
            elif isinstance(layer, Dense):
                products.append((places * shape[-1] * layer.units, 0))
                shape = (*shape[:-1], layer.units)
            else:
                gates = GATES[layer.cell] * (1 + layer.bidirectional)
                products.append((places * gates * shape[-1] * layer.units, places * gates * layer.units**2))
                shape = after(layer, shape)
        first = 0 if isinstance(self.layers[0], Embedding) else products[0][0]
        total = sum(3 * (to_input + to_state) for to_input, to_state in products) - first
        return 2 * self.batch * total

    def weights(self, seed: int = 0) -> list[Array]:
        """The same initial weights for every library, in Keras' order, shapes and default distributions."""
        random = np.random.default_rng(seed)

        def glorot_uniform(*shape: int, receptive: int = 1) -> Array:
            limit = math.sqrt(6 / (receptive * (shape[-2] + shape[-1])))
            return random.uniform(-limit, limit, shape).astype(np.float32)

        def orthogonal(rows: int, columns: int) -> Array:
            q, r = np.linalg.qr(random.standard_normal((columns, rows)))
            return np.ascontiguousarray((q * np.sign(np.diag(r))).T, dtype=np.float32)

        def convolution(kernel: int, shape: tuple[int, ...], filters: int) -> Array:
            dimensions = len(shape) - 1
            return glorot_uniform(*(kernel,) * dimensions, shape[-1], filters, receptive=kernel**dimensions)

        weights: list[Array] = []
        shape = self.shape
        for layer in self.layers:
            if isinstance(layer, Conv):
                weights += [convolution(layer.kernel, shape, layer.filters), _zeros(layer.filters)]
                shape = (*shape[:-1], layer.filters)
            elif isinstance(layer, Residual):
                zeros, ones = _zeros(shape[-1]), np.ones(shape[-1], np.float32)
                for _ in range(2):
                    weights += [convolution(layer.kernel, shape, shape[-1]), ones, zeros, zeros, ones]
            elif isinstance(layer, Pool):
                shape = (*(extent // layer.size for extent in shape[:-1]), shape[-1])
            elif isinstance(layer, Flatten):
                shape = (math.prod(shape),)
            elif isinstance(layer, Embedding):
                weights.append(random.uniform(-0.05, 0.05, (layer.vocabulary, layer.units)).astype(np.float32))
                shape = (*shape, layer.units)
            elif isinstance(layer, Dense):
                weights += [glorot_uniform(shape[-1], layer.units), _zeros(layer.units)]
                shape = (*shape[:-1], layer.units)
            else:
                gates = GATES[layer.cell]
                for _ in range(1 + layer.bidirectional):
                    bias = _zeros(*((2,) if layer.cell == "gru" else ()), gates * layer.units)
                    if layer.cell == "lstm":
                        bias[layer.units : 2 * layer.units] = 1
                    kernel = glorot_uniform(shape[-1], gates * layer.units)
                    weights += [kernel, orthogonal(layer.units, gates * layer.units), bias]
                shape = after(layer, shape)
        return weights

    def data(self, batches: int, folder: Path | None) -> tuple[list[Array], list[Array], str]:
        """Batches (x float32, labels int64), and where they come from: MNIST where it fits and is there."""
        mnist = folder / "mnist.npz" if folder else None
        if mnist and mnist.exists() and math.prod(self.shape) == 784 and self.classes == 10:
            with np.load(mnist) as archive:
                count = self.batch * batches
                x = archive["x_train"][:count].astype(np.float32) / np.float32(255)
                y = archive["y_train"][:count].astype(np.int64)
            x = x.reshape(batches, self.batch, *self.shape)
            return list(x), list(y.reshape(batches, self.batch)), "MNIST"
        random = np.random.default_rng(0)
        steps = self.shape[:1] if self.per_step else ()
        x = random.standard_normal((batches, self.batch, *self.shape), dtype=np.float32)
        y = random.integers(0, self.classes, (batches, self.batch, *steps), dtype=np.int64)
        return list(x), list(y), "random"


def after(layer: Recurrent, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of a sample behind a recurrent layer."""
    units = layer.units * (1 + layer.bidirectional)
    return (shape[0], units) if layer.sequences else (units,)


def channels_first_rows(kernel: Array, shape: tuple[int, ...]) -> Array:
    """Rows of the kernel behind a Flatten of `shape` = (..., channels), for features in the order (channels, ...)."""
    return np.moveaxis(kernel.reshape(*shape, -1), -2, 0).reshape(kernel.shape)


def _zeros(*shape: int) -> Array:
    return np.zeros(shape, np.float32)


def lenet(batch: int) -> Workload:
    """28x28x1 images, two convolutions, two dense layers."""
    layers = (Conv(32, 5), Pool(2), Conv(64, 5), Pool(2), Flatten(), Dense(128, "relu"), Dense(10))
    text = f"28x28x1, conv5 32, pool2, conv5 64, pool2, dense 128, 10; batch {batch}"
    return Workload(f"lenet_b{batch}", text, batch, (28, 28, 1), layers)


def resnet(batch: int) -> Workload:
    """32x32x3 images, three times a convolution, a residual block and a pool."""
    layers = [each for filters in (32, 64, 128) for each in (Conv(filters, 3), Residual(3), Pool(2))]
    text = f"32x32x3, conv3 32, residual, pool, conv3 64, residual, pool, conv3 128, residual, pool, 10; batch {batch}"
    return Workload(f"resnet_b{batch}", text, batch, (32, 32, 3), (*layers, Flatten(), Dense(10)), learning_rate=1e-4)


def plain(batch: int) -> Workload:
    """The residual network's convolutions in a chain, with no sums and no normalization (He et al.'s plain network)."""
    layers = [each for f in (32, 64, 128) for each in (Conv(f, 3), Conv(f, 3), Conv(f, 3), Pool(2))]
    text = f"32x32x3, conv3 32, 32, 32, pool, 64, 64, 64, pool, 128, 128, 128, pool, 10; batch {batch}"
    return Workload(f"plain_b{batch}", text, batch, (32, 32, 3), (*layers, Flatten(), Dense(10)))


CELLS = {"rnn": "tanh RNN", "forget": "forget-gate RNN", "gru": "GRU", "lstm": "LSTM"}


def sequence(cell: str, batch: int, units: int, steps: int = 128) -> Workload:
    """Steps of 32 features, one recurrent layer, a dense layer at every step."""
    name = f"{cell}_b{batch}_h{units}" + (f"_t{steps}" if steps != 128 else "")
    text = f"{steps} steps of 32, {CELLS[cell]} {units}, dense 10 at every step; batch {batch}"
    return Workload(name, text, batch, (steps, 32), (Recurrent(cell, units), Dense(10)))


_ALL = (
    Workload(
        "mlp_b128",
        "784-512-512-10; batch 128",
        128,
        (784,),
        (Dense(512, "relu"), Dense(512, "relu"), Dense(10)),
    ),
    lenet(64),
    lenet(8),
    Workload(
        "vgg_b32",
        "32x32x3, conv3 64, 64, pool, 128, 128, pool, 256, 256, pool, dense 256, 10; batch 32",
        32,
        (32, 32, 3),
        (
            *(Conv(64, 3), Conv(64, 3), Pool(2)),
            *(Conv(128, 3), Conv(128, 3), Pool(2)),
            *(Conv(256, 3), Conv(256, 3), Pool(2)),
            *(Flatten(), Dense(256, "relu"), Dense(10)),
        ),
    ),
    resnet(32),
    Workload(
        "cnn1d_b64",
        "512x8, conv7 64, pool2, conv5 128, pool2, conv3 128, pool2, dense 10; batch 64",
        64,
        (512, 8),
        (Conv(64, 7), Pool(2), Conv(128, 5), Pool(2), Conv(128, 3), Pool(2), Flatten(), Dense(10)),
    ),
    Workload(
        "cnn3d_b8",
        "16x32x32x1, conv3 16, pool2, conv3 32, pool2, dense 10; batch 8",
        8,
        (16, 32, 32, 1),
        (Conv(16, 3), Pool(2), Conv(32, 3), Pool(2), Flatten(), Dense(10)),
    ),
    sequence("rnn", 64, 128),
    sequence("lstm", 64, 128),
    sequence("gru", 64, 128),
    Workload(
        "lstm_b16_h32",
        "64 steps of 8, LSTM 32, dense 4 at every step; batch 16",
        16,
        (64, 8),
        (Recurrent("lstm", 32), Dense(4)),
    ),
    Workload(
        "lstm2_b32_h512",
        "64 steps of 256, 2 x LSTM 512, dense 256 at every step; batch 32",
        32,
        (64, 256),
        (Recurrent("lstm", 512), Recurrent("lstm", 512), Dense(256)),
    ),
    Workload(
        "bilstm_b32_h256",
        "50 steps of 100, bidirectional LSTM 256, dense 20 at every step; batch 32",
        32,
        (50, 100),
        (Recurrent("lstm", 256, bidirectional=True), Dense(20)),
    ),
)

WORKLOADS = {workload.name: workload for workload in _ALL}


def one_sample(names: Iterable[str]) -> list[str]:
    """Names without those of networks that differ from an earlier one in the batch only."""
    networks = {find(name).layers: name for name in reversed(list(names))}
    return list(reversed(networks.values()))


def find(name: str) -> Workload:
    """A public workload, or one of its family with other sizes: lenet_b128, resnet_b8, lstm_b1_h512, gru_b8_h64_t16.

    plain_b32 is resnet_b32 without what makes it residual. The cell may be "forget", too; behind t stands the number of
    steps, 128 without it.

    Raises:
        ValueError: for a name that is neither.
    """
    if name in WORKLOADS:
        return WORKLOADS[name]
    if found := re.fullmatch(r"lenet_b([1-9]\d*)", name):
        return lenet(int(found[1]))
    if found := re.fullmatch(r"resnet_b([1-9]\d*)", name):
        return resnet(int(found[1]))
    if found := re.fullmatch(r"plain_b([1-9]\d*)", name):
        return plain(int(found[1]))
    if found := re.fullmatch(r"(rnn|forget|gru|lstm)_b([1-9]\d*)_h([1-9]\d*)(?:_t([1-9]\d*))?", name):
        return sequence(found[1], int(found[2]), int(found[3]), int(found[4] or 128))
    raise ValueError(f"no workload {name!r}; there are {', '.join(WORKLOADS)}")
