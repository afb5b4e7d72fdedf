"""Convolutions by Winograd's minimal filtering: where they are used, how exact they are, how they are switched off."""

from __future__ import annotations

import platform
import threading
from itertools import product

import numpy as np
import pytest
from sklearn.datasets import load_digits

import tauten
from cases.convolutions import winograd_cases
from native import Native
from tauten import _core, layers

pytestmark = pytest.mark.skipif(
    tauten.config.isa() == "baseline" and platform.machine() in ("x86_64", "AMD64"), reason="not for x86 without AVX2"
)
LANES = {"avx512": 16, "avx2": 8, "baseline": 4}[tauten.config.isa()]  # float32 values a vector


def plan(kernel, channels=64, filters=64, size=14, winograd=True, **options) -> str:
    """What the network says about one convolution."""
    network = _core.Network("float32", winograd)
    edge = network.add_input("input", (*(size,) * len(kernel), channels))
    network.finalize([network.add_conv("conv", edge, filters, kernel, (1,) * len(kernel), "same", **options)])
    return network.plan.splitlines()[-1]


@pytest.mark.parametrize(
    ("kernel", "name"),
    [
        ((3,), "F(6, 3)"),
        ((5,), "F(4, 5)"),
        ((7,), "F(2, 7)"),
        ((3, 3), "F(4x4, 3x3)"),
        ((5, 5), "F(4x4, 5x5)"),
        ((7, 7), "F(2, 7)"),
        ((1, 3), "F(6, 3)"),
        ((3, 3, 3), "F(4x4, 3x3)"),
    ],
)
def test_where_it_is_used(kernel, name):
    assert plan(kernel).endswith(f"Winograd {name}")
    assert "Winograd" not in plan(kernel, winograd=False)
    assert "Winograd" not in plan(kernel, channels=1)


@pytest.mark.parametrize("kernel", [(1,), (2, 2), (4, 4), (3, 1), (9,)])
def test_where_it_is_not(kernel):
    assert "Winograd" not in plan(kernel)


def test_small_images_are_not_worth_it():
    assert "Winograd" not in plan((3, 3), size=1)


@pytest.mark.parametrize("case", list(winograd_cases()), ids=str)
def test_the_cases_of_the_gradient_checks_use_it(case):
    """Forwards and backwards: other bits than those of the plain sum."""
    net, batch = case.build()
    tiled, plain = (Native(net, "float64", use) for use in (True, False))
    assert not np.array_equal(tiled.predict(batch.x), plain.predict(batch.x))
    (_, fast, (fast_input,)), (_, slow, (slow_input,)) = tiled.gradients(batch), plain.gradients(batch)
    assert not np.array_equal(fast[2], slow[2])
    assert not np.array_equal(fast_input, slow_input)


def gradients(dtype, winograd, kernel, x, y, weights):
    """Outputs and gradients of one convolution between the images and a squared error."""
    network = _core.Network(dtype, winograd)
    edge = network.add_input("input", x.shape[1:])
    padding = "same"
    network.finalize([network.add_conv("conv", edge, y.shape[-1], kernel, (1,) * len(kernel), padding)])
    network.compile([("mean_squared_error", False, 1.0, [])])
    for number, weight in enumerate(weights):
        network.set(number, weight.astype(dtype))
    sources = [_core.Source(x.astype(dtype))], [_core.Source(y.astype(dtype))], np.arange(len(x))
    _, (kernel_gradient, _), (input_gradient,) = network.gradients(*sources, None, True)
    return network.predict(sources[0], sources[2], False)[0], input_gradient, kernel_gradient


@pytest.mark.parametrize("kernel", [(3,), (5,), (7,), (3, 3), (5, 5), (7, 7), (3, 3, 3)])
def test_rounding_errors(kernel):
    """In float32 at most ten times those of the plain sum, forwards and in both gradients (root mean squares)."""
    rng = np.random.default_rng(0)
    channels = 4 * LANES
    digits = load_digits().images / 16  # 8 x 8: pasted together to something larger
    extents = {1: (96,), 2: (24, 24), 3: (4, 16, 16)}[len(kernel)]
    strips = np.resize(digits, (4, channels, *extents))
    x = np.ascontiguousarray(np.moveaxis(strips, 1, -1))
    taps = np.prod(kernel)
    weights = [rng.normal(size=(*kernel, channels, channels)) / np.sqrt(channels * taps), rng.normal(size=channels)]
    y = rng.normal(size=(4, *extents, channels))
    x, y = x.astype(np.float32), y.astype(np.float32)
    weights = [weight.astype(np.float32) for weight in weights]
    exact = gradients("float64", False, kernel, x, y, weights)
    tiled, plain = (gradients("float32", use, kernel, x, y, weights) for use in (True, False))
    for what, right, fast, slow in zip(
        ("output", "input gradient", "kernel gradient"), exact, tiled, plain, strict=True
    ):
        assert not np.array_equal(fast, slow), "Winograd was not used"
        errors = [np.sqrt(np.mean((found - right) ** 2)) for found in (fast, slow)]
        print(f"{kernel} {what}: {errors[0] / errors[1]:.2f} times the error of the plain sum")
        assert errors[0] <= 10 * errors[1], f"{what}: {errors[0] / errors[1]:.1f} times the error of the plain sum"


def small_cnn() -> tauten.Sequential:
    tauten.utils.set_random_seed(1)
    model = tauten.Sequential(
        [
            tauten.Input((8, 8, 1)),
            layers.Conv2D(2 * LANES, 3, padding="same", activation="relu"),
            layers.Conv2D(2 * LANES, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(2 * LANES, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(tauten.optimizers.SGD(0.05, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_set_winograd():
    images, labels = load_digits().images[..., None] / 16, load_digits().target
    assert tauten.config.winograd()
    accuracies = []
    try:
        for use in (True, False):
            tauten.config.set_winograd(use)
            assert tauten.config.winograd() is use
            model = small_cnn()
            assert len(model.weights) > 0
            assert ("Winograd" in model._graph.network.plan) is use
            history = model.fit(images[:1500], labels[:1500], batch_size=50, epochs=3, verbose=0)
            accuracies.append((history.history["loss"][0], model.evaluate(images[1500:], labels[1500:], verbose=0)[1]))
        with pytest.raises(TypeError, match="expected True or False, got 1"):
            tauten.config.set_winograd(1)
    finally:
        tauten.config.set_winograd(True)
    (loss, accuracy), (plain_loss, plain_accuracy) = accuracies
    assert loss == pytest.approx(plain_loss, rel=1e-3)
    assert min(accuracy, plain_accuracy) > 0.85


def test_predictions_follow_the_weights():
    """Filters at the points are copies: predictions after every way of changing weights use the new ones."""
    images, labels = load_digits().images[:64, ..., None] / 16, load_digits().target[:64]
    model = small_cnn()

    def fresh() -> np.ndarray:
        other = small_cnn()
        other.set_weights(model.get_weights())
        return other.predict(images, verbose=0)

    before = model.predict(images, verbose=0)
    np.testing.assert_array_equal(before, fresh())
    model.train_on_batch(images, labels)
    after = model.predict(images, verbose=0)
    np.testing.assert_array_equal(after, fresh())
    assert not np.array_equal(before, after)
    model.set_weights([weight * 0.5 for weight in model.get_weights()])
    np.testing.assert_array_equal(model.predict(images, verbose=0), fresh())


def test_threads_that_predict_at_once():
    """The first of several predictions after a change makes the copies; the others wait for them."""
    images, labels = load_digits().images[:64, ..., None] / 16, load_digits().target[:64]
    model = small_cnn()
    for _ in range(5):
        model.train_on_batch(images, labels)
        found: list[np.ndarray] = []

        def predict(to=found) -> None:
            to.append(model.predict_on_batch(images))

        threads = [threading.Thread(target=predict) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        for output in found[1:]:
            np.testing.assert_array_equal(output, found[0])


def test_any_team():
    """The same bits on any number of threads, for a batch and for samples that are shared out in parts."""
    images = load_digits().images[:9, ..., None] / 16
    before = tauten.config.num_threads()
    try:
        model, results = small_cnn(), {}
        for threads, batch in product((1, 2, 3, 5), (1, 2, 9)):
            tauten.config.set_num_threads(threads)
            results.setdefault(batch, []).append(model.predict(images[:batch], verbose=0))
        for outputs in results.values():
            for output in outputs[1:]:
                np.testing.assert_array_equal(output, outputs[0])
    finally:
        tauten.config.set_num_threads(before)
