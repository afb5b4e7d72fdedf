"""The native core against numerical differentiation, and against the reference in float64 and float32."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import reference as ref
from cases import CASES, reset_first
from examples import Batch, Case
from native import Native
from numerics import TOLERANCE, assert_all_close, assert_close, assert_gradient, numerical_gradient
from reference import (
    GRU,
    LSTM,
    Activation,
    Aggregate,
    Bidirectional,
    Conv,
    Dense,
    DepthwiseConv,
    Dropout,
    Embedding,
    Flatten,
    ForgetGateRNN,
    Pool,
    Reshape,
    SeparableConv,
    SimpleRNN,
)
from tauten import _core

CE = "sparse_categorical_crossentropy"
METRICS = {
    "mean_squared_error": ("mean_squared_error", "mean_absolute_error"),
    "categorical_crossentropy": ("categorical_accuracy", "mean_absolute_error"),
    CE: ("sparse_categorical_accuracy",),
    "binary_crossentropy": ("mean_squared_error",),
}


def is_indexed(net: ref.Network) -> bool:
    return isinstance(net.layers[0], Embedding)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_numerical(case: Case) -> None:
    """Every element of every weight and of the inputs, float64, with the dropout mask of call 3 frozen."""
    net, batch = case.build()
    native = Native(net)
    before = native.bits()
    _, gradients, (inputs,) = native.gradients(batch)
    assert native.bits() == before
    assert native.core.calls == net.calls

    def loss() -> float:
        return native.gradients(batch)[0].loss

    weights = native.weights
    for number, (w, gradient) in enumerate(zip(weights, gradients, strict=True)):

        def moved(number=number, w=w) -> float:
            native.core.set(number, w)
            return loss()

        name = native.core.parameters[number].name
        assert_gradient(gradient, numerical_gradient(moved, w), name)
        native.core.set(number, w)
    if is_indexed(net):
        assert inputs is None
    elif isinstance(batch.x, list):
        numerical = np.concatenate([numerical_gradient(loss, x) for x in batch.x])
        assert_gradient(inputs, numerical, "inputs")
    else:
        assert_gradient(inputs, numerical_gradient(loss, batch.x), "inputs")


def compare(case: Case, dtype: str, steps: int) -> None:
    """Outputs, loss, metrics, gradients and training steps of the native core against the reference."""
    tolerance = TOLERANCE[dtype]
    net, batch = case.build()
    net.metrics = METRICS[net.loss]
    batch = batch.cast(dtype)
    native = Native(net, dtype)
    net.weights = native.weights  # rounded to dtype
    net_batch = batch.cast("float64")

    def check(result, expected) -> None:
        assert_close(result.loss, expected.loss, tolerance, "loss")
        assert_close(result.penalty, expected.penalty, tolerance, "penalty")
        for name, value, wanted in zip(net.metrics, result.metrics[0], expected.metrics, strict=True):
            assert value == pytest.approx(wanted, rel=tolerance), name
        assert (result.samples, result.rows[0]) == (len(batch), expected.rows)

    for training in (False, True):
        expected = net.gradients(net_batch.x, net_batch.y, net_batch.weight, training)
        result, gradients, (inputs,) = native.gradients(batch, training)
        check(result, expected)
        assert_close(native.predict(batch.x, training), expected.outputs, tolerance, "outputs")
        assert all(gradient.dtype == dtype for gradient in gradients)
        indexed = is_indexed(net)
        assert (inputs is None) == indexed
        wanted = expected.gradients if indexed else [*expected.gradients, expected.inputs]
        assert_all_close(gradients if indexed else [*gradients, inputs], wanted, dtype, "gradient")
        if not training:
            check(native.test(batch), expected)

    other = Native(net, dtype)
    start, rng = net.weights, np.random.default_rng(0)
    velocities = [(0.01 * rng.normal(size=w.shape)).astype(dtype) for w in start]
    for nesterov in (False, True):
        net.weights, native.weights, other.weights = start, start, start
        net.velocities = [v.astype(np.float64) for v in velocities]
        for number, velocity in enumerate(velocities):
            native.core.set_slot(number, 0, velocity)
            other.core.set_slot(number, 0, velocity)
        for _ in range(steps):
            options = {"learning_rate": 0.05, "momentum": 0.9, "nesterov": nesterov}
            expected = net.train_step(net_batch.x, net_batch.y, sample_weight=net_batch.weight, **options)
            check(native.train(batch, **options, fused=True), expected)
            other.train(batch, **options, fused=False)
        assert native.core.calls == net.calls
        assert native.bits() == other.bits(), "fused and materialised steps differ"
        assert_all_close(native.weights, net.weights, dtype, "weight after training")
        assert_all_close(native.velocities, net.velocities, dtype, "velocity after training")
    net.weights, native.weights = start, start
    native.train(batch, 0.05)
    net.train_step(net_batch.x, net_batch.y, 0.05, sample_weight=net_batch.weight)
    assert_all_close(native.weights, net.weights, dtype, "weight after a plain step")


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_small(case: Case, dtype: str) -> None:
    compare(case, dtype, steps=3)


def big(name: str, shape, layers, **options) -> Case:
    return Case(name, shape, layers, margin=3e-6, **options)


def both_lstm(units: int, return_sequences: bool = False) -> Bidirectional:
    return Bidirectional(*[LSTM(units, return_sequences=return_sequences) for _ in range(2)])


def big_cases():
    """Extents on both sides of every vector and tile: units 1, 7, 16, 33, 65; channels 1, 3, 17, 32; batch 1, 5, 33."""
    for units, batch in ((1, 5), (7, 33), (16, 1), (33, 5), (65, 33)):
        yield big(f"dense-{units}-{batch}", (33,), [Dense(units, "relu"), Dense(65, "tanh"), Dense(units)], batch=batch)
        yield big(f"softmax-{units}-{batch}", (17,), [Dense(units, "softmax")], loss=CE, batch=batch)
        yield big(f"dense-per-step-{units}-{batch}", (5, 7), [Dense(units, "sigmoid"), Dense(3)], batch=batch)
        for make in (SimpleRNN, ForgetGateRNN, LSTM, GRU, reset_first, both_lstm):
            name = f"{make.__name__.lower()}-{units}-{batch}"
            yield big(name, (9, 7), [make(units, return_sequences=True), make(units), Dense(3)], batch=batch)
            lengths = tuple(1 + (5 * i) % 9 for i in range(batch))
            layers = [make(units, return_sequences=True), Dropout(0.3, 1), make(units, return_sequences=True)]
            yield big(f"{name}-unequal", (None, 3), layers, lengths=lengths, weighted=True)
    for channels, filters, batch in ((1, 32, 33), (3, 17, 5), (17, 3, 5), (32, 33, 1), (17, 65, 1)):
        name = f"{channels}-{filters}-{batch}"
        lenet = [
            Conv(filters, (5, 5), padding="same", activation="relu"),
            Pool("max", (2, 2)),
            Conv(7, (3, 3), (2, 2), activation="tanh"),
            Pool("average", (2, 2), (1, 1), "same"),
            Flatten(),
            Dense(10, "softmax"),
        ]
        yield big(f"conv2d-{name}", (12, 13, channels), lenet, loss=CE, batch=batch)
        line = [Conv(filters, (7,), activation="sigmoid"), Pool("max", (3,), (2,), "same"), Conv(5, (4,), (3,), "same")]
        yield big(f"conv1d-{name}", (40, channels), line, batch=batch)
        volume = [Conv(filters, (3, 3, 3), (1, 2, 2), "same", "relu"), Pool("max", (2, 2, 2)), Conv(3, (2, 2, 2))]
        yield big(f"conv3d-{name}", (5, 8, 9, channels), volume, batch=batch)
        dilated = [
            Conv(2 * filters, (3, 3), activation="tanh", dilation=(2, 3)),
            Conv(6, (3, 2), None, "same", "tanh", groups=2, dilation=(1, 2)),
            DepthwiseConv((3, 3), 2, (2, 1), "same", "tanh", dilation=(1, 2), value=0.5),
            SeparableConv(channels, (2, 3), padding="same"),
        ]
        yield big(f"dilated-{name}", (12, 13, channels), dilated, batch=batch)
        wide = [DepthwiseConv((3,), 3), Conv(2 * channels, (3,), groups=channels, value=1.0, padding="same")]
        yield big(f"depthwise1d-{name}", (20, channels), wide, batch=batch)
        depth = (channels + 1) // 2
        for how in ("max", "average", "sum"):
            sliding = [Aggregate(how, (3, 2), depth, (2, 1), "same"), Conv(filters, (3, 3), padding="same"), Dense(7)]
            yield big(f"aggregate-{how}-{name}", (9, 8, channels), sliding, batch=batch)
    for channels, filters, batch in ((16, 33, 5), (40, 64, 2), (64, 17, 1)):
        name = f"winograd-{channels}-{filters}-{batch}"
        layers = [
            Conv(channels, (1, 1), activation="relu"),
            Conv(filters, (3, 3), padding="same", activation="relu"),
            Conv(channels, (5, 5), padding="same", activation="tanh"),
            Conv(filters, (3, 3), activation="sigmoid"),
        ]
        yield big(f"{name}-2d", (17, 22, 1), layers, batch=batch)
        between = [Conv(channels, (7, 7)), Dropout(0.3, 5), Conv(filters, (3, 3), padding="same"), Pool("max", (2, 2))]
        penalties = {0: (0, 0.01)}
        yield big(f"{name}-between", (16, 15, channels), between, batch=max(batch, 2), penalties=penalties)
        layers = [Conv(channels, (1, 1)), Conv(filters, (3, 3), padding=((0, 2), (1, 0))), Conv(channels, (5, 5))]
        yield big(f"{name}-padded", (15, 10, 1), layers, batch=max(batch, 2))
        layers = [Conv(channels, (1,)), Conv(filters, (5,), activation="relu"), Conv(3, (7,)), Conv(filters, (3,))]
        yield big(f"{name}-1d", (61, 1), layers, batch=batch)
        layers = [Conv(channels, (1, 1, 1)), Conv(filters, (3, 3, 3), padding="same", activation="relu")]
        yield big(f"{name}-3d", (4, 9, 10, 1), layers, batch=batch)
    yield big("rows-of-images", (28, 28, 1), [Reshape((28, 28)), LSTM(33), Dense(10, "softmax")], loss=CE, batch=5)
    text = [Embedding(65, 17), LSTM(33, return_sequences=True), LSTM(16, return_sequences=True), Dense(65, "softmax")]
    yield big("text", (21,), text, loss=CE, batch=5)
    yield big("text-unequal", (None,), text, loss=CE, lengths=(3, 17, 1, 17, 8))
    yield big("dropout", (33, 5), [Dropout(0.5, 1), Dense(65), Dropout(0.1, 2), Activation("tanh")], batch=33)
    yield big("wide", (784,), [Dense(130, "relu"), Dense(70, "relu"), Dense(10, "softmax")], loss=CE, batch=5)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", list(big_cases()), ids=str)
def test_big(case: Case, dtype: str) -> None:
    compare(case, dtype, steps=1)  # the margin to the next kink holds for the first step only


@pytest.mark.parametrize("level", [level for level in _core.isa_levels() if level != _core.isa()])
def test_other_levels(level: str) -> None:
    """The same comparison at the instruction-set levels that this process does not use."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", "test_big", __file__]
    env = {**os.environ, "TAUTEN_ISA": level}
    result = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout
    assert " passed" in result.stdout


@pytest.mark.parametrize("kind", ["max", "average"])
def test_ties(kind: str) -> None:
    """The first of equal maxima takes the whole gradient: images of a few grey levels, overlapping windows."""
    net = ref.Network((7, 8, 3), [Pool(kind, (3, 2), (2, 1), "same"), Dense(2)])
    rng = np.random.default_rng(0)
    net.weights = [rng.normal(size=w.shape) for w in net.weights]
    batch = Batch(rng.integers(0, 2, size=(4, 7, 8, 3)).astype(float), rng.normal(size=(4, 4, 8, 2)))
    inputs = Native(net).gradients(batch)[2][0]
    assert_close(inputs, net.gradients(batch.x, batch.y).inputs, TOLERANCE["float64"])


def test_zero_weight_has_no_l1_gradient() -> None:
    net = ref.Network((2,), [Dense(2, use_bias=False)])
    net.weights, net.penalties = [np.array([[0.0, 2.0], [-3.0, 0.0]])], [(0.5, 0.25)]
    _, (gradient,), _ = Native(net).gradients(Batch(np.zeros((1, 2)), np.zeros((1, 2))))
    np.testing.assert_array_equal(gradient, [[0, 1.5], [-2, 0]])


def test_keras_layouts() -> None:
    """Names, order and shapes of the weights are Keras'; an LSTM's columns are the gates i, f, g, o."""
    net = ref.Network(
        (8, 8, 3), [Conv(5, (3, 2)), Reshape((6, -1)), LSTM(4, return_sequences=True), SimpleRNN(2), Dense(3)]
    )
    assert [(p.name, tuple(p.shape)) for p in Native(net).core.parameters] == [
        ("conv_0/kernel", (3, 2, 3, 5)),
        ("conv_0/bias", (5,)),
        ("lstm_2/kernel", (35, 16)),
        ("lstm_2/recurrent_kernel", (4, 16)),
        ("lstm_2/bias", (16,)),
        ("simplernn_3/kernel", (4, 2)),
        ("simplernn_3/recurrent_kernel", (2, 2)),
        ("simplernn_3/bias", (2,)),
        ("dense_4/kernel", (2, 3)),
        ("dense_4/bias", (3,)),
    ]
    native = Native(ref.Network((2, 1), [LSTM(1, return_sequences=True)]))
    i, f, g, o = net_gates = 0.3, 0.7, -0.5, -1.1  # biases alone; the step before reaches the next through f only
    native.weights = [np.zeros((1, 4)), np.zeros((1, 4)), np.array(net_gates)]
    sigma = lambda net: 1 / (1 + np.exp(-net))  # noqa: E731
    c1 = sigma(i) * np.tanh(g)
    c2 = sigma(i) * np.tanh(g) + sigma(f) * c1
    expected = sigma(o) * np.tanh([c1, c2])
    np.testing.assert_allclose(native.predict(np.zeros((1, 2, 1)))[0, :, 0], expected, rtol=1e-14)


def test_metrics() -> None:
    """Keras' definitions: targets of 0 and 1, outputs on both sides of the threshold and on it, equal maxima."""
    o = np.array([[0.5, 0.2, 0.6], [0.9, 0.9, 0.1], [0.3, 0.4, 0.4], [0.1, 0.1, 0.7]])
    y = np.array([[0.0, 1, 1], [1, 0, 0], [0, 0, 1], [0, 0, 1]])
    metrics = ("binary_accuracy", "categorical_accuracy", "mean_squared_error", "mean_absolute_error")
    net = ref.Network((3,), [Activation("linear")], metrics=metrics)
    found = Native(net).test(Batch(o, y)).metrics[0]
    expected = [9 / 12, 2 / 4, ((o - y) ** 2).mean(), np.abs(o - y).mean()]
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    np.testing.assert_allclose(net.gradients(o, y).metrics, expected, rtol=1e-14)
    net = ref.Network((3,), [Activation("softmax")], CE, metrics=("sparse_categorical_accuracy",))
    assert Native(net).test(Batch(o, np.array([2, 0, 2, 2]))).metrics == ((3 / 4,),)


@pytest.mark.parametrize("loss", ["categorical_crossentropy", CE, "binary_crossentropy"])
def test_probabilities_are_asked_for(loss: str) -> None:
    """A cross-entropy of probabilities needs an output that is some: a clear error otherwise."""
    with pytest.raises(ValueError, match=r"dense_0.*from_logits"):
        Native(ref.Network((3,), [Dense(3, "tanh")], loss))


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "binary_crossentropy"])
@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_extreme_nets_are_stable(loss: str, from_logits: bool, dtype: str) -> None:
    """Softmax or sigmoid fused with its loss: nets of ±500 give the exact loss and gradient, not inf, NaN or a clip."""
    activation = "softmax" if loss.startswith("cat") else "sigmoid"
    net = ref.Network((3,), [Dense(3, "linear" if from_logits else activation)], loss, from_logits)
    exact = ref.Network((3,), [Dense(3)], loss, True)
    exact.weights = net.weights = [np.eye(3), np.zeros(3)]
    batch = Batch(np.array([[500.0, -500, 0], [-500, 0, 500]]), np.array([[0.0, 1, 0], [1, 0, 0]]))
    expected = exact.gradients(batch.x, batch.y)
    result, gradients, _ = Native(net, dtype).gradients(batch)
    assert_close(result.loss, expected.loss, TOLERANCE[dtype])
    for found, wanted in zip(gradients, expected.gradients, strict=True):
        assert_close(found, wanted, TOLERANCE[dtype])


def test_order_of_samples() -> None:
    """`index` picks and orders the samples; sample weights are those of the source."""
    case = next(c for c in CASES if c.name == "unequal-lstm-sequences1-weights1")
    net, batch = case.build()
    native, index = Native(net), np.array([3, 0, 0, 2])
    picked = Batch([batch.x[i] for i in index], [batch.y[i] for i in index], batch.weight[index])
    expected = net.gradients(picked.x, picked.y, picked.weight)
    x, y, _ = native.sources(batch)
    result, gradients, (inputs,) = native.core.gradients(x, y, index, [batch.weight])
    assert_close(result.loss, expected.loss, 1e-12)
    assert_close(inputs, expected.inputs, 1e-12)
    for found, wanted in zip(gradients, expected.gradients, strict=True):
        assert_close(found, wanted, 1e-12)
    assert_close(native.core.predict(x, index)[0], net.predict(picked.x), 1e-12)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "bool", "float32"])
def test_source_dtypes(dtype: str) -> None:
    """Integer and boolean data are converted as they are gathered; labels may have any integer dtype."""
    net = ref.Network((5,), [Dense(3, "softmax")], CE)
    rng = np.random.default_rng(4)
    net.weights = [rng.normal(size=w.shape) for w in net.weights]
    x, y = rng.integers(0, 2, size=(6, 5)), rng.integers(0, 2, size=6)
    expected = net.gradients(x.astype(float), y)
    result, gradients, _ = Native(net).gradients(Batch(x.astype(dtype), y.astype(dtype)))
    assert_close(result.loss, expected.loss, 1e-12)
    assert_close(gradients[0], expected.gradients[0], 1e-12)


def test_frozen_weights() -> None:
    """No gradient is returned for a frozen weight, no penalty moves it, and the others learn as before."""
    net = ref.Network((4,), [Dense(3, "tanh"), Dense(2)])
    rng = np.random.default_rng(5)
    net.weights = [rng.normal(size=w.shape) for w in net.weights]
    net.penalties[0] = (0.1, 0.1)
    batch = Batch(rng.normal(size=(3, 4)), rng.normal(size=(3, 2)))
    expected = net.gradients(batch.x, batch.y)
    for fused in (True, False):
        native = Native(net)
        native.core.set_trainable(0, False)
        assert [p.trainable for p in native.core.parameters] == [False, True, True, True]
        result, gradients, _ = native.gradients(batch)
        assert gradients[0] is None
        assert_close(result.loss - result.penalty, expected.loss - expected.penalty, 1e-12)
        for found, wanted in zip(gradients[1:], expected.gradients[1:], strict=True):
            assert_close(found, wanted, 1e-12)
        native.train(batch, 0.1, 0.9, fused=fused)
        np.testing.assert_array_equal(native.weights[0], net.weights[0])
        assert_close(native.weights[1], net.weights[1] - 0.1 * expected.gradients[1], 1e-12)


def test_frozen_in_turn() -> None:
    """Where halos lie moves with what is frozen, though sizes stay: a layer's sums are as large as its copies."""
    layers = [
        Dense(4, "softmax"),
        DepthwiseConv((9,), padding="same"),
        Activation("softmax"),
        DepthwiseConv((9,), padding="same"),
        Flatten(),
        Dense(3),
    ]
    net, batch = Case("", (2, 3), layers).build()
    expected = net.gradients(batch.x, batch.y)
    native = Native(net)
    for frozen in ((4, 5), (2, 3), (4, 5)):
        for number in range(len(net.weights)):
            native.core.set_trainable(number, number not in frozen)
        result, gradients, (inputs,) = native.gradients(batch)
        assert_close(result.loss, expected.loss, 1e-12)
        assert_close(inputs, expected.inputs, 1e-12)
        for number, wanted in enumerate(expected.gradients):
            if number not in frozen:
                assert_close(gradients[number], wanted, 1e-12, native.core.parameters[number].name)
