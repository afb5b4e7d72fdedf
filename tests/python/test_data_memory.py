"""Large data are neither copied nor read as a whole: resident memory of a process that trains on them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/smaps_rollup"), reason="needs Linux' /proc")

MIB = 2**20
SIZE = 48 * MIB

# Real images, again and again, as bytes: SIZE of them; tells by how much memory of its own, and of mapped files, grew.
SCRIPT = """
import sys
import numpy as np
import tauten
from data import digits
from tauten import layers

def resident():
    with open("/proc/self/status") as file:
        lines = dict(line.split(":", 1) for line in file)
    own, *mapped = [int(lines[name].split()[0]) / 1024 for name in ("RssAnon", "RssFile", "RssShmem")]
    return own, sum(mapped)

images, labels = digits()
images = (images * 16).astype(np.uint8).reshape(len(images), 64)
count = SIZE // 64
kind = sys.argv[1]
if kind == "mapped":
    x = np.memmap(sys.argv[2], dtype=np.uint8, mode="w+", shape=(count, 64))
else:
    x = np.empty((count, 64), np.uint8)
for begin in range(0, count, len(images)):
    x[begin:begin + len(images)] = images[: count - begin]
y = np.resize(labels, count).astype(np.uint8)
if kind == "mapped":
    x.flush()
    del x
    x = np.memmap(sys.argv[2], dtype=np.uint8, mode="r", shape=(count, 64))
model = tauten.Sequential([tauten.Input((64,)), layers.Dense(8, "tanh"), layers.Dense(10, "softmax")])
model.compile(tauten.optimizers.SGD(0.01), "sparse_categorical_crossentropy")
model.train_on_batch(images, labels)
size = 4096
model.fit(x[: 2 * size], y[: 2 * size], batch_size=size, verbose=0)
model.predict(x[: 2 * size], batch_size=size)
before = resident()
steps = None if sys.argv[3] == "all" else int(sys.argv[3])
model.fit(x, y, batch_size=size, steps_per_epoch=steps, shuffle=steps is None, verbose=0)
after_fit = resident()
model.predict(x, batch_size=size, steps=steps)
model.evaluate(x, y, batch_size=size, steps=steps, verbose=0)
after = resident()
print(*[b - a for a, b in zip(before, after_fit)], *[b - a for a, b in zip(before, after)])
"""


def growth(*arguments) -> list[float]:
    """MiB by which memory of its own and of files grew in fit, and in all."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *sys.path])}
    command = [sys.executable, "-c", SCRIPT.replace("SIZE", str(SIZE)), *map(str, arguments)]
    result = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, timeout=300)
    return [float(word) for word in result.stdout.split()]


def test_bytes_are_not_copied(tmp_path):
    fit, _, whole, _ = growth("array", tmp_path / "none", "all")
    order = SIZE / 64 * 8 * 2 / MIB  # the epoch's order, and the numbers that it is an order of
    print(f"grew by {fit:.1f} and {whole:.1f} MiB beside {SIZE / MIB:.0f}")
    assert fit < order + 12
    predictions = SIZE / 64 * 10 * 4 * 2 / MIB  # batch by batch, and in one array
    assert whole < order + predictions + 12


def test_of_a_mapped_array_the_batches_alone_are_read(tmp_path):
    fit, read, whole, read_in_all = growth("mapped", tmp_path / "x", 3)
    print(f"grew by {fit:.1f} and {whole:.1f} MiB, of the file {read:.1f} and {read_in_all:.1f}")
    assert read_in_all < SIZE / MIB / 4
    assert whole < SIZE / 64 * 8 * 3 / MIB + 12


def test_a_mapped_array_is_not_copied(tmp_path):
    fit, read, whole, _ = growth("mapped", tmp_path / "x", "all")
    print(f"grew by {fit:.1f} and {whole:.1f} MiB beside {SIZE / MIB:.0f}, of the file {read:.1f}")
    assert read > SIZE / MIB * 0.8  # what is measured is what was read
    assert fit < SIZE / 64 * 8 * 3 / MIB + 12
