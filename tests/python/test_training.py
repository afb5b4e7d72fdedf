"""fit, evaluate, predict: what they return, in Keras' way; on real data and on small made-up data."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tauten
from tauten import layers
from tauten.callbacks import Callback


def mlp(features=4, outputs=3, activation="softmax", loss="sparse_categorical_crossentropy", metrics=("accuracy",)):
    model = tauten.Sequential([tauten.Input((features,)), layers.Dense(8, "tanh"), layers.Dense(outputs, activation)])
    model.compile(tauten.optimizers.SGD(0.1), loss, metrics=list(metrics))
    return model


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(50, 4)).astype(np.float32), rng.integers(0, 3, 50)


@pytest.fixture(scope="module")
def digits():
    datasets = pytest.importorskip("sklearn.datasets")
    found = datasets.load_digits()
    order = np.random.default_rng(0).permutation(len(found.target))
    return (found.images / 16.0).astype(np.float32)[order, ..., None], found.target[order]


def sequences(samples=12, features=2, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, features)) for n in rng.integers(2, 9, samples)]


# -- real data


def test_cnn_learns_digits(digits):
    tauten.utils.set_random_seed(3)
    x, y = digits
    model = tauten.Sequential(
        [
            tauten.Input((8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.25),
            layers.Dense(10, "softmax"),
        ]
    )
    model.compile(tauten.optimizers.SGD(0.1, 0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x[:1400], y[:1400], batch_size=32, epochs=6, verbose=0, validation_data=(x[1400:], y[1400:]))
    loss, accuracy = model.evaluate(x[1400:], y[1400:], verbose=0)
    assert accuracy >= 0.96
    assert history.history["loss"][-1] < 0.25 * history.history["loss"][0]
    assert history.history["val_accuracy"][-1] == pytest.approx(accuracy)
    assert history.history["val_loss"][-1] == pytest.approx(loss)
    predicted = model.predict(x[1400:], verbose=0)
    assert np.mean(predicted.argmax(-1) == y[1400:]) == pytest.approx(accuracy)


def test_lstm_learns_digits_row_by_row(digits):
    tauten.utils.set_random_seed(3)
    x, y = digits
    model = tauten.Sequential([tauten.Input((8, 8)), layers.LSTM(32), layers.Dense(10, "softmax")])
    model.compile(tauten.optimizers.SGD(0.2, 0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x[:1400, ..., 0], y[:1400], batch_size=32, epochs=10, verbose=0)
    assert model.evaluate(x[1400:], y[1400:], verbose=0)[1] >= 0.9  # (8, 8, 1) samples lose their last axis


# -- what comes back


def test_history_has_keras_keys(data):
    model = mlp()
    history = model.fit(*data, epochs=3, validation_split=0.2, verbose=0)
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert [len(values) for values in history.history.values()] == [3] * 4
    assert history.epoch == [0, 1, 2]
    assert history.params == {"verbose": 0, "epochs": 3, "steps": 2}
    assert model.history is history
    assert history.model is model


def test_what_evaluate_and_batches_return(data):
    x, y = data
    bare = mlp(metrics=())
    for result in (bare.evaluate(x, y, verbose=0), bare.train_on_batch(x, y), bare.test_on_batch(x, y)):
        assert isinstance(result, float)
    model = mlp()
    for act in (model.evaluate, model.train_on_batch, model.test_on_batch):
        kept = model.get_weights()
        arguments = {"verbose": 0} if act == model.evaluate else {}
        values = act(x, y, **arguments)
        model.set_weights(kept)
        named = act(x, y, return_dict=True, **arguments)
        assert isinstance(values, list)
        assert named == {"loss": pytest.approx(values[0]), "accuracy": values[1]}
    assert model.metrics_names == ["loss", "accuracy"]


def test_fit_aggregates_as_keras(data):
    """Loss: mean over batches weighted by their samples, each measured before its update. Metrics: over rows."""
    x, y = data
    model = mlp()
    start = model.get_weights()
    means = []
    for begin in range(0, 50, 16):
        part = slice(begin, begin + 16)
        means.append((len(x[part]), *model.train_on_batch(x[part], y[part])))
    finish = model.get_weights()
    model.set_weights(start)
    history = model.fit(x, y, batch_size=16, shuffle=False, verbose=0).history
    assert history["loss"][0] == pytest.approx(sum(n * loss for n, loss, _ in means) / 50)
    assert history["accuracy"][0] == pytest.approx(sum(n * accuracy for n, _, accuracy in means) / 50)
    for a, b in zip(finish, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_evaluate_does_not_depend_on_the_batch_size(data):
    model = mlp()
    whole = model.evaluate(*data, batch_size=50, verbose=0)
    assert model.evaluate(*data, batch_size=7, verbose=0) == pytest.approx(whole, rel=1e-6)
    p = model.predict(data[0], batch_size=7, verbose=0)
    np.testing.assert_array_equal(p, model.predict(data[0], batch_size=50, verbose=0))
    assert whole[0] == pytest.approx(tauten.losses.SparseCategoricalCrossentropy()(data[1], p), rel=1e-5)


def test_sample_weight_as_keras(data):
    """Σ w·loss / samples, not / Σ w; metrics stay unweighted."""
    x, y = data
    model = mlp()
    weight = np.random.default_rng(1).uniform(0, 3, 50)
    rows = tauten.losses.sparse_categorical_crossentropy(y, model.predict(x, verbose=0))
    loss, accuracy = model.evaluate(x, y, sample_weight=weight, verbose=0)
    assert loss == pytest.approx(np.mean(weight * rows), rel=1e-5)
    assert accuracy == model.evaluate(x, y, verbose=0)[1]
    silent = model.get_weights()
    model.train_on_batch(x, y, sample_weight=np.zeros(50))
    for a, b in zip(silent, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    one = np.zeros(50)
    one[17] = 50
    model.train_on_batch(x, y, sample_weight=one)
    only = model.get_weights()
    model.set_weights(silent)
    model.train_on_batch(x[17:18], y[17:18])
    for a, b in zip(only, model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("form", ["fixed", "run-time", "lists", "conv"])
def test_sample_weight_of_steps(form):
    """Σ w·loss / rows; a step of weight 0 is as good as absent but for that number; metrics stay unweighted."""
    x = sequences(features=3)
    x = x if form == "lists" else np.stack([np.resize(sample, (6, 3)) for sample in x])
    make = layers.Conv1D if form == "conv" else layers.LSTM
    options = {"padding": "same"} if form == "conv" else {"return_sequences": True}
    size = (3,) if form == "conv" else ()
    model = tauten.Sequential([tauten.Input((6 if form in ("fixed", "conv") else None, 3)), make(4, *size, **options)])
    model.add(layers.Dense(2))
    model.compile(tauten.optimizers.SGD(0.1), "mse", metrics=["mae"])
    rng = np.random.default_rng(5)
    y = [rng.normal(size=(len(sample), 2)) for sample in x]
    weight = [rng.uniform(0, 2, len(sample)) * (rng.random(len(sample)) < 0.7) for sample in x]
    out = np.concatenate(list(model.predict(x, verbose=0)))
    rows = ((out - np.concatenate(y)) ** 2).mean(axis=1)
    if form != "lists":
        y, weight = np.stack(y), np.stack(weight)
    loss, metric = model.evaluate(x, y, sample_weight=weight, verbose=0, batch_size=len(x))
    assert loss == pytest.approx(np.mean(np.concatenate(list(weight)) * rows), rel=1e-5)
    assert metric == model.evaluate(x, y, verbose=0, batch_size=len(x))[1]
    start = model.get_weights()
    per_sample = np.linspace(0, 2, len(x))
    spread = [np.full(len(sample), w) for sample, w in zip(x, per_sample, strict=True)]
    results = []
    for given in (per_sample, spread, spread if form == "lists" else np.stack(spread)[..., None]):
        model.set_weights(start)
        history = model.fit(x, y, epochs=2, verbose=0, shuffle=False, validation_split=0.25, sample_weight=given)
        results.append((history.history, b"".join(w.tobytes() for w in model.get_weights())))
    assert results[0] == results[1] == results[2]
    model.set_weights(start)
    model.train_on_batch(x, y, [np.zeros(len(sample)) for sample in x])
    for a, b in zip(start, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_wrong_weights_of_steps():
    x = sequences()
    model = tauten.Sequential([tauten.Input((None, 2)), layers.SimpleRNN(3, return_sequences=True)])
    model.compile("sgd", "mse")
    y, weight = [np.ones((len(sample), 3)) for sample in x], [np.ones(len(sample)) for sample in x]
    with pytest.raises(ValueError, match=r"sample_weight\[4\]: expected [0-9]+ steps as x\[4\] has, got 1$"):
        model.fit(x, y, sample_weight=[*weight[:4], np.ones(1), *weight[5:]], verbose=0)
    with pytest.raises(ValueError, match="sample_weight: expected weights of 12 samples as x has, got 11"):
        model.fit(x, y, sample_weight=weight[:-1], verbose=0)
    with pytest.raises(ValueError, match=r"shape \(12,\), or one a step, shape \(12, steps\), got shape \(7,\)"):
        model.fit(x, y, sample_weight=np.ones(7), verbose=0)
    with pytest.raises(ValueError, match="sample_weight: expected one weight a sample, or weights of shape"):
        model.fit(x, y, sample_weight=y, verbose=0)
    with pytest.raises(ValueError, match="sample_weight: 1 of 12 samples hold NaN"):
        model.fit(x, y, sample_weight=[weight[0] * np.nan, *weight[1:]], verbose=0)
    last = tauten.Sequential([tauten.Input((None, 2)), layers.SimpleRNN(3)])
    last.compile("sgd", "mse")
    with pytest.raises(ValueError, match="sample_weight: expected samples of one length here"):
        last.fit(x, np.ones((12, 3)), sample_weight=weight, verbose=0)
    with pytest.raises(ValueError, match=r"sample_weight: expected one weight a sample, shape \(12,\), got shape"):
        last.fit(x, np.ones((12, 3)), sample_weight=np.ones((12, 3)), verbose=0)


def test_validation_split_takes_the_last_before_shuffling(data):
    x, y = data
    seen = []

    class Look(Callback):
        def on_test_end(self, logs=None):
            seen.append(self.model.test_on_batch(x[35:], y[35:]))

    model = mlp()
    history = model.fit(x, y, validation_split=0.3, epochs=2, verbose=0, callbacks=[Look()]).history
    assert history["val_loss"] == pytest.approx([loss for loss, _ in seen])
    assert history["val_accuracy"] == pytest.approx([accuracy for _, accuracy in seen])
    poisoned = y.copy()
    poisoned[35:] = 0
    tauten.utils.set_random_seed(0)
    a = mlp()
    a.fit(x, y, validation_split=0.3, verbose=0)
    tauten.utils.set_random_seed(0)
    b = mlp()
    b.fit(x, poisoned, validation_split=0.3, verbose=0)
    np.testing.assert_array_equal(a.get_weights()[0], b.get_weights()[0])


def test_validation_data_weights_batch_size_and_frequency(data):
    x, y = data
    model = mlp()
    weight = np.linspace(0, 1, 50)
    history = model.fit(
        x, y, epochs=4, verbose=0, validation_data=(x, y, weight), validation_freq=2, validation_batch_size=11
    )
    assert len(history.history["val_loss"]) == 2
    last = model.evaluate(x, y, sample_weight=weight, verbose=0)
    assert history.history["val_loss"][-1] == pytest.approx(last[0], rel=1e-6)


def test_initial_epoch(data):
    history = mlp().fit(*data, initial_epoch=2, epochs=5, verbose=0)
    assert history.epoch == [2, 3, 4]
    assert mlp().fit(*data, initial_epoch=5, epochs=5, verbose=0).history == {}


# -- metrics


@pytest.mark.parametrize(
    ("outputs", "activation", "loss", "y", "name"),
    [
        (3, "softmax", "sparse_categorical_crossentropy", lambda r: r.integers(0, 3, 50), "sparse"),
        (3, "softmax", "categorical_crossentropy", lambda r: np.eye(3)[r.integers(0, 3, 50)], "categorical"),
        (1, "sigmoid", "binary_crossentropy", lambda r: r.integers(0, 2, 50), "binary"),
        (3, "linear", "mse", lambda r: np.eye(3)[r.integers(0, 3, 50)], "categorical"),
        (1, "linear", "mse", lambda r: r.integers(0, 2, (50, 1)), "binary"),
        (3, "sigmoid", "binary_crossentropy", lambda r: np.eye(3)[r.integers(0, 3, 50)], "categorical"),
    ],
)
def test_accuracy_is_resolved_as_keras_does(outputs, activation, loss, y, name, data):
    targets = y(np.random.default_rng(5))
    model = mlp(outputs=outputs, activation=activation, loss=loss, metrics=["acc"])
    p = model.predict(data[0], verbose=0)
    wanted = {
        "sparse": lambda: np.mean(p.argmax(-1) == targets),
        "categorical": lambda: np.mean(p.argmax(-1) == targets.argmax(-1)),
        "binary": lambda: np.mean((p > 0.5) == (targets.reshape(p.shape) > 0.5)),
    }[name]()
    assert model.evaluate(data[0], targets, verbose=0, return_dict=True)["acc"] == pytest.approx(wanted)


def test_names_of_metrics_are_those_given(data):
    x, _ = data
    y = np.random.default_rng(0).normal(size=(50, 2))
    model = mlp(outputs=2, activation="linear", loss="mse",
                metrics=["mse", "mean_absolute_error", tauten.metrics.MeanAbsoluteError(name="distance")])  # fmt: skip
    p = model.predict(x, verbose=0)
    result = model.evaluate(x, y, verbose=0, return_dict=True)
    assert list(result) == ["distance", "loss", "mean_absolute_error", "mse"]
    assert result["mse"] == pytest.approx(np.mean((p - y) ** 2), rel=1e-5)
    assert result["distance"] == result["mean_absolute_error"] == pytest.approx(np.mean(np.abs(p - y)), rel=1e-5)


def test_from_logits_equals_probabilities(data):
    x, y = data
    ends = [
        (3, "softmax", tauten.losses.SparseCategoricalCrossentropy, y),
        (3, "softmax", tauten.losses.CategoricalCrossentropy, np.eye(3)[y]),
        (3, "sigmoid", tauten.losses.BinaryCrossentropy, np.eye(3)[y]),
    ]
    for outputs, activation, loss, targets in ends:
        plain = mlp(outputs=outputs, activation=activation, loss=loss(), metrics=())
        logits = mlp(outputs=outputs, activation="linear", loss=loss(from_logits=True), metrics=())
        logits.set_weights(plain.get_weights())
        for _ in range(3):
            assert plain.train_on_batch(x, targets) == pytest.approx(logits.train_on_batch(x, targets), rel=1e-5)
        np.testing.assert_allclose(plain.get_weights()[0], logits.get_weights()[0], rtol=1e-4, atol=1e-6)


def test_softmax_as_a_layer_of_its_own(data):
    model = tauten.Sequential([tauten.Input((4,)), layers.Dense(3), layers.Activation("softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert math.isfinite(model.evaluate(*data, verbose=0))


# -- seeds


def test_the_same_seed_gives_the_same_bits(data):
    x, y = data

    def run(seed):
        tauten.utils.set_random_seed(seed)
        model = tauten.Sequential(
            [tauten.Input((4,)), layers.Dense(8), layers.Dropout(0.5), layers.Dense(3, "softmax")]
        )
        model.compile("sgd", "sparse_categorical_crossentropy")
        history = model.fit(x, y, batch_size=8, epochs=3, verbose=0)
        return history.history["loss"], model.get_weights()

    one, two, other = run(1), run(1), run(2)
    assert one[0] == two[0] != other[0]
    for a, b in zip(one[1], two[1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_shuffle_sees_every_sample_once_an_epoch(data):
    x, y = data
    orders = []

    class Spy:
        def __init__(self, network):
            self.network = network

        def train_step(self, *arguments):
            orders[-1].extend(arguments[2].tolist())
            return self.network.train_step(*arguments)

    class Epochs(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            orders.append([])

    model = mlp()
    network = model._network()
    model._network = lambda: Spy(network)
    model.fit(x, y, batch_size=8, epochs=3, verbose=0, callbacks=[Epochs()])
    assert [sorted(order) for order in orders] == [list(range(50))] * 3
    assert orders[0] != orders[1] != orders[2] != list(range(50))
    model.fit(x, y, batch_size=8, epochs=1, verbose=0, callbacks=[Epochs()], shuffle=False)
    assert orders[-1] == list(range(50))


def test_dropout_only_while_training(data):
    model = tauten.Sequential([tauten.Input((4,)), layers.Dropout(0.5)])
    x = np.ones((200, 4), np.float32)
    np.testing.assert_array_equal(model.predict(x, verbose=0), x)
    np.testing.assert_array_equal(model(x), x)
    first, second = model(x, training=True), model(x, training=True)
    assert set(np.unique(first)) == {0.0, 2.0}
    assert abs(first.mean() - 1) < 0.15
    assert not np.array_equal(first, second)


# -- the optimizer


def test_learning_rate_can_be_set_while_training(data):
    class Stop(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.optimizer.learning_rate = 0.0

    model = mlp()
    weights = []

    class Keep(Callback):
        def on_epoch_end(self, epoch, logs=None):
            weights.append(self.model.get_weights()[0])

    model.fit(*data, epochs=3, verbose=0, callbacks=[Stop(), Keep()])
    np.testing.assert_array_equal(weights[0], weights[1])
    assert model.optimizer.iterations == 6


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_is_keras_formula(nesterov):
    tauten.config.set_floatx("float64")
    try:
        model = tauten.Sequential([tauten.Input((1,)), layers.Dense(1, use_bias=False)])
    finally:
        tauten.config.set_floatx("float32")
    model.compile(tauten.optimizers.SGD(0.1, 0.8, nesterov=nesterov), "mse")
    w, v = float(model.get_weights()[0][0, 0]), 0.0
    for _ in range(4):
        model.train_on_batch([[2.0]], [[3.0]])
        g = 2 * (2 * w - 3) * 2
        v = 0.8 * v - 0.1 * g
        w = w + (0.8 * v - 0.1 * g if nesterov else v)
        assert model.get_weights()[0][0, 0] == pytest.approx(w, rel=1e-12)


def test_compile_again_starts_momentum_anew(data):
    x, y = data
    model = mlp()
    model.compile(tauten.optimizers.SGD(0.1, 0.9), "sparse_categorical_crossentropy")
    model.fit(x, y, verbose=0)
    weights = model.get_weights()
    model.compile(tauten.optimizers.SGD(0.0, 0.9), "sparse_categorical_crossentropy")
    model.train_on_batch(x, y)
    np.testing.assert_array_equal(weights[0], model.get_weights()[0])


def test_frozen_layers_stay(data):
    model = mlp()
    model.layers[0].trainable = False
    frozen, free = model.layers[0].get_weights()[0], model.layers[1].get_weights()[0]
    assert len(model.trainable_weights) == len(model.non_trainable_weights) == 2
    model.fit(*data, verbose=0)
    np.testing.assert_array_equal(frozen, model.layers[0].get_weights()[0])
    assert not np.array_equal(free, model.layers[1].get_weights()[0])
    model.trainable = False
    assert not model.trainable
    free = model.layers[1].get_weights()[0]
    model.fit(*data, verbose=0)
    np.testing.assert_array_equal(free, model.layers[1].get_weights()[0])


# -- lists of sequences


def test_lists_in_and_lists_out():
    x = sequences()
    y = [np.random.default_rng(i).integers(0, 3, len(s)) for i, s in enumerate(x)]
    model = tauten.Sequential([layers.LSTM(5, return_sequences=True), layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=4, epochs=2, verbose=0)
    assert model.input_shape == (None, None, 2)
    p = model.predict(x, batch_size=5, verbose=0)
    assert isinstance(p, list)
    assert [a.shape for a in p] == [(len(s), 3) for s in x]
    for one, sample in zip(p, x, strict=True):
        np.testing.assert_allclose(one, model.predict(sample[None], verbose=0)[0], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(one, model([sample])[0], rtol=1e-5, atol=1e-6)
    # Loss: by samples of a batch; each batch's is the mean over its steps. Metrics: over all steps.
    batches = [(x[i : i + 4], y[i : i + 4]) for i in range(0, 12, 4)]
    parts = [model.test_on_batch(*batch) for batch in batches]
    loss, accuracy = model.evaluate(x, y, batch_size=4, verbose=0)
    assert loss == pytest.approx(np.mean([part[0] for part in parts]), rel=1e-6)
    right = sum((a.argmax(-1) == b).sum() for a, b in zip(p, y, strict=True))
    assert accuracy == pytest.approx(right / sum(map(len, x)))
    rows = np.concatenate([tauten.losses.sparse_categorical_crossentropy(b, a) for a, b in zip(p, y, strict=True)])
    assert model.test_on_batch(x, y)[0] == pytest.approx(rows.mean(), rel=1e-5)


def test_lists_with_one_output_a_sample():
    x = sequences()
    y = np.arange(12) % 2
    model = tauten.Sequential([tauten.Input((None, 2)), layers.SimpleRNN(5), layers.Dense(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=5, verbose=0, validation_split=0.25)
    p = model.predict(x, verbose=0)
    assert p.shape == (12, 1)
    np.testing.assert_allclose(p[3], model.predict(x[3][None], verbose=0)[0], rtol=1e-5)


def test_lists_of_tokens():
    x = [[1, 2, 3], [4], [0, 1]]
    model = tauten.Sequential(
        [layers.Embedding(5, 3), layers.LSTM(4, return_sequences=True), layers.Dense(5, "softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(x, x, verbose=0)
    assert [a.shape for a in model.predict(x, verbose=0)] == [(3, 5), (1, 5), (2, 5)]


def test_inputs_of_many_kinds_are_the_same_numbers(data):
    x, y = (np.abs(data[0]) * 10).astype(np.uint8), data[1]
    model = mlp()
    wanted = model.evaluate(x.astype(np.float32), y, verbose=0)
    kinds = ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64",
             "longdouble", ">f8", ">i4"]  # fmt: skip
    for kind in kinds:
        assert model.evaluate(x.astype(kind), y, verbose=0) == wanted, kind
    assert model.evaluate(x.tolist(), y.tolist(), verbose=0) == wanted
    assert model.evaluate(list(x), list(y), verbose=0) == wanted
    assert model.evaluate(np.asfortranarray(x), y.astype(float)[:, None], verbose=0) == wanted
    wide = np.zeros((100, 8), np.uint8)
    wide[::2, ::2] = x
    assert model.evaluate(wide[::2, ::2], y, verbose=0) == wanted
    assert model.evaluate(x[::-1], y[::-1], verbose=0) == pytest.approx(wanted)


def test_a_missing_last_axis_is_added(digits):
    x, _ = digits
    model = tauten.Sequential([tauten.Input((8, 8, 1)), layers.Flatten()])
    np.testing.assert_array_equal(model.predict(x[:5, ..., 0], verbose=0), x[:5].reshape(5, 64))


def test_many_threads_give_the_same_bits(data):
    before = tauten.config.num_threads()
    results = []
    try:
        for threads in (1, 2, 3):
            tauten.config.set_num_threads(threads)
            tauten.utils.set_random_seed(0)
            model = mlp()
            model.fit(*data, batch_size=8, epochs=2, verbose=0)
            results.append(model.get_weights())
    finally:
        tauten.config.set_num_threads(before)
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)
