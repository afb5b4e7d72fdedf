"""A small residual network, trained beside PyTorch from the same weights: the same weights come out."""

from __future__ import annotations

import numpy as np
import pytest

import tauten
from data import digits
from numerics import assert_close
from tauten import layers

torch = pytest.importorskip("torch")

TOLERANCE = {"float64": 1e-9, "float32": 1e-5}  # of the largest weight
STEPS = {"float64": 100, "float32": 20}  # batch statistics and kinks amplify rounding step by step
BATCH, EPSILON = 16, 1e-3


def tauten_model() -> tauten.Model:
    def block(x, filters, strides=1):
        f = layers.Conv2D(filters, 3, strides, padding=1, use_bias=False)(x)
        f = layers.ReLU()(layers.BatchNormalization(epsilon=EPSILON)(f))
        f = layers.BatchNormalization(epsilon=EPSILON)(layers.Conv2D(filters, 3, padding=1, use_bias=False)(f))
        if strides > 1:
            x = layers.Conv2D(filters, 1, strides, use_bias=False)(x)
        return layers.ReLU()(layers.Add()([f, x]))

    inputs = tauten.Input((8, 8, 1))
    x = block(layers.Conv2D(6, 3, padding=1, activation="relu")(inputs), 6)
    x = layers.GlobalAveragePooling2D()(block(x, 10, 2))
    return tauten.Model(inputs, layers.Dense(10, activation="softmax")(x))


class Twin:
    """The same network in PyTorch, on the same weights; images (batch, channels, rows, columns)."""

    def __init__(self, model: tauten.Model, dtype: str) -> None:
        self.weights = {}
        for layer in model.layers:
            for variable in layer.trainable_weights:
                value = variable.numpy()
                value = value.transpose(3, 2, 0, 1) if value.ndim == 4 else value
                tensor = torch.tensor(np.ascontiguousarray(value), dtype=getattr(torch, dtype), requires_grad=True)
                self.weights[variable.path] = tensor
        self.layers = model.layers

    def logits(self, x):
        f = torch.nn.functional
        values = {}
        for layer in self.layers:
            read = [] if isinstance(layer, layers.InputLayer) else layer.input
            found = [values[tensor] for tensor in (read if isinstance(read, list) else [read])]
            weight = {w.name: self.weights[w.path] for w in layer.trainable_weights}
            if isinstance(layer, layers.InputLayer):
                y = x
            elif isinstance(layer, layers.Conv2D):
                y = f.conv2d(found[0], weight["kernel"], weight.get("bias"), layer.strides, layer.kernel_size[0] // 2)
                y = torch.relu(y) if layer.activation == "relu" else y
            elif isinstance(layer, layers.BatchNormalization):
                y = f.batch_norm(found[0], None, None, weight["gamma"], weight["beta"], True, 0.1, EPSILON)
            elif isinstance(layer, layers.ReLU):
                y = torch.relu(found[0])
            elif isinstance(layer, layers.Add):
                y = found[0] + found[1]
            elif isinstance(layer, layers.GlobalAveragePooling2D):
                y = found[0].mean(dim=(2, 3))
            else:
                assert isinstance(layer, layers.Dense)
                y = found[0] @ weight["kernel"] + weight["bias"]
            values[layer.output] = y
        return y


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_training(dtype: str) -> None:
    tauten.utils.set_random_seed(4)
    before = tauten.config.floatx()
    tauten.config.set_floatx(dtype)
    try:
        model = tauten_model()
    finally:
        tauten.config.set_floatx(before)
    model.compile(tauten.optimizers.SGD(0.02, momentum=0.9), "sparse_categorical_crossentropy")
    twin = Twin(model, "float64")  # the yardstick of both: its own float32 drifts by 4e-3 in 20 steps, without AVX-512
    start = {path: weight.detach().clone() for path, weight in twin.weights.items()}
    optimizer = torch.optim.SGD(twin.weights.values(), lr=0.02, momentum=0.9)
    steps = STEPS[dtype]
    x, y = digits()[0][: steps * BATCH, :, :, None].astype(dtype), digits()[1][: steps * BATCH]
    losses = []
    for step in range(steps):
        part = slice(step * BATCH, (step + 1) * BATCH)
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(
            twin.logits(torch.tensor(x[part].transpose(0, 3, 1, 2).astype("float64"))), torch.tensor(y[part])
        )
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        assert model.train_on_batch(x[part], y[part]) == pytest.approx(losses[-1], rel=100 * TOLERANCE[dtype])
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])
    found = {variable.path: variable.numpy() for variable in model.trainable_weights}
    for path, weight in twin.weights.items():
        assert (weight - start[path]).abs().max() > 5 * TOLERANCE[dtype], "nothing was learned"
        wanted = weight.detach().numpy()
        wanted = wanted.transpose(2, 3, 1, 0) if wanted.ndim == 4 else wanted
        assert_close(found[path], wanted, TOLERANCE[dtype], path, max(np.abs(wanted).max(), 0.1))
