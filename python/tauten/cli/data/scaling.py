"""Standardising as a layer of the model, so that the file holds it and whoever loads the model need not know."""

from __future__ import annotations

import numpy as np

from tauten import layers
from tauten.cli.data.contents import Array, Samples


def moments(x: Samples, numeric: Array) -> tuple[Array, Array]:
    """Mean and variance of each feature (the last axis) in float64; 0 and 1 where a feature is no number.

    A feature that never changes has the variance 1.
    """
    rows = np.concatenate(x) if isinstance(x, list) else x
    axes = tuple(range(rows.ndim - 1))
    mean = rows.mean(axis=axes, dtype=np.float64)
    variance = rows.var(axis=axes, dtype=np.float64)
    still = variance <= (1e-12 * mean) ** 2
    return np.where(numeric, mean, 0.0), np.where(numeric & ~still, variance, 1.0)


def standardize() -> layers.BatchNormalization:
    """(x - mean) / deviation by the layer's weights, which training leaves alone."""
    return layers.BatchNormalization(epsilon=0.0, center=False, scale=False, trainable=False, name="standardize")


def rescale() -> layers.BatchNormalization:
    """x · deviation + mean, for outputs that were trained on standardised targets."""
    return layers.BatchNormalization(epsilon=0.0, trainable=False, name="rescale")
