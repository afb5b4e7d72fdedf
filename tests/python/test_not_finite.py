"""Gradients that are not finite: no weight changes, unless the check is off."""

from __future__ import annotations

import numpy as np
import pytest

import tauten
from tauten import layers


def overflowing():
    """A finite loss whose gradient is not: x * delta is beyond float32."""
    model = tauten.Sequential([tauten.Input((1,)), layers.Dense(2, kernel_initializer="zeros", name="out")])
    model.compile(tauten.optimizers.SGD(0.1, momentum=0.9), "mean_squared_error")
    return model, np.full((4, 1), 3e38, np.float32), np.full((4, 2), 30.0, np.float32)


def test_infinite_gradients_change_nothing():
    model, x, y = overflowing()
    assert tauten.config.check_gradients()
    with pytest.raises(FloatingPointError, match="gradient of out/kernel is not finite"):
        model.train_on_batch(x, y)
    assert all((weight == 0).all() for weight in model.get_weights())
    assert np.isfinite(model.train_on_batch(np.ones_like(x), y))  # velocities are whole, too


def test_an_infinite_penalty_changes_nothing():
    model = tauten.Sequential(
        [tauten.Input((1,)), layers.Dense(2, kernel_regularizer=tauten.regularizers.L2(1e300), name="out")]
    )
    model.compile("sgd", "mean_squared_error")
    model.set_weights([np.full((1, 2), 1e20, np.float32), np.ones(2, np.float32)])
    before = model.get_weights()
    with pytest.raises(FloatingPointError, match="weights' penalty is not finite"):
        model.train_on_batch(np.zeros((4, 1)), np.zeros((4, 2)))
    assert all(map(np.array_equal, before, model.get_weights()))


def test_gradients_go_unchecked_on_demand():
    model, x, y = overflowing()
    tauten.config.set_check_gradients(False)
    try:
        model.train_on_batch(x, y)
    finally:
        tauten.config.set_check_gradients(True)
    assert not np.isfinite(model.get_weights()[0]).any()
    with pytest.raises(TypeError, match="True or False"):
        tauten.config.set_check_gradients(1)


def test_the_check_changes_no_bit():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 4)).astype(np.float32), rng.integers(0, 3, 50)

    def trained(check):
        tauten.utils.set_random_seed(3)
        tauten.config.set_check_gradients(check)
        try:
            model = tauten.Sequential([tauten.Input((4,)), layers.Dense(8, "tanh"), layers.Dense(3, "softmax")])
            model.compile(tauten.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy")
            model.fit(x, y, epochs=2, verbose=0)
        finally:
            tauten.config.set_check_gradients(True)
        return [weight.tobytes() for weight in model.get_weights()]

    assert trained(True) == trained(False)


def recurrent():
    """Three recurrent layers over 300 steps; the weights of the one in the middle may be set so that it grows."""
    tauten.utils.set_random_seed(1)
    model = tauten.Sequential(
        [
            tauten.Input((300, 4)),
            layers.LSTM(8, return_sequences=True, name="below"),
            layers.SimpleRNN(8, activation="relu", return_sequences=True, name="middle"),
            layers.LSTM(8, name="above"),
            layers.BatchNormalization(name="normal"),
            layers.Dense(3, "softmax", name="out"),
        ]
    )
    model.compile(tauten.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy")
    return model, np.random.default_rng(0).random((6, 300, 4), np.float32), np.arange(6) % 3


@pytest.mark.parametrize("method", ["train_on_batch", "fit"])
def test_the_first_layer_whose_output_is_not_finite_is_named(method):
    model, x, y = recurrent()
    model.train_on_batch(x, y)
    good = model.get_weights()
    bad = list(good)
    bad[[weight.path for weight in model.weights].index("middle/recurrent_kernel")] = 3 * np.eye(8)
    model.set_weights(bad)
    with pytest.raises(FloatingPointError, match=r"not finite.*layer 'middle' is the first whose output is not finite"):
        getattr(model, method)(x, y)
    for now, before in zip(model.get_weights(), bad, strict=True):  # batch statistics, too
        np.testing.assert_array_equal(now, before.astype(np.float32))
    assert not np.isfinite(model.evaluate(x, y, verbose=0))  # as in Keras, no error
    model.set_weights(good)
    other, _, _ = recurrent()
    other.train_on_batch(x, y)
    assert model.train_on_batch(x, y) == other.train_on_batch(x, y)  # momentum went on from the last good step
    assert [w.tobytes() for w in model.get_weights()] == [w.tobytes() for w in other.get_weights()]


def test_the_layer_is_named_in_a_graph_of_convolutions():
    """Where values lie in grids with halos, several layers share memory, and activations are fused."""
    net = [
        layers.Conv2D(4, 3, padding="same", name="one"),
        layers.Activation("relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(4, 3, padding="same", name="two"),
        layers.Flatten(),
        layers.Dense(3, name="three"),
    ]
    model = tauten.Sequential([tauten.Input((8, 8, 1)), *net])
    model.compile("sgd", "mse")
    x, y = np.ones((5, 8, 8, 1), np.float32), np.zeros((5, 3), np.float32)
    good = model.get_weights()
    for number, name in ((0, "one"), (2, "two"), (4, "three")):
        bad = list(good)
        bad[number] = np.full_like(good[number], 3e38)
        model.set_weights(bad)
        with pytest.raises(FloatingPointError, match=f"layer '{name}' is the first whose output is not finite"):
            model.train_on_batch(x, y)
    model.set_weights(good)
    with pytest.raises(FloatingPointError, match="loss is not finite: the outputs of all layers are finite"):
        model.train_on_batch(x, y + np.float32(1e30))
    assert np.isfinite(model.train_on_batch(x, y))


def test_the_first_layer_whose_gradient_is_not_finite_is_named():
    """The output layer sends down 1e15 · δ, which the layer below multiplies by 1e30."""
    dense = [layers.Dense(2, use_bias=False, name=name) for name in ("one", "two", "three")]
    model = tauten.Sequential([tauten.Input((2,)), *dense])
    model.compile("sgd", "mse")
    weights = [np.full((2, 2), value, np.float32) for value in (1e-30, 1e30, 1e15)]
    model.set_weights(weights)
    x, y = np.full((4, 2), 1e-15, np.float32), np.full((4, 2), -1e4, np.float32)
    with pytest.raises(FloatingPointError, match=r"gradient of one/kernel .*layer 'two' is the first to send down"):
        model.train_on_batch(x, y)
    for now, before in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(now, before)


def test_weights_that_are_not_finite_are_named():
    model, x, y = overflowing()
    tauten.config.set_check_gradients(False)
    try:
        model.train_on_batch(x, y)
    finally:
        tauten.config.set_check_gradients(True)
    with pytest.raises(FloatingPointError, match="layer 'out' is the first whose output is not finite: its out/kernel"):
        model.train_on_batch(np.ones_like(x), y)
