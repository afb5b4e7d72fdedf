"""Names, arguments, their order and defaults are Keras'; what differs stands in docs/keras.md with a reason.

keras_signatures.json has what Keras takes (tools/keras_signatures.py). An argument counts as there if it can be given
at Keras' default; those that Keras takes by position, and Tauten by name only, cannot come to mean something else.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

import tauten
from tauten import callbacks, layers, losses, metrics, models, optimizers, utils
from tools.keras_signatures import TARGET, WITH_METHODS, signature, signatures

KERAS = json.loads(TARGET.read_text(encoding="utf-8"))
VERSION = KERAS.pop("version")
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "keras.md"
TITLE = "## Names and arguments that differ"
# Attributes that objects have and classes have not.
OBJECTS = {
    "callbacks.Callback": callbacks.Callback,
    "layers.Layer": lambda: layers.Dense(1),
    "losses.Loss": losses.MeanSquaredError,
    "metrics.Metric": metrics.Mean,
    "models.Model": models.Sequential,
    "models.Sequential": models.Sequential,
    "optimizers.Optimizer": optimizers.SGD,
    "utils.PyDataset": utils.PyDataset,
}
METHODS = {f"{module}.{name}" for module, names in WITH_METHODS.items() for name in names}


def found(path):
    """Tauten's thing of that name, or None."""
    owner, _, name = path.rpartition(".")
    if owner in METHODS:
        return getattr(found(owner), name, None)
    try:
        module = importlib.import_module(f"tauten.{owner}")
    except ModuleNotFoundError:
        return None
    return getattr(module, name, None) if name in module.__all__ else None


def by_keyword(thing):
    """Arguments that a class takes through **kwargs, with the value that changes nothing."""
    if not inspect.isclass(thing):
        return {}
    own = dict(getattr(thing, "keras_defaults", {}))
    if issubclass(thing, layers.Layer):
        own |= layers.base.KERAS_DEFAULTS | dict.fromkeys(thing.constraint_names)
    return own


def same(a, b):
    """Equal defaults: strings but for their case ("Zeros"), one number for all dimensions."""
    if isinstance(a, str) and isinstance(b, str):
        return a.lower() == b.lower()
    if isinstance(a, list) and not isinstance(b, list):
        return bool(a) and all(each == b for each in a)
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def differences(path, theirs):
    """What differs of one name, as the table says it."""
    thing = found(path)
    if thing is None:
        owner, _, name = path.rpartition(".")
        if theirs is None and owner in OBJECTS and hasattr(OBJECTS[owner](), name):
            return []
        return ["not there"]
    if theirs is None or not callable(thing):
        return [] if theirs is None else ["no function"]
    ours = {each[0]: each for each in signature(thing)}
    wanted = {each[0]: each for each in theirs if each[1] not in ("*", "**")}
    open_ended = {each[1] for each in theirs} & {"*", "**"}
    kept = by_keyword(thing)
    texts = []
    order = [each for each, *rest in theirs if rest[0] in ("", "/")]
    for place, (name, kind, *_) in enumerate(ours.values()):
        if kind in ("", "/") and order[place : place + 1] != [name] and "*" not in open_ended:
            texts.append(f"`{name}` in another place")
            break
    for name, (_, _, *default) in wanted.items():
        if name in ours:
            mine = ours[name][2:]
            if name == "name" and mine == [None] and default != [None]:
                mine = default if same(default[0], own_name(thing)) else mine
            if not default and mine:
                texts.append(f"`{name}` may be left out")
            elif bool(default) != bool(mine) or (default and not same(default[0], mine[0])):
                texts.append(f"`{name}` has another default")
        elif name not in kept:
            texts.append(f"no `{name}`")
        elif default and not (kept[name] is None or same(default[0], kept[name])):
            texts.append(f"`{name}` has another default")
    base = {each[0] for each in KERAS["layers.Layer"]} if "**" in open_ended and path.startswith("layers.") else set()
    for name, (_, kind, *_) in ours.items():
        if name not in wanted and kind not in ("*", "**") and "*" not in open_ended and name not in base:
            texts.append(f"also `{name}`")
    return texts


def own_name(cls):
    """What an object is called when nobody says how."""
    try:
        return cls().name
    except (TypeError, ValueError):
        return None


def explained():
    """The table: (patterns of names, texts) a row."""
    lines = GUIDE.read_text(encoding="utf-8").split(TITLE, 1)[1].splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| `")]
    for row in rows:
        assert len(row) == 3 and row[2].strip(), row
    return [(re.findall(r"`([^`]+)`", names), [text.strip() for text in texts.split(";")]) for names, texts, _ in rows]


def expanded(pattern):
    """a.{b,c} as a.b and a.c."""
    inner = re.fullmatch(r"(.*)\{(.*)\}(.*)", pattern)
    return [inner[1] + each.strip() + inner[3] for each in inner[2].split(",")] if inner else [pattern]


def test_every_difference_is_explained():
    rows = [([one for each in patterns for one in expanded(each)], texts) for patterns, texts in explained()]
    used, unexplained, counts = set(), [], Counter()
    for path, theirs in KERAS.items():
        texts = differences(path, theirs)
        counts["missing" if texts == ["not there"] else "explained" if texts else "same"] += 1
        for text in texts:
            hits = [
                (i, pattern)
                for i, (patterns, known) in enumerate(rows)
                for pattern in patterns
                if text in known and fnmatchcase(path, pattern)
            ]
            used.update(hits)
            if not hits:
                unexplained.append(f"{path}: {text}")
    print(f"\nKeras {VERSION}, {len(KERAS)} names: " + ", ".join(f"{n} {what}" for what, n in sorted(counts.items())))
    assert not unexplained, "\n".join(unexplained)
    dead = [pattern for i, (patterns, _) in enumerate(rows) for pattern in patterns if (i, pattern) not in used]
    assert not dead, f"{GUIDE.name} explains differences that are none: {dead}"
    assert counts["same"] > 380


def test_the_comparison_notices():
    """Of a name that agrees, each change is one."""
    right = KERAS["layers.Dense"]
    assert not differences("layers.Dense", right)
    assert differences("layers.Dense", [*right, ["sparse", "", None]]) == ["no `sparse`"]
    assert differences("layers.Dense", [right[1], right[0], *right[2:]]) == ["`units` in another place"]
    changed = [[*each[:2], "ones"] if each[0] == "bias_initializer" else each for each in right]
    assert differences("layers.Dense", changed) == ["`bias_initializer` has another default"]
    fewer = [each for each in KERAS["models.Model.fit"] if each[0] != "shuffle"]
    assert "also `shuffle`" in differences("models.Model.fit", fewer)
    assert differences("layers.Denser", right) == ["not there"]


def test_the_file_is_keras(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "numpy")
    keras = pytest.importorskip("keras", exc_type=ImportError)
    if keras.__version__.split(".")[:2] != VERSION.split(".")[:2]:
        pytest.skip(f"this is Keras {keras.__version__}")
    assert json.loads(json.dumps(signatures("keras"))) == KERAS


def test_top_level():
    for name in ("Input", "Model", "Sequential", "KerasTensor", "constraints", "random", "datasets"):
        assert name in tauten.__all__
