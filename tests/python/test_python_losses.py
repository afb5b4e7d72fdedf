"""Losses in Python: the same training as with the core's own, their gradients, and what a function may do wrong."""

import os
import signal
import threading

import numpy as np
import pytest

import tauten
from refusals import check
from tauten import layers, losses


def mse(y, p):
    return np.square(p - y).mean(axis=-1), 2 * (p - y) / p.shape[-1]


def crossentropy(y, p):
    """-log p of the class number y, of probabilities."""
    one_hot = np.eye(p.shape[-1])[y.reshape(p.shape[:-1]).astype(int)]
    p = p / p.sum(axis=-1, keepdims=True)
    return -np.log((one_hot * p).sum(axis=-1)), 1 - one_hot / p


@pytest.fixture(autouse=True)
def double():
    before = tauten.config.floatx()
    tauten.config.set_floatx("float64")
    yield
    tauten.config.set_floatx(before)


def mlp():
    return [tauten.Input((6,)), layers.Dense(7, activation="relu", kernel_regularizer="l2"), layers.Dense(3)]


def classifier():
    return [tauten.Input((6,)), layers.Dense(7, activation="tanh"), layers.Dense(3, activation="softmax")]


def convolutions():
    return [
        tauten.Input((8, 8, 1)),
        layers.Conv2D(4, 3, padding="same"),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(3, activation="sigmoid"),
    ]


def recurrent():
    return [
        tauten.Input((None, 6)),
        layers.LSTM(5, return_sequences=True, dropout=0.2),
        layers.Dense(3, activation="relu"),
    ]


def masked():
    return [tauten.Input((5, 6)), layers.Masking(), layers.LSTM(5, return_sequences=True), layers.Dense(3)]


def data(kind):
    random = np.random.default_rng(1)
    weight = random.uniform(0.5, 2, 24)
    if kind is convolutions:
        return random.normal(size=(24, 8, 8, 1)), random.uniform(size=(24, 3)), weight
    if kind is recurrent:
        steps = random.integers(1, 6, 24)
        return [random.normal(size=(n, 6)) for n in steps], [random.normal(size=(n, 3)) for n in steps], weight
    if kind is masked:
        x = random.normal(size=(24, 5, 6))
        x[random.uniform(size=(24, 5)) < 0.4] = 0
        return x, random.normal(size=(24, 5, 3)), weight
    y = random.integers(0, 3, 24) if kind is classifier else random.normal(size=(24, 3))
    return random.normal(size=(24, 6)), y, weight


def made(kind, loss, **options):
    tauten.utils.set_random_seed(5)
    model = tauten.Sequential(kind())
    model.compile(
        tauten.optimizers.Adam(0.01, **options), loss, metrics=["mae"] if kind is not classifier else ["accuracy"]
    )
    return model


def trained(model, x, y, weight=None, epochs=2):
    tauten.utils.set_random_seed(6)
    return model.fit(x, y, batch_size=8, epochs=epochs, sample_weight=weight, verbose=0).history


@pytest.mark.parametrize("options", [{}, {"clipnorm": 0.1}, {"gradient_accumulation_steps": 2}], ids=str)
@pytest.mark.parametrize("kind", [mlp, classifier, convolutions, recurrent, masked])
def test_trains_as_the_native_loss_does(kind, options):
    x, y, weight = data(kind)
    native = made(kind, "sparse_categorical_crossentropy" if kind is classifier else "mse", **options)
    python = made(kind, crossentropy if kind is classifier else mse, **options)
    expected, found = trained(native, x, y, weight), trained(python, x, y, weight)
    assert expected.keys() == found.keys()
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-11)
    for a, b in zip(native.get_weights(), python.get_weights(), strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-9)  # Adam scales rounding of gradients that should be 0
    np.testing.assert_allclose(
        python.evaluate(x, y, sample_weight=weight, verbose=0),
        native.evaluate(x, y, sample_weight=weight, verbose=0),
        1e-8,
    )


@pytest.mark.parametrize("kind", [mlp, classifier, convolutions, recurrent, masked])
def test_gradients_are_the_native_ones(kind):
    x, y, weight = data(kind)
    native = made(kind, "sparse_categorical_crossentropy" if kind is classifier else "mse")
    python = made(kind, crossentropy if kind is classifier else mse)
    for training in (False, True):
        a, b = (model.gradients(x, y, weight, training=training) for model in (native, python))
        assert b.loss == pytest.approx(a.loss, rel=1e-12)
        for own, other in zip(a.weights.values(), b.weights.values(), strict=True):
            np.testing.assert_allclose(other, own, atol=1e-13)
        np.testing.assert_allclose(np.concatenate([*b.inputs]), np.concatenate([*a.inputs]), atol=1e-13)


def test_two_outputs_one_loss_in_python():
    def model(first):
        tauten.utils.set_random_seed(2)
        x = tauten.Input((6,))
        h = layers.Dense(8, activation="tanh")(x)
        made = tauten.Model(x, {"a": layers.Dense(3)(h), "b": layers.Dense(3, activation="softmax")(h)})
        made.compile("sgd", {"a": first, "b": "sparse_categorical_crossentropy"}, loss_weights={"a": 0.3, "b": 2.0},
                     metrics={"b": ["accuracy"]})  # fmt: skip
        return made

    x, y, _ = data(mlp)
    targets = {"a": y, "b": data(classifier)[1]}
    native, python = model("mse"), model(mse)
    expected, found = trained(native, x, targets), trained(python, x, targets)
    for name in ("loss", "a_loss", "b_loss", "b_accuracy"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12)
    for a, b in zip(native.get_weights(), python.get_weights(), strict=True):
        np.testing.assert_allclose(b, a, atol=1e-13)


def wide():
    """Enough work for several threads, with statistics of the batch, for which they meet."""
    return [tauten.Input((16, 16, 1)), layers.Conv2D(16, 5), layers.BatchNormalization(), *convolutions()[3:]]


def large():
    return [tauten.Input((600,)), layers.Dense(600, activation="relu"), layers.Dense(3)]


@pytest.mark.parametrize(("kind", "shape", "batch"), [(wide, (16, 16, 1), 8), (large, (600,), 2)])
def test_the_same_bits_on_any_number_of_threads(kind, shape, batch):
    random = np.random.default_rng(7)
    x, y = random.normal(size=(16, *shape)), random.uniform(size=(16, 3))
    before, found = tauten.config.num_threads(), []
    try:
        for threads, loss in ((1, mse), (2, mse), (3, mse), (3, "mse")):  # two samples are fewer than three threads
            tauten.config.set_num_threads(threads)
            model = made(kind, loss)
            tauten.utils.set_random_seed(6)
            model.fit(x, y, batch_size=batch, verbose=0)
            found.append(model.get_weights())
    finally:
        tauten.config.set_num_threads(before)
    for weights in zip(*found, strict=True):
        assert all(np.array_equal(weights[0], other) for other in weights[1:3])
        np.testing.assert_allclose(weights[3], weights[0], atol=1e-9)


def test_the_fused_mode():
    x, y, _ = data(convolutions)
    found = []
    try:
        for checked in (True, False):
            tauten.config.set_check_gradients(checked)
            model = made(convolutions, mse)
            trained(model, x, y)
            found.append(model.get_weights())
    finally:
        tauten.config.set_check_gradients(True)
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))


def test_gradient_flow_of_a_loss_in_python():
    x, y, _ = data(recurrent)
    flows = [tauten.diagnostics.gradient_flow(made(recurrent, loss), x, y).layers[0].norms for loss in ("mse", mse)]
    np.testing.assert_allclose(flows[1], flows[0], rtol=1e-10)


def test_values_of_any_leading_shape():
    x, y, _ = data(mlp)

    def summed(y, p):  # one number for the batch: the mean over its rows, by hand
        values, gradient = mse(y, p)
        return values.mean(), gradient / len(y)

    def each(y, p):  # one for each number
        return np.square(p - y), 2 * (p - y)

    weights = []
    for loss in (mse, summed, each):
        model = made(mlp, loss)
        trained(model, x, y)
        weights.append(model.get_weights())
    for other in weights[1:]:
        for a, b in zip(weights[0], other, strict=True):
            np.testing.assert_allclose(b, a, atol=1e-10)


def test_targets_of_any_shape_reach_the_function_in_order():
    seen = []

    def loss(y, p):
        seen.append((y, p))
        return np.square(p).mean(axis=-1), 2 * p / p.shape[-1]

    x, _, _ = data(mlp)
    y = np.arange(24 * 4, dtype=np.int32).reshape(24, 2, 2)
    made_ = made(mlp, loss)
    made_.compile("sgd", loss)
    expected = made_.predict(x[:8])
    made_.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    assert [len(rows) for rows, _ in seen] == [8, 8, 8]
    assert seen[0][0].dtype == np.int32
    assert np.array_equal(np.concatenate([rows for rows, _ in seen]), y)
    np.testing.assert_allclose(seen[0][1], expected, rtol=1e-14)


def test_one_feature_gets_its_axis():
    x, _, _ = data(mlp)
    model = tauten.Sequential([tauten.Input((6,)), layers.Dense(1)])
    model.compile("sgd", lambda y, p: (np.square(p - y)[:, 0], 2 * (p - y)))
    assert model.evaluate(x, np.zeros(24), verbose=0) == pytest.approx(np.square(model.predict(x)).mean())


def wrong(loss, error, words):
    """The function's mistake is named, and the weights stay as they are."""
    x, y, _ = data(mlp)
    model = made(mlp, loss)
    before, calls = model.get_weights(), model.optimizer.iterations
    check(lambda: model.train_on_batch(x, y), error, words)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert model.optimizer.iterations == calls
    model.compile("sgd", "mse")
    assert np.isfinite(model.train_on_batch(x, y))


@pytest.mark.parametrize(
    ("loss", "error", "words"),
    [
        (lambda y, p: mse(y, p)[0], TypeError, ["must return (loss, gradient)", "no automatic differentiation"]),
        (lambda y, p: (mse(y, p)[0][:3], mse(y, p)[1]), ValueError, ["values of shape (24,)", "(3,)"]),
        (lambda y, p: (mse(y, p)[0], mse(y, p)[1][:, :1]), ValueError, ["gradient", "(24, 3)", "(24, 1)"]),
        (lambda y, p: (mse(y, p)[0], "none"), TypeError, ["gradient", "expected numbers"]),
        (lambda y, p: (mse(y, p)[0] * np.nan, mse(y, p)[1]), FloatingPointError, ["'lambda'", "loss is not finite"]),
        (
            lambda y, p: (mse(y, p)[0], mse(y, p)[1] * np.inf),
            FloatingPointError,
            ["'lambda'", "gradient is not finite"],
        ),
        (lambda y, p: 1 / 0, ZeroDivisionError, ["division"]),
        (lambda y, p: ([[0.0], [0.0, 1.0]], np.zeros_like(p)), ValueError, ["'lambda'", "values", "expected an array"]),
    ],
)
def test_mistakes_change_nothing(loss, error, words):
    wrong(loss, error, words)


def test_a_loss_may_predict_and_other_threads_too():
    x, y, _ = data(mlp)
    found = []

    def loss(y, p):
        found.append(model.predict(x[:2], verbose=0))
        thread = threading.Thread(target=lambda: found.append(model.predict(x[:2], verbose=0)))
        thread.start()
        thread.join()
        return mse(y, p)

    model = made(mlp, loss)
    model.train_on_batch(x, y)
    assert len(found) == 2
    assert np.array_equal(found[0], found[1])


def test_weights_that_change_meanwhile_begin_the_step_anew():
    x, y, _ = data(mlp)
    calls = []

    def once(y, p):
        calls.append(p)
        if len(calls) == 1:
            model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
        return mse(y, p)

    model = made(mlp, once)
    model.train_on_batch(x, y)
    assert len(calls) == 2
    assert not calls[1].any()
    assert model.optimizer.iterations == 1

    def always(y, p):
        model.set_weights(model.get_weights())
        return mse(y, p)

    model = made(mlp, always)
    check(lambda: model.train_on_batch(x, y), RuntimeError, ["changed", "a loss must not train or set weights"])


def test_a_loss_does_not_compile():
    x, y, _ = data(mlp)

    def loss(y, p):
        model.compile("sgd", "mse")
        return mse(y, p)

    model = made(mlp, loss)
    before = model.get_weights()
    check(lambda: model.train_on_batch(x, y), RuntimeError, ["compile was called by a callback, loss or metric"])
    check(lambda: model.gradients(x, y), RuntimeError, ["compiled anew while a Python loss was computed"])
    assert all(map(np.array_equal, before, model.get_weights()))
    assert np.isfinite(model.train_on_batch(x, y))  # by what it was compiled to outside of training


def test_gradients_of_few_bits_keep_them():
    x, y, _ = data(mlp)

    def half(y, p):
        values, gradient = mse(y, p)
        return values, (gradient * 1e-3).astype(np.float16)

    def whole(y, p):
        values, gradient = half(y, p)
        return values, gradient.astype(np.float64)

    found = [made(mlp, loss).gradients(x, y).weights.values() for loss in (half, whole)]
    for mine, its in zip(*found, strict=True):
        np.testing.assert_allclose(mine, its, rtol=1e-5, atol=1e-12)


def test_ctrl_c_in_a_loss():
    x, y, _ = data(mlp)

    def loss(y, p):
        signal.raise_signal(signal.SIGINT)
        return mse(y, p)

    wrong(loss, KeyboardInterrupt, [])
    came = []
    before = signal.signal(signal.SIGINT, lambda *_: came.append(1))  # a handler that lets the step go on
    try:
        made(mlp, loss).train_on_batch(x, y)
    finally:
        signal.signal(signal.SIGINT, before)
    assert came


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_loss_may_fork():
    x, y, _ = data(mlp)
    codes = []

    def loss(y, p):
        child = os.fork()
        if child == 0:
            os._exit(0 if np.isfinite(model.predict(x, verbose=0)).all() else 1)
        codes.append(os.waitpid(child, 0)[1])
        return mse(y, p)

    model = made(mlp, loss)
    model.train_on_batch(x, y)
    assert codes == [0]


def test_saved_and_loaded_with_custom_objects(tmp_path):
    class Own(losses.Loss):
        def call(self, y, p):
            return mse(y, p)

    x, y, _ = data(mlp)
    for loss, name in ((mse, "mse"), (Own(), "Own")):
        model = made(mlp, loss)
        model.fit(x, y, verbose=0)
        path = tmp_path / f"{name}.safetensors"
        model.save(path)
        if name == "Own":
            check(lambda path=path: tauten.models.load_model(path), ValueError, ["Own", "custom_objects"])
        twin = tauten.models.load_model(path, custom_objects={name: mse if loss is mse else Own})
        assert twin.train_on_batch(x, y) == model.train_on_batch(x, y)


RANDOM = np.random.default_rng(3)
SHARES, NUMBERS, CLASSES = RANDOM.uniform(0.1, 0.9, (4, 3)), RANDOM.normal(size=(4, 3)), np.eye(3)[[0, 2, 1, 0]]
FORMULAS = [
    (losses.MeanSquaredError(), NUMBERS + 1, NUMBERS),
    (losses.MeanAbsoluteError(), NUMBERS + 1, NUMBERS),
    (losses.MeanAbsolutePercentageError(), SHARES + 1, SHARES),
    (losses.MeanSquaredLogarithmicError(), SHARES, SHARES[::-1]),
    (losses.Huber(0.3), SHARES, NUMBERS),
    (losses.LogCosh(), NUMBERS[::-1], NUMBERS),
    (losses.CosineSimilarity(), NUMBERS[::-1], NUMBERS),
    (losses.KLDivergence(), SHARES, SHARES[::-1]),
    (losses.Poisson(), SHARES, SHARES[::-1]),
    (losses.Hinge(), CLASSES, NUMBERS),
    (losses.SquaredHinge(), 2 * CLASSES - 1, NUMBERS),
    (losses.CategoricalHinge(), CLASSES, NUMBERS),
    (losses.CategoricalFocalCrossentropy(), CLASSES, SHARES),
    (losses.CategoricalFocalCrossentropy([0.1, 0.2, 0.3], 3.0, True, 0.1), CLASSES, NUMBERS),
    (losses.BinaryFocalCrossentropy(), CLASSES, SHARES),
    (losses.BinaryFocalCrossentropy(True, 0.3, 1.5, True, 0.1), CLASSES, NUMBERS),
    (losses.SparseCategoricalCrossentropy(ignore_class=-1), np.array([0, -1, 2, 1]), SHARES),
    (losses.SparseCategoricalCrossentropy(True, ignore_class=1), np.array([[0], [2], [2], [1]]), NUMBERS),
]


@pytest.mark.parametrize(("loss", "y", "p"), FORMULAS, ids=lambda item: getattr(item, "name", ""))
def test_gradients_of_kerass_losses(loss, y, p):
    assert losses.check_gradient(loss, y, p) < 1e-8
    assert losses.get(tauten._registry.serialize(loss)).get_config() == loss.get_config()
    values, gradient = loss.call(y.astype(np.float32), p.astype(np.float32))
    assert values.dtype == gradient.dtype == np.float32


def test_check_gradient_finds_a_wrong_one():
    check(
        lambda: losses.check_gradient(lambda y, p: (mse(y, p)[0], p - y), NUMBERS, SHARES), AssertionError, ["gradient"]
    )
    check(lambda: losses.check_gradient(lambda y, p: mse(y, p)[0], NUMBERS, SHARES), TypeError, ["(loss, gradient)"])


def test_label_smoothing_is_that_of_smoothed_targets():
    x, _, _ = data(mlp)
    one_hot = np.eye(3)[data(classifier)[1]]
    smooth, plain = (
        made(classifier, losses.CategoricalCrossentropy(label_smoothing=0.2)),
        made(classifier, "categorical_crossentropy"),
    )
    expected = trained(plain, x, one_hot * 0.8 + 0.2 / 3)
    found = trained(smooth, x, one_hot)
    assert found["loss"] == expected["loss"]
    assert all(np.array_equal(a, b) for a, b in zip(smooth.get_weights(), plain.get_weights(), strict=True))
    accuracy = (smooth.predict(x).argmax(-1) == one_hot.argmax(-1)).mean()
    assert smooth.evaluate(x, one_hot, verbose=0)[1] == pytest.approx(accuracy)


def test_ignored_classes_do_not_count():
    x, _, _ = data(mlp)
    y = data(classifier)[1].copy()
    y[::3] = -1
    model = made(classifier, losses.SparseCategoricalCrossentropy(ignore_class=-1))
    model.compile("sgd", losses.SparseCategoricalCrossentropy(ignore_class=-1))
    known = y >= 0
    expected = losses.sparse_categorical_crossentropy(y[known], model.predict(x)[known]).mean()
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected)
