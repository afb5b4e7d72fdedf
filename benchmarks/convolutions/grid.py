"""The cases: which there are, what each needs, and a choice of them that meets every extent."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import combinations, product

import numpy as np

from benchmarks.workloads import Array

PHASES = ("forward", "input gradient", "weight gradient")


@dataclass(frozen=True, order=True)
class Case:
    """A convolution over `size` x `size` positions, padded by half a kernel on every side."""

    channels: int
    filters: int
    kernel: int
    size: int
    stride: int
    batch: int

    @property
    def name(self) -> str:
        """For tables and files."""
        return f"c{self.channels}_f{self.filters}_k{self.kernel}_n{self.size}_s{self.stride}_b{self.batch}"

    @property
    def output(self) -> int:
        """Positions of the output, one way."""
        return -(-self.size // self.stride)

    @property
    def flops(self) -> float:
        """Of each phase, summed directly, padding counted as if it were data."""
        return 2.0 * self.batch * self.output**2 * self.kernel**2 * self.channels * self.filters

    @property
    def megabytes(self) -> float:
        """x and y, and their gradients."""
        values = self.size**2 * self.channels + self.output**2 * self.filters
        return 2 * 4 * self.batch * values / 2**20

    def too_large(self, gflop: float, megabytes: float) -> str | None:
        """Why it is left out, within these limits."""
        if self.flops > 1e9 * gflop:
            return f"{self.flops / 1e9:.3g} GFLOP"
        return f"{self.megabytes:.0f} MB" if self.megabytes > megabytes else None

    def data(self) -> tuple[Array, Array, Array, Array]:
        """x, kernel, bias, ∂E/∂y; channels last, kernels as Keras has them. Numbers repeat: no phase minds."""
        numbers = np.random.default_rng(1).standard_normal(65537, dtype=np.float32)
        window = (self.kernel, self.kernel, self.channels, self.filters)
        x = np.resize(numbers, (self.batch, self.size, self.size, self.channels))
        w = np.resize(numbers[1:], window) / np.float32((self.kernel**2 * self.channels) ** 0.5)
        y = np.resize(numbers[2:], (self.batch, self.output, self.output, self.filters))
        return x, w, np.resize(numbers[3:], self.filters), y


# Of LeNet-5, VGG-16, ResNet-50 and their like: channels, filters, kernel, size, stride, batch.
KNOWN = [
    Case(*values)
    for values in (
        (1, 16, 5, 28, 1, 64),
        (3, 64, 7, 224, 2, 1),
        (3, 64, 7, 224, 2, 8),
        (3, 64, 3, 224, 1, 8),
        (64, 64, 3, 56, 1, 8),
        (64, 64, 1, 56, 1, 8),
        (64, 256, 1, 56, 1, 8),
        (256, 64, 1, 56, 1, 8),
        (128, 128, 3, 28, 1, 8),
        (128, 128, 3, 28, 1, 1),
        (128, 512, 1, 28, 1, 8),
        (256, 512, 1, 28, 2, 8),
        (256, 256, 3, 14, 1, 8),
        (256, 256, 3, 14, 1, 64),
        (512, 512, 3, 7, 1, 8),
        (512, 512, 3, 7, 1, 1),
        (512, 512, 3, 14, 1, 1),
        (128, 256, 3, 28, 2, 8),
    )
]


def grid(axes: Sequence[Sequence[int]]) -> list[Case]:
    """All combinations of channels, filters, kernels, sizes, strides, batches."""
    return [Case(*values) for values in product(*axes)]


def choose(cases: Sequence[Case], count: int) -> list[Case]:
    """So many of the cases, always the same ones: what is KNOWN, then what makes values meet that met least.

    Values meet as pairs: two channels, a kernel and a size, and so on.
    """
    if count >= len(cases):
        return list(cases)
    available = set(cases)
    chosen = [case for case in KNOWN if case in available][: count // 2]
    met: Counter[tuple[int, int, int, int]] = Counter()
    for case in chosen:
        met.update(_pairs(case))
    candidates = sorted(available - set(chosen))
    draw = random.Random(1)
    while len(chosen) < count:
        some = draw.sample(candidates, min(400, len(candidates)))
        best = max(some, key=lambda case: sum(1 / (1 + met[pair]) ** 2 for pair in _pairs(case)))
        chosen.append(best)
        met.update(_pairs(best))
        candidates.remove(best)
    return sorted(chosen)


def _pairs(case: Case) -> list[tuple[int, int, int, int]]:
    values = astuple(case)
    return [(a, b, values[a], values[b]) for a, b in combinations(range(len(values)), 2)]
