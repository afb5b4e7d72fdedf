"""Several callbacks as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from tauten.callbacks.callback import Callback, Logs
from tauten.callbacks.history import History
from tauten.callbacks.progbar_logger import ProgbarLogger
from tauten.callbacks.terminate_on_nan import TerminateOnNaN

if TYPE_CHECKING:
    from tauten.models import Model

_HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))
_OLDER = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


class CallbackList(Callback):
    """Several callbacks as one: each call goes to all of them, in order.

    History comes behind the others, so that it sees what they add to the logs, and BackupAndRestore behind History.

    Attributes:
        callbacks: in the order in which they are called.
        each_train_batch, each_test_batch: is there one that hears of batches?

    Args:
        callbacks: objects of class Callback, or others with at least one of its on_ methods; those that they lack
            do nothing. One alone needs no list.
        add_history: add a History if there is none; default False.
        add_progbar: add a ProgbarLogger if there is none; default False.
        model: handed to each, if given.
        params: handed to each as one dict, if there are any.

    Raises:
        TypeError: for what is no callback.
    """

    def __init__(
        self,
        callbacks: Iterable[Any] | Callback | None = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Model | None = None,
        **params: Any,
    ) -> None:
        super().__init__()
        listed = _listed(callbacks)
        for callback in listed:
            if isinstance(callback, type) or not any(hasattr(callback, hook) for hook in _HOOKS):
                raise TypeError(f"callbacks: expected objects of class tauten.callbacks.Callback, got {callback!r}")
        if add_history and not any(isinstance(callback, History) for callback in listed):
            listed.append(History())
        if add_progbar and not any(isinstance(callback, ProgbarLogger) for callback in listed):
            listed.append(ProgbarLogger())
        self.callbacks: list[Any] = sorted(listed, key=lambda callback: getattr(callback, "_place", 0))
        self._heard: dict[str, list[Callable[..., Any]]] = {}
        self._listen()
        if model is not None:
            self.set_model(model)
        if params:
            self.set_params(params)

    @property
    def history(self) -> History | None:
        """The last History among them."""
        found = [callback for callback in self.callbacks if isinstance(callback, History)]
        return found[-1] if found else None

    @property
    def shows(self) -> bool:
        """Is there a ProgbarLogger, so that fit need not show anything?"""
        return any(isinstance(callback, ProgbarLogger) for callback in self.callbacks)

    def terminates(self, error: FloatingPointError) -> bool:
        """Does a TerminateOnNaN take care of a batch that is not finite? It is told why."""
        found = [callback for callback in self.callbacks if isinstance(callback, TerminateOnNaN)]
        for callback in found:
            callback.reason = str(error)
        return bool(found)

    def _listen(self) -> None:
        self._heard = {hook: _hooks(self.callbacks, hook) for hook in _HOOKS}
        self.each_train_batch = bool(self._heard["on_train_batch_begin"] or self._heard["on_train_batch_end"])
        self.each_test_batch = bool(self._heard["on_test_batch_begin"] or self._heard["on_test_batch_end"])

    def _call(self, hook: str, *arguments: Any) -> None:
        for heard in self._heard[hook]:
            heard(*arguments)

    def set_model(self, model: Model) -> None:
        self.model = model
        for callback in self.callbacks:
            if hasattr(callback, "set_model"):
                callback.set_model(model)

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        for callback in self.callbacks:
            if hasattr(callback, "set_params"):
                callback.set_params(params)

    def get_state(self) -> dict[str, Any]:
        states = [(type(c).__name__, c.get_state()) for c in self.callbacks if isinstance(c, Callback)]
        return {"callbacks": [[name, state] for name, state in states if state]}

    def set_state(self, state: dict[str, Any]) -> None:
        """Hand each its state; one that was not there before, or whose place another has taken, begins anew."""
        left = list(state["callbacks"])
        for callback in self.callbacks:
            for pair in left:
                if isinstance(callback, Callback) and pair[0] == type(callback).__name__:
                    callback.set_state(pair[1])
                    left.remove(pair)
                    break

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._listen()  # hooks may have been set since
        self._call("on_train_begin", _given(logs))

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._call("on_train_end", _given(logs))

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._call("on_epoch_begin", epoch, _given(logs))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._call("on_epoch_end", epoch, _given(logs))

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._call("on_train_batch_begin", batch, _given(logs))

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._call("on_train_batch_end", batch, _given(logs))

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self._listen()  # hooks may have been set since
        self._call("on_test_begin", _given(logs))

    def on_test_end(self, logs: Logs | None = None) -> None:
        self._call("on_test_end", _given(logs))

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._call("on_test_batch_begin", batch, _given(logs))

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._call("on_test_batch_end", batch, _given(logs))

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._listen()  # hooks may have been set since
        self._call("on_predict_begin", _given(logs))

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._call("on_predict_end", _given(logs))

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._call("on_predict_batch_begin", batch, _given(logs))

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._call("on_predict_batch_end", batch, _given(logs))


def _given(logs: Logs | None) -> Logs:
    return {} if logs is None else logs


def _listed(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    if isinstance(callbacks, CallbackList):
        return list(callbacks.callbacks)
    if isinstance(callbacks, type) or not isinstance(callbacks, Iterable):
        return [callbacks]  # one object; what is no callback is refused
    return list(callbacks)


def _hooks(callbacks: Iterable[Any], name: str) -> list[Callable[..., Any]]:
    """The hooks of that name that do something."""
    found = (_hook(callback, name) for callback in callbacks)
    return [hook for hook in found if hook is not None]


def _hook(callback: Any, name: str) -> Callable[..., Any] | None:
    hook = getattr(callback, name, None)
    if hook is not None and getattr(hook, "__func__", None) is not vars(Callback)[name]:
        return hook  # type: ignore[no-any-return]
    return _hook(callback, _OLDER[name]) if name in _OLDER else None
