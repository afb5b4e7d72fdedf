"""Fixtures for all Python tests. Data and helpers are plain modules beside this file (data, examples, native, ...)."""

from __future__ import annotations

import signal

import pytest

from tauten import _core

# Started in the background of a script, a process ignores Ctrl-C, and so do its children.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def same_threads():
    """A test may change the number of threads; the next one finds it as it was."""
    threads = _core.num_threads()
    yield
    if _core.num_threads() != threads:
        _core.set_num_threads(threads)


@pytest.fixture
def one_thread(same_threads):
    """For many fits on tiny data: threads would wait for each other more than compute."""
    _core.set_num_threads(1)
