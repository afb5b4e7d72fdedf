"""Optimizer and learning-rate schedule from the options of `tauten train`."""

from __future__ import annotations

import argparse
from typing import Any

from tauten import callbacks, optimizers
from tauten.cli.arguments import Misuse
from tauten.optimizers import schedules

OPTIMIZERS: dict[str, Any] = {
    "sgd": optimizers.SGD,
    "adam": optimizers.Adam,
    "adamw": optimizers.AdamW,
    "rmsprop": optimizers.RMSprop,
    "adagrad": optimizers.Adagrad,
}
WITH_MOMENTUM = ("sgd", "rmsprop")
SCHEDULES = ("constant", "cosine", "exponential", "plateau")
DECAYS = {"exponential": 0.95, "plateau": 0.5}  # factor an epoch; factor at each plateau
PLATEAU = 5  # epochs without a better loss


def settle(options: argparse.Namespace) -> None:
    """Fill in the defaults. Raises Misuse for options that the optimizer or the schedule does not have."""
    if options.momentum is not None and options.optimizer not in WITH_MOMENTUM:
        raise Misuse(f"--momentum goes with --optimizer {' or '.join(WITH_MOMENTUM)}, not {options.optimizer}")
    if options.decay is not None and options.schedule not in DECAYS:
        raise Misuse(f"--decay goes with --schedule {' or '.join(DECAYS)}, not {options.schedule}")
    if options.decay is None:
        options.decay = DECAYS.get(options.schedule)
    if options.learning_rate is None:
        options.learning_rate = float(OPTIMIZERS[options.optimizer]().learning_rate)


def optimizer(options: argparse.Namespace, steps: int) -> optimizers.Optimizer:
    """The optimizer, for epochs of so many steps."""
    rate: Any = options.learning_rate
    if options.schedule == "cosine":
        rate = schedules.CosineDecay(rate, steps * options.epochs)
    elif options.schedule == "exponential":
        rate = schedules.ExponentialDecay(rate, steps, options.decay)
    more: dict[str, Any] = {} if options.momentum is None else {"momentum": options.momentum}
    if options.clip_norm is not None:
        more["global_clipnorm"] = options.clip_norm
    made: optimizers.Optimizer = OPTIMIZERS[options.optimizer](rate, **more)
    return made


def on_plateau(options: argparse.Namespace, monitor: str) -> list[callbacks.Callback]:
    """The callback that lowers the rate, if that is the schedule."""
    if options.schedule != "plateau":
        return []
    return [callbacks.ReduceLROnPlateau(monitor, factor=options.decay, patience=PLATEAU)]
