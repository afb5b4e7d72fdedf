"""The estimators train as scikit-learn's do, by its rules of stopping, weights, seeds and going on."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")
import sklearn.neural_network as theirs
from joblib import Parallel, delayed
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.preprocessing import scale

import tauten
from data import digits
from tauten import _random
from tauten.sklearn import CNNClassifier, MLPClassifier, MLPRegressor, RNNClassifier, SequenceTagger

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]


@pytest.fixture
def double():
    tauten.config.set_floatx("float64")
    yield
    tauten.config.set_floatx("float32")


def table(samples: int = 400):
    images, labels = digits()
    return images.reshape(len(images), -1)[:samples], labels[:samples]


def numbers(outputs: int = 1):
    x, y = load_diabetes(return_X_y=True)
    y = scale(y)[:400]
    return x[:400], y if outputs == 1 else np.stack([y, y[::-1]], axis=1)


def weights(estimator):
    return estimator.model_.get_weights()


def assert_same(a, b) -> None:
    for one, other in zip(weights(a), weights(b), strict=True):
        np.testing.assert_array_equal(one, other)


PARITY = {
    "adam": ("MLPClassifier", table, {"alpha": 0.5, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-6}),
    "sgd": (
        "MLPClassifier",
        table,
        {"alpha": 0.5, "solver": "sgd", "learning_rate_init": 0.05, "activation": "logistic"},
    ),
    "numbers": ("MLPRegressor", numbers, {"alpha": 1.0, "activation": "tanh"}),
    "outputs": (
        "MLPRegressor",
        lambda: numbers(2),
        {"solver": "sgd", "nesterovs_momentum": False, "momentum": 0.5, "learning_rate_init": 0.1, "power_t": 0.3}
        | {"learning_rate": "invscaling", "activation": "identity"},
    ),
    "adaptive": (
        "MLPClassifier",
        table,
        {"solver": "sgd", "learning_rate_init": 0.5, "learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 0.01},
    ),
    "converged": ("MLPClassifier", table, {"tol": 0.02, "n_iter_no_change": 2, "learning_rate_init": 0.02}),
}


@pytest.mark.parametrize("case", PARITY)
def test_steps_are_those_of_sklearn(case, double) -> None:
    """From the same weights, through the same batches: the same weights, losses and number of epochs."""
    name, data, arguments = PARITY[case]
    x, y = data()
    arguments = {"hidden_layer_sizes": (12, 8), "shuffle": False, "batch_size": 100, "warm_start": True} | arguments
    mine, other = (
        getattr(module, name)(max_iter=1, random_state=0, **arguments) for module in (tauten.sklearn, theirs)
    )
    mine.fit(x, y)
    other.fit(x, y)
    start = weights(mine)
    other.coefs_, other.intercepts_ = [w.copy() for w in start[::2]], [w.copy() for w in start[1::2]]
    other.best_loss_, other._no_improvement_count = np.inf, 0
    for estimator in (mine, other):
        estimator.set_params(max_iter=60 if case in ("adaptive", "converged") else 5)
        estimator.fit(x, y)
    assert mine.n_iter_ == other.n_iter_
    if case == "converged":
        assert mine.n_iter_ < 60
    if case == "adaptive":
        assert mine.model_.optimizer.learning_rate == pytest.approx(other._optimizer.learning_rate)
        assert mine.model_.optimizer.learning_rate < 0.5
    expected = [w for pair in zip(other.coefs_, other.intercepts_, strict=True) for w in pair]
    for one, its, before in zip(weights(mine), expected, start, strict=True):
        assert np.abs(one - before).max() > 1e-4
        np.testing.assert_allclose(one, its, rtol=1e-8, atol=1e-10)
    if case != "outputs":  # there theirs is the mean over outputs, though the gradient is that of the sum
        np.testing.assert_allclose(mine.loss_curve_[1:], other.loss_curve_[1:], rtol=1e-10)


def test_weights_are_repetitions(double) -> None:
    x, y = table(120)
    weight = np.arange(120) % 3
    one_batch = {"shuffle": False, "batch_size": 1000, "alpha": 0.0, "max_iter": 20, "random_state": 0}
    weighted = MLPClassifier((8,), **one_batch).fit(x, y, sample_weight=weight)
    larger = MLPClassifier((8,), **one_batch).fit(x, y, sample_weight=5 * weight)
    repeated = MLPClassifier((8,), **one_batch).fit(np.repeat(x, weight, axis=0), np.repeat(y, weight))
    for a, b, c in zip(weights(weighted), weights(repeated), weights(larger), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(a, c, rtol=1e-9, atol=1e-11)
    classes = MLPClassifier((8,), class_weight={1: 3.0}, **one_batch).fit(x, y)
    same = MLPClassifier((8,), **one_batch).fit(x, y, sample_weight=np.where(y == 1, 3.0, 1.0))
    assert_same(classes, same)
    both = MLPClassifier((8,), class_weight="balanced", **one_batch).fit(x, y, sample_weight=weight + 1)
    balanced = len(y) / (10 * np.bincount(y)[y])
    assert_same(both, MLPClassifier((8,), **one_batch).fit(x, y, sample_weight=balanced * (weight + 1)))


def test_seeds_and_generators() -> None:
    x, y = table(100)
    tauten.utils.set_random_seed(3)
    before = np.random.get_state()[1].copy(), _random.state_of(_random.generator())
    make = lambda seed, **more: MLPClassifier((8,), max_iter=3, dropout=0.2, random_state=seed, **more).fit(x, y)  # noqa: E731
    a, b, c = make(0), make(0), make(1)
    assert_same(a, b)
    assert np.abs(weights(a)[0] - weights(c)[0]).max() > 0.01
    early = make(0, early_stopping=True)
    assert_same(early, make(0, early_stopping=True))
    recurrent = RNNClassifier(4, bidirectional=True, layers=2, max_iter=1, random_state=0).fit(x, y)
    assert_same(recurrent, RNNClassifier(4, bidirectional=True, layers=2, max_iter=1, random_state=0).fit(x, y))
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])
    assert _random.state_of(_random.generator()) == before[1]

    np.random.seed(5)
    first = make(None)
    np.random.seed(5)
    assert_same(first, make(None))
    state = np.random.RandomState(7)
    assert np.abs(weights(make(state))[0] - weights(make(state))[0]).max() > 0.01


def test_partial_fit_goes_on(double) -> None:
    """Epoch by epoch is what fit does in one call, an optimizer with a memory included."""
    x, y = table(150)
    arguments = {"shuffle": False, "batch_size": 50, "dropout": 0.1, "random_state": 0}
    whole = MLPClassifier((8,), max_iter=4, **arguments).fit(x, y)
    parts = MLPClassifier((8,), max_iter=4, **arguments)
    for number in range(4):
        parts.partial_fit(x, y, classes=np.arange(10) if number == 0 else None)
        assert parts.n_iter_ == number + 1
    assert_same(whole, parts)
    np.testing.assert_array_equal(whole.loss_curve_, parts.loss_curve_)
    assert whole.t_ == parts.t_ == 600
    for rule in ({"learning_rate": "invscaling"}, {"learning_rate": "adaptive", "tol": 1.0, "n_iter_no_change": 1}):
        rule |= {"solver": "sgd", "learning_rate_init": 0.1, "random_state": 0, "batch_size": 50, "shuffle": False}
        whole, pieces = MLPClassifier((8,), max_iter=6, **rule).fit(x, y), MLPClassifier((8,), **rule)
        for _ in range(6):
            pieces.partial_fit(x, y, classes=np.arange(10))
        assert_same(whole, pieces)
        assert pieces.model_.optimizer.learning_rate == whole.model_.optimizer.learning_rate < 0.1
    with pytest.raises(ValueError, match=r"MLPClassifier: y: expected labels of \[0, 1, .*\], got \[10, 11\] too"):
        parts.partial_fit(x, y + 2)
    with pytest.raises(ValueError, match=r"classes=\[0, 1\] is not the same as in the calls before"):
        parts.partial_fit(x, y, classes=[0, 1])
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        MLPClassifier().partial_fit(x, y)
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        MLPClassifier(early_stopping=True).partial_fit(x, y, classes=np.arange(10))
    with pytest.raises(ValueError, match="partial_fit does not see all samples"):
        MLPClassifier(class_weight="balanced").partial_fit(x, y, classes=np.arange(10))
    few = MLPClassifier((8,)).partial_fit(x[:2], y[:2], classes=np.arange(10))
    assert few.predict_proba(x).shape == (150, 10)

    a, b = numbers()
    regressor = MLPRegressor((8,), random_state=0).partial_fit(a, b).partial_fit(a, b, sample_weight=np.ones(400))
    assert regressor.n_iter_ == 2
    with pytest.raises(ValueError, match="MLPRegressor: y: expected 1 outputs as before, got 2"):
        regressor.partial_fit(*numbers(2))


def test_warm_start() -> None:
    x, y = table(200)
    model = MLPClassifier((8,), max_iter=5, warm_start=True, random_state=0).fit(x, y)
    before, loss = weights(model), model.loss_
    model.set_params(learning_rate_init=0.0).fit(x, y)
    for one, other in zip(before, weights(model), strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(model.loss_curve_) == 10
    assert model.n_iter_ == 5
    assert model.loss_curve_[5] < loss + 1e-6
    with pytest.raises(ValueError, match="warm_start: the network is no longer that of the fit before"):
        model.set_params(hidden_layer_sizes=(9,)).fit(x, y)
    cold = MLPClassifier((8,), max_iter=5, random_state=0)
    assert_same(cold.fit(x, y), MLPClassifier((8,), max_iter=5, random_state=0).fit(x, y))
    once = weights(cold)
    cold.fit(x, y)
    np.testing.assert_array_equal(once[0], weights(cold)[0])


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_early_stopping_keeps_the_best(kind, monkeypatch) -> None:
    if kind == "classifier":
        (x, y), weight = table(300), None
        model = MLPClassifier((16,), early_stopping=True, learning_rate_init=0.1, n_iter_no_change=3, random_state=0)
    else:
        (x, y), weight = numbers(2), np.linspace(0.5, 2.0, 400)
        model = MLPRegressor((16,), early_stopping=True, learning_rate_init=0.1, n_iter_no_change=3, random_state=0)
    scores = []
    score = type(model)._goodness
    monkeypatch.setattr(type(model), "_goodness", lambda *of: scores.append((of[1], of[3])) or score(*of))
    model.set_params(validation_fraction=0.2).fit(x, y, sample_weight=weight)
    assert model.n_iter_ == len(model.validation_scores_) < 200
    assert model.best_validation_score_ == max(model.validation_scores_) > model.validation_scores_[-1]
    held, held_weight = scores[0]
    assert len(held) == len(x) / 5
    assert model.best_loss_ is None
    assert (held_weight is None) == (weight is None)
    if kind == "classifier":  # held back are the same shares of the classes
        np.testing.assert_allclose(np.bincount(held), np.bincount(y) / 5, atol=1)
    with pytest.raises(ValueError, match="would hold back 1 of"):
        model.set_params(validation_fraction=0.001).fit(x, y)


def test_says_that_it_has_not_converged() -> None:
    x, y = table(100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConvergenceWarning, match="MLPClassifier: max_iter=2 epochs are over"):
            MLPClassifier((4,), max_iter=2).fit(x, y)
        MLPClassifier((4,), max_iter=50, tol=10.0, n_iter_no_change=1).fit(x, y)
        with pytest.warns(ConvergenceWarning):
            assert MLPClassifier((4,), max_iter=15, tol=10.0, n_iter_no_change=np.inf).fit(x, y).n_iter_ == 15
        assert MLPClassifier((4,)).partial_fit(x, y, classes=np.arange(10)).n_iter_ == 1


def test_a_fit_that_fails_leaves_nothing_half_fitted() -> None:
    x, y = table(100)
    model = MLPClassifier((4,), max_iter=2, random_state=0).fit(x, y)
    expected = model.predict_proba(x)
    with pytest.raises(ValueError, match="max_iter"):
        model.set_params(max_iter=0).fit(x, y)
    np.testing.assert_array_equal(model.predict_proba(x), expected)
    with pytest.raises(ValueError, match="labels"):
        model.set_params(max_iter=2, warm_start=True).fit(x, y + 1)
    np.testing.assert_array_equal(model.predict_proba(x), expected)
    with pytest.raises(FloatingPointError):
        model.set_params(solver="sgd", learning_rate_init=1e30, warm_start=False).fit(x, y)
    with pytest.raises(NotFittedError):
        model.predict(x)


def test_threads_do_not_share_seeds() -> None:
    x, y = table(100)
    fit = lambda: MLPClassifier((8,), max_iter=2, dropout=0.2, random_state=0).fit(x, y)  # noqa: E731
    for one in Parallel(n_jobs=4, backend="threading")(delayed(fit)() for _ in range(8)):
        assert_same(one, fit())


def test_verbose(capsys) -> None:
    x, y = table(100)
    MLPClassifier((4,), max_iter=2, random_state=0).fit(x, y).predict(x)
    assert capsys.readouterr() == ("", "")
    MLPClassifier((4,), max_iter=2, verbose=True).fit(x, y)
    shown = "".join(capsys.readouterr())
    assert "Epoch 1/2" in shown
    assert "loss" in shown


def test_log_probabilities_and_labels() -> None:
    x, y = table(200)
    names = np.array([f"digit {label}" for label in range(10)])
    model = MLPClassifier((16,), max_iter=30, learning_rate_init=0.02, random_state=0).fit(x, names[y])
    assert model.score(x, names[y]) > 0.9
    assert list(model.classes_) == list(names)
    np.testing.assert_array_equal(model.predict(x), names[model.predict_proba(x).argmax(axis=1)])
    np.testing.assert_allclose(model.predict_log_proba(x), np.log(model.predict_proba(x)))
    two = MLPClassifier((16,), max_iter=30, learning_rate_init=0.02, random_state=0).fit(x, y > 4)
    assert two.predict_proba(x).shape == (200, 2)
    assert two.predict(x).dtype == bool
    assert two.score(x, y > 4) > 0.9


def test_several_outputs() -> None:
    x, y = numbers(2)
    model = MLPRegressor((16,), max_iter=100, learning_rate_init=0.02, random_state=0).fit(x, y)
    assert model.predict(x).shape == (400, 2)
    assert model.score(x, y) > 0.3
    assert model.fit(x, y[:, 0]).predict(x).shape == (400,)


BAD = {
    "solver": ("lbfgs", r"MLPClassifier: solver: expected one of \('adam', 'sgd'\), got 'lbfgs'"),
    "alpha": (-1.0, "MLPClassifier: alpha: expected a number of at least 0"),
    "batch_size": (0, "MLPClassifier: batch_size: expected at least 1"),
    "max_iter": (0, "MLPClassifier: max_iter: expected at least 1"),
    "learning_rate": ("fast", "MLPClassifier: learning_rate: expected one of"),
    "hidden_layer_sizes": ((3, 0), "MLPClassifier: hidden_layer_sizes: expected at least 1, got 0"),
    "activation": ("reluu", "reluu"),
    "momentum": (1.5, r"MLPClassifier: momentum: expected a number in \[0, 1\]"),
    "dropout": (1.5, r"MLPClassifier: dropout: expected a number in \[0, 1\]"),
    "n_iter_no_change": (0, "MLPClassifier: n_iter_no_change: expected at least 1"),
    "beta_1": (1.0, "Adam: beta_1"),
    "epsilon": (0.0, "Adam: epsilon"),
    "verbose": (7, "verbose: expected"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments(name) -> None:
    value, message = BAD[name]
    x, y = table(50)
    model = MLPClassifier(**{name: value})
    with pytest.raises(ValueError, match=message):
        model.fit(x, y)
    with pytest.raises(NotFittedError):
        model.predict(x)


def test_bad_data() -> None:
    x, y = table(50)
    model = MLPClassifier((4,), max_iter=1)
    with pytest.raises(ValueError, match="expected at least 2 classes, got one class"):
        model.fit(x, np.zeros(50))
    with pytest.raises(ValueError, match="negative"):
        model.fit(x, y, sample_weight=-np.ones(50))
    with pytest.raises(ValueError, match=r"weight.*(0|zero)"):
        model.fit(x, y, sample_weight=np.zeros(50))
    with pytest.raises(TypeError, match="shuffle: expected True or False"):
        MLPClassifier(shuffle="yes").fit(x, y)
    with pytest.raises(TypeError, match="MLPClassifier: hidden_layer_sizes: expected an integer, got None"):
        MLPClassifier(None).fit(x, y)
    with pytest.raises(ValueError, match="would hold back 50 of 50 samples"):
        MLPClassifier(early_stopping=True, validation_fraction=1.0).fit(x, y)
    with pytest.raises(FloatingPointError):
        MLPRegressor(solver="sgd", learning_rate_init=1e6).fit(x, y * 1e6)
    with pytest.raises(ValueError, match="25 samples that are held back, or the 25 others, all have the weight 0"):
        MLPClassifier(early_stopping=True, validation_fraction=0.5).fit(x, y > 4, sample_weight=np.eye(50)[0])


def test_networks_are_as_described() -> None:
    images, labels = digits()
    layers = lambda model: [type(layer).__name__ for layer in model.model_.layers]  # noqa: E731
    kind = {"layout": "samples, rows, columns", "max_iter": 1, "random_state": 0}
    model = CNNClassifier((4, 6), (5, 3), pool_size=(2, 1), hidden_layer_sizes=7, dropout=0.1, alpha=0.1, **kind)
    model.fit(images[:64], labels[:64])
    block = ["Conv2D", "MaxPooling2D", "Dropout"]
    assert layers(model) == [*block, *block, "Flatten", "Dense", "Dropout", "Dense"]
    first = model.model_.layers[0]
    assert first.kernel_size == (5, 3)
    assert first.kernel_regularizer.l2 == pytest.approx(0.1 / (2 * 32))
    assert model.model_.layers[1].pool_size == (2, 1)
    plain = CNNClassifier(4, pool_size=1, hidden_layer_sizes=(), alpha=0.0, **kind).fit(images[:64], labels[:64])
    assert layers(plain) == ["Conv2D", "Flatten", "Dense"]
    assert plain.model_.layers[0].kernel_regularizer is None

    rows = {"layout": "samples, steps, features", "max_iter": 1, "random_state": 0}
    for cell, name in {"rnn": "SimpleRNN", "forget": "ForgetGateRNN", "lstm": "LSTM", "gru": "GRU"}.items():
        model = RNNClassifier(5, cell, layers=2, dropout=0.1, global_clipnorm=1.0, **rows).fit(images[:64], labels[:64])
        assert layers(model) == [name, "Dropout", name, "Dropout", "Dense"]
        assert model.model_.optimizer.global_clipnorm == 1.0
        assert model.model_.layers[0].recurrent_regularizer.l2 > 0
    both = RNNClassifier(5, bidirectional=True, **rows).fit(images[:64], labels[:64])
    assert layers(both) == ["Bidirectional", "Dense"]
    assert both.model_.layers[0].output.shape[-1] == 10
    with pytest.raises(ValueError, match="RNNClassifier: cell: expected one of"):
        RNNClassifier(5, "LSTMM", **rows).fit(images[:64], labels[:64])
    for name, value in {"units": 0, "layers": 0}.items():
        with pytest.raises(ValueError, match=f"SequenceTagger: {name}: expected at least 1"):
            SequenceTagger(**{name: value}).fit(np.zeros((2, 3)), [[0, 1, 0], [1, 0, 1]])
    with pytest.raises(ValueError, match="CNNClassifier: filters: expected at least 1"):
        CNNClassifier((4, 0), **kind).fit(images[:64], labels[:64])
