"""Ctrl-C in the middle of native calls that take seconds: noticed at once, nothing half changed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


def calibrated() -> int:
    """Samples for a training step of some 1.5 seconds here."""
    code = (
        "import time, numpy as np, interrupted as i; m = i.model(); x = np.ones((256, 8, 8), np.float32); "
        "y = np.zeros(256, int); m.train_on_batch(x, y); t = i.seconds(lambda: m.train_on_batch(x, y)); "
        "print(int(min(max(1.5 / t * 256, 1024), 16384)))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    run = [sys.executable, "-c", code, "0", "0"]
    return int(subprocess.run(run, check=True, capture_output=True, text=True, env=environment).stdout.split()[-1])


def test_ctrl_c_in_long_calls():
    run = [sys.executable, "interrupted.py", "", str(calibrated()), "2"]  # twice each
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    done = subprocess.run(run, cwd=HERE, capture_output=True, text=True, env=environment, timeout=240)
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    lines = [line.split("\r")[-1].split() for line in done.stdout.splitlines() if line.strip()]
    said = {line[0]: line[1:] for line in lines if line}
    step = float(said["step"][0])
    for name in ("train", "fit", "predict", "evaluate", "waiting"):
        assert float(said[name][0]) < max(0.2, step / 6), (name, said)  # a busy machine is slow, but then so are steps
    assert said["fused"] == ["True"]
    for name in ("forked", "handled", "usable"):
        assert said[name] == ["True"], name


def test_ctrl_c_in_short_calls():
    """Between native calls of microseconds, from outside the process, as the terminal sends it."""
    code = (
        "import numpy as np, interrupted as i, tauten; from tauten import layers; "
        "m = tauten.Sequential([tauten.Input((4,)), layers.Dense(2)]); m.compile('sgd', 'mse'); "
        "x = np.ones((64, 4), np.float32); y = np.ones((64, 2), np.float32); print('go', flush=True)\n"
        "try:\n    m.fit(x, y, batch_size=4, epochs=10**6, verbose=0)\n"
        "except KeyboardInterrupt:\n    print('usable', np.isfinite(m.evaluate(x, y, verbose=0)))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    run = [sys.executable, "-c", code, "0", "0"]
    with subprocess.Popen(run, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "go\n"
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
        begin = time.monotonic()
        assert child.communicate(timeout=60)[0] == "usable True\n"
        assert time.monotonic() - begin < 5
