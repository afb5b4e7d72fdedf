"""A task for benchmarks.worker: softmax regression in every variant of a library, its learning rate changed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from benchmarks.workloads import Dense, Workload

WORKLOAD = Workload("digits", "", 32, (64,), (Dense(10),))
MOMENTUM = 0.9
STEPS = 4  # at each rate


def reference(x: np.ndarray, y: np.ndarray, rates: list[float]) -> list[float]:
    """Losses over all samples behind the steps at each rate: v <- momentum v - rate g, w <- w + v, in float64."""
    w, b = (weight.astype(np.float64) for weight in WORKLOAD.weights())
    v, u = np.zeros_like(w), np.zeros_like(b)

    def softmax(rows: np.ndarray) -> np.ndarray:
        e = np.exp(rows @ w + b - (rows @ w + b).max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    losses = []
    for turn, rate in enumerate(rates):
        for index in batches(turn, len(x)):
            delta = (softmax(x[index]) - np.eye(10)[y[index]]) / len(index)
            v = MOMENTUM * v - rate * x[index].T @ delta
            u = MOMENTUM * u - rate * delta.sum(0)
            w, b = w + v, b + u
        losses.append(float(-np.log(softmax(x)[np.arange(len(y)), y]).mean()))
    return losses


def batches(turn: int, samples: int) -> np.ndarray:
    """(STEPS, batch) numbers of samples."""
    order = np.random.default_rng(turn).permutation(samples)[: STEPS * WORKLOAD.batch]
    return order.reshape(STEPS, WORKLOAD.batch)


@contextmanager
def nothing_compiled(model: Any) -> Iterator[None]:
    """Fails if the library in this process compiles (or traces) a training step in here."""
    if torch := sys.modules.get("torch"):
        with torch.compiler.set_stance("fail_on_recompile"):
            yield
    elif jax := sys.modules.get("jax"):
        compiled = []
        jax.monitoring.register_event_duration_secs_listener(lambda event, *_, **__: compiled.append(event))
        yield
        assert not [event for event in compiled if "compile" in event], compiled
    elif sys.modules.get("keras"):
        functions = (model._step, model._step_on)
        before = [function.experimental_get_tracing_count() for function in functions]
        yield
        assert before == [function.experimental_get_tracing_count() for function in functions]
    else:
        yield


class Task:
    """Runs in the worker."""

    def __init__(self, library: Any, data: str) -> None:
        with np.load(data) as archive:
            self.x, self.y = archive["x"], archive["y"]
        self.library = library

    def losses(self, rates: list[float]) -> dict[str, list[float]]:
        """By variant: the losses behind the steps at each rate."""
        return {name: self._one(name, rates) for name in self.library.variants(WORKLOAD, False)}

    def _one(self, variant: str, rates: list[float]) -> list[float]:
        model = self.library.model(WORKLOAD, WORKLOAD.weights(), rates[0], MOMENTUM, variant)
        data = model.put(self.x, self.y)

        def train(turn: int) -> None:
            for index in batches(turn, len(self.x)):
                model.train(data, index)
            model.wait()

        train(0)
        losses = [model.loss(data, len(self.x))]
        for turn, rate in enumerate(rates[1:], 1):
            with nothing_compiled(model):
                model.set_learning_rate(rate)
                train(turn)
            losses.append(model.loss(data, len(self.x)))
        return losses
