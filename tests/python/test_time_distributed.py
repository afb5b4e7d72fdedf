"""TimeDistributed: the layer itself at every step."""

from __future__ import annotations

import numpy as np
import pytest

import tauten
from tauten import layers

LAYERS = {
    "dense": lambda: layers.Dense(4, "softmax", kernel_regularizer="l2"),
    "dropout": lambda: layers.Dropout(0.4, seed=7),
    "activation": lambda: layers.Activation("softmax"),
}


def trained(make, steps: int | None) -> list[np.ndarray]:
    tauten.utils.set_random_seed(2)
    model = tauten.Sequential([tauten.Input((steps, 3)), layers.SimpleRNN(4, return_sequences=True), make()])
    model.compile(tauten.optimizers.SGD(0.2, momentum=0.9), "mse")
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(9, 5, 3)), rng.random((9, 5, 4))
    losses = model.fit(x, y, batch_size=4, epochs=3, verbose=0).history["loss"]
    return [np.array(losses), *model.get_weights(), model.predict(x, verbose=0)]


@pytest.mark.parametrize("steps", [5, None])
@pytest.mark.parametrize("name", LAYERS)
def test_the_wrapper_changes_nothing(name: str, steps: int | None) -> None:
    plain = trained(LAYERS[name], steps)
    for found, wanted in zip(trained(lambda: layers.TimeDistributed(LAYERS[name]()), steps), plain, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_names_losses_and_images() -> None:
    """Weights are the wrapper's; a loss sees the activation inside; features may have any rank."""
    inner = layers.Dense(3, activation="softmax", name="inner")
    wrapper = layers.TimeDistributed(inner, name="every")
    model = tauten.Sequential([tauten.Input((6, 2, 5)), wrapper])
    assert [v.name for v in model.weights] == ["kernel", "bias"]
    assert wrapper.layer.name == "inner"
    assert wrapper.layer is not inner
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert model.output_shape == (None, 6, 2, 3)
    model.train_on_batch(np.ones((2, 6, 2, 5)), np.zeros((2, 6, 2), dtype=int))


def test_frozen_inside() -> None:
    model = tauten.Sequential([tauten.Input((4, 3)), layers.TimeDistributed(layers.Dense(2, trainable=False))])
    assert not model.trainable_weights
    model.layers[0].layer.trainable = True
    assert len(model.trainable_weights) == 2
    model.layers[0].trainable = False
    assert not model.trainable_weights


def test_refused() -> None:
    with pytest.raises(
        ValueError, match=r"TimeDistributed: expected a Dense, Dropout, .* or Softmax, got layer 'c' \(Conv1D"
    ):
        layers.TimeDistributed(layers.Conv1D(2, 2, name="c"))
    with pytest.raises(TypeError, match="TimeDistributed: layer must be a layer, got 3"):
        layers.TimeDistributed(3)
    with pytest.raises(ValueError, match=r"^steps: expected a sequence \(steps, \.\.\.\), got shape \(3,\)"):
        tauten.Sequential([tauten.Input((3,)), layers.TimeDistributed(layers.Dense(2), name="steps")])
