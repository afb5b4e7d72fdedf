"""The progress display as a callback."""

from __future__ import annotations

from tauten import _progress
from tauten.callbacks.callback import Callback, Logs


class ProgbarLogger(Callback):
    """Shows how far fit, evaluate or predict is, in batches, as `verbose` of the call says.

    They show it themselves, in samples; with a ProgbarLogger among the callbacks they leave it to that.
    """

    def __init__(self) -> None:
        super().__init__()
        self._fitting = False
        self._progress: _progress.Progress | None = None

    def _start(self, title: str) -> None:
        verbose = _progress.resolve(self.params.get("verbose", "auto"))
        self._progress = _progress.start(verbose, self.params.get("steps"), title, unit="batches")

    def _update(self, logs: Logs | None) -> None:
        if self._progress is not None:
            self._progress.update(1, lambda: logs or {})

    def _finish(self, logs: Logs | None) -> None:
        if self._progress is not None:
            self._progress.finish(dict(logs or {}))
            self._progress = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._fitting = True  # validation is silent

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._fitting = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._start(f"Epoch {epoch + 1}/{self.params.get('epochs', '?')}")

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._update(logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._finish(logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        if not self._fitting:
            self._start("evaluate")

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if not self._fitting:
            self._update(logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        if not self._fitting:
            self._finish(logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._start("predict")

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._update(None)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._finish(None)
