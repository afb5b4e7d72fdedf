"""fit, evaluate, predict and their single-batch forms. One native call a batch; Python never loops over samples."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tauten import _data, _intake, _progress, optimizers
from tauten._checks import flag, integer, keras_only, number, unexpected
from tauten._class_weight import ClassWeight
from tauten._compiled import Compiled, Means
from tauten._exclusive import Exclusive
from tauten._feeding import Feed, Feeder, Inputs, Predictions
from tauten._fit import Fitting, Validation, run
from tauten._gradients import Gradients, gradients
from tauten._loops import AtOnce, TrainStep, every, run_predict, run_test, test_step
from tauten._random import Shuffler
from tauten._states import Carrier, cells, check_steps, checked
from tauten._tensors import KerasTensor
from tauten.callbacks import Callback, CallbackList, History
from tauten.layers.base import Layer

if TYPE_CHECKING:
    from tauten._batches import Batches
    from tauten._core import Network
    from tauten._graph import Graph
    from tauten._states import State
    from tauten.models import Model

Returned = float | list[float] | dict[str, float]

# Keras' further arguments of compile(), at the value that changes nothing.
_KERAS_DEFAULTS: dict[str, Any] = {
    "run_eagerly": False,
    "steps_per_execution": 1,
    "jit_compile": "auto",
    "auto_scale_loss": True,
}


class Trainer:
    """The training half of a model; Model is the other."""

    name: str
    dtype: str
    _graph: Graph | None

    def __init__(self) -> None:
        self.stop_training = False
        self.history: History | None = None
        self._compiled: Compiled | None = None
        self._configured: tuple[Graph, Compiled] | None = None
        self._fed: tuple[Graph, Feeder] | None = None
        self._carried: tuple[Graph | None, Carrier] | None = None
        self._at_once: AtOnce | None = None
        self._shuffler = Shuffler()
        self._fitting: Fitting | None = None  # the fit that runs
        self._exclusive = Exclusive(
            "{}: another thread trains this model. Only one may; predict() and evaluate() can be called meanwhile"
        )

    # -- what the other half gives

    def _leaves(self) -> list[Layer]:
        """All layers, those of models within, and no models."""
        raise NotImplementedError

    def _graph_for(self, shape: Callable[[], tuple[int | None, ...]]) -> Graph:
        """The finished network, built for samples of that shape if it was not yet."""
        raise NotImplementedError

    def _graph_now(self) -> Graph | None:
        """The finished network, if the input's shape is known."""
        raise NotImplementedError

    def _self(self) -> Model:
        raise NotImplementedError

    # -- compile

    def compile(
        self,
        optimizer: optimizers.Optimizer | str | dict[str, Any] = "rmsprop",
        loss: Any = None,
        *,
        metrics: Any = None,
        loss_weights: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Choose optimizer, loss and metrics. Weights stay; what an optimizer keeps of them starts anew.

        Args:
            optimizer: an object of tauten.optimizers or a name ("sgd", "adam", "adamw", "rmsprop", "adagrad");
                default "rmsprop", as in Keras.
            loss: an object or function of tauten.losses or a name ("mse", "sparse_categorical_crossentropy", ...), or
                a Python function of (y_true, y_pred) that returns (values, gradient), as tauten.losses.Loss says. For
                several outputs one for all, or a list or dict with one for each; None for an output without a loss.
            metrics: objects of tauten.metrics, names ("accuracy", "mse", "mae", ...), or Python functions of
                (y_true, y_pred) that return one value a row; default none. For several outputs a list or dict with
                one, a list or None for each.
            loss_weights: numbers by which the outputs' losses are multiplied before they are added up, in a list or
                dict; default 1.
            weighted_metrics: metrics that weigh the samples with sample_weight and class_weight; default none.

        Raises:
            ValueError, TypeError: for unknown ones, and for a loss that does not go with the model's output.
                Also for Keras' further arguments, unless they have the value that changes nothing. The model is then
                compiled as it was before.
            RuntimeError: while the model is trained: from another thread, a callback, or a loss or metric in Python.
        """
        given = {
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
            "auto_scale_loss": auto_scale_loss,
        }
        keras_only("compile", given, _KERAS_DEFAULTS)
        model = self._self()
        names = model.output_names if model.built else None
        compiled = Compiled(optimizer, loss, metrics, loss_weights, names, weighted_metrics)
        with self._exclusive("compile") as depth:
            if depth > 1:
                raise RuntimeError(
                    f"model {self.name!r}: compile was called by a callback, loss or metric while the model is trained"
                )
            graph = self._graph_now()
            if graph is not None:
                compiled.configure(graph)
                graph.network.reset_slots()
                self._configured = (graph, compiled)
            self._compiled = compiled

    @property
    def compiled(self) -> bool:
        """Was compile() called?"""
        return self._compiled is not None

    @property
    def optimizer(self) -> optimizers.Optimizer | None:
        """The optimizer; its learning_rate may be set at any time."""
        return None if self._compiled is None else self._compiled.optimizer

    @property
    def loss(self) -> Any:
        """The loss; of several outputs what compile() was given."""
        return None if self._compiled is None else self._compiled.loss

    @property
    def metrics_names(self) -> list[str]:
        """What evaluate() returns, in order: "loss", of several outputs with a loss theirs, and the metrics' names."""
        return ["loss", *(self._compiled.names.flat if self._compiled else [])]

    def get_compile_config(self) -> dict[str, Any] | None:
        """compile()'s arguments, or None."""
        return None if self._compiled is None else self._compiled.get_config()

    # -- fit

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Iterable[Any] | Callback | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
    ) -> History:
        """Train by minibatch gradient descent (chapter §26.1.3).

        docs/training.md shows each kind of data.

        Args:
            x: array (samples, ...); a list of arrays (steps_i, ...) of unequal length; arrays in mapped files
                (numpy.memmap), of which a batch at a time is read. For several inputs a list or tuple of such, or a
                dict by the inputs' names. Or batches (x, y) or (x, y, sample_weight): from an
                object that makes them by number (tauten.utils.PyDataset, or any with __getitem__ and __len__), an
                iterable, which is walked through in every epoch, or an iterator or generator, once through.
            y: targets; for outputs of every step of such a list also a list. For several outputs a
                list, tuple or dict. None for batches.
            batch_size: samples a step; default 32. Not for batches, which have a size.
            epochs: the number of the last epoch; training runs from initial_epoch to it.
            verbose: 1 a bar, 2 one line an epoch, 0 nothing; "auto" is 1 in a terminal or notebook, else 2.
            callbacks: objects of class tauten.callbacks.Callback, or with some of its on_ methods.
            validation_split: share of the samples, from the end and before shuffling, that only validate. Not for
                batches.
            validation_data: (x, y) or (x, y, sample_weight) to validate on after each epoch, or batches of these.
            shuffle: new order in every epoch; default True. Of batches that are made by number, the order of the
                batches; other batches come as they come. Stateful layers want False: sample i of a batch follows
                sample i of the batch before.
            class_weight: class -> weight; the loss of a sample, or a step, is multiplied by its class' weight, and by
                its sample_weight. Classes that are not named have the weight 1.
            sample_weight: (samples,); each sample's loss is multiplied by its weight. For outputs (samples, steps, ...)
                also (samples, steps), or a list of arrays (steps_i,) if x is one: a weight for each step. The mean is
                over all rows, whatever their weights. For several outputs an array for all, or a list, tuple or dict.
                None for batches.
            initial_epoch: the first epoch's number; default 0.
            steps_per_epoch: batches an epoch; by default once through the data. The next epoch goes on where this one
                ended; at the end of the data the next pass begins. Needed for data without an end.
            validation_steps: batches to validate on; by default all.
            validation_batch_size: default batch_size.
            validation_freq: validate after every so many epochs, or a list of epochs, counted from 1; default 1.

        Returns:
            History: `history` maps "loss", metrics, "val_loss", ... to one number an epoch.

        Raises:
            RuntimeError: before compile(), and while another thread trains the model.
            ValueError, TypeError: for data that do not fit: arrays before anything is trained, mapped arrays and
                batches when their turn comes; the weights are those before that batch.
            FloatingPointError: when the loss is not finite; the weights are those before that batch.
        """
        compiled = self._need_compiled("fit")
        epochs, initial_epoch = integer(epochs, "fit: epochs"), integer(initial_epoch, "fit: initial_epoch", 0)
        steps, val_steps = _count(steps_per_epoch, "steps_per_epoch"), _count(validation_steps, "validation_steps")
        freq = _frequency(validation_freq)
        verbose = _progress.resolve(verbose)
        shuffler = self._shuffler if flag(shuffle, "fit: shuffle") else None
        share = number(validation_split, "fit: validation_split", 0.0, 1.0)
        weights = None if class_weight is None else ClassWeight(class_weight)
        batch_size = _count(batch_size, "batch_size")
        own_batch = _count(validation_batch_size, "validation_batch_size")
        val_batch = batch_size if own_batch is None else own_batch
        with self._exclusive("fit"), compiled.judging() as own:
            if self._fitting is not None and self._fitting.process == os.getpid():
                raise RuntimeError(f"model {self.name!r}: fit was called by a callback of its fit")
            batches, rest = _intake.to_train_on(
                self, (x, y, sample_weight), weights, batch_size, shuffler, steps, share, validation_data is not None
            )
            held = None if rest is None else rest.cut(val_batch, val_steps)
            if validation_data is not None:
                held = _intake.to_validate_on(self, validation_data, val_batch, own_batch, val_steps)
            _intake.check_stateful(self, batches, held)
            hooks = CallbackList(
                callbacks,
                add_history=True,
                model=self._self(),
                verbose=verbose,
                epochs=epochs,
                steps=batches.per_epoch,
            )
            history = hooks.history
            assert history is not None
            self.stop_training = False
            self.history = history
            means = compiled.means(own)
            fitting = Fitting(batches, hooks, history, self._shuffler, means, epochs, initial_epoch, own)
            try:
                self._fitting = fitting
                run(self, fitting, None if held is None else Validation(held, freq), 0 if hooks.shows else verbose)
            except BaseException:
                batches.patient = False
                raise
            finally:
                self._fitting = None
        return history

    # -- evaluate and predict

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Iterable[Any] | Callback | None = None,
        return_dict: bool = False,
    ) -> float | list[float] | dict[str, float]:
        """Loss and metrics on data, with dropout off.

        Args:
            x, y, sample_weight, verbose: as in fit().
            batch_size: samples a native call; default 32. Not for batches.
            steps: batches to look at; by default all.
            callbacks: their on_test_ methods are called.
            return_dict: return {name: value}; default False.

        Returns:
            The loss; with metrics or several losses a list: `metrics_names` says what.

        Raises:
            RuntimeError: before compile().
            ValueError, TypeError: for data that do not fit.
        """
        compiled = self._need_compiled("evaluate")
        verbose = _progress.resolve(verbose)
        batches = _intake.to_test_on(self, (x, y, sample_weight), batch_size, _count(steps, "steps", "evaluate"))
        hooks = CallbackList(callbacks, model=self._self(), verbose=verbose, epochs=1, steps=batches.per_epoch)
        progress = _shown(batches, "evaluate", 0 if hooks.shows else verbose)
        try:
            with compiled.judging() as own:
                means = compiled.means(own)
                run_test(self._network(), self._carrier(), means, batches, hooks, progress)
                progress.finish(means.logs())
                return _returned(means, return_dict)
        except BaseException:
            progress.abort()
            raise

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Iterable[Any] | Callback | None = None,
    ) -> Predictions:
        """The model's outputs, with dropout off: (samples, ...), in the model's float type.

        Args:
            x: as in fit(); of batches, y and sample_weight are not needed, and not looked at.
            batch_size: samples a native call; default 32. Not for batches.
            verbose: 1 a bar, 2 one line, 0 nothing; "auto" is a bar in a terminal or notebook if it takes a while.
            steps: batches to look at; by default all.
            callbacks: their on_predict_ methods are called.

        Returns:
            An array; for lists of arrays and an output of every step a list of arrays. Of several outputs a list,
            tuple or dict, as the model's outputs are held.

        Raises:
            ValueError, TypeError: for data that do not fit.
        """
        delay = 0.5 if verbose == "auto" else 0.0
        verbose = _progress.resolve(verbose, elsewhere=0)
        batches = _intake.to_predict(self, x, batch_size, _count(steps, "steps", "predict"))
        hooks = CallbackList(callbacks, model=self._self(), verbose=verbose, epochs=1, steps=batches.per_epoch)
        progress = _shown(batches, "predict", 0 if hooks.shows else verbose, delay)
        try:
            outputs = run_predict(self._network(), self._carrier(), batches, hooks, progress)
            progress.finish({})
        except BaseException:
            progress.abort()
            raise
        return self._feeder().joined(outputs)

    def __call__(self, x: Any, training: bool = False, **kwargs: Any) -> Any:
        """The model's outputs for `x` in one native call; or, on symbolic tensors, the model as a layer.

        Args:
            x: as in fit(); or a tensor, or tensors held as the model's inputs are.
            training: True lets dropout drop, with a new mask in every call; default False.

        Returns:
            Arrays held as the model's outputs are; tensors for tensors.

        Raises:
            ValueError, TypeError: for data that do not fit.
        """
        fed = self._fed
        if training is False and fed is not None and fed[0] is self._graph and not self._carrier().stateful:
            outputs = fed[1].at_once(x)  # no more than the core's own time
            if outputs is not None:
                return outputs
        if _symbolic(x):
            return Layer.__call__(self._self(), x, training=training or None, **kwargs)
        if kwargs:
            unexpected(f"model {self.name!r}", next(iter(kwargs)))
        training = flag(training, "training")
        data = self._input(x)
        feeder = self._feeder()
        network = feeder.network
        index = np.arange(data.samples, dtype=np.int64)
        outputs = self._carrier()(network.predict, data.sources, index, training, batch=data.samples)
        if training:
            network.calls = network.calls + 1
        return feeder.split(outputs, data)

    # -- one batch

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> float | list[float] | dict[str, float]:
        """One training step on all of `x`; loss and metrics from before the weights changed.

        Args:
            x, y, sample_weight, class_weight: as in fit(), but no batches.
            return_dict: return {name: value}; default False.

        Returns:
            The loss; with metrics [loss, metrics in compile()'s order].

        Raises:
            RuntimeError, ValueError, TypeError, FloatingPointError: as fit().
        """
        compiled = self._need_compiled("train_on_batch")
        weight = (
            sample_weight
            if class_weight is None
            else _intake.weighted(self, y, sample_weight, ClassWeight(class_weight))
        )
        with self._exclusive("train_on_batch"):
            done = None if weight is not None else self._at_once_on(True, x, y, return_dict)
            if done is not None:
                return done
            with compiled.judging() as own:
                feed = self._feed(x, y, weight)
                means = compiled.means(own)
                self._step("train_on_batch")(feed, every(feed), means)
                return _returned(means, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> float | list[float] | dict[str, float]:
        """Loss and metrics on all of `x` in one native call; arguments and result as evaluate()."""
        compiled = self._need_compiled("test_on_batch")
        done = None if sample_weight is not None else self._at_once_on(False, x, y, return_dict)
        if done is not None:
            return done
        feed = self._feed(x, y, sample_weight)
        with compiled.judging() as own:
            means = compiled.means(own)
            test_step(self._network(), self._carrier(), feed, every(feed), means)
            return _returned(means, return_dict)

    def predict_on_batch(self, x: Any) -> Predictions:
        """The model's outputs for all of `x` in one native call, with dropout off."""
        return self(x, training=False)

    def gradients(self, x: Any, y: Any, sample_weight: Any = None, training: bool = False) -> Gradients:
        """The loss on all of `x`, and its gradients to trainable weights and to `x`. Nothing in the model changes.

        Args:
            x, y, sample_weight: as in fit(), but no batches.
            training: True as in a training step: dropout drops what it will drop in the next one, and batch
                normalization uses the batch's statistics; default False.

        Returns:
            Gradients: `loss`, penalties included; `weights`, a dict of path -> array of the weight's shape, such as
            "dense/kernel", of a model within "encoder/dense/kernel", penalties included, without frozen weights;
            `inputs`, held as the model's inputs are:
            arrays of x's shape, a list of arrays for a list, None for integers. A weight in several places has the
            sum over all. Masked steps have the gradient 0; stateful layers begin with their states.

        Raises:
            RuntimeError: before compile().
            ValueError, TypeError: for data that do not fit.
            FloatingPointError: when the loss is not finite.
        """
        return gradients(self._self(), x, y, sample_weight, flag(training, "gradients: training"))

    # -- states

    def step(self, x: Any, state: Sequence[Any] | None = None) -> tuple[Any, State]:
        """One time step: the outputs for it, and the states to go on with. A call costs one step, not the whole past.

        For text generation and data that arrive one by one. Stateful layers' own states are neither read nor changed.

        A masked step leaves a sample's states as they are; its outputs of every step are zeros.

        Args:
            x: one step of each sample, (batch, features), or tokens (batch,) for an Embedding.
            state: what the call before returned; default None, the beginning.

        Returns:
            (outputs, state): (batch, ...), and a list of arrays (batch, units): h of each recurrent layer in order, an
            LSTM's c behind its h. A masked step leaves a sample's states as they are; its output, if the model has one
            for every step, is zeros.

        Raises:
            ValueError, TypeError: for data and states that do not fit, and for a model that cannot go step by step: its
                Input must begin with None, and no layer may read from the end or have an `initial_state`.
        """
        graph = self._graph_now()
        begun = [] if graph is None else [call.layer for call in graph.flat.calls if call.initial]
        check_steps(self._leaves(), begun, self.name)
        if graph is None:
            raise ValueError(
                f"model {self.name!r}: step: the model is not built yet: begin it with an Input, or build()"
            )
        if len(graph.entries) > 1:
            raise ValueError(f"model {self.name!r}: step: expected a model of one input, it has {len(graph.entries)}")
        declared = graph.entries[0].shape
        if declared[0] is not None:
            shape = (None, *declared[1:])
            raise ValueError(
                f"model {self.name!r}: step: the model takes exactly {declared[0]} steps; begin it with "
                f"Input({shape}) for any number (weights of a trained one fit: set_weights())"
            )
        raw = _data.stack(_data.read(x, "step: x"), "step: x")
        feeder = self._feeder()
        data = feeder.inputs(raw[:, None], "step: x")
        index = np.arange(data.samples, dtype=np.int64)
        initial = checked(state, graph.cells, data.samples, self.name)
        outputs, states = graph.network.predict(data.sources, index, False, initial, True)
        return feeder.step(outputs, data), states

    def reset_states(self) -> None:
        """Let all stateful layers begin at zero again. Does nothing in a model without any."""
        for cell in self._carrier().cells:
            if cell.stateful:
                cell.reset_state()

    # -- inside

    def _carrier(self) -> Carrier:
        if self._carried is None or self._graph is None or self._carried[0] is not self._graph:
            graph = self._graph
            self._carried = graph, Carrier(cells(self._leaves()) if graph is None else graph.cells)
        return self._carried[1]

    def _need_compiled(self, what: str) -> Compiled:
        if self._compiled is None:
            raise RuntimeError(f"model {self.name!r}: call compile() before {what}()")
        return self._compiled

    def _network(self) -> Network:
        graph = self._graph_now()
        assert graph is not None
        return graph.network

    def _feeder(self) -> Feeder:
        graph = self._graph_now()
        assert graph is not None
        if self._fed is None or self._fed[0] is not graph:
            model = self._self()
            names = model.input_names, model.output_names
            self._fed = graph, Feeder(self.name, graph, *names, model._output_structure)
        return self._fed[1]

    def _input(self, x: Any, what: str = "x") -> Inputs:
        self._graph_for(lambda: Feeder.build_shape(_data.read(x, what), what))
        return self._feeder().inputs(x, what)

    def _feed(self, x: Any, y: Any, sample_weight: Any, prefix: str = "") -> Feed:
        """Data for training or testing, all checked; builds the model and configures its network if need be."""
        assert self._compiled is not None
        graph = self._graph_for(lambda: Feeder.build_shape(_data.read(x, f"{prefix}x"), f"{prefix}x"))
        if self._configured != (graph, self._compiled):
            self._compiled.configure(graph)
            self._configured = (graph, self._compiled)
        feeder, goals = self._feeder(), self._compiled.goals
        inputs = feeder.inputs(x, f"{prefix}x", finite=True)
        targets = feeder.targets(y, inputs, goals, f"{prefix}y")
        weight = f"{prefix}sample_weight"
        feed = Feed(inputs, targets, feeder.weights(sample_weight, inputs, goals, weight))
        if self._compiled.in_python:
            feed.kept.extend(feeder.kept(y, sample_weight, inputs, goals, f"{prefix}y", weight))
        return feed

    def _at_once_on(self, train: bool, x: Any, y: Any, return_dict: bool) -> Returned | None:
        """What train_on_batch() or test_on_batch() returns, if the core can read x and y as they are; else None."""
        calls, compiled = self._at_once, self._compiled
        if calls is None or calls.graph is not self._graph or calls.compiled is not compiled:
            configured = self._configured
            if configured is None or configured[0] is not self._graph or configured[1] is not compiled:
                return None  # the first batch builds the model and configures its network
            graph = configured[0]
            names = ["loss", *configured[1].names.flat]
            if not self._feeder().plain or not compiled.plain or len(set(names)) < len(names):
                return None
            calls = AtOnce(graph, configured[1], self._step("train_on_batch"), self._carrier())
            self._at_once = calls
        return calls(train, x, y, return_dict)

    def _step(self, where: str) -> TrainStep:
        """The training step of this model as it is compiled."""
        assert self._compiled is not None
        return TrainStep(self.name, self._network(), self._carrier(), self._compiled.optimizer, where)


def _symbolic(x: Any) -> bool:
    """Is it a tensor, or a list or dict with one?"""
    if isinstance(x, Mapping):
        x = list(x.values())
    return isinstance(x, KerasTensor) or (isinstance(x, (list, tuple)) and bool(x) and isinstance(x[0], KerasTensor))


def _returned(means: Means, return_dict: bool) -> float | list[float] | dict[str, float]:
    if return_dict:
        return means.logs()
    values = means.values()
    return values if len(values) > 1 else values[0]


def _count(value: Any, name: str, what: str = "fit") -> int | None:
    return None if value is None else integer(value, f"{what}: {name}")


def _frequency(value: Any) -> int | Sequence[int]:
    if isinstance(value, (list, tuple, set, frozenset)):
        return [integer(epoch, "fit: validation_freq") for epoch in value]
    return integer(value, "fit: validation_freq")


def _shown(batches: Batches[Any], title: str, verbose: int, delay: float = 0.0) -> _progress.Progress:
    total = batches.samples if batches.unit == "samples" else batches.per_epoch
    return _progress.start(verbose, total, title, delay, batches.unit)
