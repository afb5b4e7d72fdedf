"""One training at a time on a model: other threads, callbacks, interrupts, child processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import tauten
from data import digits
from tauten import layers
from tauten.callbacks import Callback


def images():
    x, y = digits()
    return x.reshape(len(x), 64).astype(np.float32), y


def made():
    tauten.utils.set_random_seed(1)
    model = tauten.Sequential([tauten.Input((64,)), layers.Dense(16, "relu"), layers.Dense(10, "softmax")])
    model.compile(tauten.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    return model


class Wait(Callback):
    """Holds fit in its second batch until the test lets it go on."""

    def __init__(self):
        super().__init__()
        self.there, self.go = threading.Event(), threading.Event()

    def on_train_batch_end(self, batch, logs=None):
        if batch == 1:
            self.there.set()
            assert self.go.wait(30)


def test_a_second_thread_is_turned_away_but_may_predict():
    x, y = images()
    model, wait = made(), Wait()
    thread = threading.Thread(target=lambda: model.fit(x, y, verbose=0, callbacks=[wait]))
    thread.start()
    try:
        assert wait.there.wait(30)
        weights = model.get_weights()
        with pytest.raises(RuntimeError, match=r"fit: another thread trains this model.*predict\(\)"):
            model.fit(x, y, verbose=0)
        with pytest.raises(RuntimeError, match="train_on_batch: another thread trains this model"):
            model.train_on_batch(x, y)
        with pytest.raises(RuntimeError, match="compile: another thread trains this model"):
            model.compile("sgd", "mse")
        assert model.predict(x[:5]).shape == (5, 10)
        assert np.isfinite(model.evaluate(x[:5], y[:5], verbose=0))
        for one, two in zip(weights, model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, two)
        other = made()
        other.fit(x[:64], y[:64], verbose=0)  # another model is free
        if sys.platform == "linux":
            child = multiprocessing.get_context("fork").Process(target=model.train_on_batch, args=(x[:8], y[:8]))
            with pytest.warns(DeprecationWarning) if sys.version_info >= (3, 12) else _nothing():
                child.start()
            child.join(30)
            assert child.exitcode == 0
    finally:
        wait.go.set()
        thread.join(60)
    assert model.optimizer.iterations == 57
    model.fit(x, y, verbose=0)
    assert model.optimizer.iterations == 114


class _nothing:
    def __enter__(self):
        return None

    def __exit__(self, *error):
        return None


def test_stop_training_from_another_thread():
    x, y = images()
    model, wait = made(), Wait()
    thread = threading.Thread(target=lambda: model.fit(x, y, epochs=9, verbose=0, callbacks=[wait]))
    thread.start()
    assert wait.there.wait(30)
    model.stop_training = True
    wait.go.set()
    thread.join(60)
    assert model.optimizer.iterations == 2
    assert len(model.fit(x, y, epochs=2, verbose=0).epoch) == 2


def test_a_callback_may_train_on_a_batch_but_not_fit():
    x, y = images()

    class More(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.train_on_batch(x[:8], y[:8])

    model = made()
    model.fit(x[:64], y[:64], verbose=0, callbacks=[More()])
    assert model.optimizer.iterations == 3

    class Nested(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.fit(x, y, verbose=0)

    with pytest.raises(RuntimeError, match="fit was called by a callback of its fit"):
        model.fit(x[:64], y[:64], verbose=0, callbacks=[Nested()])
    assert len(model.fit(x[:64], y[:64], verbose=0).epoch) == 1


def test_a_failed_fit_leaves_the_model_free():
    x, y = images()
    model = made()
    for _ in range(2):
        with pytest.raises(ValueError, match="y"):
            model.fit(x, y + 5, verbose=0)
    thread = threading.Thread(target=lambda: model.train_on_batch(x, y))
    thread.start()
    thread.join(30)
    assert model.optimizer.iterations == 1


SCRIPT = """
import signal, sys, threading, time
import numpy as np
import tauten
from test_training_threads import images, made
x, y = images()
model = made()
class Tell(tauten.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 1:
            print("training", flush=True)
def batches():
    while True:
        yield x[:256], y[:256]
data = batches() if sys.argv[1] == "generator" else tauten.utils.PyDataset()
if sys.argv[1] != "generator":
    class Data(tauten.utils.PyDataset):
        def __len__(self):
            return 1000
        def __getitem__(self, i):
            time.sleep(0.01)
            return x[:256], y[:256]
    data = Data(workers=2)
try:
    model.fit(data, steps_per_epoch=100000, verbose=0, callbacks=[Tell()])
except KeyboardInterrupt:
    assert np.isfinite(model.evaluate(x, y, verbose=0))
    model.fit(x, y, verbose=0)
    print("usable", threading.active_count() <= 3, flush=True)
"""


@pytest.mark.parametrize("data", ["generator", "numbered"])
def test_ctrl_c_ends_a_fit_of_batches(data, tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *sys.path])}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, data], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stdout.readline() == "training\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert out == "usable True\n", error
    assert process.returncode == 0
