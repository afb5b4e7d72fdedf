"""Learning rates that follow the steps: values, configurations, and that training reads them before every step."""

from __future__ import annotations

import json

import numpy as np
import pytest

import tauten
from data import digits
from tauten import layers
from tauten.callbacks import Callback
from tauten.optimizers import SGD, schedules

# Of step 0, 1, ... 12, from the formulas by hand or in one line.
STEPS = np.arange(13)
CASES = {
    "exponential": (schedules.ExponentialDecay(0.2, 4, 0.5), 0.2 * 0.5 ** (STEPS / 4)),
    "staircase": (schedules.ExponentialDecay(0.2, 4, 0.5, staircase=True), 0.2 * 0.5 ** (STEPS // 4)),
    "inverse": (schedules.InverseTimeDecay(0.2, 4, 0.5), 0.2 / (1 + 0.5 * STEPS / 4)),
    "inverse-staircase": (schedules.InverseTimeDecay(0.2, 4, 0.5, True), 0.2 / (1 + 0.5 * (STEPS // 4))),
    "polynomial": (
        schedules.PolynomialDecay(0.2, 10, 0.1, 2.0),
        0.1 + 0.1 * (1 - np.minimum(STEPS, 10) / 10) ** 2,
    ),
    "cycle": (
        schedules.PolynomialDecay(0.2, 4, 0.0, cycle=True),
        [
            0.2,
            0.15,
            0.1,
            0.05,
            0,
            *(0.2 * (1 - s / 8) for s in (5, 6, 7, 8)),
            *(0.2 * (1 - s / 12) for s in range(9, 13)),
        ],
    ),
    "piecewise": (schedules.PiecewiseConstantDecay([2, 5], [0.3, 0.2, 0.1]), [0.3] * 3 + [0.2] * 3 + [0.1] * 7),
    "constant": (schedules.PiecewiseConstantDecay([], [0.3]), [0.3] * 13),
    "cosine": (
        schedules.CosineDecay(0.2, 10, alpha=0.1),
        0.2 * (0.9 * 0.5 * (1 + np.cos(np.pi * np.minimum(STEPS, 10) / 10)) + 0.1),
    ),
    "warm-up": (
        schedules.CosineDecay(0.1, 8, warmup_target=0.5, warmup_steps=4),
        [0.1, 0.2, 0.3, 0.4, *(0.25 * (1 + np.cos(np.pi * s / 8)) for s in range(9))],
    ),
    "restarts": (
        schedules.CosineDecayRestarts(0.2, 2, t_mul=2.0, m_mul=0.5),
        [
            *(0.1 * (1 + np.cos(np.pi * s / 2)) for s in range(2)),
            *(0.05 * (1 + np.cos(np.pi * s / 4)) for s in range(4)),
            *(0.025 * (1 + np.cos(np.pi * s / 8)) for s in range(7)),
        ],
    ),
    "even-restarts": (
        schedules.CosineDecayRestarts(0.2, 5, t_mul=1.0, m_mul=0.5, alpha=0.2),
        0.2 * (0.8 * 0.5 * 0.5 ** (STEPS // 5) * (1 + np.cos(np.pi * (STEPS % 5) / 5)) + 0.2),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_values(name):
    schedule, expected = CASES[name]
    found = [schedule(int(step)) for step in STEPS]
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-16)
    assert all(type(value) is float for value in found)


@pytest.mark.parametrize("name", CASES)
def test_configurations(name):
    schedule, _ = CASES[name]
    again = schedules.deserialize(json.loads(json.dumps(schedules.serialize(schedule))))
    assert type(again) is type(schedule)
    assert again.get_config() == schedule.get_config()
    assert type(schedule).from_config(schedule.get_config())(7) == again(7) == schedule(7)
    sgd = SGD(schedule)
    assert SGD.from_config(json.loads(json.dumps(sgd.get_config()))).learning_rate == sgd.learning_rate == schedule(0)
    assert type(schedule).__name__ in repr(sgd)


class Halving(schedules.LearningRateSchedule):
    def __init__(self, first: float) -> None:
        self.first = first

    def __call__(self, step: int) -> float:
        return self.first * 0.5**step

    def get_config(self):
        return {"first": self.first}


def small(optimizer, dtype="float64"):
    tauten.config.set_floatx(dtype)
    try:
        tauten.utils.set_random_seed(1)
        model = tauten.Sequential([tauten.Input((8, 8)), layers.Flatten(), layers.Dense(10, "softmax")])
    finally:
        tauten.config.set_floatx("float32")
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


def weights_of(model):
    return np.concatenate([w.ravel() for w in model.get_weights()])


@pytest.mark.parametrize(
    "make", [lambda: Halving(0.4), lambda: lambda step: 0.4 * 0.5**step], ids=["class", "function"]
)
def test_every_step_reads_its_own(make):
    x, y = (part[:60] for part in digits())
    model, by_hand = small(SGD(make())), small(SGD(0.4))
    rates = []

    class Seen(Callback):
        def on_train_batch_begin(self, batch, logs=None):
            rates.append(self.model.optimizer.learning_rate)

    model.fit(x, y, batch_size=20, epochs=2, shuffle=False, verbose=0, callbacks=[Seen()])
    for step in range(6):
        by_hand.optimizer.learning_rate = 0.4 * 0.5**step
        part = slice(step % 3 * 20, step % 3 * 20 + 20)
        by_hand.train_on_batch(x[part], y[part])
    assert rates == [0.4 * 0.5**step for step in range(6)]
    np.testing.assert_array_equal(weights_of(model), weights_of(by_hand))


def test_with_accumulation_a_schedule_sees_all_steps():
    """As in Keras: rates go by training steps, iterations count updates."""
    x, y = (part[:60] for part in digits())
    model = small(SGD(Halving(0.4), gradient_accumulation_steps=3))
    model.fit(x, y, batch_size=10, epochs=1, shuffle=False, verbose=0)
    assert model.optimizer.iterations == 2
    assert model.optimizer.learning_rate == 0.4 * 0.5**6


def test_saving(tmp_path):
    x, y = (part[:60] for part in digits())
    model = small(SGD(schedules.CosineDecay(0.1, 10, warmup_target=0.4, warmup_steps=2), momentum=0.9))
    model.fit(x, y, batch_size=20, verbose=0)
    model.save(tmp_path / "model.safetensors")
    twin = tauten.models.load_model(tmp_path / "model.safetensors")
    assert twin.optimizer.learning_rate == model.optimizer.learning_rate
    for one in (model, twin):
        one.fit(x, y, batch_size=20, shuffle=False, verbose=0)
    np.testing.assert_array_equal(weights_of(model), weights_of(twin))


def test_ones_own(tmp_path):
    model = small(SGD(Halving(0.4)))
    model.save(tmp_path / "own.safetensors")
    with pytest.raises(ValueError, match="learning_rate: 'Halving' is not known"):
        tauten.models.load_model(tmp_path / "own.safetensors")
    assert not tauten.models.load_model(tmp_path / "own.safetensors", compile=False).compiled
    config = model.optimizer.get_config()
    assert SGD.from_config(config, {"Halving": Halving}).learning_rate == 0.4
    with pytest.raises(ValueError, match=r"cannot be written .* get_config\(\)"):
        small(SGD(lambda step: 0.1)).save(tmp_path / "function.safetensors")
    assert not (tmp_path / "function.safetensors").exists()
    with pytest.raises(NotImplementedError, match=r"Empty: .*__call__"):
        SGD(type("Empty", (schedules.LearningRateSchedule,), {})()).learning_rate  # noqa: B018


def test_a_bad_rate_stops_before_the_step():
    x, y = (part[:20] for part in digits())
    for value, error in ((-0.1, ValueError), (float("nan"), ValueError), ("fast", TypeError), (None, TypeError)):
        model = small(SGD(lambda step, value=value: 0.1 if step == 0 else value))
        model.train_on_batch(x, y)
        before = weights_of(model)
        with pytest.raises(error, match="SGD: learning_rate of <function"):
            model.train_on_batch(x, y)
        np.testing.assert_array_equal(weights_of(model), before)
        assert model.optimizer.iterations == 1


def test_a_schedule_is_not_set_to_a_number():
    sgd = SGD(0.1)
    sgd.learning_rate = 0.2
    sgd.learning_rate = Halving(0.4)
    assert sgd.learning_rate == 0.4
    with pytest.raises(TypeError, match="learning_rate follows <schedule Halving> and cannot be set"):
        sgd.learning_rate = 0.1
    sgd.learning_rate = schedules.ExponentialDecay(0.3, 1, 0.5)
    assert sgd.learning_rate == 0.3


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: schedules.ExponentialDecay(-0.1, 1, 0.5), "ExponentialDecay: initial_learning_rate"),
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "ExponentialDecay: decay_steps: expected a positive"),
        (lambda: schedules.ExponentialDecay(0.1, 1, -0.5), "decay_rate"),
        (lambda: schedules.InverseTimeDecay(0.1, -1, 0.5), "InverseTimeDecay: decay_steps"),
        (lambda: schedules.PolynomialDecay(0.1, 5, -1.0), "PolynomialDecay: end_learning_rate"),
        (lambda: schedules.PolynomialDecay(0.1, 5, power=float("inf")), "power"),
        (lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1]), "1 values and 2 boundaries"),
        (lambda: schedules.PiecewiseConstantDecay([2, 2], [0.1, 0.2, 0.3]), "growing"),
        (lambda: schedules.CosineDecay(0.1, 5, warmup_target=0.2, warmup_steps=-1), "warmup_steps"),
        (lambda: schedules.CosineDecayRestarts(0.1, 5, t_mul=0.5), "t_mul: expected a number of at least 1"),
        (lambda: schedules.deserialize({"class_name": "Lucky", "config": {}}), "'Lucky' is not known"),
        (lambda: SGD({"class_name": "CosineDecay", "config": {"steps": 1}}), "does not take this config"),
    ],
)
def test_bad_arguments(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: schedules.ExponentialDecay("0.1", 1, 0.5),
        lambda: schedules.ExponentialDecay(0.1, 1, 0.5, staircase=1),
        lambda: schedules.PiecewiseConstantDecay(3, [0.1]),
        lambda: schedules.PiecewiseConstantDecay("12", [0.1, 0.2, 0.3]),
        lambda: schedules.CosineDecay(0.1, 5, name=3),
        lambda: SGD(schedules.CosineDecay),
    ],
)
def test_bad_types(make):
    with pytest.raises(TypeError):
        make()
