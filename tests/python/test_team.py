"""The team of threads beside the rest of the process: idle workers, other Python threads, memory, denormals."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import tauten
from tauten import layers
from workers import batch, digest, lstm

HERE = Path(__file__).parent
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")


def fresh(code: str) -> list[float]:
    """The numbers that a process of its own prints, without settings of OpenMP."""
    environment = {n: v for n, v in os.environ.items() if not n.startswith(("OMP_", "GOMP_", "KMP_"))}
    environment["PYTHONPATH"] = os.pathsep.join([str(HERE), *sys.path])
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    return [float(number) for number in done.stdout.split()]


IDLE = """
import resource, time
from workers import batch, lstm, THREADS
model, (x, y) = lstm(), batch(0)

def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime

for call in (lambda: model.predict_on_batch(x), lambda: model.fit(x, y, verbose=0)):
    spent = []
    for _ in range(4):
        call()
        begin = cpu()
        time.sleep(0.2)
        spent.append(cpu() - begin)
    print(min(spent[1:]) / (THREADS - 1))
"""


@linux
def test_idle_workers_sleep():
    """Of the 200 ms after a prediction or a fit a worker spends a few ms, waiting for the next call."""
    predict, fit = fresh(IDLE)
    assert predict < 0.03
    assert fit < 0.03


@linux
@pytest.mark.skipif(os.cpu_count() == 1, reason="needs two processors")
def test_a_busy_machine_is_not_waited_for():
    """Beside two busy processes a processor, small steps take about as long as one thread takes."""
    model, (x, y) = lstm(), batch(0, 16)

    def median(threads: int) -> float:
        tauten.config.set_num_threads(threads)
        spent = []
        end = time.perf_counter() + 0.3
        while time.perf_counter() < end:
            begin = time.perf_counter()
            model.train_on_batch(x, y)
            spent.append(time.perf_counter() - begin)
        return float(np.median(spent))

    busy = [sys.executable, "-c", "while True: pass"]
    crowd = [subprocess.Popen(busy) for _ in range(2 * len(os.sched_getaffinity(0)))]
    try:
        time.sleep(0.2)
        together, alone = (min(values) for values in zip(*((median(2), median(1)) for _ in range(4)), strict=True))
    finally:
        for process in crowd:
            process.kill()
            process.wait()
    assert together < 3 * alone


def test_python_threads_run_during_a_step():
    """While a native step of some tenths of a second runs, another Python thread does not wait for its end."""
    model = tauten.Sequential([tauten.Input((1024,)), layers.Dense(2048, "relu"), layers.Dense(2048), layers.Dense(2)])
    model.compile("sgd", "mse")
    x, y = np.ones((2048, 1024), np.float32), np.zeros((2048, 2), np.float32)
    model.train_on_batch(x[:8], y[:8])
    ticks: list[float] = []
    stop = threading.Event()

    def tick() -> None:
        while not stop.wait(0.001):
            ticks.append(time.perf_counter())

    thread = threading.Thread(target=tick)
    thread.start()
    begin = time.perf_counter()
    model.fit(x, y, batch_size=2048, epochs=3, verbose=0)
    end = time.perf_counter()
    stop.set()
    thread.join()
    inside = [begin, *(moment for moment in ticks if begin < moment < end), end]
    assert len(inside) > 20
    assert np.diff(inside).max() < (end - begin) / 4  # a step is a third


def test_many_python_threads_predict_at_once():
    """32 threads on one model, alone and while it trains: the serial answers, those of whole steps, to the bit."""
    model, replica = lstm(), lstm()
    x = batch(9)[0]

    def answer(of: tauten.Sequential, rows: int = 64) -> bytes:
        return np.asarray(of.predict_on_batch(x[:rows])).tobytes()

    with ThreadPoolExecutor(32) as pool:
        sizes = [1 + number % 40 for number in range(32)] * 5
        expected = {rows: answer(model, rows) for rows in set(sizes)}
        for rows, got in zip(sizes, pool.map(lambda rows: answer(model, rows), sizes), strict=True):
            assert got == expected[rows]

        steps, whole = 60, [answer(replica)]
        for step in range(steps):
            replica.train_on_batch(*batch(step % 8))
            whole.append(answer(replica))
        stop = threading.Event()

        def ask() -> set[bytes]:
            seen = set()
            while not stop.is_set():
                seen.add(answer(model))
            return seen

        asking = [pool.submit(ask) for _ in range(31)]
        for step in range(steps):
            model.train_on_batch(*batch(step % 8))
        stop.set()
        seen = set().union(*(future.result(timeout=60) for future in asking))
    assert seen <= set(whole)
    assert len(seen) > 1
    assert digest(model) == digest(replica)


@linux
def test_memory_after_many_python_threads():
    """Of large workspaces no more are kept than there are threads."""
    megabytes, limit = fresh(
        """
import threading
import numpy as np, tauten
from tauten import layers
from workers import THREADS
tauten.config.set_num_threads(THREADS)

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

model = tauten.Sequential([tauten.Input((32,)), layers.Dense(4096, "relu"), layers.Dense(8)])
x = np.ones((2500, 32), np.float32)  # 40 MB of values
model.predict_on_batch(x[:1])
before = resident()
meet = threading.Barrier(16)

def work():
    meet.wait()
    for _ in range(3):
        model.predict_on_batch(x)

threads = [threading.Thread(target=work) for _ in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(resident() - before, THREADS * 42 + 30)
"""
    )
    assert megabytes < limit


GROWTH = """
import sys
import numpy as np, tauten
from tauten import layers
from data import digits
from workers import THREADS
tauten.config.set_num_threads(THREADS)

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

predictions, batches = map(int, sys.argv[1:])
images, labels = digits()
images = images.astype(np.float32)
small = tauten.Sequential([tauten.Input((8, 8)), layers.Flatten(), layers.Dense(16, "relu"), layers.Dense(10)])
model = tauten.Sequential([tauten.Input((None, 8)), layers.LSTM(16), layers.Dense(10, "softmax")])
model.compile(tauten.optimizers.SGD(0.01), "sparse_categorical_crossentropy")
rng = np.random.default_rng(0)

def random_batch(longest=None):
    lengths = rng.integers(1, 9, rng.integers(1, 33)) if longest is None else [longest] * 32
    at = rng.integers(0, len(images), len(lengths))
    return [images[i, :n] for i, n in zip(at, lengths)], labels[at]

def run(predictions, batches):
    for _ in range(predictions):
        small.predict_on_batch(images[:4])
    for _ in range(batches):
        x, y = random_batch()
        model.train_on_batch(x, y)
        model.predict_on_batch(x)

for _ in range(3):
    x, y = random_batch(8)
    model.train_on_batch(x, y)
    model.predict_on_batch(x)
run(2000, 500)
before = resident()
run(predictions, batches)
print(resident() - before)
"""


@linux
def test_memory_does_not_grow():
    """Of predictions of one size, and of training and predicting batches whose lengths are never the same."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    run = [sys.executable, "-c", GROWTH, "20000", "2000"]
    done = subprocess.run(run, capture_output=True, text=True, env=environment, timeout=240)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) <= 1, "MB"


@pytest.mark.parametrize("kind", ["dense", "lstm"])
def test_denormals_are_as_fast_as_other_numbers(kind):
    """Of weights and activations; and outside of native calls NumPy still has them."""
    body = [layers.Dense(512), layers.Dense(512)] if kind == "dense" else [layers.Reshape((32, 16)), layers.LSTM(128)]
    model = tauten.Sequential([tauten.Input((512,)), *body, layers.Dense(512)])
    model.compile(tauten.optimizers.SGD(1e-3), "mse")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(128, 512)).astype(np.float32), np.zeros((128, 512), np.float32)
    weights = [rng.normal(size=weight.shape).astype(np.float32) * 0.05 for weight in model.get_weights()]
    tiny = np.float32(1e-40)
    denormal = [np.full_like(weight, tiny) for weight in weights]
    assert 0 < denormal[0].max() < np.finfo(np.float32).tiny
    best = {}
    for _ in range(15):
        for name, values in (("normal", weights), ("denormal", denormal)):
            model.set_weights(values)
            begin = time.perf_counter()
            model.predict_on_batch(x)
            model.train_on_batch(x, y)
            seconds = time.perf_counter() - begin
            best[name] = min(seconds, best.get(name, seconds))
            assert tiny * np.float32(0.5) > 0  # this thread's mode is as it was
    assert best["denormal"] < 1.5 * best["normal"], best


def test_members_of_the_team_take_denormals_for_zero():
    model = tauten.Sequential([tauten.Input((64,)), layers.Dense(256, use_bias=False)])
    model.set_weights([np.full((64, 256), 1e-40, np.float32)])
    for threads in (1, 2, 3):
        tauten.config.set_num_threads(threads)
        assert (model.predict_on_batch(np.ones((1024, 64), np.float32)) == 0).all()  # else 64 times 1e-40


def test_denormals_of_other_threads_stay():
    model, x = lstm(), batch(0)[0]
    with ThreadPoolExecutor(4) as pool:
        for half in pool.map(lambda _: (model.predict_on_batch(x), np.float32(1e-40) * np.float32(0.5))[1], range(16)):
            assert half > 0
