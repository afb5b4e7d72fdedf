"""Initializers, regularizers, optimizers, losses and metrics as objects."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tauten
from tauten import initializers, losses, metrics, optimizers, regularizers

RANDOM = [
    "random_normal", "random_uniform", "truncated_normal", "glorot_uniform", "glorot_normal", "he_uniform",
    "he_normal", "lecun_uniform", "lecun_normal", "variance_scaling", "orthogonal",
]  # fmt: skip


@pytest.mark.parametrize("name", [*RANDOM, "zeros", "ones", "constant", "identity"])
def test_by_name_class_config_and_object(name):
    one = initializers.get(name)
    assert initializers.get(one) is one
    assert type(initializers.get(type(one))) is type(one)
    config = {"class_name": type(one).__name__, "config": one.get_config()}
    assert initializers.get(config).get_config() == one.get_config()
    assert type(initializers.get(type(one).__name__)) is type(one)
    values = one((6, 4))
    assert values.shape == (6, 4)
    assert values.dtype == np.float32
    assert one((6, 4), "float64").dtype == np.float64


@pytest.mark.parametrize("name", RANDOM)
def test_seeds(name):
    cls = type(initializers.get(name))
    a, b, c = cls(seed=3)((5, 4)), cls(seed=3)((5, 4)), cls(seed=4)((5, 4))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)
    unseeded = cls()
    np.testing.assert_array_equal(unseeded((5, 4)), unseeded((5, 4)))  # as in Keras: one object, one value
    assert not np.array_equal(unseeded((5, 4)), cls()((5, 4)))
    tauten.utils.set_random_seed(1)
    first = cls()((5, 4))
    tauten.utils.set_random_seed(1)
    np.testing.assert_array_equal(first, cls()((5, 4)))


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", lambda i, o: 2 / (i + o)),
        ("glorot_normal", lambda i, o: 2 / (i + o)),
        ("he_uniform", lambda i, o: 2 / i),
        ("he_normal", lambda i, o: 2 / i),
        ("lecun_uniform", lambda i, o: 1 / i),
        ("lecun_normal", lambda i, o: 1 / i),
        ("variance_scaling", lambda i, o: 1 / i),
    ],
)
@pytest.mark.parametrize("shape", [(200, 300), (3, 5, 40, 70)])
def test_variance_follows_the_fans(name, variance, shape):
    tauten.utils.set_random_seed(0)
    values = initializers.get(name)(shape, "float64")
    receptive = math.prod(shape[:-2])
    wanted = variance(shape[-2] * receptive, shape[-1] * receptive)
    assert abs(values.mean()) < 4 * math.sqrt(wanted / values.size)
    assert values.var() == pytest.approx(wanted, rel=0.03)
    if name.endswith("uniform"):
        assert np.abs(values).max() <= math.sqrt(3 * wanted)
    else:
        assert np.abs(values).max() <= 2 * math.sqrt(wanted) / 0.8796 + 1e-9


def test_plain_distributions():
    normal = initializers.RandomNormal(1.0, 0.5, seed=0)((400, 400), "float64")
    assert normal.mean() == pytest.approx(1.0, abs=0.01)
    assert normal.std() == pytest.approx(0.5, rel=0.01)
    cut = initializers.TruncatedNormal(1.0, 0.5, seed=0)((400, 400), "float64")
    assert np.abs(cut - 1.0).max() <= 1.0
    assert cut.std() == pytest.approx(0.5 * 0.8796, rel=0.01)
    uniform = initializers.RandomUniform(-2, 3, seed=0)((400, 400), "float64")
    assert -2 <= uniform.min() < -1.99
    assert 2.99 < uniform.max() < 3
    wide = initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal", seed=0)((100, 400), "float64")
    assert wide.var() == pytest.approx(2 / 400, rel=0.03)


@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (9, 4), (3, 3, 2, 5)])
def test_orthogonal(shape):
    q = initializers.Orthogonal(gain=2.0, seed=0)(shape, "float64").reshape(-1, shape[-1]) / 2.0
    gram = q @ q.T if q.shape[0] < q.shape[1] else q.T @ q
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-12)


def test_fixed_values():
    assert initializers.Constant(2.5)((2,)).tolist() == [2.5, 2.5]
    np.testing.assert_array_equal(initializers.Identity(3.0)((2, 3)), 3 * np.eye(2, 3))
    with pytest.raises(ValueError, match="2 dimensions"):
        initializers.Identity()((3,))
    with pytest.raises(ValueError, match="at least 2 dimensions"):
        initializers.Orthogonal()((3,))


def test_python_function_as_initializer():
    layer = tauten.layers.Dense(2, kernel_initializer=lambda shape, dtype: np.full(shape, 0.5))
    model = tauten.Sequential([tauten.Input((3,)), layer])
    assert (model.get_weights()[0] == 0.5).all()
    with pytest.raises(ValueError, match="cannot be written"):
        layer.get_config()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: initializers.get("glorot"), "'glorot' is not known"),
        (lambda: initializers.RandomUniform(1, 0), "maxval"),
        (lambda: initializers.RandomNormal(stddev=-1), "stddev"),
        (lambda: initializers.VarianceScaling(0.0), "scale"),
        (lambda: initializers.VarianceScaling(mode="fan"), "fan_in"),
        (lambda: initializers.VarianceScaling(distribution="cauchy"), "distribution"),
        (lambda: initializers.Zeros()((-1,)), "at least 0"),
        (lambda: initializers.get({"class_name": "Zeros", "config": {"a": 1}}), "does not take this config"),
        (lambda: regularizers.get("l3"), "'l3' is not known"),
        (lambda: regularizers.L2(-0.1), "L2: l2"),
        (lambda: regularizers.ElasticNet(0.1, 1.5), "mix"),
        (lambda: regularizers.L1(float("nan")), "finite"),
        (lambda: optimizers.get("lion"), "'lion' is not known; Tauten has adagrad, adam, adamw, rmsprop, sgd"),
        (lambda: optimizers.SGD(-1), "learning_rate"),
        (lambda: optimizers.SGD(float("inf")), "finite"),
        (lambda: optimizers.SGD(0.1, momentum=1.5), "momentum"),
        (lambda: optimizers.SGD(0.1, loss_scale_factor=2.0), "loss_scale_factor=2.0 is not supported"),
        (lambda: losses.get("hing"), "'hing' is not known"),
        (lambda: losses.CategoricalCrossentropy(label_smoothing=1.5), "label_smoothing"),
        (lambda: metrics.get("aux"), r"'aux' is not known: did you mean 'auc'\? Tauten has accuracy, auc, "),
        (lambda: metrics.get_all(["acuracy"]), r"metric: 'acuracy' is not known: did you mean 'accuracy'\? Tauten has"),
        (lambda: optimizers.get("Addam"), r"did you mean 'adam'\?"),
        (lambda: tauten.layers.Dense(1, activation="reluu"), r"got 'reluu': did you mean 'relu'\?"),
    ],
)
def test_bad_arguments(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_losses_and_metrics_show_their_arguments():
    assert repr(metrics.get("accuracy")) == "Accuracy(name='accuracy')"
    assert repr(losses.Huber(2.0)) == "Huber(delta=2.0)"
    assert repr(losses.get("mse")) == "MeanSquaredError(name='mean_squared_error')"
    assert repr(metrics.Precision([0.1, 0.2], name="p")) == "Precision(thresholds=[0.1, 0.2], name='p')"

    def far(y, p):
        return abs(y - p)

    assert repr(losses.get(far)) == "FunctionLoss(name='far')"
    assert repr(metrics.get(far)) == "MeanMetricWrapper(name='far')"


def test_wrong_types():
    for make in (
        lambda: optimizers.SGD("fast"),
        lambda: optimizers.SGD(optimizers.schedules.CosineDecay),
        lambda: optimizers.SGD(learning_rat=0.1),
        lambda: initializers.get(3),
        lambda: losses.get(3),
        lambda: initializers.Zeros()((1.5,)),
        lambda: regularizers.get(0.1),
    ):
        with pytest.raises(TypeError):
            make()


def test_regularizers():
    w = np.array([[1.0, -2.0], [0.0, 3.0]])
    assert regularizers.L1(0.1)(w) == pytest.approx(0.6)
    assert regularizers.L2(0.1)(w) == pytest.approx(1.4)
    assert regularizers.L1L2(0.1, 0.2)(w) == pytest.approx(0.6 + 2.8)
    assert regularizers.ElasticNet(0.5, 0.25)(w) == pytest.approx(0.5 * (0.25 * 14 + 0.75 * 6))
    assert (regularizers.get("l1").penalty, regularizers.get("l2").penalty) == ((0.01, 0.0), (0.0, 0.01))
    assert regularizers.get("l1_l2").penalty == (0.0, 0.0)  # Keras' defaults
    assert regularizers.get(None) is None
    for one in (regularizers.L1(0.3), regularizers.L1L2(0.1, 0.2), regularizers.ElasticNet(0.2, 0.9)):
        twin = regularizers.get({"class_name": type(one).__name__, "config": one.get_config()})
        assert twin.penalty == one.penalty


def test_penalty_is_in_the_loss_and_frozen_layers_pay_none():
    layer = tauten.layers.Dense(2, kernel_regularizer=regularizers.ElasticNet(0.5, 0.25))
    model = tauten.Sequential([tauten.Input((3,)), layer])
    model.compile("sgd", "mse")
    x = np.zeros((4, 3))
    y = np.zeros((4, 2))
    expected = layer.kernel_regularizer(layer.get_weights()[0])
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-6)
    layer.trainable = False
    assert model.evaluate(x, y, verbose=0) == 0.0
    layer.trainable = True
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-6)


def test_loss_functions_on_arrays():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(5, 3))
    p = tauten.activations.softmax(logits)
    labels = np.array([0, 2, 1, 1, 0])
    one_hot = np.eye(3)[labels]
    wanted = -np.log(p[np.arange(5), labels])
    np.testing.assert_allclose(losses.sparse_categorical_crossentropy(labels, p), wanted)
    np.testing.assert_allclose(losses.sparse_categorical_crossentropy(labels, logits, from_logits=True), wanted)
    np.testing.assert_allclose(losses.categorical_crossentropy(one_hot, logits, from_logits=True), wanted)
    assert losses.CategoricalCrossentropy()(one_hot, p) == pytest.approx(wanted.mean())
    weight = np.arange(5)
    assert losses.get("sparse_categorical_crossentropy")(labels, p, weight) == pytest.approx((weight * wanted).mean())
    q = tauten.activations.sigmoid(logits)
    np.testing.assert_allclose(
        losses.binary_crossentropy(one_hot, q), losses.binary_crossentropy(one_hot, logits, from_logits=True)
    )
    assert losses.MeanSquaredError()(one_hot, q) == pytest.approx(np.mean((one_hot - q) ** 2))
    assert losses.get(losses.mean_squared_error).native == losses.get("mse").native == "mean_squared_error"
    assert np.isfinite(losses.binary_crossentropy([[1.0]], [[-800.0]], from_logits=True))


def test_sgd_settings():
    sgd = optimizers.get("sgd")
    assert (sgd.learning_rate, sgd.momentum, sgd.nesterov, sgd.iterations) == (0.01, 0.0, False, 0)
    sgd.learning_rate = 0.5
    assert sgd.get_config()["learning_rate"] == 0.5
    with pytest.raises(ValueError, match="learning_rate"):
        sgd.learning_rate = -1
    assert sgd.learning_rate == 0.5
    assert optimizers.SGD.from_config(sgd.get_config()).learning_rate == 0.5
