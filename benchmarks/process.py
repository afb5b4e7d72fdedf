"""The driver's end of a worker: starts the process, asks, and tells what went wrong."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class WorkerError(RuntimeError):
    """A worker died; the message carries the end of what it wrote."""


class Worker:
    """One library in a process of its own, with its own interpreter."""

    def __init__(self, rival: str, python: str, task: str, threads: int, **options: Any) -> None:
        self.rival = rival
        self.peak_mb = 0.0
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed in close()
        environment = dict(os.environ)
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TAUTEN_NUM_THREADS"):
            environment[name] = str(threads)
        self._process = subprocess.Popen(
            [python, "-m", "benchmarks.worker", rival, task, str(threads), json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        hello = self._read()
        self.version: str = hello["version"]
        self.import_seconds: float = hello["import_seconds"]
        self.imported_mb: float = hello["imported_mb"]

    def _read(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            tail = "".join(self._errors.readlines()[-12:])
            raise WorkerError(f"{self.rival}: the process ended with {self._process.returncode}\n{tail}")
        return json.loads(line)

    def ask(self, call: str, **arguments: Any) -> Any:
        """Calls a method of the worker's task and waits for what it returns."""
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps({"call": call, "with": arguments}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # _read tells why
        answer = self._read()
        self.peak_mb = answer["peak_mb"]
        return answer["result"]

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
