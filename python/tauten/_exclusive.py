"""One training at a time on a model."""

from __future__ import annotations

import os
import threading
from types import TracebackType


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
        self._process = os.getpid()
        self._depth = 0

    def __call__(self, what: str) -> Exclusive:
        """For `with`: what is called."""
        self._what = what
        return self

    def __enter__(self) -> bool:
        """Take hold; was it held by this thread already? Raises RuntimeError if another thread holds it."""
        what = self._what
        if self._process != os.getpid():
            self._begin()
        if not self._lock.acquire(blocking=False):
            raise RuntimeError(self._message.format(what))
        self._depth += 1
        return self._depth > 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        self._lock.release()
