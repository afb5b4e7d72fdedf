"""Fewer samples than threads: what a sample computes is shared out, and the bits stay the same."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

import reference as ref
from cases.shared import both
from data import digits
from examples import Batch, randomize
from native import Native
from reference import (
    GRU,
    LSTM,
    BatchNormalization,
    Bidirectional,
    Conv,
    Dense,
    DepthwiseConv,
    Flatten,
    ForgetGateRNN,
    GoBackwards,
    Pool,
    PReLU,
    Reshape,
    SeparableConv,
    SimpleRNN,
)
from tauten import _core

# Wide enough for several threads to share out what a layer writes for a single sample.
FEW = {
    "mlp": ((8, 8), [Flatten(), Dense(1030, "relu"), Dense(515, "tanh"), Dense(10, "softmax")]),
    "cnn": (
        (8, 8, 1),
        [
            Conv(65, (3, 3), padding="same", activation="relu"),
            Conv(65, (3, 3), (2, 1), activation="tanh"),
            Pool("max", (2, 2), (1, 1), "same"),
            Pool("average", (2, 2)),
            Flatten(),
            Dense(10, "softmax"),
        ],
    ),
    "nodes": (
        (8, 8, 1),
        [
            Conv(131, (3, 3), padding="same", activation="gelu"),
            Conv(65, (3, 3), activation="silu"),
            PReLU((1, 2)),
            BatchNormalization(),
            Conv(64, (3, 3), padding="same", activation="softplus"),
            Flatten(),
            Dense(10, "softmax"),
        ],
    ),
    "mobile": (
        (8, 8, 1),
        [
            Conv(128, (3, 3), padding="same", activation="relu", value=0.5),
            DepthwiseConv((5, 5), 3, (2, 1), "same", "relu"),
            Conv(128, (2, 2), groups=2, activation="relu", dilation=(2, 2), padding="same"),
            SeparableConv(17, (3, 3), padding="same", activation="tanh"),
            Flatten(),
            Dense(10, "softmax"),
        ],
    ),
    "cnn1d": ((8, 8), [Conv(130, (3,), padding="same"), Conv(131, (3,)), Pool("max", (2,)), Flatten(), Dense(10)]),
    "conv-lstm": (
        (8, 8),
        [Conv(9, (3,), padding="same", activation="tanh"), LSTM(150, return_sequences=True), LSTM(131)],
    ),
    "conv-rnn": ((8, 8), [Conv(9, (3,)), SimpleRNN(400, return_sequences=True), Dense(3)]),
    "reshape-both": ((8, 8, 1), [Reshape((16, 4)), both(ForgetGateRNN, 200, "mul"), both(LSTM, 9)]),
    "rnn": ((8, 8), [SimpleRNN(400, return_sequences=True), SimpleRNN(390), Dense(10, "softmax")]),
    "forget-gate": ((8, 8), [ForgetGateRNN(300, return_sequences=True), ForgetGateRNN(290), Dense(10, "softmax")]),
    "lstm": ((8, 8), [LSTM(150, return_sequences=True), LSTM(131), Dense(10, "softmax")]),
    "gru": ((None, 8), [GRU(150, return_sequences=True), GoBackwards(GRU(131, return_sequences=True)), GRU(9)]),
    "backwards": ((None, 8), [GoBackwards(LSTM(150, return_sequences=True)), GoBackwards(LSTM(131))]),
    "both": ((None, 8), [both(LSTM, 150), both(SimpleRNN, 300, "sum"), Bidirectional(LSTM(150), SimpleRNN(200))]),
}


@pytest.mark.parametrize("name", FEW)
def test_few_samples_on_many_threads(name: str) -> None:
    """A few samples come to the same bits on any number of threads, and nearly so among many samples."""
    net, native = few(name)
    for count in (1, 2, 3, 5):
        x = few_samples(name, count)
        outputs = []
        for threads in (1, 2, 3, 4, 7):
            _core.set_num_threads(threads)
            outputs.append(native.predict(x))
        assert len({output.tobytes() for output in outputs}) == 1
        np.testing.assert_allclose(outputs[0], net.predict(exactly(x)), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", FEW)
def test_few_samples_learn_on_many_threads(name: str) -> None:
    """And so do their gradients, of weights and inputs."""
    net, native = few(name)
    for count in (1, 2, 3):
        x = few_samples(name, count)
        expected = net.predict(exactly(x)) / 2
        y = expected.astype(np.float32)
        if isinstance(x, list) and len(y) != count:  # an output a step, one sample after the other
            ends = np.cumsum([len(one) for one in x])[:-1]
            y, expected = np.split(y, ends), np.split(expected, ends)
        found = []
        for threads in (1, 2, 3, 4, 7):
            _core.set_num_threads(threads)
            found.append(native.gradients(Batch(x, y)))
        same = {
            (result.loss, *(g.tobytes() for g in (*gradients, *inputs) if g is not None))
            for result, gradients, inputs in found
        }
        assert len(same) == 1
        right = net.gradients(exactly(x), expected)
        result, gradients, inputs = found[0]
        np.testing.assert_allclose(result.loss, right.loss, rtol=1e-4)
        for g, at in zip((*gradients, *inputs), (*right.gradients, right.inputs), strict=True):
            np.testing.assert_allclose(g, at, rtol=2e-3, atol=2e-4 * np.abs(at).max())


def few(name: str) -> tuple[ref.Network, Native]:
    shape, layers = FEW[name]
    net = ref.Network(shape, deepcopy(layers))
    randomize(net, np.random.default_rng(0))
    return net, Native(net, "float32")


def few_samples(name: str, count: int):
    images, (shape, _) = digits()[0][:count].astype(np.float32), FEW[name]
    return [image[: 8 - i] for i, image in enumerate(images)] if shape[0] is None else images.reshape(count, *shape)


def exactly(x):
    return [np.float64(one) for one in x] if isinstance(x, list) else np.float64(x)
