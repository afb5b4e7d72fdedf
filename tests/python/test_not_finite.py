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
