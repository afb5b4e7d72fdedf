"""Writes tests/python/keras_signatures.json, what Keras' public names take: `python tools/keras_signatures.py`.

Needs keras==3.15.* and a backend; NumPy's, which needs jax beside it, gives the shortest list of methods.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "tests" / "python" / "keras_signatures.json"
MODULES = (
    "activations", "callbacks", "config", "constraints", "datasets.boston_housing", "datasets.california_housing",
    "datasets.cifar10", "datasets.cifar100", "datasets.fashion_mnist", "datasets.imdb", "datasets.mnist",
    "datasets.reuters", "initializers", "layers", "losses", "metrics", "models", "optimizers", "optimizers.schedules",
    "random", "regularizers", "utils",
)  # fmt: skip
# Classes whose methods are listed too, but for those of the class before that they share.
WITH_METHODS = {
    "callbacks": ("Callback",),
    "layers": ("Layer",),
    "losses": ("Loss",),
    "metrics": ("Metric",),
    "models": ("Model", "Sequential"),
    "optimizers": ("Optimizer",),
    "utils": ("PyDataset",),
}
ABOVE = {"Model": "layers.Layer", "Sequential": "models.Model"}


def signature(thing: Any) -> list[list[Any]]:
    """[name, kind] or [name, kind, default] of each argument of a function or class, without self.

    kind is "/", "" or "=" (by name only), "*" or "**"; defaults that JSON does not have are their text.
    """
    function = thing.__init__ if inspect.isclass(thing) else thing
    kinds = {
        inspect.Parameter.POSITIONAL_ONLY: "/",
        inspect.Parameter.POSITIONAL_OR_KEYWORD: "",
        inspect.Parameter.KEYWORD_ONLY: "=",
        inspect.Parameter.VAR_POSITIONAL: "*",
        inspect.Parameter.VAR_KEYWORD: "**",
    }
    arguments = [
        [each.name, kinds[each.kind], *([] if each.default is each.empty else [_plain(each.default)])]
        for each in inspect.signature(function).parameters.values()
    ]
    return arguments[1:] if arguments[:1] and arguments[0][0] == "self" else arguments


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else f"<{type(value).__name__}>"


def public(module: ModuleType) -> dict[str, Any]:
    """A module's public functions and classes by name."""
    names = getattr(module, "__all__", None) or [name for name in dir(module) if not name.startswith("_")]
    found = {name: getattr(module, name) for name in names}
    return {name: each for name, each in found.items() if inspect.isclass(each) or inspect.isroutine(each)}


def methods(cls: type, above: type | None = None) -> dict[str, Any]:
    """A class's public methods, and its properties (None), but for those that it shares with the class above."""
    names = [name for name in dir(cls) if not name.startswith("_")]
    own = {name: inspect.getattr_static(cls, name) for name in names}
    if above is not None:
        own = {name: each for name, each in own.items() if inspect.getattr_static(above, name, None) is not each}
    return {
        name: signature(getattr(cls, name)) if callable(getattr(cls, name)) else None
        for name, each in own.items()
        if callable(getattr(cls, name)) or isinstance(each, property)
    }


def signatures(package: str) -> dict[str, Any]:
    """ "module.name" and "module.Class.method" -> signature() of all that a package has in MODULES."""
    found: dict[str, Any] = {}
    for path in MODULES:
        try:
            module = importlib.import_module(f"{package}.{path}")
        except ModuleNotFoundError:
            continue
        for name, thing in public(module).items():
            found[f"{path}.{name}"] = signature(thing)
            if name in WITH_METHODS.get(path, ()):
                above = ABOVE.get(name)
                base = None
                if above is not None:
                    base = getattr(importlib.import_module(f"{package}.{above.split('.')[0]}"), above.split(".")[1])
                found.update({f"{path}.{name}.{each}": of for each, of in methods(thing, base).items()})
    return found


def main() -> None:
    """One line a name, in the order of the alphabet."""
    os.environ.setdefault("KERAS_BACKEND", "numpy")
    import keras

    facts = {"version": keras.__version__, **dict(sorted(signatures("keras").items()))}
    lines = [f"{json.dumps(name)}: {json.dumps(of)}" for name, of in facts.items()]
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{TARGET.name}: {len(facts) - 1} names of Keras {facts['version']}")


if __name__ == "__main__":
    main()
