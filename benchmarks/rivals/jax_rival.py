"""JAX: pure functions, compiled as one step by jit; parameters and velocities are donated to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.workloads import (
    EPSILON,
    MOMENTUM,
    Array,
    Conv,
    Dense,
    Embedding,
    Flatten,
    Pool,
    Recurrent,
    Residual,
    Workload,
)

Arrays = list[jax.Array]


def _product(kernel: jax.Array, x: jax.Array) -> jax.Array:
    spatial = "DHW"[5 - x.ndim :]
    names = (f"N{spatial}C", f"{spatial}IO", f"N{spatial}C")
    strides = (1,) * len(spatial)
    return lax.conv_general_dilated(x, kernel, strides, "SAME", dimension_numbers=names)


def _residual(weights: Arrays, x: jax.Array, training: bool) -> tuple[jax.Array, Arrays]:
    """relu(x + F(x)), and the weights with the moving averages after it."""
    f, after = x, []
    for end in range(2):
        kernel, gamma, beta, mean, variance = weights[5 * end : 5 * end + 5]
        f = _product(kernel, f)
        if training:
            places = tuple(range(f.ndim - 1))
            batch_mean, batch_variance = f.mean(places), f.var(places)
            moved = [
                lax.stop_gradient(MOMENTUM * a + (1 - MOMENTUM) * b)
                for a, b in ((mean, batch_mean), (variance, batch_variance))
            ]
            mean, variance = batch_mean, batch_variance
        else:
            moved = [mean, variance]
        f = (f - mean) * (gamma * lax.rsqrt(variance + EPSILON)) + beta
        f = jax.nn.relu(f) if end == 0 else f
        after += [kernel, gamma, beta, *moved]
    return jax.nn.relu(x + f), after


def _pool(layer: Pool, x: jax.Array) -> jax.Array:
    window = (1, *(layer.size,) * (x.ndim - 2), 1)
    return lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")


def _direction(
    layer: Recurrent, weights: Arrays, x: jax.Array, valid: jax.Array | None, reverse: bool
) -> tuple[jax.Array, jax.Array]:
    """States at all steps, and the last; the product with x is taken for all steps at once, before the scan."""
    kernel, recurrent, bias = weights
    zeros = jnp.zeros((x.shape[1], layer.units), x.dtype)

    def rnn(carry: Any, z: jax.Array) -> Any:
        h = jnp.tanh(z + carry[0] @ recurrent)
        return (h, carry[1])

    def lstm(carry: Any, z: jax.Array) -> Any:
        i, f, u, o = jnp.split(z + carry[0] @ recurrent, 4, axis=-1)
        memory = jax.nn.sigmoid(f) * carry[1] + jax.nn.sigmoid(i) * jnp.tanh(u)
        return (jax.nn.sigmoid(o) * jnp.tanh(memory), memory)

    def forget(carry: Any, z: jax.Array) -> Any:
        f, u = jnp.split(z + carry[0] @ recurrent, 2, axis=-1)
        f = jax.nn.sigmoid(f)
        return (f * carry[0] + (1 - f) * jnp.tanh(u), carry[1])

    def gru(carry: Any, z: jax.Array) -> Any:
        update, reset, u = jnp.split(z, 3, axis=-1)
        update_h, reset_h, u_h = jnp.split(carry[0] @ recurrent + bias[1], 3, axis=-1)
        update = jax.nn.sigmoid(update + update_h)
        u = jnp.tanh(u + jax.nn.sigmoid(reset + reset_h) * u_h)
        return (update * carry[0] + (1 - update) * u, carry[1])

    cell = {"rnn": rnn, "forget": forget, "gru": gru, "lstm": lstm}[layer.cell]
    bias_x = bias[0] if layer.cell == "gru" else bias

    def step(carry: Any, inputs: Any) -> Any:
        z, alive = inputs
        new = cell(carry, z)
        if alive is not None:
            new = tuple(jnp.where(alive[:, None], a, b) for a, b in zip(new, carry, strict=True))
        return new, new[0]

    carry, states = lax.scan(step, (zeros, zeros), (x @ kernel + bias_x, valid), reverse=reverse)
    return states, carry[0]


def _recurrent(layer: Recurrent, weights: Arrays, x: jax.Array, valid: jax.Array | None) -> jax.Array:
    both = [_direction(layer, weights[:3], x, valid, False)]
    if layer.bidirectional:
        both.append(_direction(layer, weights[3:], x, valid, True))
    return jnp.concatenate([states if layer.sequences else last for states, last in both], axis=-1)


def _forward(
    workload: Workload, parameters: Arrays, x: jax.Array, lengths: jax.Array | None, training: bool = False
) -> tuple[jax.Array, dict[int, jax.Array]]:
    """Outputs, and the moving averages after it by their places in `parameters`.

    Sequences are (steps, samples, features).
    """
    weights = list(parameters)
    moved: dict[int, jax.Array] = {}
    valid = None if lengths is None else jnp.arange(x.shape[0])[:, None] < lengths
    for layer in workload.layers:
        if isinstance(layer, Conv):
            x = jax.nn.relu(_product(weights.pop(0), x) + weights.pop(0))
        elif isinstance(layer, Residual):
            first = len(parameters) - len(weights)
            x, after = _residual(weights[:10], x, training)
            moved |= {first + i: after[i] for i in (3, 4, 8, 9)}
            del weights[:10]
        elif isinstance(layer, Pool):
            x = _pool(layer, x)
        elif isinstance(layer, Flatten):
            x = x.reshape(x.shape[0], -1)
        elif isinstance(layer, Embedding):
            x = weights.pop(0)[x]
        elif isinstance(layer, Dense):
            x = x @ weights.pop(0) + weights.pop(0)
            x = jax.nn.relu(x) if layer.activation == "relu" else x
        else:
            count = 3 * (1 + layer.bidirectional)
            x = _recurrent(layer, weights[:count], x, valid)
            del weights[:count]
    return x, moved


def _loss(
    workload: Workload, parameters: Arrays, x: jax.Array, y: jax.Array, lengths: Any, training: bool = False
) -> tuple[jax.Array, dict[int, jax.Array]]:
    outputs, moved = _forward(workload, parameters, x, lengths, training)
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(outputs), y[..., None], axis=-1)), moved


Data = tuple[jax.Array, jax.Array, Any]


class Model:
    """Parameters, velocities, and two compiled functions."""

    def __init__(self, workload: Workload, weights: list[Array], learning_rate: float, momentum: float) -> None:
        self.time_major = workload.recurrent
        self.parameters = [jnp.asarray(weight) for weight in weights]
        self.velocities = [jnp.zeros_like(weight) for weight in self.parameters] if momentum else None
        self.set_learning_rate(learning_rate)
        loss = partial(_loss, workload)

        @partial(jax.jit, donate_argnums=(0, 1))
        def step(parameters: Arrays, velocities: Arrays | None, rate: jax.Array, data: Data, index: Any) -> Any:
            rows = data if index is None else self._rows(data, index)
            gradients, moved = jax.grad(loss, has_aux=True)(parameters, *rows, training=True)
            if velocities is None:
                after = [w - rate * g for w, g in zip(parameters, gradients, strict=True)]
            else:
                velocities = [momentum * v - rate * g for v, g in zip(velocities, gradients, strict=True)]
                after = [w + v for w, v in zip(parameters, velocities, strict=True)]
            return [moved.get(i, w) for i, w in enumerate(after)], velocities

        @jax.jit
        def judge(parameters: Arrays, data: Data, index: jax.Array) -> Any:
            x, y, lengths = self._rows(data, index)
            hits = _forward(workload, parameters, x, lengths)[0].argmax(-1) == y
            return loss(parameters, x, y, lengths)[0] * y.size, hits.sum()

        self._step, self._judge = step, judge

    def _rows(self, data: Data, index: jax.Array) -> Data:
        x, y, lengths = data
        x = x[:, index] if self.time_major else x[index]
        y = y[:, index] if y.ndim > 1 else y[index]
        return x, y, None if lengths is None else lengths[index]

    def put(self, x: Array, y: Array, lengths: Array | None = None) -> Data:
        if self.time_major:
            x, y = x.swapaxes(0, 1), y.swapaxes(0, 1) if y.ndim > 1 else y
        return jnp.asarray(x), jnp.asarray(y, jnp.int32), None if lengths is None else jnp.asarray(lengths)

    def train(self, data: Data, index: Array | None = None) -> None:
        self.parameters, self.velocities = self._step(self.parameters, self.velocities, self.rate, data, index)

    def set_learning_rate(self, rate: float) -> None:
        self.rate = jnp.asarray(rate, jnp.float32)  # an argument of the step: its value is not compiled in

    def wait(self) -> None:
        jax.block_until_ready(self.parameters)

    def _judged(self, data: Data, batch: int) -> tuple[float, int]:
        samples = data[0].shape[1 if self.time_major else 0]
        loss, hits = 0.0, 0
        for first in range(0, samples, batch):
            index = jnp.arange(first, min(first + batch, samples))
            one = self._judge(self.parameters, data, index)
            loss, hits = loss + float(one[0]), hits + int(one[1])
        return loss / data[1].size, hits

    def loss(self, data: Data, batch: int) -> float:
        return self._judged(data, batch)[0]

    def accuracy(self, data: Data, batch: int) -> float:
        return self._judged(data, batch)[1] / data[1].size


class Library:
    """JAX on the processors that this process may use: its thread pool has one thread each."""

    def __init__(self, threads: int) -> None:
        self.version = str(jax.__version__)
        jax.config.update("jax_platforms", "cpu")

    def variants(self, workload: Workload, quick: bool) -> tuple[str, ...]:
        return ("jit",)

    def model(
        self, workload: Workload, weights: list[Array], learning_rate: float, momentum: float, variant: str
    ) -> Model:
        return Model(workload, weights, learning_rate, momentum)

    def predictor_variants(self, workload: Workload, quick: bool) -> tuple[str, ...]:
        return ("jit",)

    def predictor(self, workload: Workload, weights: list[Array], variant: str) -> Callable[[Array], Array]:
        parameters = [jnp.asarray(weight) for weight in weights]

        @jax.jit
        def forward(parameters: Arrays, x: jax.Array) -> jax.Array:
            x = x.swapaxes(0, 1) if workload.recurrent else x
            y, _ = _forward(workload, parameters, x, None)
            return y.swapaxes(0, 1) if workload.per_step else y

        return lambda x: np.asarray(forward(parameters, x))
