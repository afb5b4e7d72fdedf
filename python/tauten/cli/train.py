"""`tauten train`: a data file in, a model file out that knows how to read such files."""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import tauten
from tauten import _plots, callbacks, config, saving
from tauten.cli import data, networks, optimization, report
from tauten.cli.arguments import Misuse
from tauten.cli.data import preparation, scaling
from tauten.cli.data.contents import Array, Samples
from tauten.cli.data.preparation import Preparation
from tauten.cli.data.splitting import split
from tauten.cli.terminal import Stopwatch, check_writable, line, title
from tauten.models import Model

MOST_LISTED = 10  # classes that are counted in the first lines
COARSE = 1e4  # mean / deviation from where float32, of some seven digits, leaves too few


@dataclass(frozen=True)
class Sets:
    """What is trained and validated on; targets as they are in the file."""

    preparation: Preparation
    train: tuple[Samples, Array]
    validation: tuple[Samples, Array] | None


class Best(callbacks.ModelCheckpoint):
    """Saves `delivered`, which shares the weights of the model that is trained, when that has got better."""

    def __init__(self, path: Path, delivered: Model, monitor: str) -> None:
        super().__init__(str(path).replace("{", "{{").replace("}", "}}"), monitor, save_best_only=True, mode="min")
        self.delivered = delivered
        self._out = path
        self._saved = (self._file(), 0)
        self._now = 0

    def set_model(self, model: Model) -> None:
        """Keeps the other one."""
        super().set_model(self.delivered)

    def on_epoch_end(self, epoch: int, logs: callbacks.Logs | None = None) -> None:
        """Saves if it is the best so far."""
        self._now = epoch + 1
        super().on_epoch_end(epoch, logs)
        self._saved = (self._file(), self.epoch)

    @property
    def epoch(self) -> int:
        """The epoch whose model is in the file, from 1; 0 before there is one. True in the midst of saving, too."""
        file, epoch = self._saved
        return epoch if self._file() == file else self._now

    def _file(self) -> tuple[int, int] | None:
        try:
            found = self._out.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns


def run(options: argparse.Namespace) -> None:
    """Trains, tells, saves."""
    networks.settle(options)
    optimization.settle(options)
    if options.validation is not None and options.validation_split is not None:
        raise Misuse("--validation and --validation-split contradict each other")
    if options.validation_target is not None and _ending(options.validation) != ".npy":
        raise Misuse("--validation-target goes with a --validation file that ends in .npy")
    saving.check_name(str(options.out))
    check_writable(options.out)
    if options.plot is not None:
        _plots.check_ending(options.plot, "--plot")
        check_writable(options.plot)
    if options.threads is not None:
        config.set_num_threads(options.threads)
    before = config.floatx()
    config.set_floatx(options.dtype)
    try:
        _run(options)
    finally:
        config.set_floatx(before)


def _run(options: argparse.Namespace) -> None:
    sets = _read(options)
    target = sets.preparation.target
    weights = _class_weight(options.class_weight, sets)
    _introduce(options, sets)
    tauten.utils.set_random_seed(options.seed)
    model, delivered, (mean, deviation) = _models(options, sets)
    print()
    delivered.summary()
    print(flush=True)

    monitor = "loss" if sets.validation is None else "val_loss"
    clock, best = Stopwatch(), Best(options.out, delivered, monitor)
    stop = callbacks.EarlyStopping(
        monitor, patience=options.patience or options.epochs, mode="min", restore_best_weights=True
    )
    x, y = sets.train
    held = sets.validation
    if not target.classes:
        y, held = (y - mean) / deviation, held and (held[0], (held[1] - mean) / deviation)
    begin = time.perf_counter()
    try:
        history = model.fit(
            x,
            y,
            batch_size=options.batch_size,
            epochs=options.epochs,
            verbose=0 if options.quiet else "auto",
            validation_data=held,
            class_weight=weights,
            callbacks=[*optimization.on_plateau(options, monitor), clock, stop, best],
        )
    except KeyboardInterrupt:
        epoch = best.epoch
        kept = f"the best model so far (epoch {epoch}) is in {options.out}"
        raise KeyboardInterrupt(kept if epoch else "before the first epoch was over: no model was saved") from None
    except FloatingPointError as error:
        raise FloatingPointError(f"{error}; a smaller --learning-rate or a --clip-norm may help") from error
    seconds, epoch = time.perf_counter() - begin, best.epoch
    found = {"train": report.scores(delivered, *sets.train, target)}
    if sets.validation is not None:
        found["validation"] = report.scores(delivered, *sets.validation, target)
    delivered.metadata[preparation.KEY]["epoch"] = epoch
    delivered.metadata[preparation.KEY]["scores"] = {name: one.values for name, one in found.items()}
    delivered.save(options.out, include_optimizer=False)  # whose state is the last epoch's, the weights the best one's

    if not options.quiet:
        print()
    report.table(found)
    name, last = list(found.items())[-1]
    if last.confusion is not None:
        report.confusion(last.confusion, target, name)
    epochs = len(history.epoch)
    early = f", ended early after {epochs}" if epochs < options.epochs else f" of {epochs}"
    falling = epoch == options.epochs and epochs > 1
    hint = ["it was still falling: more --epochs, or a larger --learning-rate, may do better"] if falling else []
    line("kept", f"epoch {epoch}{early}: the least {monitor.replace('val_', 'validation ')}", *hint)
    line("time", f"{seconds:.1f} s; {epochs * len(y) / max(clock.seconds, 1e-9):,.0f} samples/s in training")
    if options.plot is not None:
        _picture(options.plot, history, f"{options.model} on {Path(options.data).name}")
        line("plot", str(options.plot))
    line("saved", str(options.out))
    new = Path(options.data).with_name("new").with_suffix(Path(options.data).suffix)
    line("next", f"tauten predict {options.out} {new.name}")


def _picture(path: Path, history: callbacks.History, title: str) -> None:
    """The history as a file, without a window or pyplot."""
    from matplotlib.figure import Figure

    figure = Figure(layout="constrained")
    history.plot(figure=figure)
    panels = len(figure.axes)  # in rows of three
    figure.set_size_inches(4.8 * min(panels, 3), 3.6 * -(-panels // 3))
    figure.suptitle(title, fontsize=11, parse_math=False)
    figure.savefig(path, dpi=120)


def _read(options: argparse.Namespace) -> Sets:
    contents = data.read(options.data, target=options.target, delimiter=options.delimiter, header=options.header)
    if not isinstance(contents, data.Table):
        for name in ("drop", "categorical"):
            if getattr(options, name):
                raise Misuse(f"--{name} goes with tables of columns, not with {options.data}")
    made, x, y = preparation.learn(
        contents,
        target=options.target,
        task=options.task,
        shape=None if options.shape is None else tuple(options.shape),
        drop=options.drop,
        categorical=options.categorical,
    )
    if options.model in networks.CELLS and len(made.shape) == 2 and not made.reshaped:
        made = replace(made, shape=(None, made.shape[1]))  # other lengths may come later
    if options.validation is not None:
        other = data.read(
            options.validation,
            target=_validation_target(options),
            delimiter=options.delimiter,
            header=options.header,
            expected=made.expected,
        )
        return Sets(made, (x, y), (made.samples(other), made.targets(other)))
    share = 0.2 if options.validation_split is None else options.validation_split
    if share == 0:
        return Sets(made, (x, y), None)
    train, held = split(y, share, bool(made.target.classes), options.seed)
    return Sets(made, (data.take(x, train), y[train]), (data.take(x, held), y[held]))


def _validation_target(options: argparse.Namespace) -> str | None:
    """A .npy file needs one of its own; a .npz file has the same key."""
    if _ending(options.validation) == ".npy":
        return str(options.validation_target) if options.validation_target else None
    return None if _ending(options.validation) == ".ts" or _ending(options.data) == ".npy" else options.target


def _ending(path: str | None) -> str:
    return Path(path or "").suffix.lower()


def _class_weight(wanted: str | dict[str, float] | None, sets: Sets) -> dict[int, float] | None:
    """Class number -> weight. Raises ValueError for a regression, and for unknown classes."""
    if wanted is None:
        return None
    classes, y = sets.preparation.target.classes, sets.train[1]
    if not classes:
        raise ValueError("--class-weight: the task is a regression, which has no classes")
    if isinstance(wanted, str):
        counts = np.bincount(y, minlength=len(classes))
        return {i: len(y) / (len(classes) * int(count)) for i, count in enumerate(counts) if count}
    for name in wanted:
        if name not in classes:
            raise ValueError(f"--class-weight: no class {name!r}; there are {', '.join(map(repr, classes))}")
    return {classes.index(name): weight for name, weight in wanted.items()}


def _introduce(options: argparse.Namespace, sets: Sets) -> None:
    """What was understood of the data, so that a wrong guess is seen."""
    made, (x, y) = sets.preparation, sets.train
    print(title(f"{options.model} on {options.data}"))
    count = len(y) + (0 if sets.validation is None or options.validation is not None else len(sets.validation[1]))
    if made.columns is not None:
        features = made.columns.features
        words = [column for column in features if column.categories is not None]
        kinds = f"{len(features) - len(words)} of numbers"
        if words:
            kinds += f", {len(words)} of categories ({', '.join(column.name for column in words[:MOST_LISTED])})"
        line("data", f"{count:,} rows; columns: {kinds}")
    elif isinstance(x, list):
        lengths = [len(one) for one in x]
        line("data", f"{count:,} series of {min(lengths)} to {max(lengths)} steps, {x[0].shape[1]} features")
    else:
        line("data", f"{count:,} samples of shape {' x '.join(map(str, x.shape[1:]))}")
    target = made.target
    if target.classes:
        counts = np.bincount(y, minlength=len(target.classes))
        listed = [f"{name} ({number})" for name, number in zip(target.classes, counts, strict=True)]
        more = ", ..." if len(listed) > MOST_LISTED else ""
        line(
            "target",
            f"{target.name!r}, {len(target.classes)} classes: {', '.join(listed[:MOST_LISTED])}{more} to train on",
        )
    else:
        hint = ["while it trains, loss and mae are those of the standardised target"] if options.standardize else []
        line("target", f"{target.name!r}, a number from {y.min():g} to {y.max():g}", *hint)
    if sets.validation is None:
        line("validation", "none: the training loss decides what is kept")
    elif options.validation is not None:
        line("validation", f"{len(sets.validation[1]):,} of {options.validation}")
    else:
        line("validation", f"{len(sets.validation[1]):,} set apart{', of each class its share' * bool(target.classes)}")
    if options.standardize and options.dtype == "float32":
        mean, variance = scaling.moments(x, made.numeric)
        coarse = np.flatnonzero(np.abs(mean) > COARSE * np.sqrt(variance))
        if len(coarse):
            name = made.feature(int(coarse[0]))
            line("note", f"{name} varies little beside its size; --dtype float64 tells its values apart better")
    if options.out.exists():
        line("output", f"{options.out} is there and will be replaced")


def _models(options: argparse.Namespace, sets: Sets) -> tuple[Model, Model, tuple[float, float]]:
    """The model that is trained, the one that is delivered, mean and deviation of the targets.

    Both are one, but where a regression's targets are standardised: the one that is delivered undoes that.
    """
    made, (x, y) = sets.preparation, sets.train
    target = made.target
    model: Any = networks.network(options, made.shape, target.outputs)
    if options.standardize:
        model.build()
        model.get_layer("standardize").set_weights(list(scaling.moments(x, made.numeric)))
    steps = math.ceil(len(y) / options.batch_size)
    loss = "sparse_categorical_crossentropy" if target.classes else "mse"
    metrics = ["accuracy"] if target.classes else ["mae"]
    model.compile(optimization.optimizer(options, steps), loss, metrics=metrics)
    delivered, scale = model, (0.0, 1.0)
    if options.standardize and not target.classes:
        scale = float(y.mean()), float(y.std()) or 1.0
        undo = scaling.rescale()
        delivered = tauten.Sequential([tauten.Input(made.shape), *model.layers, undo], name=options.model)
        delivered.compile(optimization.optimizer(options, steps), loss, metrics=metrics)
        undo.set_weights([np.array([value]) for value in (scale[1], scale[0], 0.0, 1.0)])
    delivered.metadata = {
        preparation.KEY: {
            **made.to_json(),
            "model": options.model,
            "data": Path(options.data).name,
            "samples": len(y),
            "seed": options.seed,
        }
    }
    return model, delivered, scale
