"""Penalties and the step of minibatch SGD (26.1.2, 26.4)."""

from __future__ import annotations

import numpy as np


def penalty(w: np.ndarray, l1: float, l2: float) -> tuple[float, np.ndarray]:
    """R = l1·Σ|w| + l2·Σw² and ∂R/∂w = l1·sign(w) + 2·l2·w with sign(0) = 0 (Keras' l2 is the chapter's α/2)."""
    return float(l1 * np.abs(w).sum() + l2 * (w * w).sum()), l1 * np.sign(w) + 2 * l2 * w


def sgd(w, gradient, velocity, learning_rate, momentum=0.0, nesterov=False):
    """W = W - η·∇ for momentum 0; else Keras': v = μ·v - η·∇; W = W + v, or W = W + μ·v - η·∇ (Nesterov)."""
    velocity = momentum * velocity - learning_rate * gradient
    step = momentum * velocity - learning_rate * gradient if nesterov else velocity
    return w + step, velocity
