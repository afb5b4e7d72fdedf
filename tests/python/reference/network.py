"""A chain of layers, its loss and its training step. Samples of unequal length run one by one, without any padding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .layer import Layer, Shape, Step
from .losses import LOSSES, METRICS
from .training import penalty, sgd


@dataclass
class Result:
    loss: float  # mean over the rows, weighted, plus the penalties
    penalty: float
    rows: int
    metrics: list[float]
    gradients: list[np.ndarray]  # of each weight, penalties included
    inputs: np.ndarray  # ∂E/∂x; unequal lengths: one sample after the other
    outputs: np.ndarray  # the same way
    margin: float  # least distance to a kink or a tie


class Network:
    def __init__(self, shape: Shape, layers: list[Layer], loss="mean_squared_error", from_logits=False, metrics=()):
        self.shape, self.layers, self.calls = shape, layers, 0
        self.loss, self.from_logits, self.metrics = loss, from_logits, metrics
        self.edges = [shape]
        for layer in layers:
            self.edges.append(layer.build(self.edges[-1]))
        for ordinal, dropper in enumerate(dropper for layer in layers for dropper in layer.droppers()):
            dropper.ordinal = ordinal
        self.velocities = [np.zeros_like(w) for w in self.weights]
        self.penalties = [(0.0, 0.0)] * len(self.weights)

    @property
    def weights(self) -> list[np.ndarray]:
        return [w for layer in self.layers for w in layer.weights]

    @weights.setter
    def weights(self, values) -> None:
        values = [np.asarray(v, dtype=np.float64) for v in values]
        for layer in self.layers:
            layer.weights, values = values[: len(layer.weights)], values[len(layer.weights) :]

    @property
    def states(self) -> list[tuple[Layer, int]]:
        """Recurrent layers and the numbers of their states, in order."""
        return [(cell, i) for layer in self.layers for cell in layer.recurrent() for i in range(cell.states)]

    def begin_with(self, states: list[np.ndarray] | None) -> None:
        """States before the first step, (samples, units) each; None: zeros."""
        for cell, i in self.states:
            if i == 0:
                cell.initial = states and states[: cell.states]
                states = states and states[cell.states :]

    def forward(self, x: np.ndarray, samples: np.ndarray, training: bool) -> np.ndarray:
        step = Step(training, self.calls, samples)
        for layer in self.layers:
            x = layer.forward(x, step)
        return x

    def predict(self, x, training: bool = False) -> np.ndarray:
        outputs, final = [], []
        for part, samples in parts(x):
            outputs.append(self.forward(part, samples, training))
            final.append([cell.final[i] for cell, i in self.states])
        self.final = [np.concatenate(state) for state in zip(*final, strict=True)]
        return join(x, outputs)

    def gradients(self, x, y, sample_weight=None, training: bool = True) -> Result:
        """E = Σ_rows w·E_row / (number of rows) + R; a row is a valid time step of a sample, or a sample."""
        weight = np.ones(len(x)) if sample_weight is None else sample_weight  # numbers, or (steps,) of each sample
        total, rows, sums = 0.0, 0, np.zeros(len(self.metrics))
        gradients = [np.zeros_like(w) for w in self.weights]
        inputs, outputs, margin = [], [], np.inf
        for part, samples in parts(x):
            target = np.stack([y[i] for i in samples])
            o = self.forward(part, samples, training)
            losses, grad = LOSSES[self.loss](o, target, self.from_logits)
            w = np.stack([np.broadcast_to(weight[i], losses.shape[1:]) for i in samples]).astype(np.float64)
            total, rows = total + float((w * losses).sum()), rows + losses.size
            sums += [METRICS[name](o, target).sum() for name in self.metrics]
            grad = w[..., None] * grad
            for layer in reversed(self.layers):
                grad = layer.backward(grad)
                margin = min(margin, layer.margin)
            found = [g for layer in self.layers for g in layer.gradients]
            gradients = [g + f for g, f in zip(gradients, found, strict=True)]
            inputs.append(grad)
            outputs.append(o)
        penalties = [penalty(w, *p) for w, p in zip(self.weights, self.penalties, strict=True)]
        added = sum(p[0] for p in penalties)
        return Result(
            loss=total / max(rows, 1) + added,
            penalty=added,
            rows=rows,
            metrics=list(sums / max(rows, 1)),
            gradients=[g / max(rows, 1) + p[1] for g, p in zip(gradients, penalties, strict=True)],
            inputs=join(x, inputs) / max(rows, 1),
            outputs=join(x, outputs),
            margin=margin,
        )

    def train_step(self, x, y, learning_rate, momentum=0.0, nesterov=False, sample_weight=None) -> Result:
        result = self.gradients(x, y, sample_weight)
        trained = [
            i < len(layer.weights) - layer.state_weights for layer in self.layers for i in range(len(layer.weights))
        ]
        pairs = [
            sgd(w, g, v, learning_rate, momentum, nesterov) if train else (w.copy(), v)
            for train, w, g, v in zip(trained, self.weights, result.gradients, self.velocities, strict=True)
        ]
        self.weights, self.velocities = [w for w, _ in pairs], [v for _, v in pairs]
        for layer in self.layers:
            layer.after_step()
        self.calls += 1
        return result


def parts(x):
    """Batches that run at once: all of an array; each sample of a list by itself. With their positions."""
    if isinstance(x, list):
        return [(part[None], np.array([i])) for i, part in enumerate(x)]
    return [(x, np.arange(len(x)))]


def join(x, arrays: list[np.ndarray]) -> np.ndarray:
    """What the parts brought, in one array; time steps of unequal samples one sample after the other."""
    per_step = isinstance(x, list) and arrays[0].ndim > 2
    return np.concatenate([a[0] for a in arrays] if per_step else arrays)
