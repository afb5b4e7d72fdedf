"""What fit, evaluate and predict show: a bar (verbose 1), one line (2), or nothing (0)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

Logs = dict[str, Any]


def resolve(verbose: str | int | bool, elsewhere: int = 2) -> int:
    """0, 1 or 2 from `verbose`; "auto" is a bar in a terminal or notebook and `elsewhere` in pipes and files.

    Raises:
        ValueError: for anything else.
    """
    if verbose == "auto":
        return 1 if _notebook() or sys.stdout.isatty() else elsewhere
    if isinstance(verbose, (bool, int)) and int(verbose) in (0, 1, 2):
        return int(verbose)
    raise ValueError(f"verbose: expected 'auto', 0, 1 or 2, got {verbose!r}")


def start(verbose: int, total: int | None, title: str, delay: float = 0.0, unit: str = "samples") -> Progress:
    """A progress display over so many samples or batches; None if nobody knows how many."""
    return (Progress, Bar, Line)[verbose](total, title, delay, unit)


class Progress:
    """Shows nothing.

    Args:
        total: how many are to come; None if nobody knows.
        title: such as "Epoch 1/5".
        delay: seconds before anything appears.
        unit: what a bar counts, "samples" or "batches".
    """

    def __init__(self, total: int | None, title: str, delay: float = 0.0, unit: str = "samples") -> None:
        self.total = total
        self.title = title
        self.unit = unit
        self.begin = time.perf_counter()
        self.seconds = 0.0

    def update(self, samples: int, logs: Callable[[], Logs]) -> None:
        """A batch of so many samples is done; `logs` is called only if they are shown."""

    def stop_clock(self) -> None:
        """Samples are done; what follows (validation) does not count for the speed."""
        self.seconds = time.perf_counter() - self.begin

    def finish(self, logs: Logs) -> None:
        """All is done: show the last state."""

    def abort(self) -> None:
        """Leave the display as it is."""


class Line(Progress):
    """One line when all is done, as in Keras with verbose=2."""

    def __init__(self, total: int | None, title: str, delay: float = 0.0, unit: str = "samples") -> None:
        super().__init__(total, title, delay, unit)
        self._samples = 0

    def update(self, samples: int, logs: Callable[[], Logs]) -> None:
        self._samples += samples

    def finish(self, logs: Logs) -> None:
        seconds = self.seconds or time.perf_counter() - self.begin
        total = time.perf_counter() - self.begin
        parts = [self.title] if self.title else []
        parts += [f"{total:.1f}s", f"{self._samples / max(seconds, 1e-9):,.0f} samples/s"]
        parts += [f"{name}: {show(value)}" for name, value in in_order(logs)]
        print(" - ".join(parts), flush=True)


class Bar(Progress):
    """A tqdm bar: samples or batches done, time gone and left, how many a second, loss and metrics."""

    interval = 0.1  # seconds between two looks

    def __init__(self, total: int | None, title: str, delay: float = 0.0, unit: str = "samples") -> None:
        super().__init__(total, title, delay, unit)
        self._bar: Any = _tqdm()(
            total=total,
            desc=title,
            unit=f" {unit}",
            file=sys.stdout,
            mininterval=self.interval,
            dynamic_ncols=True,
            delay=delay,
            smoothing=0.1,
        )
        self._shown = 0.0
        self._pending = 0

    def update(self, samples: int, logs: Callable[[], Logs]) -> None:
        self._pending += samples if self.unit == "samples" else 1
        now = time.perf_counter()
        if now - self._shown < self.interval:
            return
        self._shown = now
        self._flush(logs())

    def stop_clock(self) -> None:
        super().stop_clock()
        self._flush({})

    def finish(self, logs: Logs) -> None:
        if self.seconds:  # leave validation out of the samples a second
            self._bar.start_t += time.perf_counter() - self.begin - self.seconds
            self._bar.last_print_t = max(self._bar.last_print_t, self._bar.start_t)  # else close() shows nothing
        self._flush(logs)
        self._bar.close()

    def abort(self) -> None:
        self._bar.close()

    def _flush(self, logs: Logs) -> None:
        if logs:
            text = ", ".join(f"{name}={show(value)}" for name, value in in_order(logs))
            self._bar.set_postfix_str(text, refresh=False)
        self._bar.update(self._pending)
        self._pending = 0


def in_order(logs: Logs) -> list[tuple[str, Any]]:
    """Loss first, then the metrics, then the same of the validation."""
    return sorted(logs.items(), key=lambda item: (item[0].startswith("val_"), item[0].removeprefix("val_") != "loss"))


def show(value: Any) -> str:
    """A number as Keras shows it: 0.1234, or 1.2345e-04 if small."""
    return f"{value:.4f}" if value == 0 or abs(value) > 1e-3 else f"{value:.4e}"


def _notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"


def _tqdm() -> Any:
    if _notebook():
        from tqdm.auto import tqdm as notebook

        return notebook
    from tqdm import tqdm

    return tqdm
