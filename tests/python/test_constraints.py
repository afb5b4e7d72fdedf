"""Constraints: Keras' formulas on arrays, and in the native step of every layer that has weights."""

from __future__ import annotations

import numpy as np
import pytest

import tauten
from tauten import constraints, layers

RNG = np.random.default_rng(5)


def keras_norm(w, least, most, rate, axis):
    """Keras' formula, written down once more."""
    norms = np.sqrt(np.sum(w * w, axis=axis, keepdims=True))
    return w * ((rate * np.clip(norms, least, most) + (1 - rate) * norms) / (1e-7 + norms))


@pytest.mark.parametrize("axis", [0, 1, -1, (0, 1), [0, 1, 2], (0, 3)])
def test_values(axis):
    w = RNG.normal(size=(3, 2, 4, 5))
    axes = tuple(axis) if isinstance(axis, (list, tuple)) else axis
    np.testing.assert_allclose(constraints.MaxNorm(0.7, axis)(w), keras_norm(w, 0, 0.7, 1, axes), rtol=1e-12)
    np.testing.assert_allclose(constraints.UnitNorm(axis)(w), w / (1e-7 + np.sqrt((w * w).sum(axes, keepdims=True))))
    found = constraints.MinMaxNorm(0.9, 1.1, 0.3, axis)(w)
    np.testing.assert_allclose(found, keras_norm(w, 0.9, 1.1, 0.3, axes), rtol=1e-12)
    np.testing.assert_array_equal(constraints.NonNeg()(w), np.maximum(w, 0))


HALF = constraints.MinMaxNorm(0.4, 0.5, 0.7)
SEQUENCE, IMAGE = (4, 3), (6, 6, 4)
# layer, what its constraints are: by weight, those of the layer's own network
CASES = {
    "dense": ((7,), lambda k: layers.Dense(18, **k), {"kernel": HALF, "bias": "non_neg"}),
    "dense, along units": ((7,), lambda k: layers.Dense(18, **k), {"kernel": constraints.MaxNorm(0.6, axis=1)}),
    "dense, whole": ((7,), lambda k: layers.Dense(18, **k), {"kernel": constraints.UnitNorm([0, -1])}),
    "conv": (IMAGE, lambda k: layers.Conv2D(18, 3, **k), {"kernel": constraints.MaxNorm(0.5, [0, 1, 2])}),
    "conv, odd axes": (IMAGE, lambda k: layers.Conv2D(6, 3, **k), {"kernel": constraints.UnitNorm([1, 3])}),
    "grouped": (IMAGE, lambda k: layers.Conv2D(6, 3, groups=2, **k), {"kernel": constraints.UnitNorm([0, 1, 2])}),
    "depthwise": (IMAGE, lambda k: layers.DepthwiseConv2D(3, **k), {"depthwise": "unit_norm", "bias": "max_norm"}),
    "separable": (IMAGE, lambda k: layers.SeparableConv2D(5, 3, **k), {"depthwise": "non_neg", "pointwise": HALF}),
    "simple": (SEQUENCE, lambda k: layers.SimpleRNN(5, **k), {"kernel": HALF, "recurrent": "non_neg"}),
    "lstm": (SEQUENCE, lambda k: layers.LSTM(19, **k), {"kernel": HALF, "recurrent": "unit_norm", "bias": "non_neg"}),
    "gru": (SEQUENCE, lambda k: layers.GRU(19, **k), {"kernel": HALF, "recurrent": HALF, "bias": "unit_norm"}),
    "first": (SEQUENCE, lambda k: layers.GRU(19, reset_after=False, **k), {"recurrent": "unit_norm", "bias": HALF}),
    "prelu": (SEQUENCE, lambda k: layers.PReLU("ones", **k), {"alpha": constraints.MaxNorm(0.5, -1)}),
    "norm": (SEQUENCE, lambda k: layers.BatchNormalization(**k), {"gamma": HALF, "beta": "non_neg"}),
    "layer norm": (SEQUENCE, lambda k: layers.LayerNormalization(**k), {"gamma": "unit_norm", "beta": "max_norm"}),
}
NAMES = {"recurrent": "recurrent_kernel"}
SEPARABLE = {"depthwise": "depthwise_kernel", "pointwise": "pointwise_kernel"}


def pair(case, dtype="float64", twin=True):
    """Two models of equal weights, the first with constraints, and data."""
    shape, make, held = CASES[case]
    tauten.config.set_floatx(dtype)
    try:
        made = []
        for given in ({f"{key}_constraint": value for key, value in held.items()}, {})[: 1 + twin]:
            tauten.utils.set_random_seed(3)
            model = tauten.Sequential([tauten.Input(shape), make(given), layers.Flatten(), layers.Dense(2)])
            model.compile(tauten.optimizers.SGD(0.05, momentum=0.5), "mse")
            waves = (0.5 * np.cos(2 * np.arange(w.size) + 1.5).reshape(w.shape) for w in model.layers[0].get_weights())
            model.layers[0].set_weights([*waves])
            made.append(model)
    finally:
        tauten.config.set_floatx("float32")
    rng = np.random.default_rng(8)
    return made, rng.normal(size=(9, *shape)), rng.normal(size=(9, 2))


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_step_then_constraint(case, fused):
    tauten.config.set_num_threads(2)
    (model, free), x, y = pair(case)
    names = {**NAMES, **(SEPARABLE if case == "separable" else {"depthwise": "kernel"})}
    held = {names.get(key, key): constraints.get(value) for key, value in CASES[case][2].items()}
    tauten.config.set_check_gradients(not fused)
    try:
        for _ in range(3):
            free.set_weights(model.get_weights())
            for each in (model, free):
                each.compile(tauten.optimizers.SGD(0.05), "mse")
                each.train_on_batch(x, y)
            for weight, before in zip(model.layers[0].weights, free.layers[0].weights, strict=True):
                wanted = held[weight.name](before.numpy()) if weight.name in held else before.numpy()
                np.testing.assert_allclose(weight.numpy(), wanted, rtol=1e-12, atol=1e-14, err_msg=weight.path)
                assert weight.name not in held or not np.array_equal(weight.numpy(), before.numpy())
    finally:
        tauten.config.set_check_gradients(True)
    # nothing reads panels of the weights before
    again = tauten.models.clone_model(model)
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(model.predict(x, verbose=0), again.predict(x, verbose=0), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("case", ["conv", "lstm", "dense, whole"])
def test_any_threads_the_same_bits(case):
    found = []
    for threads in (1, 2, 5):
        tauten.config.set_num_threads(threads)
        (model,), x, y = pair(case, "float32", twin=False)
        model.fit(x, y, epochs=3, batch_size=4, shuffle=False, verbose=0)
        found.append(model.get_weights())
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_embedding_bidirectional_and_time_distributed():
    model = tauten.Sequential(
        [
            tauten.Input((None,), dtype="int32"),
            layers.Embedding(9, 5, embeddings_constraint=constraints.UnitNorm(axis=1)),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True, recurrent_constraint=constraints.MaxNorm(0.2))),
            layers.TimeDistributed(layers.Dense(2, kernel_constraint="non_neg")),
        ]
    )
    model.compile("adam", "mse")
    model.train_on_batch(RNG.integers(0, 9, (4, 6)), RNG.normal(size=(4, 6, 2)))
    table = model.layers[0].get_weights()[0]
    np.testing.assert_allclose(np.linalg.norm(table, axis=1), 1, rtol=1e-5)
    for weight in model.layers[1].weights:
        if weight.name.endswith("recurrent_kernel"):
            assert np.linalg.norm(weight.numpy(), axis=0).max() <= 0.2
    assert model.layers[2].get_weights()[0].min() == 0


def test_frozen_layers_stay_and_files_keep_constraints(tmp_path):
    (model,), x, y = pair("dense", twin=False)
    model.train_on_batch(x, y)
    model.save(tmp_path / "m.safetensors")
    loaded = tauten.models.load_model(tmp_path / "m.safetensors")
    assert loaded.layers[0].get_config()["kernel_constraint"] == {
        "class_name": "MinMaxNorm",
        "config": HALF.get_config(),
    }
    for each in (model, loaded):
        each.train_on_batch(x, y)
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    model.layers[0].trainable = False
    model.layers[0].set_weights([w - 1 for w in model.layers[0].get_weights()])
    before = model.layers[0].get_weights()
    model.train_on_batch(x, y)
    for a, b in zip(model.layers[0].get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_only_after_updates():
    (model,), x, y = pair("dense", twin=False)
    model.compile(tauten.optimizers.SGD(0.05, gradient_accumulation_steps=2), "mse")
    before = model.layers[0].get_weights()
    model.train_on_batch(x, y)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], before[0])
    model.train_on_batch(x, y)
    assert model.layers[0].get_weights()[1].min() == 0


def test_get_and_refusals():
    for given in (None, "max_norm", "MaxNorm", constraints.MaxNorm(3, [0, 1]), constraints.NonNeg, HALF):
        made = constraints.get(given)
        again = constraints.deserialize(constraints.serialize(made))
        assert repr(again) == repr(made)
    assert constraints.max_norm is constraints.MaxNorm and repr(constraints.UnitNorm()) == "UnitNorm(axis=0)"

    class Own(constraints.Constraint):
        def __call__(self, w):
            return w

    with pytest.raises(TypeError, match=r"Dense: kernel_constraint: .*Own cannot run inside a native step"):
        layers.Dense(2, kernel_constraint=Own())
    with pytest.raises(ValueError, match=r"Dense: bias_constraint: .*'huge' is not known.*max_norm"):
        layers.Dense(2, bias_constraint="huge")
    with pytest.raises(TypeError, match=r"Dense: bias_constraint: .*expected a name"):
        layers.Dense(2, bias_constraint=lambda w: w)
    for make, match in [
        (lambda: constraints.MaxNorm(-1), "max_value"),
        (lambda: constraints.MinMaxNorm(2, 1), "max_value"),
        (lambda: constraints.MinMaxNorm(rate=2), "rate"),
        (lambda: constraints.UnitNorm(0.5), "axis"),
    ]:
        with pytest.raises((ValueError, TypeError), match=match):
            make()
    model = tauten.Sequential([layers.Dense(2, name="d", kernel_constraint=constraints.UnitNorm(2))])
    with pytest.raises(ValueError, match=r"d/kernel: a constraint's axis must be from -2 to 1, got 2"):
        model.build((None, 3))
