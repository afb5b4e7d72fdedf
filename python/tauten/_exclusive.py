"""One training at a time on a model."""

from __future__ import annotations

import os
import threading
from types import TracebackType

_forks = 0  # how often the process was forked on the way to this one


def _forked() -> None:
    global _forks
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class Exclusive:
    """Held while a model is trained: a second thread is turned away, the thread that holds it is let through.

    A child process that was forked meanwhile may train its copy.

    Args:
        message: of the RuntimeError; {} stands for what was called.
    """

    def __init__(self, message: str) -> None:
        self._message = message
        self._what = ""
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self._forks = _forks
        self._depth = 0

    def __call__(self, what: str) -> Exclusive:
        """For `with`: what is called."""
        self._what = what
        return self

    def __enter__(self) -> int:
        """Take hold; how often this thread does now. Raises RuntimeError if another thread holds it."""
        what = self._what
        if self._forks != _forks:  # the thread that holds it may not exist in this process
            self._begin()
        if not self._lock.acquire(blocking=False):
            raise RuntimeError(self._message.format(what))
        self._depth += 1
        return self._depth

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        self._lock.release()
