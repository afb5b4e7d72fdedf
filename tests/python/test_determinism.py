"""The same bits on any number of threads, in either gradient mode, after a fork, and after a step that failed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import reference as ref
from cases.shared import reset_first
from data import digits, text
from examples import Batch, randomize
from native import Native
from reference import (
    GRU,
    LSTM,
    Activation,
    BatchNormalization,
    Bidirectional,
    ChannelsFirst,
    Conv,
    Dense,
    DepthwiseConv,
    Dropout,
    Embedding,
    Flatten,
    ForgetGateRNN,
    GlobalPool,
    LayerNormalization,
    Margins,
    Permute,
    Pool,
    PReLU,
    SeparableConv,
    SimpleRNN,
    SpatialDropout,
    UpSampling,
)
from tauten import _core

CE = "sparse_categorical_crossentropy"
BATCHES = (17, 5, 1, 33, 2)  # in turn: above and below the number of threads, workspaces left dirty by a bigger one
VOCABULARY = len(text()[1])
THREADS = (1, 2, 3, 4)

LAYERS = {
    "mlp": (
        (8, 8),
        [Flatten(), Dense(65, "relu"), Dropout(0.3, 1), Dense(33, "tanh"), Dropout(0.2, 2), Dense(10, "softmax")],
    ),
    "cnn": (
        (8, 8, 1),
        [
            Conv(17, (3, 3), padding="same", activation="relu"),
            Pool("max", (2, 2)),
            Conv(33, (3, 3), (2, 1), ((1, 1), (0, 1)), "relu"),
            Pool("average", (2, 2), (1, 1), "same"),
            Flatten(),
            Dropout(0.4, 3),
            Dense(10, "softmax"),
        ],
    ),
    "nodes": (
        (8, 8, 1),
        [
            Conv(17, (3, 3), activation="gelu"),
            PReLU((1, 2)),
            Conv(7, (3, 3), activation="mish"),
            PReLU((3,)),
            Flatten(),
            Dense(33, "silu"),
            Dense(10, "softmax"),
        ],
    ),
    "mobile": (
        (8, 8, 1),
        [
            Conv(18, (3, 3), padding="same", activation="relu", value=0.5),
            DepthwiseConv((3, 3), 2, (2, 1), "same", "relu", dilation=(1, 2)),
            Conv(33, (2, 2), groups=3, activation="relu", dilation=(2, 2), padding="same"),
            SeparableConv(17, (3, 3), padding="same", activation="tanh"),
            Flatten(),
            Dropout(0.4, 3),
            Dense(10, "softmax"),
        ],
    ),
    "grids": (
        (1, 8, 8),
        [
            ChannelsFirst(Conv(17, (3, 3), padding="same", activation="relu")),
            ChannelsFirst(Pool("max", (3, 3), (2, 2), "same")),
            ChannelsFirst(UpSampling((2, 1), "bilinear")),
            Permute(1, 2, 0),
            Margins((1, -1), (0, 2)),
            Conv(33, (2, 2), activation="tanh"),
            Pool("average", (3, 3), (1, 1)),
            UpSampling((2, 2)),
            GlobalPool("max"),
            Dense(10, "softmax"),
        ],
    ),
    "pooled": ((None, 8), [Dense(33, "relu"), GlobalPool("average"), Dense(10, "softmax")]),
    "pooled-max": ((None, 8), [LSTM(17, return_sequences=True), GlobalPool("max"), Dense(10, "softmax")]),
    "rnn": ((8, 8), [SimpleRNN(33, return_sequences=True), Dropout(0.3, 4), SimpleRNN(17), Dense(10, "softmax")]),
    "lstm": ((8, 8), [LSTM(33, return_sequences=True), Dropout(0.3, 5), LSTM(17), Dense(10, "softmax")]),
    "gru": ((None, 8), [GRU(33, return_sequences=True).drop(0.2, 0.3, 4), GRU(17), Dense(10, "softmax")]),
    "reset-first": (
        (None, 8),
        [reset_first(33, return_sequences=True), reset_first(17).drop(0.2, 0.3, 4), Dense(10, "softmax")],
    ),
    "rows": ((None, 8), [LSTM(33, return_sequences=True), Dropout(0.3, 5), LSTM(17), Dense(10, "softmax")]),
    "both": (
        (None, 8),
        [
            Bidirectional(*[LSTM(17, return_sequences=True) for _ in range(2)]),
            Dropout(0.3, 9),
            Bidirectional(ForgetGateRNN(33), SimpleRNN(33), "sum"),
            Dense(10, "softmax"),
        ],
    ),
    "text": (
        (None,),
        [Embedding(VOCABULARY, 16), Dropout(0.2, 6), LSTM(33, return_sequences=True), Dense(VOCABULARY, "softmax")],
    ),
    "norm-cnn": (
        (8, 8, 1),
        [
            Conv(17, (3, 3), padding="same"),
            BatchNormalization(),
            Activation("relu"),
            SpatialDropout(0.2, 9),
            Conv(33, (3, 3), padding="same", activation="relu"),
            LayerNormalization(),
            Pool("max", (2, 2)),
            Flatten(),
            Dense(33),
            BatchNormalization(),
            Activation("tanh"),
            Dense(10, "softmax"),
        ],
    ),
    "norm-rows": (
        (None, 8),
        [
            Dense(17),
            BatchNormalization(),
            LSTM(33, return_sequences=True),
            LayerNormalization(),
            SpatialDropout(0.3, 5),
            LSTM(17),
            BatchNormalization(),
            Dense(10, "softmax"),
        ],
    ),
    "wide-mlp": ((8, 8), [Flatten(), Dense(1030, "relu"), Dropout(0.5, 7), Dense(1030, "relu"), Dense(10, "softmax")]),
    "wide-lstm": ((8, 8), [LSTM(260), Dropout(0.5, 8), Dense(10, "softmax")]),
}


UNEQUAL = ("rows", "both", "text", "gru", "reset-first", "norm-rows", "pooled", "pooled-max")


def draw(name: str, size: int, rng: np.random.Generator) -> Batch:
    """Real data for a network: images of digits, their first rows, or pieces of text and what follows."""
    weight = rng.random(size) + 0.5
    if name == "text":
        tokens = text()[0]
        pieces = [
            tokens[start : start + n + 1]
            for start, n in zip(rng.integers(19000, size=size), lengths(size, rng), strict=True)
        ]
        return Batch([p[:-1] for p in pieces], [p[1:] for p in pieces], weight)
    images, labels = digits()
    index = rng.integers(len(images), size=size)
    if name in UNEQUAL:
        return Batch([images[i][:n] for i, n in zip(index, lengths(size, rng), strict=True)], labels[index], weight)
    return Batch(images[index].reshape(size, *LAYERS[name][0]), labels[index], weight)


def lengths(size: int, rng: np.random.Generator) -> np.ndarray:
    return rng.integers(1, 9, size=size)


def make(name: str, dtype: str = "float32") -> Native:
    shape, layers = LAYERS[name]
    net = ref.Network(shape, deepcopy(layers), CE, metrics=("sparse_categorical_accuracy",))
    randomize(net, np.random.default_rng(0))
    net.penalties[0] = (1e-4, 1e-3)
    return Native(net, dtype)


def train(name: str, threads: int, fused: bool = True, dtype: str = "float32", steps: int = 50) -> bytes:
    """Weights, velocities and every step's loss after `steps` steps of changing size."""
    _core.set_num_threads(threads)
    native, rng = make(name, dtype), np.random.default_rng(1)
    before, losses = native.bits(), []
    for step in range(steps):
        batch = draw(name, BATCHES[step % len(BATCHES)], rng).cast(dtype)
        losses.append(native.train(batch, 0.05, 0.9, fused=fused).loss)
    assert np.isfinite(losses).all()
    assert native.bits() != before
    return native.bits() + np.array(losses).tobytes()


def steps_of(name: str) -> int:
    return 10 if name.startswith("wide") else 50


@pytest.mark.parametrize("name", LAYERS)
def test_threads_and_modes(name: str) -> None:
    runs = {}
    for threads, fused in product(THREADS, (True, False)):
        runs[threads, fused] = train(name, threads, fused, steps=steps_of(name))
        assert _core.num_threads() == threads
    different = [key for key, bits in runs.items() if bits != runs[1, True]]
    assert not different, f"(threads, fused) {different} differ from one thread, fused"


@pytest.mark.parametrize("name", ["mlp", "cnn", "text"])
def test_threads_float64(name: str) -> None:
    assert len({train(name, threads, dtype="float64") for threads in THREADS}) == 1


def report() -> None:
    """Run in a process of its own: the level in use and what each network came to on 1 to 4 threads."""
    hashes = {
        name: [
            hashlib.sha256(train(name, threads, fused=threads % 2 == 0, steps=20)).hexdigest() for threads in THREADS
        ]
        for name in LAYERS
        if not name.startswith("wide")
    }
    print(json.dumps({"isa": _core.isa(), "hashes": hashes}))


@pytest.mark.parametrize("level", _core.isa_levels())
def test_levels(level: str) -> None:
    """TAUTEN_ISA forces a level, and at each of them the number of threads changes nothing."""
    result = subprocess.run(
        [sys.executable, "-c", "import test_determinism; test_determinism.report()"],
        cwd=Path(__file__).parent,
        env={**os.environ, "TAUTEN_ISA": level},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout.splitlines()[-1])
    assert found["isa"] == level
    for name, hashes in found["hashes"].items():
        assert len(set(hashes)) == 1, f"{name}: threads {THREADS} came to {hashes}"


@pytest.mark.parametrize("name", ["cnn", "nodes", "text"])
def test_gradients_and_outputs(name: str) -> None:
    """So are the gradients, the inputs' too, and the outputs."""
    native, batch = make(name), draw(name, 33, np.random.default_rng(2)).cast("float32")
    seen = set()
    for threads in THREADS:
        _core.set_num_threads(threads)
        result, gradients, inputs = native.gradients(batch)
        arrays = [
            g for g in (*gradients, *inputs, native.predict(batch.x), native.predict(batch.x, True)) if g is not None
        ]
        seen.add(b"".join(a.tobytes() for a in arrays) + np.float64(result.loss).tobytes())
    assert len(seen) == 1


@pytest.mark.parametrize("name", ["cnn", "nodes", "lstm", "text"])
def test_batch_does_not_matter(name: str) -> None:
    """A sample's output is the same alone, among others, and in a workspace that a bigger batch has used."""
    native, batch = make(name), draw(name, 33, np.random.default_rng(3)).cast("float32")
    alone = [make(name).predict(batch.x[i : i + 1]) for i in range(33)]
    together = native.predict(batch.x)
    again = [native.predict(batch.x[i : i + 1]) for i in range(33)]
    np.testing.assert_allclose(together, np.concatenate(alone), rtol=1e-5, atol=1e-6)
    for first, second in zip(alone, again, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", ["mlp", "cnn", "text"])
def test_concurrent_predict(name: str) -> None:
    """Eight Python threads predict at once, each with a batch of its own size."""
    native = make(name)
    batches = [draw(name, 1 + 5 * i, np.random.default_rng(i)).cast("float32") for i in range(8)]
    serial = [native.predict(batch.x) for batch in batches]

    def work(number: int) -> list[np.ndarray]:
        return [native.predict(batches[number].x) for _ in range(20)]

    with ThreadPoolExecutor(8) as pool:
        for expected, outputs in zip(serial, pool.map(work, range(8)), strict=True):
            for output in outputs:
                np.testing.assert_array_equal(output, expected)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork_after_training() -> None:
    """A child made after the threads have run trains and predicts on, and comes to the parent's bits."""
    _core.set_num_threads(2)
    native, rng = make("lstm"), np.random.default_rng(1)
    first, second = draw("lstm", 33, rng).cast("float32"), draw("lstm", 17, rng).cast("float32")
    native.train(first, 0.05, 0.9)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            native.train(second, 0.05, 0.9)
            digest = hashlib.sha256(native.bits() + native.predict(first.x).tobytes()).digest()
            os.write(write, digest)
        finally:
            os._exit(0)
    os.close(write)
    deadline = time.monotonic() + 60
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            pytest.fail("the child hung")
        time.sleep(0.01)
    digest = os.read(read, 100)
    os.close(read)
    native.train(second, 0.05, 0.9)
    assert digest == hashlib.sha256(native.bits() + native.predict(first.x).tobytes()).digest()


@pytest.mark.parametrize("name", ["mlp", "cnn", "nodes", "lstm", "rows", "text"])
def test_no_allocation_after_the_first_step(name: str) -> None:
    """Batches and lengths below the largest seen allocate nothing, whatever is asked."""
    native, rng = make(name), np.random.default_rng(6)
    longest = draw(name, 40, rng)
    if name in UNEQUAL:
        longest = Batch([longest.x[0][:1].repeat(9, axis=0)] * 40, longest.y, longest.weight)
        if name == "text":
            longest.y = longest.x
    longest = longest.cast("float32")

    def everything(batch: Batch) -> None:
        native.train(batch, 0.01, 0.9)
        native.train(batch, 0.01, 0.9, fused=False)
        native.test(batch)
        native.predict(batch.x)
        native.gradients(batch)

    everything(longest)
    allocations = native.core.allocations
    assert allocations > 0
    everything(longest)
    for _ in range(30):
        everything(draw(name, int(rng.integers(1, 41)), rng).cast("float32"))
    assert native.core.allocations == allocations


def spoil(name: str, batch: Batch, how: str) -> tuple[Batch, type[Exception]]:
    """A batch whose last sample cannot be learned, and what is to be raised."""
    x, y, weight = list(batch.x), list(batch.y), batch.weight
    if how.startswith("label"):
        wrong = -1 if how == "label below" else 10 if name != "text" else VOCABULARY
        y[-1] = np.full_like(y[-1], wrong)
    elif how.startswith("token"):
        x[-1] = np.full_like(x[-1], -1 if how == "token below" else VOCABULARY)
    elif how == "weight":
        weight = np.append(weight[:-1], np.nan)
    else:
        x[-1] = x[-1].copy()
        x[-1].flat[0] = float(how)
    x, y = [d if name in UNEQUAL and np.ndim(d[0]) else np.stack(d) for d in (x, y)]
    return Batch(x, y, weight), FloatingPointError if how in ("nan", "inf") else ValueError


FAILURES = [
    *product(("mlp", "cnn", "rnn", "lstm", "rows"), ("nan", "label above", "label below")),
    *product(("text",), ("token above", "token below", "label above", "label below")),
    ("mlp", "inf"),
    ("lstm", "weight"),
]


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize(("name", "how"), FAILURES)
def test_failed_step_changes_nothing(name: str, how: str, fused: bool) -> None:
    native, untouched, rng = make(name), make(name), np.random.default_rng(7)
    before, after = draw(name, 9, rng).cast("float32"), draw(name, 9, rng).cast("float32")
    for network in (native, untouched):
        network.train(before, 0.05, 0.9, fused=fused)
    wrong, error = spoil(name, draw(name, 9, rng).cast("float32"), how)
    bits, calls = native.bits(), native.core.calls
    with pytest.raises((error, FloatingPointError) if how == "weight" else error):
        native.train(wrong, 0.05, 0.9, fused=fused)
    assert native.bits() == bits
    assert native.core.calls == calls
    for network in (native, untouched):
        network.train(after, 0.05, 0.9, fused=fused)
    assert native.bits() == untouched.bits()
