"""Ending the training at a loss that is not finite."""

from __future__ import annotations

import math

from tauten._checks import flag
from tauten.callbacks.callback import Callback, Logs


class TerminateOnNaN(Callback):
    """Ends fit at a batch whose loss or gradient is not finite. Without it fit raises FloatingPointError there.

    The weights are those before that batch. The logs of the batch and the epoch have the loss NaN.

    Attributes:
        reason: what was not finite, and where.

    Args:
        raise_error: raise RuntimeError instead, so that the other callbacks do not end as after a whole training;
            default False.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = flag(raise_error, "TerminateOnNaN: raise_error")
        self.reason = ""

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.reason = ""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        because = f" ({self.reason})" if self.reason else ""
        if self.raise_error:
            raise RuntimeError(f"TerminateOnNaN: the loss of batch {batch} is {loss}{because}")
        print(f"Batch {batch}: Invalid loss, terminating training{because}")
        assert self.model is not None
        self.model.stop_training = True
