"""The networks that `tauten train` makes: MLP, CNN, and the recurrent ones, from its options."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from tauten import Input, Sequential, layers, regularizers
from tauten.cli.arguments import Misuse
from tauten.cli.data import scaling
from tauten.layers.base import Layer

CELLS = {"rnn": layers.SimpleRNN, "forget": layers.ForgetGateRNN, "lstm": layers.LSTM, "gru": layers.GRU}
MODELS = ("mlp", "cnn", *CELLS)
CONVOLUTIONS = {1: layers.Conv1D, 2: layers.Conv2D, 3: layers.Conv3D}
POOLINGS = {1: layers.MaxPooling1D, 2: layers.MaxPooling2D, 3: layers.MaxPooling3D}
GLOBAL = {1: layers.GlobalAveragePooling1D, 2: layers.GlobalAveragePooling2D, 3: layers.GlobalAveragePooling3D}

# Options that not every model has, whose they are, and their defaults.
OWN: dict[str, tuple[tuple[str, ...], object]] = {
    "units": (("mlp", *CELLS), [64]),
    "layers": (("mlp", *CELLS), None),
    "filters": (("cnn",), [32, 64]),
    "kernel": (("cnn",), [3]),
    "pool": (("cnn",), [2]),
    "padding": (("cnn",), "same"),
    "head": (("cnn",), "flatten"),
    "dense": (("cnn", *CELLS), []),
    "recurrent_dropout": (tuple(CELLS), 0.0),
    "bidirectional": (tuple(CELLS), False),
}


def settle(options: argparse.Namespace) -> None:
    """Fill in the defaults of the model's own options. Raises Misuse for one that it does not have."""
    for name, (models, default) in OWN.items():
        if getattr(options, name) is None:
            setattr(options, name, default)
        elif options.model not in models:
            raise Misuse(f"--{name.replace('_', '-')} goes with --model {' or '.join(models)}, not {options.model}")
    if options.layers is not None:
        if len(options.units) > 1 and len(options.units) != options.layers:
            raise Misuse(f"--layers {options.layers} and --units of {len(options.units)} layers contradict each other")
        options.units = options.units * options.layers if len(options.units) == 1 else options.units
    if options.elastic_net is not None and (options.l1 or options.l2):
        raise Misuse("--elastic-net is a penalty of both kinds: not together with --l1 or --l2")
    for name in ("kernel", "pool"):
        values = getattr(options, name)
        if options.model == "cnn" and len(values) not in (1, len(options.filters)):
            raise Misuse(f"--{name}: expected 1 or {len(options.filters)} numbers, one for each of --filters")


def network(options: argparse.Namespace, shape: tuple[int | None, ...], outputs: int) -> Sequential:
    """The model: samples of `shape` -> `outputs` probabilities, or one number.

    Raises:
        ValueError: for samples that are not of the model's kind.
    """
    _check(options.model, shape)
    own = {"mlp": _mlp, "cnn": _cnn}.get(options.model, _recurrent)
    model = Sequential(name=options.model)
    model.add(Input(shape))
    if options.standardize:
        model.add(scaling.standardize())
    for layer in own(options, shape):
        model.add(layer)
    last = "softmax" if outputs > 1 else "linear"
    model.add(layers.Dense(outputs, activation=last, kernel_regularizer=_penalty(options), name="output"))
    return model


def _check(model: str, shape: tuple[int | None, ...]) -> None:
    text = ", ".join("any" if extent is None else str(extent) for extent in shape)
    if model not in CELLS and None in shape:
        raise ValueError(f"{model} needs samples of one size, these are of unequal lengths: --model lstm reads them")
    if model == "cnn" and not 2 <= len(shape) <= 4:
        raise ValueError(
            f"cnn needs samples (steps, channels), (rows, columns, channels) or one dimension more, got "
            f"({text}): say what they are with --shape, such as --shape 8,8,1"
        )
    if model in CELLS and len(shape) != 2:
        raise ValueError(
            f"{model} needs samples (steps, features), got ({text}): say what they are with --shape, such as "
            "--shape 24,1"
        )


def _mlp(options: argparse.Namespace, shape: tuple[int | None, ...]) -> Iterator[Layer]:
    if len(shape) > 1:
        yield layers.Flatten()
    yield from _dense(options, options.units, options.activation or "relu")


def _cnn(options: argparse.Namespace, shape: tuple[int | None, ...]) -> Iterator[Layer]:
    rank, activation = len(shape) - 1, options.activation or "relu"
    for i, filters in enumerate(options.filters):
        kernel, pool = options.kernel[i % len(options.kernel)], options.pool[i % len(options.pool)]
        yield CONVOLUTIONS[rank](
            filters, kernel, padding=options.padding, activation=activation, kernel_regularizer=_penalty(options)
        )
        if pool > 1:
            yield POOLINGS[rank](pool)
    yield GLOBAL[rank]() if options.head == "average" else layers.Flatten()
    if options.dropout:
        yield layers.Dropout(options.dropout)
    yield from _dense(options, options.dense, activation)


def _recurrent(options: argparse.Namespace, shape: tuple[int | None, ...]) -> Iterator[Layer]:
    for i, units in enumerate(options.units):
        cell = CELLS[options.model](
            units,
            activation=options.activation or "tanh",
            kernel_regularizer=_penalty(options),
            recurrent_regularizer=_penalty(options),
            return_sequences=i < len(options.units) - 1,
            dropout=options.dropout,
            recurrent_dropout=options.recurrent_dropout,
        )
        yield layers.Bidirectional(cell) if options.bidirectional else cell
    yield from _dense(options, options.dense, "relu")


def _dense(options: argparse.Namespace, sizes: list[int], activation: str) -> Iterator[Layer]:
    for units in sizes:
        yield layers.Dense(units, activation=activation, kernel_regularizer=_penalty(options))
        if options.dropout:
            yield layers.Dropout(options.dropout)


def _penalty(options: argparse.Namespace) -> regularizers.Regularizer | None:
    if options.elastic_net is not None:
        return regularizers.ElasticNet(*options.elastic_net)
    return regularizers.L1L2(options.l1, options.l2) if options.l1 or options.l2 else None
