"""Run as a program by test_interrupt.py: SIGINT at random moments of long native calls; prints what came of it.

A step of the model takes seconds, so that only an interrupt in its middle comes in time.
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import sys
import threading
import time
from collections.abc import Callable

import numpy as np

import tauten
from data import digits
from tauten import layers

BATCH = int(sys.argv[2])


def model() -> tauten.Sequential:
    tauten.utils.set_random_seed(1)
    net = [layers.Flatten(), layers.Dense(4096, "relu"), layers.Dense(4096, "relu"), layers.Dense(10, "softmax")]
    made = tauten.Sequential([tauten.Input((8, 8)), *net])
    made.compile(tauten.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    return made


def bits(of: tauten.Sequential) -> bytes:
    return b"".join(weight.tobytes() for weight in of.get_weights())


def interrupted(call: Callable[[], object], longest: float) -> float:
    """Seconds from SIGINT to the end of the call that it comes in."""
    sent = [0.0]

    def send() -> None:
        time.sleep(random.uniform(0.05, longest))
        sent[0] = time.perf_counter()
        os.kill(os.getpid(), signal.SIGINT)

    sender = threading.Thread(target=send)
    ended = 0.0
    try:
        sender.start()
        while True:
            call()
    except KeyboardInterrupt:
        ended = time.perf_counter()
    sender.join()
    return ended - sent[0]


def seconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def main() -> None:
    images, labels = digits()
    index = np.arange(BATCH) % len(images)
    x, y = images[index].astype(np.float32), labels[index]
    net, other = model(), model()
    calls: dict[str, Callable[[], object]] = {
        "train": lambda: net.train_on_batch(x, y),
        "fit": lambda: net.fit(x, y, batch_size=BATCH, epochs=9, verbose=1, shuffle=False),
        "predict": lambda: net.predict(x, batch_size=BATCH, verbose=0),
        "evaluate": lambda: net.evaluate(x, y, batch_size=BATCH, verbose=0),
    }
    net.train_on_batch(x[:10], y[:10])
    print("step", seconds(calls["train"]))
    for name, call in calls.items():
        latencies = []
        for _ in range(int(sys.argv[3])):
            other.set_weights(net.get_weights())
            latencies.append(interrupted(call, 0.6))
            if bits(net) != bits(other):  # a step was over
                other.train_on_batch(x, y)
                assert name in ("train", "fit") and bits(net) == bits(other)
        print(name, statistics.median(latencies), max(latencies))

    # updates that are made as gradients come, too, are made whole or not at all
    tauten.config.set_check_gradients(False)
    before = bits(net)
    interrupted(calls["train"], 0.1)
    print("fused", bits(net) == before)
    tauten.config.set_check_gradients(True)

    # a call that waits for another thread's step
    training = threading.Thread(target=calls["train"])
    training.start()
    time.sleep(0.2)
    print("waiting", *[interrupted(calls["predict"], 0.1)] * 2)
    training.join()

    # a fork by another thread meanwhile: SIGINT is the child's own again
    status = []

    def fork() -> None:
        time.sleep(0.2)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                other.train_on_batch(x[:500], y[:500])
                other.predict_on_batch(x[:500])
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(5)
            except KeyboardInterrupt:
                code = 0
            finally:
                os._exit(code)
        status.append(os.waitpid(child, 0)[1])

    forker = threading.Thread(target=fork)
    forker.start()
    net.predict_on_batch(x)
    forker.join()
    print("forked", status == [0])

    # a handler that raises nothing: the call goes on, to the bits of one that was not interrupted
    came = []
    signal.signal(signal.SIGINT, lambda *_: came.append(1))
    other.set_weights(net.get_weights())
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    net.train_on_batch(x, y)
    timer.join()
    other.train_on_batch(x, y)
    print("handled", bool(came) and bits(net) == bits(other))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    net.predict_on_batch(x)
    print("usable", np.isfinite(net.evaluate(x[:500], y[:500], verbose=0)))


if __name__ == "__main__":
    main()
