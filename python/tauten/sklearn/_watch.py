"""What an estimator does between two epochs, by scikit-learn's rules: when to stop, how fast to learn, what to keep."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tauten.callbacks import Callback, Logs

SLOWEST = 1e-6  # "adaptive" stops at this learning rate


class Watch(Callback):
    """Keeps the losses and scores of the epochs and ends the training when they no longer get better.

    Better means by tol: the training loss below the best so far, or with `score` the score above it.

    Attributes:
        losses, scores: of the epochs.
        best_loss, best_score: so far.
        waited: epochs since there was one that was better.
        seen: samples so far.
        converged: did it end the training?

    Args:
        tol: what counts as better.
        patience: more epochs than these without change end the training, or with "adaptive" divide the learning rate
            by 5, down to 1e-6.
        learning_rate: "constant", "invscaling" or "adaptive".
        scaling: of "invscaling": the initial rate and power_t; the rate is initial / (t + 1)^power_t after t samples.
        samples: of an epoch.
        score: gives a number that is to grow, of held-back samples; its best epoch's weights are set at the end.
    """

    def __init__(
        self,
        tol: float,
        patience: float,
        learning_rate: str,
        scaling: tuple[float, float],
        samples: int,
        score: Callable[[], float] | None,
    ) -> None:
        super().__init__()
        self.losses: list[float] = []
        self.scores: list[float] = []
        self.best_loss, self.best_score = math.inf, -math.inf
        self.waited = self.seen = 0
        self.converged = False
        self._tol, self._patience = tol, patience
        self._learning_rate, self._scaling = learning_rate, scaling
        self._samples = samples
        self._score = score
        self._weights: list[Any] | None = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert self.model is not None and self.model.optimizer is not None and logs is not None
        optimizer = self.model.optimizer
        self.losses.append(float(logs["loss"]))
        self.seen += self._samples
        better = self._loss_is_better() if self._score is None else self._score_is_better(self._score())
        self.waited = 0 if better else self.waited + 1
        if self._learning_rate == "invscaling":
            initial, power_t = self._scaling
            optimizer.learning_rate = initial / (self.seen + 1) ** power_t
        if self.waited <= self._patience:
            return
        if self._learning_rate == "adaptive" and optimizer.learning_rate > SLOWEST:
            optimizer.learning_rate /= 5
            self.waited = 0
        else:
            self.converged = True
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        assert self.model is not None
        if self._weights is not None:
            self.model.set_weights(self._weights)

    def _loss_is_better(self) -> bool:
        loss = self.losses[-1]
        better = loss <= self.best_loss - self._tol
        self.best_loss = min(loss, self.best_loss)
        return better

    def _score_is_better(self, score: float) -> bool:
        assert self.model is not None
        self.scores.append(score)
        better = score >= self.best_score + self._tol
        if score > self.best_score:
            self.best_score = score
            self._weights = self.model.get_weights()
        return better
