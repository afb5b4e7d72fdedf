"""`tauten info`: what a model file holds; nothing is run."""

from __future__ import annotations

import argparse
import json
import os
from typing import Any

from tauten import summary
from tauten.cli.arguments import add_command
from tauten.cli.data.columns import listed
from tauten.cli.data.preparation import KEY, Preparation
from tauten.cli.terminal import line, title
from tauten.models import load_model

EXAMPLES = """\
  tauten info model.safetensors
  tauten info model.safetensors --json | python -m json.tool
"""


def add_to(commands: Any) -> None:
    """The parser of `tauten info`."""
    parser = add_command(
        commands,
        "info",
        run,
        help="show what a model file holds",
        description="Architecture, parameters, how it was compiled, and what `tauten train` keeps beside them. Nothing "
        "is run.",
        examples=EXAMPLES,
    )
    parser.add_argument("model", metavar="MODEL", help="file of model.save() or `tauten train`")
    parser.add_argument("--json", action="store_true", help="configuration, compile settings and metadata as JSON")


def run(options: argparse.Namespace) -> None:
    """Prints it."""
    model = load_model(options.model)
    compiled = model.get_compile_config()
    if options.json:
        print(json.dumps({"config": model.get_config(), "compile": compiled, "metadata": model.metadata}))
        return
    print(title(f"{options.model}: {summary.memory(os.path.getsize(options.model))}"))
    model.summary()
    for name, value in (compiled or {"compiled": "no"}).items():
        line(name, _settings(value))
    if KEY not in model.metadata:
        line("metadata", ", ".join(model.metadata) or "none: not a model of `tauten train`")
        return
    made, kept = Preparation.from_metadata(model.metadata, options.model), model.metadata[KEY]
    target = made.target
    classes = f"{len(target.classes)} classes: {listed(target.classes)}" if target.classes else "a number"
    line("target", f"{target.name}: {classes}")
    if made.columns is not None:
        features = [
            column.name if column.categories is None else f"{column.name} ({listed(column.categories, 6)})"
            for column in made.columns.features
        ]
        line("columns", *features)
    shape = " x ".join("any" if extent is None else str(extent) for extent in made.shape)
    line("samples", f"{shape}{', reshaped from the file' if made.reshaped else ''}")
    line("trained", f"on {kept['samples']:,} samples of {kept['data']}, seed {kept['seed']}")
    for name, values in kept.get("scores", {}).items():
        line(name, ", ".join(f"{key} {value:.5g}" for key, value in values.items()))


def _settings(value: Any) -> str:
    """A configuration on one line: what is None or False is left out."""
    if isinstance(value, dict) and "class_name" in value:
        config = {key: one for key, one in value["config"].items() if one not in (None, False) and key != "name"}
        inside = ", ".join(f"{key}={_settings(one)}" for key, one in config.items())
        return f"{value['class_name']}({inside})"
    return ", ".join(map(_settings, value)) if isinstance(value, list) else str(value)
