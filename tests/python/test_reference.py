"""The reference itself: forward against values worked out by hand or by SciPy, backward against derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import reference as ref
from cases import CASES
from examples import Case
from numerics import STEP, assert_close, assert_gradient
from reference import training

RNG = np.random.default_rng(26)


def run(layer: ref.Layer, x, weights=(), training=False) -> np.ndarray:
    """A layer on one sample."""
    x = np.asarray(x)
    layer.build(x.shape)
    layer.weights = [np.asarray(w, dtype=float) for w in weights]
    return layer.forward(x[None], ref.Step(training, 0, np.array([0])))[0]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_backward(case: Case) -> None:
    """Derivative of the loss along random directions in every weight and in the inputs."""
    net, batch = case.build()
    found = net.gradients(batch.x, batch.y, batch.weight)
    rng = np.random.default_rng(1)

    def loss() -> float:
        return net.gradients(batch.x, batch.y, batch.weight).loss

    def along(arrays: list[np.ndarray], directions: list[np.ndarray]) -> float:
        old, values = [a.copy() for a in arrays], []
        for h in (STEP, -STEP, 2 * STEP, -2 * STEP):
            for a, o, d in zip(arrays, old, directions, strict=True):
                a[...] = o + h * d
            values.append(loss())
        for a, o in zip(arrays, old, strict=True):
            a[...] = o
        return (8 * (values[0] - values[1]) - (values[2] - values[3])) / (12 * STEP)

    def check(arrays: list[np.ndarray], gradient: np.ndarray, what: str) -> None:
        for _ in range(3):
            directions = [rng.uniform(-1, 1, size=a.shape) / np.sqrt(a.size) for a in arrays]
            joined = np.concatenate([d.reshape(-1) for d in directions])
            analytic = np.array(gradient.reshape(-1) @ joined)
            assert_gradient(analytic, np.array(along(arrays, directions)), what)

    for number, (w, g) in enumerate(zip(net.weights, found.gradients, strict=True)):
        check([w], g, f"weight {number}")
    if not isinstance(net.layers[0], ref.Embedding):
        check(batch.x if isinstance(batch.x, list) else [batch.x], found.inputs, "inputs")


def test_convolution_by_hand() -> None:
    """26.3.1: the window slides without being turned round; n - k + 1 values."""
    y = run(ref.Conv(1, (3,)), np.array([[1.0], [3], [-1], [2], [3], [1], [-2]]), [[[[1]], [[0]], [[2]]], [0.5]])
    np.testing.assert_array_equal(y[:, 0], [-0.5, 7.5, 5.5, 4.5, -0.5])


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("mode", ["valid", "same"])
def test_convolution_against_scipy(rank: int, mode: str) -> None:
    signal = pytest.importorskip("scipy.signal")
    x, w = RNG.normal(size=(*(7, 6, 5)[:rank], 3)), RNG.normal(size=(*(3, 3, 5)[:rank], 3, 2))
    y = run(ref.Conv(2, w.shape[:rank], padding=mode, use_bias=False), x, [w])
    for q in range(2):
        expected = sum(signal.correlate(x[..., c], w[..., c, q], mode=mode) for c in range(3))
        assert_close(y[..., q], expected, 1e-14)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("mode", ["valid", "same"])
def test_dilated_convolution_against_scipy(rank: int, mode: str) -> None:
    """A dilated filter is one with zeros between its weights."""
    signal = pytest.importorskip("scipy.signal")
    dilation = (2, 3, 2)[:rank]
    x, w = RNG.normal(size=(*(7, 9, 6)[:rank], 4)), RNG.normal(size=(*(3, 3, 3)[:rank], 2, 6))
    wide = np.zeros((*ref.convolution.spans(w.shape[:rank], dilation), 2, 6))
    wide[tuple(slice(None, None, d) for d in dilation)] = w
    y = run(ref.Conv(6, w.shape[:rank], None, mode, use_bias=False, dilation=dilation, groups=2), x, [w])
    for q in range(6):
        own = range(q // 3 * 2, q // 3 * 2 + 2)  # the channels of its group
        assert_close(y[..., q], sum(signal.correlate(x[..., c], wide[..., c % 2, q], mode=mode) for c in own), 1e-14)
    kernel = RNG.normal(size=(*w.shape[:rank], 4, 2))
    y = run(ref.DepthwiseConv(kernel.shape[:rank], 2, padding=mode, use_bias=False), x, [kernel])
    for c, j in np.ndindex(4, 2):
        assert_close(y[..., 2 * c + j], signal.correlate(x[..., c], kernel[..., c, j], mode=mode), 1e-14)


def test_convolution_options_by_hand() -> None:
    """y_i = w_1 x_i + w_2 x_{i+2}, 4 around the input; two channels by themselves; two filters a channel."""
    x, w = np.array([[1.0], [2], [3]]), np.array([1.0, 10])
    y = run(ref.Conv(1, (2,), padding=((1, 2),), use_bias=False, dilation=(2,), value=4.0), x, [w[:, None, None]])
    np.testing.assert_array_equal(y[:, 0], [24, 31, 42, 43])
    x = np.array([[1.0, 2], [3, 4]])
    y = run(ref.Conv(2, (2,), use_bias=False, groups=2), x, [[[[1, 1]], [[10, 100]]]])
    np.testing.assert_array_equal(y, [[31, 402]])
    y = run(ref.DepthwiseConv((2,), 2, use_bias=False), x, [[[[1, 2], [3, 4]], [[10, 20], [30, 40]]]])
    np.testing.assert_array_equal(y, [[31, 62, 126, 168]])
    y = run(ref.SeparableConv(1, (2,), 2), x, [[[[1, 2], [3, 4]], [[10, 20], [30, 40]]], [[[1], [2], [3], [4]]], [0.5]])
    np.testing.assert_array_equal(y, [[31 + 124 + 378 + 672 + 0.5]])


@pytest.mark.parametrize(
    ("n", "k", "s", "padding", "expected"),
    [
        (7, 3, 1, "valid", 5),  # n - k + 1
        (7, 3, 1, ((1, 1),), 7),  # n + 2p - k + 1 = n for p = (k - 1) / 2
        (8, 3, 2, "valid", 3),  # floor((n - k) / s) + 1
        (7, 3, 2, "same", 4),  # ceil(n / s)
        (2, 5, 3, "same", 1),
        (6, 3, 4, ((2, 1),), 2),
    ],
)
def test_output_size(n: int, k: int, s: int, padding, expected: int) -> None:
    """26.3.3."""
    assert ref.Conv(1, (k,), (s,), padding).build((n, 1)) == (expected, 1)


def test_strided_same_padding_is_asymmetric() -> None:
    """Of an odd number of padded positions the greater half goes behind, as in Keras."""
    y = run(ref.Conv(1, (3,), (2,), "same", use_bias=False), np.arange(1.0, 5)[:, None], [[[[1]], [[10]], [[100]]]])
    np.testing.assert_array_equal(y[:, 0], [321, 43])


def test_pooling_by_hand() -> None:
    x = np.array([[1, 3, 2], [4, 0, 4], [2, 4, 1.0]])[..., None]
    np.testing.assert_array_equal(run(ref.Pool("max", (2, 2), (1, 1)), x)[..., 0], [[4, 4], [4, 4]])
    np.testing.assert_array_equal(run(ref.Pool("max", (2, 2), padding="same"), -x)[..., 0], [[0, -2], [-2, -1]])
    np.testing.assert_array_equal(run(ref.Pool("average", (2, 2), padding="same"), x)[..., 0], [[2, 3], [3, 1]])


def test_first_maximum_takes_the_gradient() -> None:
    pool = ref.Pool("max", (2, 2), (1, 1))
    run(pool, np.array([[1, 3, 2], [4, 0, 4], [2, 4, 1.0]])[..., None])
    grad = pool.backward(np.array([[1, 10], [100, 1000.0]])[None, ..., None])
    np.testing.assert_array_equal(grad[0, ..., 0], [[0, 0, 0], [101, 0, 1010], [0, 0, 0]])


def test_simple_rnn_by_hand() -> None:
    """26.1: two steps of one unit."""
    y = run(ref.SimpleRNN(1, return_sequences=True), [[1.0], [2.0]], [[[0.5]], [[-0.3]], [0.1]])
    h1 = np.tanh(0.5 * 1 + 0.1)
    np.testing.assert_allclose(y[:, 0], [h1, np.tanh(0.5 * 2 - 0.3 * h1 + 0.1)], rtol=1e-15)


def test_lstm_by_hand() -> None:
    """26.2.2: one unit, every gate with weights of its own, in Keras' order i, f, g, o."""

    def sigma(net: float) -> float:
        return 1 / (1 + np.exp(-net))

    kernel, recurrent, bias = [[0.5, -0.4, 0.3, 0.7]], [[0.2, 0.6, -0.5, -0.1]], [0.1, 1.0, -0.2, 0.3]
    h = c = 0.0
    for x in (1.0, -2.0):
        i, f, o = (sigma(kernel[0][gate] * x + recurrent[0][gate] * h + bias[gate]) for gate in (0, 1, 3))
        g = np.tanh(kernel[0][2] * x + recurrent[0][2] * h + bias[2])
        c = i * g + f * c
        h = o * np.tanh(c)
    y = run(ref.LSTM(1), [[1.0], [-2.0]], [kernel, recurrent, bias])
    np.testing.assert_allclose(y, [h], rtol=1e-14)


def test_forget_gate_extremes() -> None:
    """26.2.1: φ = 1 keeps the state, φ = 0 replaces it as a plain RNN does."""
    x, w = RNG.normal(size=(5, 2)), RNG.normal(size=(2, 6))
    for push, expected in ((50, np.zeros(3)), (-50, None)):
        bias = np.concatenate([np.full(3, push), np.zeros(3)])
        y = run(ref.ForgetGateRNN(3), x, [w, np.ones((3, 6)), bias])
        if expected is None:
            expected = run(ref.SimpleRNN(3), x, [w[:, 3:], np.ones((3, 3)), np.zeros(3)])
        np.testing.assert_allclose(y, expected, atol=1e-15)


def test_bidirectional_reads_both_ways() -> None:
    """26.1.4: b_t of a sequence is h_t of the sequence turned round."""
    x, w = RNG.normal(size=(4, 2)), [RNG.normal(size=s) for s in ((2, 3), (3, 3), (3,))]
    both = ref.Bidirectional(ref.SimpleRNN(3, return_sequences=True), ref.SimpleRNN(3, return_sequences=True))
    y = run(both, x, w + w)
    np.testing.assert_array_equal(y[:, 3:], run(ref.SimpleRNN(3, return_sequences=True), x[::-1], w)[::-1])


def test_losses_by_hand() -> None:
    """Keras' values; sparse and one-hot targets, probabilities and logits agree."""
    o, y = np.array([[0.2, 0.3, 0.5]]), np.array([[0.0, 0, 1]])
    losses = ref.losses.LOSSES
    assert losses["mean_squared_error"](o, y)[0] == pytest.approx((0.04 + 0.09 + 0.25) / 3, rel=1e-15)
    ce = losses["categorical_crossentropy"]
    assert ce(o, y)[0] == pytest.approx(np.log(2), rel=1e-15)
    assert ce(np.log(o) + 5, y, True)[0] == pytest.approx(np.log(2), rel=1e-14)
    assert losses["sparse_categorical_crossentropy"](o, np.array([2]))[0] == pytest.approx(np.log(2), rel=1e-15)
    bce = losses["binary_crossentropy"]
    expected = -(np.log(0.8) + np.log(0.7) + np.log(0.5)) / 3
    assert bce(o, y)[0] == pytest.approx(expected, rel=1e-15)
    assert bce(np.log(o / (1 - o)), y, True)[0] == pytest.approx(expected, rel=1e-14)


def test_unequal_lengths_equal_separate_samples() -> None:
    """Σ over the valid steps / their number, whatever the neighbours' lengths."""
    case = next(c for c in CASES if c.name == "unequal-lstm-sequences1-weights1")
    net, batch = case.build()
    found = net.gradients(batch.x, batch.y, batch.weight)
    total = 0.0
    for x, y, w in zip(batch.x, batch.y, batch.weight, strict=True):
        total += w * ((net.predict(x[None])[0] - y) ** 2).mean(axis=-1).sum()
    assert found.rows == sum(case.lengths)
    assert found.loss == pytest.approx(total / sum(case.lengths), rel=1e-14)


# Random123's kat_vectors for philox4x32-10
@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_philox_known_answers(counter, key, words: str) -> None:
    assert " ".join(f"{word:08x}" for word in ref.philox4x32(tuple(counter), tuple(key))) == words


def test_dropout() -> None:
    """26.4.2: values are dropped or scaled by 1/r, so that the mean stays; nothing happens outside training."""
    layer, x = ref.Dropout(0.25, 3), np.ones(8000)
    y = run(layer, x, training=True)
    assert set(np.unique(y)) == {0, 1 / 0.75}
    assert abs((y == 0).mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 8000)
    np.testing.assert_array_equal(run(layer, x), x)


def test_dropout_layers_draw_masks_of_their_own() -> None:
    """Equal seeds, but the layer's number is part of the counter; so is the step's, and the sample's position."""
    net, x = ref.Network((64,), [ref.Dropout(0.5, 3), ref.Dropout(0.5, 3)]), np.ones((2, 64))
    first, again = net.predict(x, training=True), net.predict(x, training=True)
    np.testing.assert_array_equal(first, again)
    kept_by_one = net.layers[0].scale > 0
    assert (kept_by_one != (net.layers[1].scale > 0)).any()
    assert (kept_by_one[0] != kept_by_one[1]).any()
    net.calls = 1
    assert (net.predict(x, training=True) != first).any()


def test_penalty() -> None:
    value, gradient = training.penalty(np.array([1.0, 0.0, -2.0]), 0.5, 0.1)
    assert value == pytest.approx(0.5 * 3 + 0.1 * 5)
    np.testing.assert_allclose(gradient, [0.7, 0, -0.9])


def test_weight_decay() -> None:
    """26.4.1: with the chapter's α/2·|W|² (l2 = α/2) the step is (1 - ηα)·W - η·∇E."""
    w, error, alpha, eta = RNG.normal(size=5), RNG.normal(size=5), 0.1, 0.3
    _, added = training.penalty(w, 0.0, alpha / 2)
    stepped, _ = training.sgd(w, error + added, np.zeros(5), eta)
    np.testing.assert_allclose(stepped, (1 - eta * alpha) * w - eta * error, rtol=1e-14)


def test_sgd_momentum() -> None:
    """Two steps with constant gradient 1, η = 0.1, μ = 0.9, from w = 0."""
    expected = {False: (-0.1, -0.29), True: (-0.19, -0.461)}
    for nesterov, (first, second) in expected.items():
        w, v = training.sgd(0.0, 1.0, 0.0, 0.1, 0.9, nesterov)
        assert w == pytest.approx(first)
        w, v = training.sgd(w, 1.0, v, 0.1, 0.9, nesterov)
        assert w == pytest.approx(second)
