"""Inverted dropout with a counter-based mask (26.4.2)."""

from __future__ import annotations

import numpy as np

from .layer import Layer, Shape, Step

LOW = 0xFFFFFFFF
Word = int | np.ndarray  # below 2^32; arrays (uint64) draw many blocks at once


def philox4x32(counter: tuple[Word, Word, Word, Word], key: tuple[Word, Word], rounds: int = 10) -> tuple[Word, ...]:
    """Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011): four 32-bit words."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(rounds):
        first, second = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (second >> 32) ^ c1 ^ k0, second & LOW, (first >> 32) ^ c3 ^ k1, first & LOW
        k0, k1 = (k0 + 0x9E3779B9) & LOW, (k1 + 0xBB67AE85) & LOW
    return c0, c1, c2, c3


def mask(size: int, sample: int, call: int, layer: int, seed: int, keep: float) -> np.ndarray:
    """u of 26.4.2 for the `size` values of one sample: 1 with probability keep, else 0."""
    block = np.arange((size + 3) // 4, dtype=np.uint64)  # element = 4 block + index of the word
    counter = (block & LOW, sample & LOW, call & LOW, layer)
    key = ((seed & LOW) ^ (call >> 32), (seed >> 32) ^ (sample >> 32) ^ (block >> 32))
    words = np.stack(philox4x32(counter, key), axis=-1).reshape(-1)[:size]
    return (words.astype(np.float64) < keep * 2.0**32).astype(np.float64)


class Dropout(Layer):
    """z~ = (u ⊙ z) / r while training, z otherwise; r = 1 - rate is the share of values kept."""

    def __init__(self, rate: float, seed: int) -> None:
        super().__init__()
        self.rate, self.seed, self.ordinal = rate, seed, 0  # ordinal: set by the network, 0 for its first dropout

    def build(self, shape: Shape) -> Shape:
        return shape

    def droppers(self) -> list:
        return [self]

    def forward(self, x: np.ndarray, step: Step) -> np.ndarray:
        self.scale = np.ones_like(x)
        if step.training:
            keep = 1 - self.rate
            for row, sample in enumerate(step.samples):
                u = mask(x[row].size, int(sample), step.call, self.ordinal, self.seed, keep)
                self.scale[row] = u.reshape(x[row].shape) / keep
        return self.scale * x

    def backward(self, grad: np.ndarray) -> np.ndarray:
        # no error flows back from the values that were dropped; the others carry the same 1/r
        return self.scale * grad
