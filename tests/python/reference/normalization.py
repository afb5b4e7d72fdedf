"""Batch normalization (Ioffe & Szegedy 2015), layer normalization (Ba et al. 2016), and dropout of whole channels
(Tompson et al. 2015).
"""

from __future__ import annotations

import numpy as np

from .dropout import Dropout, mask
from .layer import Layer, Shape, Step


class BatchNormalization(Layer):
    """y = γ x̂ + β, x̂ = (x - μ) / sqrt(σ² + ε) by channel. Weights: gamma, beta, moving_mean, moving_variance."""

    state_weights = 2

    def __init__(self, momentum: float = 0.99, epsilon: float = 1e-3, center: bool = True, scale: bool = True) -> None:
        super().__init__()
        self.momentum, self.epsilon, self.center, self.scale = momentum, epsilon, center, scale

    def build(self, shape: Shape) -> Shape:
        self.weights = [np.zeros(shape[-1]) for _ in range(self.scale + self.center + 2)]
        return shape

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        self.axes, self.training = tuple(range(x.ndim - 1)), step.training
        if step.training:
            self.mean = x.mean(axis=self.axes)
            self.variance = ((x - self.mean) ** 2).mean(axis=self.axes)
        else:
            self.mean, self.variance = self.weights[-2:]
        self.gamma = self.weights[0] if self.scale else np.ones(x.shape[-1])
        self.deviation = np.sqrt(self.variance + self.epsilon)
        self.normalized = (x - self.mean) / self.deviation
        y = self.gamma * self.normalized
        return y + self.weights[self.scale] if self.center else y

    def backward(self, grad: np.ndarray) -> np.ndarray:
        of_gamma, of_beta = (grad * self.normalized).sum(axis=self.axes), grad.sum(axis=self.axes)
        zeros = np.zeros_like(of_beta)
        self.gradients = [of_gamma] * self.scale + [of_beta] * self.center + [zeros, zeros]
        if not self.training:
            return self.gamma / self.deviation * grad
        # μ and σ² depend on every x of the channel
        rows = grad[..., 0].size
        return self.gamma / self.deviation * (grad - of_beta / rows - self.normalized * of_gamma / rows)

    def after_step(self) -> None:
        for weight, value in zip(self.weights[-2:], (self.mean, self.variance), strict=True):
            weight[...] = self.momentum * weight + (1 - self.momentum) * value


class LayerNormalization(Layer):
    """y = γ x̂ + β over the last `count` axes of each sample. Weights: gamma, beta of the shape of these axes."""

    def __init__(self, count: int = 1, epsilon: float = 1e-3, center: bool = True, scale: bool = True) -> None:
        super().__init__()
        self.count, self.epsilon, self.center, self.scale = count, epsilon, center, scale

    def build(self, shape: Shape) -> Shape:
        self.weights = [np.zeros(shape[-self.count :]) for _ in range(self.scale + self.center)]
        return shape

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        self.axes = tuple(range(-self.count, 0))
        mean = x.mean(axis=self.axes, keepdims=True)
        self.deviation = np.sqrt(((x - mean) ** 2).mean(axis=self.axes, keepdims=True) + self.epsilon)
        self.normalized = (x - mean) / self.deviation
        y = self.weights[0] * self.normalized if self.scale else self.normalized
        return y + self.weights[self.scale] if self.center else y

    def backward(self, grad: np.ndarray) -> np.ndarray:
        others = tuple(range(grad.ndim - self.count))
        of_gamma, of_beta = (grad * self.normalized).sum(axis=others), grad.sum(axis=others)
        self.gradients = [of_gamma] * self.scale + [of_beta] * self.center
        g = grad * self.weights[0] if self.scale else grad
        means = [a.mean(axis=self.axes, keepdims=True) for a in (g, g * self.normalized)]
        return (g - means[0] - self.normalized * means[1]) / self.deviation


class SpatialDropout(Dropout):
    """Dropout whose mask has a value for each channel of a sample."""

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        self.scale = np.ones_like(x)
        if step.training:
            keep = 1 - self.rate
            for row, sample in enumerate(step.samples):
                self.scale[row] = mask(x.shape[-1], int(sample), step.call, self.ordinal, self.seed, keep) / keep
        return self.scale * x
