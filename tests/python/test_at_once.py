"""Single batches of plain arrays, which the core looks at itself: bits, logs and errors of the general way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tauten
from tauten import layers

RNG = np.random.default_rng(3)
X = RNG.random((7, 4), dtype=np.float32)
PAIR = RNG.random((7, 3), dtype=np.float32)
LABELS = RNG.integers(0, 3, 7)
ONE_HOT = np.eye(3, dtype=np.float32)[LABELS]

CASES: dict[str, tuple[str, list[str], str, Any]] = {
    "mse": ("mse", ["mae", "mse"], "linear", PAIR),
    "mse of float64": ("mse", [], "linear", PAIR.astype(np.float64)),
    "mse of integers": ("mse", ["mae"], "linear", LABELS[:, None] * np.ones((1, 3), np.int32)),
    "labels": ("sparse_categorical_crossentropy", ["accuracy"], "softmax", LABELS),
    "labels of int32 in a column": ("sparse_categorical_crossentropy", [], "softmax", LABELS[:, None].astype(np.int32)),
    "one-hot": ("categorical_crossentropy", ["accuracy", "mae"], "softmax", ONE_HOT),
    "probabilities": ("binary_crossentropy", ["accuracy"], "sigmoid", PAIR),
    "probabilities of uint8": ("binary_crossentropy", [], "sigmoid", (PAIR > 0.5).astype(np.uint8)),
    "probabilities of bool": ("binary_crossentropy", [], "sigmoid", PAIR > 0.5),
}


def made(loss: str, metrics: list[str], activation: str, floatx: str = "float32") -> tauten.Sequential:
    tauten.utils.set_random_seed(5)
    before = tauten.config.floatx()
    tauten.config.set_floatx(floatx)
    try:
        model = tauten.Sequential(
            [tauten.Input((4,)), layers.Dense(5, activation="tanh"), layers.Dense(3, activation=activation)]
        )
        model.compile(optimizer=tauten.optimizers.Adam(0.01), loss=loss, metrics=metrics)
        model.build()
    finally:
        tauten.config.set_floatx(before)
    return model


def general(monkeypatch: pytest.MonkeyPatch, call: Callable[..., Any], *given: Any, **options: Any) -> Any:
    """The call without the way for plain arrays."""
    with monkeypatch.context() as patch:
        patch.setattr(tauten.training.Trainer, "_at_once_on", lambda *_: None)
        return call(*given, **options)


def ways(model: tauten.Sequential) -> list[Any]:
    """What the core said to each batch of plain arrays from now on: None, or a result."""
    said: list[Any] = []
    inner = model._at_once_on
    model._at_once_on = lambda *given: (said.append(inner(*given)), said[-1])[1]  # type: ignore[method-assign]
    return said


@pytest.mark.parametrize("floatx", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_same_bits_and_logs(case: str, floatx: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loss, metrics, activation, y = CASES[case]
    one, other = (made(loss, metrics, activation, floatx=floatx) for _ in range(2))
    said = ways(one)
    for step in range(6):
        count = 7 - step % 3  # plans follow each other
        x, part = X[:count], y[:count]
        for as_dict in (False, True):
            mine = one.train_on_batch(x, part, return_dict=as_dict)
            assert mine == general(monkeypatch, other.train_on_batch, x, part, return_dict=as_dict)
            mine = one.test_on_batch(x, part, return_dict=as_dict)
            assert mine == general(monkeypatch, other.test_on_batch, x, part, return_dict=as_dict)
    assert len(said) == 24 and None not in said
    for mine, its in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)
    assert one.optimizer is not None and other.optimizer is not None
    assert one.optimizer.iterations == other.optimizer.iterations == 12
    np.testing.assert_array_equal(one.predict_on_batch(X), other.predict(X))


BAD: dict[str, tuple[Any, Any]] = {
    "NaN in x": (np.where(X > 0.5, np.nan, X), LABELS),
    "infinity in x": (np.where(X > 0.5, np.inf, X).astype(np.float32), LABELS),
    "too large for float32": (X.astype(np.float64) * 1e39, LABELS),
    "label too large": (X, LABELS + 3),
    "label too small": (X, LABELS - 3),
    "fractions as labels": (X, LABELS + 0.5),
    "wrong features": (X[:, :3], LABELS),
    "fewer targets": (X, LABELS[:5]),
    "one-hot for labels": (X, ONE_HOT),
    "no samples": (X[:0], LABELS[:0]),
    "no targets": (X, None),
    "text": (X, np.array(["a"] * 7)),
    "a masked array": (np.ma.masked_less(X, 0.5), LABELS),
}


@pytest.mark.parametrize("case", BAD)
def test_same_errors(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = made("sparse_categorical_crossentropy", ["accuracy"], "softmax")
    model.train_on_batch(X, LABELS)
    before = model.get_weights()
    x, y = BAD[case]
    for call in (model.train_on_batch, model.test_on_batch):
        with pytest.raises((TypeError, ValueError)) as mine:
            call(x, y)
        with pytest.raises((TypeError, ValueError)) as its:
            general(monkeypatch, call, x, y)
        assert (type(mine.value), str(mine.value)) == (type(its.value), str(its.value))
    assert model.optimizer is not None and model.optimizer.iterations == 1
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("y", [PAIR * 3 - 1, np.where(PAIR > 0.5, np.nan, PAIR)])
def test_targets_that_are_no_probabilities(y: Any) -> None:
    model = made("binary_crossentropy", [], "sigmoid")
    model.train_on_batch(X, PAIR)
    with pytest.raises(ValueError, match="y: "):
        model.train_on_batch(X, y)


def test_arrays_that_do_not_lie_in_one_piece_go_the_general_way() -> None:
    one, other = made("mse", [], "linear"), made("mse", [], "linear")
    one.train_on_batch(X, PAIR)
    other.train_on_batch(X, PAIR)
    said = ways(one)
    turned, wide = np.asfortranarray(X), np.repeat(PAIR, 2, axis=1)[:, ::2]
    assert one.train_on_batch(turned, wide) == other.train_on_batch(X, PAIR)
    assert one.train_on_batch(X.tolist(), PAIR.tolist()) == pytest.approx(other.train_on_batch(X, PAIR))
    assert said == [None, None]


def test_a_loss_that_is_not_finite() -> None:
    model = made("mse", [], "linear")
    model.train_on_batch(X, PAIR)
    weights = [np.full_like(w, 3e38) for w in model.get_weights()]
    model.set_weights(weights)
    with pytest.raises(FloatingPointError, match=r"train_on_batch: .*Try a lower learning rate \(now 0\.01\)"):
        model.train_on_batch(X, PAIR)
    assert model.optimizer is not None and model.optimizer.iterations == 1


def test_what_changes_between_calls_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """compile(), frozen layers, the learning rate, threads, weights that are set: the next call has them."""
    one, other = (made("mse", [], "linear") for _ in range(2))

    def change(model: tauten.Sequential, step: int) -> None:
        if step == 1:
            model.compile(optimizer=tauten.optimizers.SGD(0.1, momentum=0.9), loss="mse", metrics=["mae"])
        if step == 2:
            model.layers[0].trainable = False
        if step == 3:
            assert model.optimizer is not None
            model.optimizer.learning_rate = 0.02
        if step == 4:
            model.layers[0].trainable = True
        if step == 5:
            model.set_weights([w + 0.25 for w in model.get_weights()])
        if step == 6:
            model.compile(optimizer="sgd", loss="binary_crossentropy")
            with pytest.raises(ValueError, match="sigmoid"):
                model.train_on_batch(X, PAIR)
            model.compile(optimizer=tauten.optimizers.SGD(0.1, clipnorm=0.1), loss="mse")

    for step in range(8):
        try:
            change(one, step)
        except ValueError:
            with pytest.raises(ValueError):
                change(other, step)
            continue
        change(other, step)
        for call in ("train_on_batch", "test_on_batch", "train_on_batch"):
            mine = getattr(one, call)(X, PAIR)
            assert mine == general(monkeypatch, getattr(other, call), X, PAIR)
    for mine, its in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)


def test_stateful_layers_keep_their_states() -> None:
    sequences, y = RNG.random((2, 3, 4), dtype=np.float32), PAIR[:2]
    model = tauten.Sequential([tauten.Input((3, 4)), layers.LSTM(5, stateful=True), layers.Dense(3)])
    model.compile("sgd", "mse")
    model.test_on_batch(sequences, y)
    assert model.test_on_batch(sequences, y) != model.test_on_batch(sequences, y)
