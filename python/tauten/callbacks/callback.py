"""The base of the callbacks: hooks that do nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tauten._repr import shown

if TYPE_CHECKING:
    from tauten.models import Model

Logs = dict[str, Any]


class Callback:
    """Base of the callbacks: override what you need. `logs` are running means since the epoch began.

    Attributes:
        model: the model being trained; its `stop_training = True` ends fit after the batch.
        params: {"verbose", "epochs", "steps"}; steps is None if nobody knows how many batches an epoch has.
    """

    def __init__(self) -> None:
        self.model: Model | None = None
        self.params: dict[str, Any] = {}

    def __repr__(self) -> str:
        return shown(self, {name: value for name, value in vars(self).items() if not callable(value)})

    def set_model(self, model: Model) -> None:
        """Called first, with the model."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Called before training, with {"verbose", "epochs", "steps"}."""
        self.params = params

    def get_state(self) -> dict[str, Any]:
        """What BackupAndRestore keeps of this callback: numbers, strings, None, arrays and lists of these."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from get_state(), after on_train_begin()."""

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Fit begins."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Fit ends; logs of the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """An epoch begins, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """An epoch ends; logs with the val_ ones."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """The same as on_train_batch_begin."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """The same as on_train_batch_end."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """A training step begins, counted from 0 in each epoch."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """A training step ended."""
        self.on_batch_end(batch, logs=logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Evaluate or validation begins."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Evaluate or validation ends."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """A batch of evaluate or validation begins."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """A batch of evaluate or validation ended."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Predict begins."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Predict ends."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """A batch of predict begins."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """A batch of predict ended; logs {"outputs": ...}."""
