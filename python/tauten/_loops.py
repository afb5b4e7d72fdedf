"""The loops over batches behind fit, evaluate and predict: one native call a batch, hooks and progress around it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tauten import config
from tauten._checks import number
from tauten._judging import Judge

if TYPE_CHECKING:
    from tauten._batches import Batches
    from tauten._compiled import Compiled, Means
    from tauten._core import Network
    from tauten._feeding import Feed, Inputs
    from tauten._fit import Fitting
    from tauten._graph import Graph
    from tauten._progress import Progress
    from tauten._states import Carrier
    from tauten.callbacks import CallbackList
    from tauten.models import Model
    from tauten.optimizers import Optimizer


class TrainStep:
    """One native training step with an optimizer's settings of the moment.

    Args:
        model: its name, for the message when the loss is not finite.
        network: finished and compiled.
        carrier: of the model's states.
        optimizer: read before every step, counted after it.
        where: such as "epoch 3".
    """

    def __init__(self, model: str, network: Network, carrier: Carrier, optimizer: Optimizer, where: str) -> None:
        self._model = model
        self._network = network
        self._carrier = carrier
        self._optimizer = optimizer
        self._where = where

    def __call__(self, feed: Feed, index: NDArray[np.int64], means: Means, place: str = "") -> None:
        """Train on the samples that `index` names, and add loss and metrics from before the update to `means`.

        Raises FloatingPointError if loss or gradients are not finite.
        """
        optimizer = self._optimizer
        judge = Judge(feed.kept, index, True) if feed.kept else None
        try:
            result = self._carrier(
                self._network.train_step,
                feed.x.sources,
                feed.y,
                index,
                feed.weight,
                optimizer.rule(),
                not config.check_gradients(),
                batch=len(index),
                **({} if judge is None else judge.arguments),
            )
        except FloatingPointError as error:
            raise self._explained(error, place) from error
        optimizer.count_step()
        means.add(result, () if judge is None else judge.seen())

    def at_once(self, x: Any, y: Any) -> float | list[float] | None:
        """Train on plain arrays, if the core can read them as they are: the loss, or loss and metrics; else None."""
        optimizer = self._optimizer
        try:
            values = self._network.train_arrays(x, y, optimizer.rule(), not config.check_gradients())
        except FloatingPointError as error:
            raise self._explained(error, "") from error
        if values is not None:
            optimizer.count_step()
        return values

    def _explained(self, error: FloatingPointError, place: str) -> FloatingPointError:
        return FloatingPointError(
            f"model {self._model!r}, {self._where}{place}: {error}. "
            f"Try a lower learning rate (now {self._optimizer.learning_rate:g}), inputs scaled to "
            "about [-1, 1], or other initial weights"
        )


def test_step(network: Network, carrier: Carrier, feed: Feed, index: NDArray[np.int64], means: Means) -> None:
    """Add loss and metrics of the samples that `index` names to `means`."""
    judge = Judge(feed.kept, index, False) if feed.kept else None
    more = {} if judge is None else judge.arguments
    result = carrier(network.test_step, feed.x.sources, feed.y, index, feed.weight, batch=len(index), **more)
    means.add(result, () if judge is None else judge.seen())


class AtOnce:
    """The calls of a compiled model on plain arrays: one native call each, which looks at them itself.

    Attributes:
        graph, compiled: of the model; the calls are of no use when it has others.

    Args:
        step: of train_on_batch().
        carrier: of the model's states.
    """

    __slots__ = ("_carrier", "_test", "_train", "compiled", "graph")

    def __init__(self, graph: Graph, compiled: Compiled, step: TrainStep, carrier: Carrier) -> None:
        self.graph = graph
        self.compiled = compiled
        self._carrier = carrier
        self._train = step.at_once
        self._test = graph.network.test_arrays

    def __call__(self, train: bool, x: Any, y: Any, return_dict: bool) -> float | list[float] | dict[str, float] | None:
        """What train_on_batch() or test_on_batch() returns; None, and nothing was done, for what is unusual."""
        if self._carrier.stateful:
            return None
        values = self._train(x, y) if train else self._test(x, y)
        if not return_dict or values is None:
            return values
        names = ["loss", *self.compiled.names.flat]
        return dict(sorted(zip(names, values if isinstance(values, list) else [values], strict=True)))


def run_epoch(model: Model, step: TrainStep, fitting: Fitting, progress: Progress) -> dict[str, Any]:
    """Train on what is left of an epoch; the means of loss and metrics. Ends early at model.stop_training.

    A loss or gradient that is not finite ends the training if a TerminateOnNaN listens; else the error goes on.
    """
    batches, hooks, means = fitting.batches, fitting.hooks, fitting.means
    total = batches.per_epoch
    of = "" if total is None else f" of {total}"
    with closing(batches.epoch(fitting.batch)) as items:
        for feed, index in items:
            batch = fitting.batch
            if hooks.each_train_batch:
                hooks.on_train_batch_begin(batch)
            try:
                step(feed, index, means, f", batch {batch + 1}{of}")
            except FloatingPointError as error:
                if not hooks.terminates(error):
                    raise
                logs = {**means.logs(), "loss": float("nan")}
                hooks.on_train_batch_end(batch, logs)
                return logs
            fitting.batch = batch + 1
            progress.update(len(index), means.logs)
            if hooks.each_train_batch:
                hooks.on_train_batch_end(batch, means.logs())
            if model.stop_training:
                break
    return means.logs()


def run_test(
    network: Network,
    carrier: Carrier,
    means: Means,
    batches: Batches[Feed],
    hooks: CallbackList,
    progress: Progress,
) -> None:
    """Add loss and metrics on an epoch of batches to `means`."""
    hooks.on_test_begin()
    with closing(batches.epoch()) as items:
        for batch, (feed, part) in enumerate(items):
            if hooks.each_test_batch:
                hooks.on_test_batch_begin(batch)
            test_step(network, carrier, feed, part, means)
            progress.update(len(part), means.logs)
            if hooks.each_test_batch:
                hooks.on_test_batch_end(batch, means.logs())
    batches.end_epoch()
    hooks.on_test_end(means.logs())


def run_predict(
    network: Network, carrier: Carrier, batches: Batches[Inputs], hooks: CallbackList, progress: Progress
) -> list[tuple[list[NDArray[np.floating[Any]]], Inputs]]:
    """The outputs of an epoch of batches, each with the data that it is of."""
    outputs = []
    hooks.on_predict_begin()
    with closing(batches.epoch()) as items:
        for batch, (data, part) in enumerate(items):
            hooks.on_predict_batch_begin(batch)
            found = carrier(network.predict, data.sources, part, batch=len(part))
            outputs.append((found, data))
            progress.update(len(part), dict)
            hooks.on_predict_batch_end(batch, {"outputs": found[0] if len(found) == 1 else found})
    batches.end_epoch()
    hooks.on_predict_end()
    return outputs


def every(feed: Feed) -> NDArray[np.int64]:
    """The numbers of all samples, in order."""
    return np.arange(feed.x.samples, dtype=np.int64)


def split_off(samples: int, share: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The samples to train on, and the last ones, held back for validation.

    Raises:
        TypeError, ValueError: unless 0 <= share < 1 and both sides get something (for 0: all on the first).
    """
    share = number(share, "fit: validation_split", 0.0, 1.0)
    index = np.arange(samples, dtype=np.int64)
    if share == 0.0:
        return index, index[:0]
    kept = int(np.floor(samples * (1.0 - share)))
    if kept in (0, samples):
        raise ValueError(f"fit: validation_split={share} of {samples} samples leaves nothing on one side")
    return index[:kept], index[kept:]
