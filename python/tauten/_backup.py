"""A fit's backup: one safetensors file of the model, as save() writes it, and of where the fit stands."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any
from warnings import warn

import numpy as np
from numpy.typing import NDArray

from tauten import saving
from tauten._weights import assign_all

if TYPE_CHECKING:
    from tauten._fit import Fitting
    from tauten.training import Trainer


def save(model: Trainer, path: str) -> None:
    """Write the backup of a fit that runs. Raises OSError; a backup that was there before is then as it was."""
    fitting = _fitting(model)
    assert model.optimizer is not None
    state = {
        "fit": fitting.state(),
        "callbacks": fitting.hooks.get_state(),
        "learning_rate": float(model.optimizer.learning_rate),
        "states": [cell._states for cell in model._carrier().cells],
    }
    arrays: dict[str, NDArray[Any]] = {}
    plain = _plain(state, saving.FIT, arrays)
    saving.write_model(model._self(), path, overwrite=True, include_optimizer=True, fit=plain, more=arrays)


def restore(model: Trainer, path: str) -> None:
    """Go on from the backup of a fit; what the callbacks had seen is handed to them later.

    Raises ValueError for a damaged file, another model or other data; weights and optimizer are then as they were.
    """
    fitting = _fitting(model)
    header, tensors = saving._read(path)
    try:
        state = _whole(header["fit"], tensors)
        own = saving._weights(model._self())
        names, variables = header["weights"], [variable for _, variable in own.values()]
        if [tensors[name].shape for name in names] != [variable.shape for variable in variables]:
            raise ValueError(f"its model has other weights than {model.name!r}")
        values = [variable.convert(tensors[name], path) for name, variable in zip(names, variables, strict=True)]
        training = {_renamed(name, names, list(own)): value for name, value in tensors.items()}
        cells = model._carrier().cells
        if len(cells) != len(state["states"]):
            raise ValueError(f"its model has other recurrent layers than {model.name!r}")
        rate = float(state["learning_rate"])
        fitting.restore(state["fit"], state["callbacks"])
        saving._resume(model._self(), header.get("training") or {}, training)
    except saving.DAMAGE as error:
        raise ValueError(
            f"{path}: fit cannot go on from this backup: {error}. Remove it, or its folder, to begin anew"
        ) from error
    assign_all(variables, values, path)
    for cell, states in zip(cells, state["states"], strict=True):
        cell._states = states
    assert model.optimizer is not None
    if float(model.optimizer.learning_rate) != rate:
        model.optimizer.learning_rate = rate
    if saving.seeds(header["model"]) != saving.seeds(saving._architecture(model._self())):
        warn(
            f"{path}: the model's dropout has other seeds than before the interruption, so fit does not go on to the "
            "bit: call tauten.utils.set_random_seed() before the model is made, or give the layers a seed",
            UserWarning,
            stacklevel=4,
        )


def copy(path: str, to: str) -> None:
    """Copy a backup; `to` is whole at any moment."""
    with open(path, "rb") as file:
        saving.replace_file(to, file.read())


def _fitting(model: Trainer) -> Fitting:
    if model._fitting is None:
        raise RuntimeError("BackupAndRestore: there is no fit to back up; it is a callback of fit alone")
    return model._fitting


def _renamed(name: str, old: list[str], new: list[str]) -> str:
    """A tensor's name with the model's own path of the weight: automatic names of layers count on in a process."""
    for before, now in zip(old, new, strict=True):
        if name == before or name.endswith(f"/{before}"):
            return name.removesuffix(before) + now
    return name


def _plain(value: Any, name: str, arrays: dict[str, NDArray[Any]]) -> Any:
    """What JSON can hold; arrays of floats go into `arrays`. Raises TypeError for what is neither."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        arrays[name] = value
        return {"array": name}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{name}/{i}", arrays) for i, item in enumerate(value)]
    if isinstance(value, dict):
        return {"dict": {str(key): _plain(item, f"{name}/{key}", arrays) for key, item in value.items()}}
    raise TypeError(f"BackupAndRestore: {name} cannot be kept: a {type(value).__name__}")


def _whole(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    """What _plain() was given."""
    if isinstance(value, list):
        return [_whole(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if "dict" in value:
        return {key: _whole(item, arrays) for key, item in value["dict"].items()}
    return float(value["float"]) if "float" in value else arrays[value["array"]]
