"""`tauten predict` and `tauten evaluate`: new files by a model of `tauten train`."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tauten import config, saving
from tauten.cli import data, report
from tauten.cli.arguments import Misuse, add_command, add_table, add_threads
from tauten.cli.data.contents import Array, Contents
from tauten.cli.data.preparation import Preparation
from tauten.cli.data.targets import Target
from tauten.cli.terminal import check_writable, line
from tauten.models import Model, load_model

PREDICT = """\
  tauten predict model.safetensors new.csv                     to the screen, or into a pipe
  tauten predict model.safetensors new.csv --out predictions.csv --proba
"""
EVALUATE = """\
  tauten evaluate model.safetensors test.csv
  tauten evaluate model.safetensors x_test.npy --target y_test.npy
"""


def add_to(commands: Any) -> None:
    """The parsers of both."""
    parser = add_command(
        commands,
        "predict",
        predict,
        help="predict the targets of a data file",
        description="Reads a file like the one the model was trained on, with or without the target, and writes CSV: a "
        "line\na sample, in the order of the file. Columns are found by their names if both files have a header.",
        examples=PREDICT,
    )
    _add_files(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="CSV file to write (default: to the screen)")
    parser.add_argument("--proba", action="store_true", help="of each class its probability, too")
    add_table(parser)
    add_threads(parser)
    parser = add_command(
        commands,
        "evaluate",
        evaluate,
        help="measure a model on a data file",
        description="Loss, accuracy and confusion matrix, or loss, mean absolute error and R², on a file with targets.",
        examples=EVALUATE,
    )
    _add_files(parser)
    parser.add_argument(
        "--target", metavar="WHAT", help="of .npz the key (default: as in training); with .npy the file of the targets"
    )
    add_table(parser)
    add_threads(parser)


def predict(options: argparse.Namespace) -> None:
    """Writes what the model says of each sample."""
    if options.out is not None:
        check_writable(options.out)
    model, made, contents = _opened(options, needs_target=False)
    if options.proba and not made.target.classes:
        raise Misuse("--proba: this model is a regression, which has no probabilities")
    predicted = np.asarray(model.predict(made.samples(contents), batch_size=report.BATCH, verbose=0))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["prediction", *(made.target.classes if options.proba else [])])
    writer.writerows(_rows(predicted, made.target, options.proba))
    if options.out is None:
        sys.stdout.write(text.getvalue())
        return
    saving.replace_file(str(options.out), text.getvalue().encode())
    line("predicted", f"{len(predicted):,} samples of {options.data}")
    if made.target.classes:
        counts = np.bincount(predicted.argmax(axis=1), minlength=len(made.target.classes))
        most = np.argsort(-counts, kind="stable")[:10]
        line("classes", ", ".join(f"{made.target.classes[i]} {counts[i]:,}" for i in most if counts[i]))
    else:
        line("range", f"{predicted.min():g} to {predicted.max():g}, mean {predicted.mean(dtype=np.float64):g}")
    line("saved", str(options.out))


def evaluate(options: argparse.Namespace) -> None:
    """Prints the scores."""
    model, made, contents = _opened(options, needs_target=True)
    x, y = made.samples(contents), made.targets(contents)
    found = report.scores(model, x, y, made.target)
    report.table({"data": found})
    if found.confusion is not None:
        report.confusion(found.confusion, made.target, Path(options.data).name)


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="file of `tauten train`")
    parser.add_argument("data", metavar="DATA", help="file to read")


def _opened(options: argparse.Namespace, needs_target: bool) -> tuple[Model, Preparation, Contents]:
    if options.threads is not None:
        config.set_num_threads(options.threads)
    model = load_model(options.model)
    made = Preparation.from_metadata(model.metadata, options.model)
    target = getattr(options, "target", None)
    if target is not None and made.columns is not None:
        raise Misuse(f"--target: this model's target is the column {made.target.name!r}")
    if target is None and options.data.lower().endswith(".npz"):
        target = made.target.name  # the key of the file that it was trained on
    contents = data.read(
        options.data,
        target=target,
        needs_target=needs_target,
        delimiter=options.delimiter,
        header=options.header,
        expected=made.expected,
    )
    return model, made, contents


def _rows(predicted: Array, target: Target, proba: bool) -> list[list[str]]:
    if not target.classes:
        return [[f"{value:.9g}"] for value in predicted[:, 0]]
    best = predicted.argmax(axis=1)
    return [
        [target.classes[i], *(f"{value:.6g}" for value in (row if proba else ()))]
        for i, row in zip(best, predicted, strict=True)
    ]
