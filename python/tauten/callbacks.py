"""Callbacks: objects whose methods fit, evaluate and predict call as they go; names and order are Keras'."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tauten.models import Model

__all__ = ["Callback", "CallbackList", "History"]

Logs = dict[str, Any]


class Callback:
    """Base of the callbacks: override what you need. `logs` are running means since the epoch began.

    Attributes:
        model: the model being trained; its `stop_training = True` ends fit after the batch.
        params: {"verbose", "epochs", "steps"}.
    """

    def __init__(self) -> None:
        self.model: Model | None = None
        self.params: dict[str, Any] = {}

    def set_model(self, model: Model) -> None:
        """Called first, with the model."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Called before training, with {"verbose", "epochs", "steps"}."""
        self.params = params

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


_HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))
_OLDER = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


class History(Callback):
    """What fit returns: the logs of every epoch.

    Attributes:
        history: name -> one number an epoch: "loss", metrics, and with validation "val_loss", ...
        epoch: the epochs' numbers, from initial_epoch.
        params: {"verbose", "epochs", "steps"}.
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def __repr__(self) -> str:
        return f"<History of {len(self.epoch)} epochs: {', '.join(self.history)}>"


class CallbackList(Callback):
    """Several callbacks as one: each call goes to all of them, in order.

    Attributes:
        each_batch: is there one that may want to hear of batches? History does not.

    Args:
        callbacks: objects of class Callback, or others with at least one of its on_ methods; those that they lack
            do nothing.
        model: handed to each.
        params: handed to each.

    Raises:
        TypeError: for what is no callback.
    """

    def __init__(self, callbacks: Iterable[Any], model: Model, params: dict[str, Any]) -> None:
        super().__init__()
        self.callbacks = list(callbacks)
        for callback in self.callbacks:
            if isinstance(callback, type) or not any(hasattr(callback, hook) for hook in _HOOKS):
                raise TypeError(f"callbacks: expected objects of class tauten.callbacks.Callback, got {callback!r}")
        self.each_batch = any(type(callback) is not History for callback in self.callbacks)
        self.set_params(params)
        self.set_model(model)

    def set_model(self, model: Model) -> None:
        self._call("set_model", model)

    def set_params(self, params: dict[str, Any]) -> None:
        self._call("set_params", params)

    def _call(self, method: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            hook = getattr(callback, method, None) or getattr(callback, _OLDER.get(method, ""), None)
            if hook is not None:
                hook(*arguments)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._call("on_train_begin", logs or {})

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._call("on_train_end", logs or {})

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._call("on_epoch_begin", epoch, logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._call("on_epoch_end", epoch, logs or {})

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._call("on_train_batch_begin", batch, logs or {})

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._call("on_train_batch_end", batch, logs or {})

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self._call("on_test_begin", logs or {})

    def on_test_end(self, logs: Logs | None = None) -> None:
        self._call("on_test_end", logs or {})

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._call("on_test_batch_begin", batch, logs or {})

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._call("on_test_batch_end", batch, logs or {})

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._call("on_predict_begin", logs or {})

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._call("on_predict_end", logs or {})

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._call("on_predict_batch_begin", batch, logs or {})

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._call("on_predict_batch_end", batch, logs or {})
