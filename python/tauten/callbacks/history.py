"""What fit returns: the logs of every epoch."""

from __future__ import annotations

from tauten.callbacks.callback import Callback, Logs


class History(Callback):
    """What fit returns: the logs of every epoch.

    Attributes:
        history: name -> one number an epoch: "loss", metrics, and with validation "val_loss", ...
        epoch: the epochs' numbers, from initial_epoch.
        params: {"verbose", "epochs", "steps"}.
    """

    _place = 1  # behind callbacks that add to the logs

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
