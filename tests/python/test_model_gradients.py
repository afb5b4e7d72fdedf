"""Model.gradients(): beside differences, and what it does not change."""

import numpy as np
import pytest

import tauten
from refusals import check
from tauten import layers


@pytest.fixture(autouse=True)
def double():
    before = tauten.config.floatx()
    tauten.config.set_floatx("float64")
    tauten.utils.set_random_seed(1)
    yield
    tauten.config.set_floatx(before)


RANDOM = np.random.default_rng(2)


def checked(model, x, y, move, weight=None):
    """Gradients that agree with differences: to the weights at random places, and to x, whose arrays move() gives."""
    before = model.get_weights()
    found = model.gradients(x, y, weight)
    assert found.loss == pytest.approx(model.test_on_batch(x, y, weight))
    assert found.weights.keys() == {name for name, v in model._graph_now().named().items() if v.trainable}

    def slope(array, index, assign):
        value, losses = array[index], []
        for step in (1e-5, -1e-5):
            array[index] = value + step
            assign()
            losses.append(model.gradients(x, y, weight).loss)
        array[index] = value
        assign()
        return (losses[0] - losses[1]) / 2e-5

    for name, gradient in found.weights.items():
        variable = model._graph_now().named()[name]
        array = variable.numpy()
        assert gradient.shape == array.shape
        index = tuple(RANDOM.integers(0, array.shape))
        expected = slope(array, index, lambda v=variable, a=array: v.assign(a))
        assert gradient[index] == pytest.approx(expected, abs=1e-7)
    for array, gradient in zip(*move(x, found.inputs), strict=True):
        assert gradient.shape == array.shape
        for _ in range(3):
            index = tuple(RANDOM.integers(0, array.shape))
            assert gradient[index] == pytest.approx(slope(array, index, lambda: None), abs=1e-7)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    return found


def test_of_a_shared_layer_in_a_graph_of_two_inputs():
    a, b = tauten.Input((4,), name="a"), tauten.Input((4,), name="b")
    shared = layers.Dense(3, activation="tanh", kernel_regularizer="l2", name="shared")
    frozen = layers.Dense(2, name="frozen", trainable=False)
    model = tauten.Model({"a": a, "b": b}, frozen(layers.Add()([shared(a), shared(b)])))
    model.compile("sgd", "mse")
    x = {"a": RANDOM.normal(size=(5, 4)), "b": RANDOM.normal(size=(5, 4))}
    found = checked(model, x, RANDOM.normal(size=(5, 2)), lambda x, g: (x.values(), [g[name] for name in x]))
    assert set(found.weights) == {"shared/kernel", "shared/bias"}


def test_of_sequences_of_unequal_length():
    model = tauten.Sequential([tauten.Input((None, 3)), layers.GRU(4, return_sequences=True), layers.Dense(2)])
    model.compile("sgd", lambda y, p: (np.abs(p - y).sum(-1), np.sign(p - y)))
    x, y = ([RANDOM.normal(size=(n, d)) for n in (2, 4, 1)] for d in (3, 2))
    checked(model, x, y, lambda x, g: (x, g), np.array([1.0, 0.5, 2.0]))


def test_of_masked_steps_is_zero():
    model = tauten.Sequential([tauten.Input((None, 3)), layers.Masking(), layers.LSTM(4), layers.Dense(2)])
    model.compile("sgd", "mse")
    x, y = RANDOM.normal(size=(3, 4, 3)), RANDOM.normal(size=(3, 2))
    x[0, 2:] = x[1, 0] = 0
    found = model.gradients(x, y)
    assert found.inputs.shape == x.shape
    assert not found.inputs[0, 2:].any()
    assert not found.inputs[1, 0].any()
    # the same as of the sample without the masked step
    alone = model.gradients([x[1, 1:]], y[1:2])
    np.testing.assert_allclose(found.inputs[1, 1:] * 3, alone.inputs[0], atol=1e-14)


def test_integers_have_none_and_states_are_read():
    model = tauten.Sequential([layers.Embedding(7, 3), layers.SimpleRNN(4, stateful=True), layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = RANDOM.integers(0, 7, (3, 5)), RANDOM.normal(size=(3, 1))
    first = model.gradients(x, y)
    assert first.inputs is None
    assert "embedding" in next(iter(first.weights))
    model.predict(x)
    states = model.layers[1].states
    second = model.gradients(x, y)
    assert second.loss != first.loss
    np.testing.assert_array_equal(model.layers[1].states[0], states[0])
    model.reset_states()
    assert model.gradients(x, y).loss == first.loss


def test_training_is_what_the_next_step_does():
    def made():
        tauten.utils.set_random_seed(4)
        model = tauten.Sequential(
            [tauten.Input((6,)), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(2)]
        )
        model.compile(tauten.optimizers.SGD(1.0), "mse")
        return model

    x, y = RANDOM.normal(size=(8, 6)), RANDOM.normal(size=(8, 2))
    model, twin = made(), made()
    found = model.gradients(x, y, training=True)
    assert found.loss != model.gradients(x, y).loss
    before = model.get_weights()
    assert model.train_on_batch(x, y) == found.loss == twin.train_on_batch(x, y)
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    kernel = before[4] - found.weights[next(name for name in found.weights if name.endswith("kernel"))]
    np.testing.assert_allclose(model.get_weights()[4], kernel, atol=1e-15)


def test_refused():
    model = tauten.Sequential([tauten.Input((2,)), layers.Dense(1)])
    check(lambda: model.gradients(np.ones((2, 2)), np.ones(2)), RuntimeError, ["compile()", "gradients"])
    model.compile("sgd", "mse")
    check(lambda: model.gradients(np.ones((2, 3)), np.ones(2)), ValueError, ["x"])
    check(lambda: model.gradients(np.ones((2, 2)), np.ones(2), training="no"), TypeError, ["training"])
    model.weights[0].assign(np.full((2, 1), 1e200))
    check(lambda: model.gradients(np.full((2, 2), 1e200), np.ones(2)), FloatingPointError, ["gradients", "not finite"])
