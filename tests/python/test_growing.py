"""Models that grow while they live: what stays when a layer is added, refused or taken away."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tauten
from tauten import layers

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(16, 4)), RNG.normal(size=(16, 2))


def model():
    return tauten.Sequential([tauten.Input((4,)), layers.Dense(3, "tanh"), layers.Dense(2)])


def never_built(made):
    pass


def weights_taken(made):
    made.get_weights()


def trained(made):
    made.compile(tauten.optimizers.SGD(0.1, 0.9), "mse")
    made.fit(X, Y, epochs=2, verbose=0)


def trained_and_grown(made):
    made.pop()
    trained(made) if made.output_shape == (None, 2) else made.get_weights()
    made.add(layers.Dense(2))


def refuse(made):
    for layer in (layers.Conv2D(3, 3), layers.Dense(2, name=made.layers[0].name), layers.Conv1D(2, 9)):
        with pytest.raises(ValueError):
            made.add(layer)
        assert not layer.built
        assert layer.weights == []


@pytest.mark.parametrize("history", [never_built, weights_taken, trained, trained_and_grown])
def test_a_refused_layer_leaves_the_model_alive(history, tmp_path):
    made = model()
    history(made)
    refuse(made)
    made.compile("sgd", "mse")
    before = made.get_weights()
    made.fit(X, Y, verbose=0)
    after = made.get_weights()
    assert all((a != b).any() for a, b in zip(before, after, strict=True))
    made.save(tmp_path / "m.safetensors")
    twin = tauten.models.load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(twin.predict(X, verbose=0), made.predict(X, verbose=0))
    made.layers[0].trainable = False
    made.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(made.get_weights()[0], after[0])
    assert (made.get_weights()[2] != after[2]).any()
    made.set_weights([np.zeros_like(w) for w in after])
    assert not made.predict(X, verbose=0).any()


def test_fit_add_refused_add_compile():
    made = model()
    trained(made)
    first = made.get_weights()
    made.add(layers.Dense(2, trainable=False))
    refuse(made)
    for a, b in zip(first, made.get_weights(), strict=False):
        np.testing.assert_array_equal(a, b)
    made.compile("sgd", "mse")
    last = made.get_weights()[4:]
    made.fit(X, Y, verbose=0)
    assert (made.get_weights()[0] != first[0]).any()
    for a, b in zip(last, made.get_weights()[4:], strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_refused_layer_changes_no_training():
    plain, refused = model(), model()
    refused.set_weights(plain.get_weights())
    for made in (plain, refused):
        trained_on(made)
    refuse(refused)
    for made in (plain, refused):
        made.fit(X, Y, shuffle=False, verbose=0)
    for a, b in zip(plain.get_weights(), refused.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def trained_on(made):
    made.compile(tauten.optimizers.SGD(0.1, 0.9), "mse")
    made.fit(X, Y, shuffle=False, verbose=0)


def test_calls_and_momentum_survive_add_and_pop():
    made = model()
    trained(made)
    velocity = made.weights[0].slots[0]
    assert velocity.any()
    assert made._network().calls == made._network().steps == 2
    made.add(layers.Dropout(0.5))
    assert made._network().calls == made._network().steps == 2
    np.testing.assert_array_equal(made.weights[0].slots[0], velocity)
    made.pop()
    assert made._network().calls == made._network().steps == 2
    np.testing.assert_array_equal(made.weights[0].slots[0], velocity)


def test_a_refused_initial_value_leaves_the_other_weights():
    made = model()
    trained(made)
    before = made.get_weights()
    made.add(layers.Dense(2, bias_initializer=tauten.initializers.Constant(1e300), name="vast"))
    for _ in range(2):
        with pytest.raises(ValueError, match="vast/bias"):
            made.get_weights()
    made.pop()
    made.fit(X, Y, verbose=0)
    assert all((a != b).any() for a, b in zip(before, made.get_weights(), strict=True))


def test_no_momentum_no_velocities():
    made = model()
    for _ in range(2):
        made.compile("sgd", "mse")
        made.fit(X, Y, verbose=0)
    made.add(layers.Dense(2))
    made.fit(X, Y, verbose=0)
    assert all(weight.slots == {} for weight in made.weights)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_copies_and_pickles_are_refused(copied):
    with pytest.raises(TypeError, match=r"save\(\) and tauten.models.load_model"):
        copied(model())
