"""What processes that tests start have to do: train on digits, and say what came of it in a few bytes."""

from __future__ import annotations

import hashlib
import os

import numpy as np

import tauten
from data import digits
from tauten import layers

THREADS = 2


def batch(number: int, size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Some images, eight rows of eight pixels each, and their labels."""
    x, y = digits()
    return x[number * size : (number + 1) * size].astype(np.float32), y[number * size : (number + 1) * size]


def lstm(units: int = 48) -> tauten.Sequential:
    """A model that is the same in every process."""
    tauten.utils.set_random_seed(1)
    tauten.config.set_num_threads(THREADS)
    model = tauten.Sequential([tauten.Input((8, 8)), layers.LSTM(units), layers.Dense(10, "softmax")])
    model.compile(tauten.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy")
    return model


def digest(model: tauten.Sequential) -> bytes:
    """Weights and predictions, to the bit."""
    bits = b"".join(weight.tobytes() for weight in model.get_weights())
    return hashlib.sha256(bits + np.asarray(model.predict_on_batch(batch(9)[0])).tobytes()).digest()


def trained(steps: int) -> bytes:
    """The digest after so many steps of a new model."""
    model = lstm()
    for step in range(steps):
        model.train_on_batch(*batch(step))
    return digest(model)


def threads_here() -> int:
    """How many threads this process has; 0 where that is not to be had."""
    return len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 0
