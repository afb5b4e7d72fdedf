"""Settings from outside: TAUTEN_NUM_THREADS, OpenMP's variables and the affinity, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tauten import _core

SHOW = "from tauten import _core, config; print(config.num_threads(), _core.default_num_threads())"


def run(code, threads=None, **openmp):
    ours = ("TAUTEN_NUM_THREADS", "OMP_NUM_THREADS", "OMP_THREAD_LIMIT")
    environment = {name: value for name, value in os.environ.items() if name not in ours} | openmp
    if threads is not None:
        environment["TAUTEN_NUM_THREADS"] = threads
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)


@pytest.mark.parametrize("threads", ["1", "3", "1024"])
def test_threads_of_the_environment(threads):
    done = run(SHOW, threads)
    assert done.stdout.split() == [threads, threads], done.stderr


@pytest.mark.parametrize("threads", ["0", "-2", "1025", "two", "2x", "", "99999999999999999999"])
def test_bad_threads_of_the_environment(threads):
    done = run(SHOW, threads)
    assert done.returncode == 1
    assert f"ValueError: TAUTEN_NUM_THREADS must be a number from 1 to 1024, not '{threads}'" in done.stderr


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs os.sched_setaffinity")
def test_default_threads_follow_the_affinity():
    processors = os.sched_getaffinity(0)
    assert 1 <= int(run(SHOW).stdout.split()[1]) <= len(processors)
    done = run(f"import os; os.sched_setaffinity(0, [{min(processors)}]); {SHOW}")
    assert done.stdout.split() == ["1", "1"], done.stderr


def test_set_threads_goes_before_the_environment():
    done = run("from tauten import config; config.set_num_threads(2); print(config.num_threads())", "3")
    assert done.stdout == "2\n", done.stderr
    assert _core.default_num_threads() >= 1


def test_openmp_variables_lower_the_default():
    """As other libraries have it, so that one setting holds for all; but never more than there are processors."""
    most = int(run(SHOW).stdout.split()[1])
    assert run(SHOW, OMP_NUM_THREADS="1").stdout.split() == ["1", "1"]
    assert run(SHOW, OMP_NUM_THREADS="1,4").stdout.split() == ["1", "1"]
    assert run(SHOW, OMP_THREAD_LIMIT="1").stdout.split() == ["1", "1"]
    for value in ("1000", "0", "many", ""):
        assert run(SHOW, OMP_NUM_THREADS=value).stdout.split() == [str(most)] * 2
    assert run(SHOW, "3", OMP_NUM_THREADS="1").stdout.split() == ["3", "3"]  # what is ours goes first
