"""One run of fit: its epochs, validation and callbacks, and where it stands, which is what a backup has to know."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from warnings import warn

from tauten import _progress, _random
from tauten._loops import run_epoch, run_test

if TYPE_CHECKING:
    from tauten._batches import Batches
    from tauten._compiled import Means
    from tauten._feeding import Feed
    from tauten.callbacks import CallbackList, History
    from tauten.training import Trainer


@dataclass
class Fitting:
    """A fit that runs.

    Attributes:
        batches: to train on.
        epochs: the number of the last epoch.
        epoch: the epoch that runs, or the next one, counted from 0.
        batch: how many of its batches are done.
        means: loss and metrics of these.
        own: may it use the metrics' own objects?
        ended: is the epoch over, validation included?
        process: in which it runs.
    """

    batches: Batches[Feed]
    hooks: CallbackList
    history: History
    shuffler: _random.Shuffler
    means: Means
    epochs: int
    epoch: int
    own: bool = False
    batch: int = 0
    ended: bool = True
    process: int = field(default_factory=os.getpid)
    _later: list[tuple[Any, Any, Any, Any]] = field(default_factory=list)

    def state(self) -> dict[str, Any]:
        """Where it stands, as JSON can hold it."""
        at_end = self.ended
        return {
            "epoch": self.epoch + 1 if at_end else self.epoch,
            "batch": 0 if at_end else self.batch,
            "means": self.means.state(),
            "batches": self.batches.state(),
            "generator": self.shuffler.state(),
            "own_generator": self.shuffler.own,
            "history": self.history.history,
            "epochs": self.history.epoch,
            "measured": self.history._measured,
        }

    def restore(self, state: dict[str, Any], callbacks: dict[str, Any]) -> None:
        """Stand there again; History and callbacks follow when they have begun.

        Raises ValueError if the state is of a fit on other data.
        """
        before = self.shuffler.state()
        generator = self.shuffler.generator()
        try:
            if state["own_generator"]:
                self.shuffler.adopt(state["generator"])
                generator = self.shuffler.generator()
            self.batches.restore(state["batches"], state["batch"] > 0)
            _random.set_state(generator, state["generator"])
        except Exception:
            _random.set_state(generator, before)
            raise
        self.epoch, self.batch = int(state["epoch"]), int(state["batch"])
        self.means.restore(state["means"])
        self.ended = not self.batch
        self._later = [(state["history"], state["epochs"], state["measured"], callbacks)]

    def resume(self) -> None:
        """After the callbacks began: what they had seen before the interruption."""
        for history, epochs, measured, callbacks in self._later:
            self.history.history = {name: list(values) for name, values in history.items()}
            self.history.epoch = list(epochs)
            self.history._measured = {name: list(numbers) for name, numbers in measured.items()}
            self.hooks.set_state(callbacks)
        self._later.clear()


@dataclass(frozen=True)
class Validation:
    """What fit validates on, and when.

    Attributes:
        batches: of the data.
        freq: after every so many epochs, or the epochs' numbers, counted from 1.
    """

    batches: Batches[Feed]
    freq: int | Sequence[int]

    def due(self, epoch: int) -> bool:
        """Behind this epoch, counted from 0?"""
        if isinstance(self.freq, int):
            return (epoch + 1) % self.freq == 0
        return epoch + 1 in self.freq


def run(model: Trainer, fitting: Fitting, validation: Validation | None, verbose: int) -> None:
    """Train epoch by epoch until the last one, model.stop_training, or the end of the data."""
    hooks, batches = fitting.hooks, fitting.batches
    logs: dict[str, Any] = {}
    first = fitting.epoch
    hooks.on_train_begin()
    fitting.resume()
    while fitting.epoch < fitting.epochs and not model.stop_training:
        epoch = fitting.epoch
        if batches.dry:
            if epoch == first:
                raise ValueError("fit: x: no batches: the iterator gave none")
            _ran_dry(f"before epoch {epoch + 1} of {fitting.epochs}")
            break
        resumed, fitting.ended = not fitting.ended, False
        rate = model.optimizer.learning_rate if resumed and model.optimizer is not None else None
        hooks.on_epoch_begin(epoch)
        if resumed:
            assert model.optimizer is not None and rate is not None
            if model.optimizer.learning_rate != rate:  # what a callback did, it had done before the interruption
                model.optimizer.learning_rate = rate
        else:
            fitting.batch = 0
            fitting.means = model._need_compiled("fit").means(fitting.own)
        logs = _one_epoch(model, fitting, validation, verbose)
        fitting.ended = True
        hooks.on_epoch_end(epoch, logs)
        steps = batches.per_epoch
        if steps is not None and fitting.batch < steps and not model.stop_training and batches.dry:
            _ran_dry(f"after {fitting.batch} of {steps} batches of epoch {epoch + 1}")
            break
        fitting.epoch += 1
    graph = model._graph_now()
    if graph is not None and fitting.epochs > 0 and model._need_compiled("fit").optimizer.use_ema:
        graph.take_averages()
    hooks.on_train_end(logs)


def _one_epoch(model: Trainer, fitting: Fitting, validation: Validation | None, verbose: int) -> dict[str, Any]:
    epoch, batches = fitting.epoch, fitting.batches
    title = f"Epoch {epoch + 1}/{fitting.epochs}"
    total = batches.samples if batches.unit == "samples" else batches.per_epoch
    progress = _progress.start(verbose, total, title, unit=batches.unit)
    try:
        logs = run_epoch(model._self(), model._step(f"epoch {epoch + 1}"), fitting, progress)
        batches.end_epoch()
        progress.stop_clock()
        if validation is not None and validation.due(epoch):
            means = model._need_compiled("fit").means(fitting.own)
            if validation.batches.dry:
                warn(f"fit: validation_data ran out of batches before epoch {epoch + 1}", UserWarning, stacklevel=4)
            else:
                silent = _progress.start(0, None, "")
                run_test(model._network(), model._carrier(), means, validation.batches, fitting.hooks, silent)
                logs.update({f"val_{name}": value for name, value in means.logs().items()})
        progress.finish(logs)
    except BaseException:
        progress.abort()
        raise
    return logs


def _ran_dry(when: str) -> None:
    warn(
        f"fit: the iterator ran out of batches {when}; training ends here. An iterator must give steps_per_epoch * "
        "epochs batches; an object of tauten.utils.PyDataset is gone through in every epoch",
        UserWarning,
        stacklevel=4,
    )
