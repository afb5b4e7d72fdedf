"""Every optimizer's rule and options in the native core: against float64, in both modes, on any number of threads."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import reference as ref
from data import digits
from examples import Batch, randomize
from native import Native
from numerics import assert_all_close
from reference.optimizers import Optimizer
from tauten import _core, optimizers

STEPS, BATCH = 9, 12
FROZEN = 2  # the first dense layer's kernel
CLASSES = {
    "sgd": optimizers.SGD,
    "adam": optimizers.Adam,
    "rmsprop": optimizers.RMSprop,
    "adagrad": optimizers.Adagrad,
}
RULES = {
    "sgd": ("sgd", {"learning_rate": 0.1}),
    "momentum": ("sgd", {"learning_rate": 0.1, "momentum": 0.9}),
    "nesterov": ("sgd", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    "adam": ("adam", {"learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-3}),
    "amsgrad": ("adam", {"learning_rate": 0.02, "beta_1": 0.5, "beta_2": 0.6, "epsilon": 1e-3, "amsgrad": True}),
    "rmsprop": ("rmsprop", {"learning_rate": 0.002, "rho": 0.8, "epsilon": 1e-3}),
    "rmsprop-momentum": ("rmsprop", {"learning_rate": 0.002, "rho": 0.8, "epsilon": 1e-3, "momentum": 0.9}),
    "rmsprop-centered": ("rmsprop", {"learning_rate": 0.002, "rho": 0.8, "epsilon": 1e-3, "centered": True}),
    "rmsprop-both": (
        "rmsprop",
        {"learning_rate": 0.002, "rho": 0.8, "epsilon": 1e-3, "momentum": 0.9, "centered": True},
    ),
    "adagrad": ("adagrad", {"learning_rate": 0.05, "initial_accumulator_value": 0.1, "epsilon": 1e-3}),
}
OPTIONS = {
    "plain": {},
    "decay": {"weight_decay": 0.5},
    "clipvalue": {"clipvalue": 0.01},
    "clipnorm": {"clipnorm": 0.1},
    "global_clipnorm": {"global_clipnorm": 0.2},
    "accumulation": {"gradient_accumulation_steps": 2},
    "ema": {"use_ema": True, "ema_momentum": 0.8},
    "overwritten": {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3},
    "all-value": {
        "weight_decay": 0.5,
        "clipvalue": 0.01,
        "gradient_accumulation_steps": 2,
        "use_ema": True,
        "ema_momentum": 0.8,
        "ema_overwrite_frequency": 2,
    },
    "all-norm": {
        "weight_decay": 0.5,
        "clipnorm": 0.1,
        "gradient_accumulation_steps": 4,
        "use_ema": True,
        "ema_momentum": 0.8,
    },
    "all-global": {"weight_decay": 0.5, "global_clipnorm": 0.2, "gradient_accumulation_steps": 3},
}
# Each rule plain and with everything; each option with one rule.
PAIRS = [
    *product(RULES, ["plain", "all-value", "all-norm", "all-global"]),
    *product(["momentum", "adam"], [name for name in OPTIONS if not name.startswith("all") and name != "plain"]),
]


def network() -> ref.Network:
    layers = [
        ref.Conv(5, (3, 3), activation="relu"),
        ref.Pool("max", (2, 2)),
        ref.Flatten(),
        ref.Dense(18, "tanh"),
        ref.Dense(10, "softmax"),
    ]
    net = ref.Network((8, 8, 1), layers, "sparse_categorical_crossentropy")
    randomize(net, np.random.default_rng(0))
    net.penalties[0], net.penalties[4], net.penalties[5] = (1e-3, 1e-2), (0.0, 1e-2), (1e-3, 0.0)
    return net


def batches(dtype: str = "float64"):
    images, labels = digits()
    for step in range(STEPS):
        part = slice(step * BATCH, (step + 1) * BATCH)
        yield Batch(images[part, ..., None].astype(dtype), labels[part])


def make_rule(kind: str, settings) -> _core.Update:
    rule = _core.Update(kind)
    for name, value in settings.items():
        setattr(rule, name, value)
    return rule


def slots(native: Native) -> list[list[np.ndarray | None]]:
    return [[native.core.get_slot(n, slot) for slot in range(5)] for n in range(len(native.core.parameters))]


def bits(native: Native) -> bytes:
    """Everything that training changes."""
    kept = [b"none" if value is None else value.tobytes() for weight in slots(native) for value in weight]
    return b"".join([*(w.tobytes() for w in native.weights), *kept])


def trained(rule: str, option: str, dtype: str, fused: bool = True) -> Native:
    kind, settings = RULES[rule]
    native = Native(network(), dtype)
    native.core.set_trainable(FROZEN, False)
    for batch in batches(dtype):
        native.update(batch, make_rule(kind, {**settings, **OPTIONS[option]}), fused)
    return native


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("rule, option", PAIRS)
def test_against_the_reference(rule: str, option: str, dtype: str) -> None:
    kind, settings = RULES[rule]
    net, expected = network(), Optimizer(kind, **settings, **OPTIONS[option])
    start = [w.astype(dtype) for w in net.weights]
    net.weights = start
    clipping = 0
    for batch in batches():
        gradients = net.gradients(batch.x, batch.y).gradients
        gradients[FROZEN] = None
        before = expected.clipped({i: g for i, g in enumerate(gradients) if g is not None})
        clipping += any(np.abs(g - gradients[i]).max() > 0 for i, g in before.items())
        net.weights = expected.step(net.weights, gradients)
    assert (clipping == STEPS) == any("clip" in name for name in OPTIONS[option]), "clipping proves nothing"
    native, materialised = trained(rule, option, dtype), trained(rule, option, dtype, fused=False)
    assert bits(native) == bits(materialised), "fused and materialised steps differ"
    assert_all_close(native.weights, net.weights, dtype, "weight")
    np.testing.assert_array_equal(native.weights[FROZEN], start[FROZEN])
    assert slots(native)[FROZEN] == [None] * 5
    changes = [np.abs(w - s).max() for n, (w, s) in enumerate(zip(net.weights, start, strict=True)) if n != FROZEN]
    assert min(changes) > 1e-3, "nothing was learned: the comparison proves nothing"
    for name in {name for slot in expected.slots for name in slot}:
        wanted = [slot.get(name) for slot in expected.slots]
        number = CLASSES[kind].slot_number(name)
        found = [slot[number] for slot in slots(native)]
        assert [value is None for value in found] == [value is None for value in wanted]
        assert_all_close(
            [value for value in found if value is not None], [v for v in wanted if v is not None], dtype, name
        )
    unused = set(range(5)) - {CLASSES[kind].slot_number(name) for slot in expected.slots for name in slot}
    if "gradient_accumulation_steps" in OPTIONS[option]:
        unused.discard(4)  # zeros after an update
    assert all(slot[number] is None for slot in slots(native) for number in unused)


@pytest.mark.parametrize("rule, option", PAIRS)
def test_threads(rule: str, option: str) -> None:
    runs = []
    for threads in (1, 2, 3):
        _core.set_num_threads(threads)
        runs.append(bits(trained(rule, option, "float32", fused=threads == 2)))
    assert len(set(runs)) == 1


def report() -> None:
    """Run in a process of its own: the level in use, and what each rule came to on 1 to 3 threads and in both modes."""
    hashes: dict[str, list[str]] = {}
    for (rule, option), threads in product(PAIRS, (1, 2, 3)):
        _core.set_num_threads(threads)
        native = trained(rule, option, "float32", fused=threads == 2)
        hashes.setdefault(f"{rule}-{option}", []).append(hashlib.sha256(bits(native)).hexdigest())
    print(json.dumps({"isa": _core.isa(), "hashes": hashes}))


@pytest.mark.parametrize("level", _core.isa_levels())
def test_levels(level: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", "import test_optimizer_rules; test_optimizer_rules.report()"],
        cwd=Path(__file__).parent,
        env={**os.environ, "TAUTEN_ISA": level},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout.splitlines()[-1])
    assert found["isa"] == level
    assert {name for name, hashes in found["hashes"].items() if len(set(hashes)) != 1} == set()


# -- what goes wrong changes nothing


BAD = [
    ({"learning_rate": -1.0}, "learning_rate must be finite and at least 0, got -1"),
    ({"learning_rate": 1e300}, "learning_rate must be finite"),  # beyond float32
    ({"learning_rate": float("nan")}, "learning_rate"),
    ({"momentum": 1.5}, "momentum must be from 0 to 1, got 1.5"),
    ({"weight_decay": -0.1}, "weight_decay"),
    ({"clipnorm": -1.0}, "clipnorm"),
    ({"clipnorm": 1.0, "clipvalue": 1.0}, "only one can be set, got 1, 1 and 0"),
    ({"gradient_accumulation_steps": 0}, "gradient_accumulation_steps must be at least 1, got 0"),
    ({"use_ema": True, "ema_momentum": 1.5}, "ema_momentum"),
    ({"ema_overwrite_frequency": -1}, "ema_overwrite_frequency"),
]


@pytest.mark.parametrize("settings, words", BAD)
def test_bad_settings(settings, words) -> None:
    native, batch = Native(network(), "float32"), next(batches("float32"))
    before = bits(native)
    with pytest.raises(ValueError, match=words):
        native.update(batch, make_rule("sgd", settings))
    assert bits(native) == before
    assert native.core.steps == 0


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"beta_1": 1.0}, "beta_1 must be below 1"),
        ({"beta_2": -0.1}, "beta_2"),
        ({"epsilon": 0.0}, "epsilon must be positive"),
        ({"epsilon": 1e-50}, "epsilon must be positive"),  # 0 in float32
    ],
)
def test_bad_settings_of_adam(settings, words) -> None:
    native, batch = Native(network(), "float32"), next(batches("float32"))
    with pytest.raises(ValueError, match=words):
        native.update(batch, make_rule("adam", settings))
    with pytest.raises(ValueError, match="unknown rule 'lion'"):
        _core.Update("lion")


@pytest.mark.parametrize("rule, option", [("adam", "all-norm"), ("momentum", "overwritten"), ("adagrad", "all-value")])
def test_a_gradient_that_is_not_finite_changes_nothing(rule, option) -> None:
    """The loss is finite, a product on the way down is not."""
    kind, settings = RULES[rule]
    layers = [ref.Dense(4), ref.Dense(3, "softmax")]
    net = ref.Network((2,), layers, "sparse_categorical_crossentropy")
    randomize(net, np.random.default_rng(0))
    native, update = Native(net, "float32"), make_rule(kind, {**settings, **OPTIONS[option]})
    good = Batch(np.ones((5, 2), np.float32), np.arange(5) % 3)
    for _ in range(5):
        native.update(good, update, fused=False)
    kept = native.core.get(0)
    native.core.set(0, np.zeros_like(kept))
    native.core.set(2, 1e30 * np.sign(native.core.get(2)))
    before, steps, calls = bits(native), native.core.steps, native.core.calls
    bad = Batch(np.full((5, 2), 3e38, np.float32), good.y)
    with pytest.raises(FloatingPointError, match="the gradient of dense_0/kernel is not finite"):
        native.update(bad, update, fused=False)
    assert (bits(native), native.core.steps, native.core.calls) == (before, steps, calls)


def test_a_norm_that_is_not_finite_changes_nothing() -> None:
    net = ref.Network((2,), [ref.Dense(3)], "mean_squared_error")
    randomize(net, np.random.default_rng(0))
    native = Native(net, "float64")
    batch = Batch(np.full((4, 2), 1e100), np.full((4, 3), 1e100))
    native.core.set(0, np.zeros((2, 3)))
    before = bits(native)
    with pytest.raises(FloatingPointError, match="the norm of the gradients is not finite"):
        native.update(batch, make_rule("sgd", {"global_clipnorm": 1.0}))
    assert bits(native) == before
    native.update(batch, make_rule("sgd", {"clipvalue": 1.0}))
    assert np.isfinite(native.core.get(0)).all()


def test_slots_by_number() -> None:
    native = Native(network(), "float32")
    with pytest.raises(ValueError, match="there is no slot 5"):
        native.core.get_slot(0, 5)
    with pytest.raises(ValueError, match="there is no slot -1"):
        native.core.set_slot(0, -1, native.core.get(0))
    with pytest.raises(ValueError, match="expected an array of shape"):
        native.core.set_slot(0, 0, np.zeros(3))
    native.core.set_slot(0, 2, native.core.get(0))
    np.testing.assert_array_equal(native.core.get_slot(0, 2), native.core.get(0))
    native.core.steps = 7
    native.core.reset_slots()
    assert native.core.get_slot(0, 2) is None
    assert native.core.steps == 0
