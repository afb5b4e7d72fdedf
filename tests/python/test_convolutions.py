"""The layers over the options of convolutions: shapes and names are Keras 3.15's, and each does what it is said to."""

from __future__ import annotations

import numpy as np
import pytest

import tauten
from data import digits
from tauten import layers

RNG = np.random.default_rng(26)


def built(layer: layers.Layer, *sample: int) -> tauten.Sequential:
    return tauten.Sequential([tauten.Input(sample), layer])


def run(layer: layers.Layer, x: np.ndarray, *weights: np.ndarray) -> np.ndarray:
    model = built(layer, *x.shape[1:])
    if weights:
        model.set_weights(list(weights))
    return model.predict_on_batch(x)


@pytest.mark.parametrize(
    ("layer", "sample", "output", "weights"),
    [
        (
            layers.Conv2D(8, 3, dilation_rate=2, groups=2),
            (16, 16, 4),
            (12, 12, 8),
            {"kernel": (3, 3, 2, 8), "bias": (8,)},
        ),
        (layers.Conv1D(8, 3, padding="causal", dilation_rate=2), (16, 4), (16, 8), {"kernel": (3, 4, 8), "bias": (8,)}),
        (
            layers.Conv3D(4, 2, dilation_rate=(1, 2, 3), padding="same"),
            (5, 6, 7, 2),
            (5, 6, 7, 4),
            {"kernel": (2, 2, 2, 2, 4), "bias": (4,)},
        ),
        (layers.Conv2D(4, 3, groups=4), (6, 6, 4), (4, 4, 4), {"kernel": (3, 3, 1, 4), "bias": (4,)}),
        (
            layers.DepthwiseConv2D(3, depth_multiplier=2),
            (16, 16, 4),
            (14, 14, 8),
            {"kernel": (3, 3, 4, 2), "bias": (8,)},
        ),
        (
            layers.DepthwiseConv2D(3, 2, dilation_rate=2, use_bias=False),
            (16, 16, 4),
            (6, 6, 4),
            {"kernel": (3, 3, 4, 1)},
        ),
        (layers.DepthwiseConv1D(3, 2, depth_multiplier=2), (16, 4), (7, 8), {"kernel": (3, 4, 2), "bias": (8,)}),
        (
            layers.SeparableConv2D(6, 3, depth_multiplier=2),
            (16, 16, 4),
            (14, 14, 6),
            {"depthwise_kernel": (3, 3, 4, 2), "pointwise_kernel": (1, 1, 8, 6), "bias": (6,)},
        ),
        (
            layers.SeparableConv1D(6, 3, 2, "same"),
            (16, 4),
            (8, 6),
            {"depthwise_kernel": (3, 4, 1), "pointwise_kernel": (1, 4, 6), "bias": (6,)},
        ),
    ],
    ids=lambda value: value.name if isinstance(value, layers.Layer) else "",
)
def test_shapes_are_keras_s(layer, sample, output, weights) -> None:
    model = built(layer, *sample)
    assert layer.output_shape == (None, *output)
    assert {w.name: w.shape for w in model.weights} == weights
    assert list(weights) == [w.name for w in model.weights]


def test_causal_and_dilated_by_hand() -> None:
    """y_t = x_t + 10 x_{t-2} + 100 x_{t-4}, zeros before the beginning."""
    x, w = np.arange(1.0, 8)[None, :, None], np.array([100.0, 10, 1])[:, None, None]
    y = run(layers.Conv1D(1, 3, padding="causal", dilation_rate=2, use_bias=False), x, w)
    np.testing.assert_array_equal(y[0, :, 0], [1, 2, 13, 24, 135, 246, 357])


def test_padding_value_by_hand() -> None:
    x, w = np.array([1.0, 2, 3])[None, :, None], np.array([1.0, 10, 100])[:, None, None]
    for padding, expected in (("same", [215, 321, 532]), ((2, 0), [155, 215, 321]), ("causal", [155, 215, 321])):
        y = run(layers.Conv1D(1, 3, padding=padding, padding_value=5, use_bias=False), x, w)
        np.testing.assert_array_equal(y[0, :, 0], expected)
    depthwise = run(layers.DepthwiseConv1D(3, padding="same", padding_value=5, use_bias=False), x, w)
    np.testing.assert_array_equal(depthwise[0, :, 0], [215, 321, 532])


@pytest.mark.parametrize("value", [0.5, -2.0])
def test_padding_value_is_a_padded_input(value: float) -> None:
    x, w = RNG.normal(size=(3, 6, 5, 2)), RNG.normal(size=(3, 2, 2, 4))
    padded = np.pad(x, ((0, 0), (2, 0), (1, 3), (0, 0)), constant_values=value)
    layer = layers.Conv2D(4, (3, 2), padding=((2, 0), (1, 3)), padding_value=value, use_bias=False)
    np.testing.assert_array_equal(run(layer, x, w), run(layers.Conv2D(4, (3, 2), use_bias=False), padded, w))


@pytest.mark.parametrize("groups", [2, 3, 6])
def test_groups_are_convolutions_side_by_side(groups: int) -> None:
    """As many groups as channels too, which is another code."""
    x, w, b = RNG.normal(size=(3, 7, 6, 6)), RNG.normal(size=(3, 2, 6 // groups, 12)), RNG.normal(size=12)
    y = run(layers.Conv2D(12, (3, 2), dilation_rate=(2, 1), groups=groups), x, w, b)
    parts = zip(*[np.split(a, groups, -1) for a in (x, w, b)], strict=True)
    alone = [run(layers.Conv2D(12 // groups, (3, 2), dilation_rate=(2, 1)), *part) for part in parts]
    np.testing.assert_allclose(y, np.concatenate(alone, -1), rtol=1e-5, atol=1e-5)


def test_separable_is_both_in_turn() -> None:
    x, options = RNG.normal(size=(2, 6, 5, 3)), {"dilation_rate": 2, "padding": "same"}
    d, p, b = RNG.normal(size=(3, 3, 3, 2)), RNG.normal(size=(1, 1, 6, 4)), RNG.normal(size=4)
    y = run(layers.SeparableConv2D(4, 3, depth_multiplier=2, activation="tanh", **options), x, d, p, b)
    middle = run(layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False, **options), x, d)
    np.testing.assert_allclose(y, run(layers.Conv2D(4, 1, activation="tanh"), middle, p, b), rtol=1e-5, atol=1e-6)


def small_mobile() -> tauten.Sequential:
    tauten.utils.set_random_seed(3)
    wide = tauten.initializers.RandomNormal(stddev=0.5)  # Glorot's counts all channels, of which a filter sees one
    model = tauten.Sequential(
        [
            tauten.Input((8, 8, 1)),
            layers.Conv2D(8, 3, padding="same", padding_value=-0.5, activation="relu", name="stem"),
            layers.DepthwiseConv2D(3, 2, "same", 2, activation="relu", depthwise_initializer=wide, name="thin"),
            layers.Conv2D(16, 1, groups=4, activation="relu", name="groups"),
            layers.SeparableConv2D(
                16,
                2,
                padding="same",
                dilation_rate=2,
                activation="relu",
                depthwise_initializer=wide,
                pointwise_regularizer=tauten.regularizers.L2(1e-4),
                padding_value=0.25,
                name="apart",
            ),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(tauten.optimizers.SGD(0.05, 0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_training_learns() -> None:
    x, y = digits()
    model = small_mobile()
    model.fit(x.reshape(-1, 8, 8, 1)[:1500], y[:1500], epochs=6, batch_size=32, verbose=0)
    assert model.evaluate(x.reshape(-1, 8, 8, 1)[1500:], y[1500:], verbose=0)[1] > 0.8


def test_saved_options_come_back(tmp_path) -> None:
    x, y = digits()
    x = x.reshape(-1, 8, 8, 1)[:64]
    model = small_mobile()
    model.train_on_batch(x, y[:64])
    model.save(tmp_path / "model.safetensors")
    loaded = tauten.models.load_model(tmp_path / "model.safetensors")
    assert loaded.get_config() == model.get_config()
    assert loaded.get_layer("apart").dilation_rate == (2, 2)
    assert loaded.get_layer("apart").padding_value == 0.25
    assert loaded.get_layer("groups").groups == 4
    assert loaded.get_layer("thin").depth_multiplier == 2
    np.testing.assert_array_equal(loaded.predict_on_batch(x), model.predict_on_batch(x))
    assert loaded.train_on_batch(x, y[:64]) == model.train_on_batch(x, y[:64])


def test_frozen_parts_stay() -> None:
    """A frozen depthwise layer lets the gradient through to the layer below."""
    x, y = digits()
    x = x.reshape(-1, 8, 8, 1)[:64]
    model = small_mobile()
    model.get_layer("thin").trainable = False
    before = [w.numpy() for w in model.weights]
    model.train_on_batch(x, y[:64])
    changed = [not np.array_equal(a, w.numpy()) for a, w in zip(before, model.weights, strict=True)]
    assert changed == [True, True, False, False, *[True] * 7]


def test_a_gradient_that_is_not_finite_changes_nothing() -> None:
    """Sums of a depthwise layer that overflow are seen before any weight changes."""
    thin, last = layers.DepthwiseConv2D(3, depthwise_initializer="zeros"), layers.Dense(1, kernel_initializer="ones")
    model = tauten.Sequential([tauten.Input((4, 4, 2)), thin, layers.Flatten(), last])
    model.compile(tauten.optimizers.SGD(0.1), "mse")
    before = model.get_weights()
    with pytest.raises(FloatingPointError, match=r"depthwise_conv2d.*/kernel is not finite"):
        model.train_on_batch(np.full((2, 4, 4, 2), 1e20), np.full((2, 1), -1e18))
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
