"""A callback of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tauten.callbacks.callback import Callback


class LambdaCallback(Callback):
    """A callback made of functions, each of which takes what the hook of its name takes.

    Args:
        on_epoch_begin, on_epoch_end: called with (epoch, logs); default None.
        on_train_begin, on_train_end: called with (logs); default None.
        on_train_batch_begin, on_train_batch_end: called with (batch, logs); default None.
        kwargs: any other hooks, such as on_test_begin, or attributes.
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.__dict__.update(kwargs)
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        self.__dict__.update({name: hook for name, hook in hooks.items() if hook is not None})
