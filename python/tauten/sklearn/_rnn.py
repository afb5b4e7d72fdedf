"""Recurrent networks on series, also of unequal length."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from tauten import layers as kinds
from tauten import optimizers
from tauten._checks import flag, integer
from tauten.layers import Layer
from tauten.layers._docs import documented
from tauten.sklearn._base import ATTRIBUTES, TRAINING, dropped
from tauten.sklearn._layout import LAYOUTS
from tauten.sklearn._shaped import Shaped
from tauten.sklearn._targets import CLASSES, LABELS, OUTPUTS, Classifier, Regressor

CELLS = {"rnn": kinds.SimpleRNN, "forget": kinds.ForgetGateRNN, "lstm": kinds.LSTM, "gru": kinds.GRU}

SERIES = """ A list of
            arrays (steps_i, features) or (steps_i,), also of unequal length, needs neither."""
NETWORK = (
    """

    {what} A list of arrays as X may have series of unequal length, without padding.

    Args:
        units: of each layer, in each direction; default 64.
        cell: "rnn", "forget" (the RNN with a forget gate), "lstm" (default) or "gru".
        layers: recurrent layers one on the other; default 1.
        bidirectional: read each series in both directions; default {bidirectional}."""
    + LAYOUTS.format(more="", lists=SERIES)
    + """
        global_clipnorm: the gradient is made no longer than this; default None."""
)
DEFAULTS = TRAINING.replace(' "auto" is 200, or all if there are fewer.', ' default 32; "auto" is 200.')


@dataclass(eq=False, repr=False)
class RNN(Shaped):
    """Recurrent layers, the last of which gives its last state."""

    units: int = 64
    cell: str = "lstm"
    layers: int = 1
    bidirectional: bool = False
    batch_size: int | str = field(default=32, kw_only=True)
    global_clipnorm: float | None = field(default=None, kw_only=True)

    _every_step: ClassVar[bool] = False  # does the last layer give its state at every step?

    def _body(self, shape: tuple[int, ...], penalty: Any) -> tuple[tuple[int | None, ...], list[Layer]]:
        owner = type(self).__name__
        if self.cell not in CELLS:
            raise ValueError(f"{owner}: cell: expected one of {tuple(CELLS)}, got {self.cell!r}")
        units, count = integer(self.units, f"{owner}: units"), integer(self.layers, f"{owner}: layers")
        both = flag(self.bidirectional, f"{owner}: bidirectional")
        found: list[Layer] = []
        for place in range(1, count + 1):
            recurrent = CELLS[self.cell](
                units,
                return_sequences=self._every_step or place < count,
                kernel_regularizer=penalty,
                recurrent_regularizer=penalty,
                name=f"recurrent_{place}",
            )
            found.append(kinds.Bidirectional(recurrent, name=f"bidirectional_{place}") if both else recurrent)
            found += dropped(self.dropout, f"dropout_{place}")
        return (None, shape[-1]), found

    def _optimizer(self) -> optimizers.Optimizer:
        optimizer = super()._optimizer()
        optimizer.global_clipnorm = self.global_clipnorm
        return optimizer


@dataclass(eq=False, repr=False)
class RNNClassifier(RNN, Classifier):
    """A recurrent network that classifies series."""


@dataclass(eq=False, repr=False)
class RNNRegressor(RNN, Regressor):
    """A recurrent network that predicts numbers from series."""


LAST = "Recurrent layers, whose last states go into the outputs."
TEXT = NETWORK.format(what=LAST, bidirectional=False)
documented(RNNClassifier, TEXT, DEFAULTS, CLASSES, ATTRIBUTES.format(more=LABELS))
documented(RNNRegressor, TEXT, DEFAULTS, ATTRIBUTES.format(more=OUTPUTS))
