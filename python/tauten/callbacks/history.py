"""What fit returns: the logs of every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tauten.callbacks.callback import Callback, Logs

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
        self._measured: dict[str, list[int]] = {}  # name -> the epochs of its numbers: not all are validated

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
            self._measured.setdefault(name, []).append(epoch)

    def plot(
        self,
        metrics: str | Sequence[str] | None = None,
        *,
        monitor: str | None = None,
        mode: str = "auto",
        log: bool | None = None,
        figure: Any = None,
    ) -> Figure:
        """Loss and metrics over epochs, of training and validation, with the best epoch; tauten.plot.history()."""
        from tauten import plot

        return plot.history(self, metrics, monitor=monitor, mode=mode, log=log, figure=figure)

    def _repr_html_(self) -> str:
        """What notebooks show: the last and the best epoch, and the curve of the loss."""
        from tauten import _html

        return _html.history(self)

    def __repr__(self) -> str:
        return f"<History of {len(self.epoch)} epochs: {', '.join(self.history)}>"
