"""Children of a process that has trained: by fork, also in the middle of a native call, spawn, forkserver and loky."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from workers import batch, digest, lstm, threads_here, trained

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def in_child(work: Callable[[], bytes], seconds: float = 60) -> bytes:
    """What work() returns in a fork of this process; fails if that takes too long."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, work())
        finally:
            os._exit(0)
    os.close(write)
    deadline = time.monotonic() + seconds
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            pytest.fail("the child hung")
        time.sleep(0.001)
    result = os.read(read, 1000)
    os.close(read)
    return result


def weights(model) -> bytes:
    """To the bit."""
    return hashlib.sha256(b"".join(weight.tobytes() for weight in model.get_weights())).digest()


@needs_fork
def test_fifty_forks_after_training():
    """Each child trains on, with threads, to the parent's bits."""
    model = lstm()
    model.train_on_batch(*batch(0))

    def work() -> bytes:
        model.train_on_batch(*batch(1))
        return digest(model) + bytes([threads_here()])

    results = {in_child(work) for _ in range(50)}
    grandchild = in_child(lambda: in_child(work))
    model.train_on_batch(*batch(1))
    assert {result[:32] for result in results} == {digest(model)} == {grandchild[:32]}
    assert all(result[32] != 1 for result in results)  # the calling thread is not alone


@needs_fork
def test_forks_while_other_threads_are_in_native_calls():
    """The child's locks are free, and a model that was being trained is as it was between two steps."""
    most = 200
    model, busy, replica = lstm(), lstm(), lstm()
    model.train_on_batch(*batch(0))
    whole = [weights(replica)]
    for _ in range(most):
        replica.train_on_batch(*batch(2))
        whole.append(weights(replica))
    stop = threading.Event()

    def predict() -> None:
        while not stop.is_set():
            busy.predict_on_batch(batch(9)[0])
            busy.get_weights()

    def train() -> None:
        for _ in range(most):
            busy.train_on_batch(*batch(2))
            if stop.is_set():
                return
            time.sleep(0.002)

    def work() -> bytes:
        found = weights(busy)
        model.train_on_batch(*batch(1))
        busy.train_on_batch(*batch(2))
        return digest(model) + found

    threads = [threading.Thread(target=target) for target in (predict, predict, train)]
    for thread in threads:
        thread.start()
    try:
        results = {in_child(work) for _ in range(25)}
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    model.train_on_batch(*batch(1))
    assert {result[:32] for result in results} == {digest(model)}
    assert {result[32:] for result in results} <= set(whole)


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_multiprocessing(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    expected = [trained(steps) for steps in (1, 2, 3)]
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map_async(trained, [1, 2, 3]).get(timeout=60) == expected


def test_loky():
    joblib = pytest.importorskip("joblib")
    expected = [trained(steps) for steps in (1, 2)]
    results = joblib.Parallel(n_jobs=2, timeout=60)(joblib.delayed(trained)(steps) for steps in (1, 2))
    assert list(results) == expected
