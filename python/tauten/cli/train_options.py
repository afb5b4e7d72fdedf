"""What `tauten train` understands."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tauten.cli import arguments, networks, optimization
from tauten.cli.arguments import add_command, add_table, add_threads
from tauten.cli.data.targets import TASKS
from tauten.cli.train import run

EXAMPLES = """\
  tauten train iris.csv                                    an MLP; the last column is the target
  tauten train cars.csv --target price --drop id --epochs 200 --patience 20
  tauten train digits.npz --model cnn --shape 8,8,1 --filters 16,32 --dropout 0.3 --plot history.png
  tauten train vowels_TRAIN.ts --validation vowels_TEST.ts --model lstm --bidirectional
  tauten train x.npy --target y.npy --model gru --units 64,64 --optimizer sgd --learning-rate 0.1 --momentum 0.9
"""


def add_to(commands: Any) -> None:
    """The parser of `tauten train`."""
    parser = add_command(
        commands,
        "train",
        run,
        help="train a network on a data file and save it",
        description="Trains a network on a data file: .csv, .tsv, .npy, .npz, or sktime's .ts. The model file holds\n"
        "all that `tauten predict` needs to read new files: columns, classes, scaling. The epoch with the least loss\n"
        "on the validation data is kept.",
        examples=EXAMPLES,
    )
    parser.add_argument("data", metavar="DATA", help="file to train on")
    parser.add_argument(
        "--out", type=Path, default=Path("model.safetensors"), metavar="FILE", help="the model (default: %(default)s)"
    )
    _add_data(parser)
    _add_network(parser.add_argument_group("network"))
    _add_training(parser.add_argument_group("training"))


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--target",
        metavar="WHAT",
        help="what to predict: of CSV a column by name or number, -1 the last (default); of .npz the key (default: y); "
        "with .npy the file of the targets",
    )
    parser.add_argument("--task", choices=TASKS, help="default: text and few whole numbers are classes")
    parser.add_argument(
        "--drop", type=arguments.names, default=[], metavar="A,B", help="columns to leave out, names or numbers"
    )
    parser.add_argument(
        "--categorical",
        type=arguments.names,
        default=[],
        metavar="A,B",
        help="columns whose numbers are names of categories",
    )
    parser.add_argument(
        "--shape",
        type=arguments.sizes,
        metavar="N,N,...",
        help="of each sample: 8,8,1 rows, columns, channels; 24,1 steps, features",
    )
    parser.add_argument(
        "--standardize",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="give each feature, and a regression's target, mean 0 and deviation 1 (default: yes)",
    )
    add_table(parser)
    parser.add_argument("--validation", metavar="FILE", help="data to validate on (default: a share of DATA)")
    parser.add_argument("--validation-target", metavar="FILE", help="targets of a .npy file of --validation")
    parser.add_argument(
        "--validation-split",
        type=arguments.share,
        metavar="SHARE",
        help="of DATA, drawn at random (default: 0.2; 0: none)",
    )


def _add_network(group: Any) -> None:
    group.add_argument("--model", choices=networks.MODELS, default="mlp", help="default: %(default)s")
    group.add_argument(
        "--units", type=arguments.sizes, metavar="N,N", help="of each dense or recurrent layer (default: 64)"
    )
    group.add_argument("--layers", type=arguments.positive, metavar="N", help="so many layers of --units (default: 1)")
    group.add_argument("--filters", type=arguments.sizes, metavar="N,N", help="of each convolution (default: 32,64)")
    group.add_argument(
        "--kernel", type=arguments.sizes, metavar="N,N", help="extent of the convolutions' windows (default: 3)"
    )
    group.add_argument(
        "--pool", type=arguments.sizes, metavar="N,N", help="max pooling behind each; 1: none (default: 2)"
    )
    group.add_argument("--padding", choices=("same", "valid"), help="of the convolutions (default: same)")
    group.add_argument("--head", choices=("flatten", "average"), help="behind the convolutions (default: flatten)")
    group.add_argument(
        "--dense",
        type=arguments.sizes,
        metavar="N,N",
        help="dense layers behind convolutions or recurrent layers (default: none)",
    )
    group.add_argument(
        "--activation", metavar="NAME", help="of dense layers and convolutions (relu), or recurrent layers (tanh)"
    )
    group.add_argument("--bidirectional", action="store_true", default=None, help="recurrent layers read both ways")
    group.add_argument("--dropout", type=arguments.share, default=0.0, metavar="RATE", help="default: 0")
    group.add_argument(
        "--recurrent-dropout", type=arguments.share, metavar="RATE", help="between the steps (default: 0)"
    )
    group.add_argument("--l1", type=arguments.real, default=0.0, metavar="ALPHA", help="penalty on |W| (default: 0)")
    group.add_argument("--l2", type=arguments.real, default=0.0, metavar="ALPHA", help="penalty on W² (default: 0)")
    group.add_argument(
        "--elastic-net",
        type=arguments.alpha_and_mix,
        metavar="ALPHA,MIX",
        help="penalty ALPHA (MIX ΣW² + (1 - MIX) Σ|W|)",
    )
    group.add_argument("--dtype", choices=("float32", "float64"), default="float32", help="default: %(default)s")


def _add_training(group: Any) -> None:
    group.add_argument("--epochs", type=arguments.positive, default=100, metavar="N", help="default: %(default)s")
    group.add_argument("--batch-size", type=arguments.positive, default=32, metavar="N", help="default: %(default)s")
    group.add_argument(
        "--optimizer", choices=tuple(optimization.OPTIMIZERS), default="adam", help="default: %(default)s"
    )
    group.add_argument("--learning-rate", type=arguments.above_zero, metavar="RATE", help="default: the optimizer's")
    group.add_argument("--momentum", type=arguments.share, metavar="SHARE", help="of sgd and rmsprop (default: 0)")
    group.add_argument(
        "--clip-norm", type=arguments.above_zero, metavar="NORM", help="the gradients' largest norm (default: any)"
    )
    group.add_argument(
        "--schedule",
        choices=optimization.SCHEDULES,
        default="constant",
        help="of the learning rate: cosine falls to 0 in the last epoch, exponential by --decay an epoch, plateau by "
        f"--decay when the loss has not fallen for {optimization.PLATEAU} epochs (default: %(default)s)",
    )
    group.add_argument(
        "--decay", type=arguments.above_zero, metavar="FACTOR", help="default: 0.95 exponential, 0.5 plateau"
    )
    group.add_argument(
        "--patience", type=arguments.positive, metavar="N", help="end after N epochs without a smaller loss"
    )
    group.add_argument(
        "--class-weight",
        type=arguments.weights,
        metavar="NAME=W,...",
        help="weights of classes; balanced: all count the same",
    )
    group.add_argument(
        "--seed", type=arguments.seed, default=1, metavar="N", help="of everything random (default: %(default)s)"
    )
    add_threads(group)
    group.add_argument("--plot", type=Path, metavar="FILE", help="the history as a picture; needs matplotlib")
    group.add_argument("--quiet", action="store_true", help="no lines while it trains")
