"""The layers that merge: values, gradients against numerical ones, Keras' arguments and errors, saving."""

from __future__ import annotations

import numpy as np
import pytest

import tauten
from numerics import assert_gradient, numerical_gradient
from reference.graph import Concatenate, Merge
from refusals import check, refused
from tauten import layers
from test_layer_contract import MERGING

FUNCTIONS = {
    layers.Add: layers.add,
    layers.Subtract: layers.subtract,
    layers.Multiply: layers.multiply,
    layers.Average: layers.average,
    layers.Maximum: layers.maximum,
    layers.Minimum: layers.minimum,
}
SHAPES = {
    "vectors": [(5,), (5,), (5,)],
    "images": [(4, 3, 5), (4, 3, 5), (4, 3, 5)],
    "spread": [(4, 3, 5), (1, 1, 5), (4, 3, 1)],
    "fewer axes": [(4, 3, 5), (5,), (3, 5)],
}


@pytest.fixture(autouse=True)
def float64():
    before = tauten.config.floatx()
    tauten.config.set_floatx("float64")
    yield
    tauten.config.set_floatx(before)


def draw(shapes, samples=3):
    rng = np.random.default_rng(1)
    return [rng.uniform(-1, 1, (samples, *shape)) for shape in shapes]


def test_every_merging_layer_is_here():
    assert set(FUNCTIONS) | {layers.Concatenate} == MERGING


@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("cls", FUNCTIONS, ids=lambda cls: cls.__name__)
def test_values_and_gradients(cls, shapes):
    shapes = shapes[: 2 if cls is layers.Subtract else 3]
    xs, twin = draw(shapes), Merge(cls.__name__.lower())
    inputs = [tauten.Input(shape) for shape in shapes]
    written = FUNCTIONS[cls](inputs, name="merge")
    model = tauten.Model(inputs, written)
    assert type(model.layers[-1]) is cls
    assert model.layers[-1].name == "merge"
    expected = twin.forward(xs)
    assert written.shape == (None, *expected.shape[1:])
    np.testing.assert_allclose(model.predict(xs, verbose=0), expected, rtol=1e-15)
    model.compile("sgd", "mse")
    target = np.zeros_like(expected)

    def loss():
        return model.test_on_batch(xs, target)

    feed = model._feed(xs, target, None)
    _, _, gradients = model._network().gradients(feed.x.sources, feed.y, np.arange(3), None)
    for x, gradient in zip(xs, gradients, strict=True):
        assert_gradient(gradient, numerical_gradient(loss, x), cls.__name__)


@pytest.mark.parametrize(("axis", "extents"), [(-1, 3), (3, 3), (1, 1), (2, 2), (-3, 1)])
def test_concatenate(axis, extents):
    shapes = [[4, 3, 5], [4, 3, 5], [4, 3, 5]]
    for more, shape in enumerate(shapes):
        shape[extents - 1] += more
    xs, inputs = draw(shapes), [tauten.Input(shape) for shape in shapes]
    model = tauten.Model(inputs, layers.concatenate(inputs, axis=axis))
    np.testing.assert_array_equal(model.predict(xs, verbose=0), Concatenate(axis).forward(xs))
    twin = tauten.Model.from_config(model.get_config())
    assert twin.layers[-1].axis == axis
    np.testing.assert_array_equal(twin.predict(xs, verbose=0), model.predict(xs, verbose=0))


def test_operators_of_tensors():
    a, b = tauten.Input((3,)), tauten.Input((3,))
    model = tauten.Model([a, b], (a + b) * a - b)
    assert [type(layer).__name__ for layer in model.layers[2:]] == ["Add", "Multiply", "Subtract"]
    x, y = draw([(3,), (3,)])
    np.testing.assert_allclose(model.predict([x, y], verbose=0), (x + y) * x - y, rtol=1e-15)


def test_the_first_of_equals_gets_the_gradient():
    for cls in (layers.Maximum, layers.Minimum):
        inputs = [tauten.Input((2,)), tauten.Input((2,))]
        model = tauten.Model(inputs, cls()(inputs))
        model.compile("sgd", "mse")
        xs = [np.ones((1, 2)), np.ones((1, 2))]
        feed = model._feed(xs, np.zeros((1, 2)), None)
        _, _, (first, second) = model._network().gradients(feed.x.sources, feed.y, np.arange(1), None)
        assert first.tolist() == [[1.0, 1.0]]
        assert second.tolist() == [[0.0, 0.0]]


def test_one_tensor_stays_as_it_is():
    for cls in (layers.Add, layers.Multiply, layers.Concatenate):
        x = tauten.Input((3,))
        model = tauten.Model(x, layers.Dense(2)(cls()([x])))
        plain = tauten.Sequential([tauten.Input((3,)), layers.Dense(2)])
        plain.set_weights(model.get_weights())
        data = draw([(3,)])[0]
        np.testing.assert_array_equal(model.predict(data, verbose=0), plain.predict(data, verbose=0))


def a(*shape):
    return tauten.Input(shape, name="a")


def b(*shape):
    return tauten.Input(shape, name="b")


BAD = [
    ("no list", lambda: layers.Add(name="sum")(a(3)), ValueError, ["'sum' (Add)", "list of tensors", "single tensor"]),
    ("a dict", lambda: layers.Add(name="sum")({"a": a(3)}), ValueError, ["'sum'", "list of tensors", "dict"]),
    ("nothing", lambda: layers.Add(name="sum")([]), ValueError, ["'sum'", "at least one"]),
    ("arrays", lambda: layers.Add(name="sum")([np.ones(3)]), TypeError, ["'sum'", "symbolic", "ndarray"]),
    ("shapes", lambda: layers.Add(name="sum")([a(3), b(4)]), ValueError, ["sum", "(3,)", "(4,)"]),
    ("steps and not", lambda: layers.Add(name="sum")([a(None, 3), b(4, 4, 3)]), ValueError, ["sum", "known steps"]),
    ("three to subtract", lambda: layers.Subtract(name="less")([a(3)] * 3), ValueError, ["less", "exactly 2", "got 3"]),
    ("one to subtract", lambda: layers.Subtract(name="less")([a(3)]), ValueError, ["less", "exactly 2", "got 1"]),
    ("other extents", lambda: layers.Concatenate(name="join")([a(2, 4), b(3, 4)]), ValueError, ["join", "(2, 4)"]),
    ("the batch's axis", lambda: layers.Concatenate(0, name="join")([a(3), b(3)]), ValueError, ["join", "axis", "0"]),
    ("no such axis", lambda: layers.Concatenate(2, name="join")([a(3), b(3)]), ValueError, ["join", "axis", "2"]),
    ("axis as text", lambda: layers.Concatenate("last"), TypeError, ["Concatenate: axis", "last"]),
    ("numbers", lambda: a(3) + 1, TypeError, ["another tensor", "1"]),
    ("numbers before", lambda: 2.0 * a(3), TypeError, ["another tensor", "2.0"]),
    ("in a Sequential", lambda: tauten.Sequential([a(3), layers.Add(name="sum")]), ValueError,
     ["'sum'", "tauten.Model"]),
]  # fmt: skip


@refused(BAD)
def test_refused_with_a_reason(act, error, words):
    check(act, error, words)
