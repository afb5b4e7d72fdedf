"""One .safetensors file a model: weights and optimizer state as tensors, the rest as JSON in its metadata. No pickle.

A file is written beside its target, synced and renamed, so that at any moment the target is whole: old or new.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tauten import _core, _random, optimizers
from tauten._checks import flag, folder_of, integer
from tauten._weights import Variable, assign_all
from tauten.metrics import MeanMetricWrapper

if TYPE_CHECKING:
    from tauten.models import Model

Path = str | bytes | os.PathLike[str]
Packed = tuple[dict[str, Any], dict[str, NDArray[Any]]]  # header, tensors

FORMAT_VERSION = 1
SUFFIX = ".safetensors"
FLOATS = ("F16", "F32", "F64")
CALLS = 2**63 - 1
# What an architecture or a state of training that makes no sense may raise while it is built.
DAMAGE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, MemoryError)
SLOT = "optimizer/"  # then a slot's name and the weight's path
FIT = "fit"  # tensors of a backup that are not the model's: of callbacks, of stateful layers
CONVERT = {
    ".keras": "in Keras, np.savez(path, *model.get_weights()); here, make the same layers and call "
    "model.set_weights() with these arrays in order: names, shapes and gate order agree",
    ".h5": "in Keras, np.savez(path, *model.get_weights()); here, make the same layers and call "
    "model.set_weights() with these arrays in order: names, shapes and gate order agree",
    ".pt": "in PyTorch, save the state_dict's arrays with np.savez; here, make the same layers and call "
    "model.set_weights() with the arrays transposed and gates reordered as docs/keras.md says",
}
CONVERT[".hdf5"] = CONVERT[".h5"]
CONVERT[".pth"] = CONVERT[".pt"]


def write_model(
    model: Model,
    filepath: Path,
    overwrite: bool,
    include_optimizer: bool,
    fit: Any = None,
    more: dict[str, NDArray[Any]] | None = None,
) -> None:
    """What Model.save() does; with where a fit stands, and tensors that belong to that."""
    path = _target(filepath, overwrite)
    header, tensors = packed(model, include_optimizer)
    if fit is not None:
        header["fit"] = fit
        tensors.update(more or {})
    _write(path, tensors, header)


def packed(model: Model, include_optimizer: bool = True) -> Packed:
    """A model as what JSON can hold, and arrays by name; unpacked() makes it again."""
    variables, network = _weights(model), model._network()
    tensors: dict[str, NDArray[Any]] = {name: variable.numpy() for name, (_, variable) in variables.items()}
    header: dict[str, Any] = _header("model", list(tensors))
    header["model"] = _architecture(model)
    header["compile"] = model.get_compile_config()
    if model.metadata:
        header["metadata"] = _checked_metadata(model)
    if include_optimizer and model.optimizer is not None:
        header["training"] = {
            "iterations": model.optimizer._steps,
            "calls": network.calls,
            "steps": network.steps,
            "generator": model._shuffler.state(),
        }
        for slot in model.optimizer.slot_names():
            for name, (number, _) in variables.items():
                value = network.get_slot(number, model.optimizer.slot_number(slot))
                if value is not None:
                    tensors[f"{SLOT}{slot}/{name}"] = value
    return header, tensors


def save_weights(model: Model, filepath: Path, overwrite: bool) -> None:
    """What Model.save_weights() does."""
    path = _target(filepath, overwrite)
    tensors = {name: variable.numpy() for name, (_, variable) in _weights(model).items()}
    _write(path, tensors, _header("weights", list(tensors)))


def load_weights(model: Model, filepath: Path) -> None:
    """What Model.load_weights() does."""
    header, tensors = _read(filepath)
    names = header["weights"]
    variables = model.weights
    if len(names) != len(variables):
        raise ValueError(
            f"{os.fsdecode(filepath)}: {len(names)} weights, but model {model.name!r} has {len(variables)}: "
            "the file is of another architecture"
        )
    assign_all(variables, [tensors[name] for name in names], os.fsdecode(filepath))


def save_model(model: Model, filepath: Path, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
    """model.save() as a function, with its arguments."""
    model.save(filepath, overwrite, zipped, **kwargs)


def load_model(
    filepath: Path, custom_objects: Mapping[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Model:
    """A model from a file of Model.save(): architecture, weights, metadata, and state of training.

    Args:
        filepath: ends in ".safetensors".
        custom_objects: name -> class or function of the losses and metrics in Python that the model was compiled with.
        compile: compile as the model was, optimizer state and step counter included; default True.
        safe_mode: True or False, which are the same here: a file never holds code.

    Raises:
        ValueError: for a file that is not Tauten's, of a newer format, cut short or damaged; it says what to do.
        OSError: if it cannot be read.
    """
    flag(safe_mode, "load_model: safe_mode")
    return unpacked(_read(filepath), os.fsdecode(filepath), custom_objects, compile)


def unpacked(
    content: Packed, where: str, custom_objects: Mapping[str, Any] | None = None, compile: bool = True
) -> Model:
    """The model of what packed() gave. Raises ValueError that begins with `where`."""
    from tauten.models import Model, Sequential

    header, tensors = content
    if header.get("content") != "model":
        raise ValueError(
            f"{where}: the file has weights but no architecture (save_weights() wrote it): make the model, then call "
            "model.load_weights()"
        )
    try:
        with _random.drawing_from(np.random.default_rng(0)):  # the initial weights, which are not kept
            architecture = header["model"]
            if isinstance(architecture, dict) and architecture.get("class_name") == "Functional":
                model = Model.from_config(architecture["config"])
            else:
                model = Sequential.from_config(architecture)
            if not model.layers:
                raise ValueError(f"model {model.name!r} has no layers")
            model._graph_now()
            variables = _weights(model)
    except DAMAGE as error:
        raise ValueError(f"{where}: the architecture in the file cannot be built: {_short(error)}") from error
    if list(variables) != header["weights"]:
        raise ValueError(
            f"{where}: the file's weights are not its architecture's: expected {_short(list(variables))}, "
            f"got {_short(header['weights'])}; the file is damaged"
        )
    assign_all([variable for _, variable in variables.values()], [tensors[name] for name in variables], where)
    metadata = header.get("metadata", {})
    if not isinstance(metadata, dict):
        raise ValueError(f"{where}: the metadata in the file is no dict: the file is damaged: save it again")
    model.metadata = metadata
    if compile and header.get("compile") is not None:
        try:
            model.compile(**_with_objects(header["compile"], custom_objects or {}))
            training = header.get("training") or {}
            _resume(model, training, tensors)
            if "generator" in training:  # files of earlier versions have none
                model._shuffler.adopt(training["generator"])
        except DAMAGE as error:
            raise ValueError(
                f"{where}: the state of training in the file cannot be used: {_short(error)}. Losses and metrics of "
                "your own need custom_objects={name: class or function}; compile=False leaves all of it out"
            ) from error
    return model


def _with_objects(config: Any, objects: Mapping[str, Any]) -> Any:
    """compile()'s arguments, with losses and metrics of the user's own in the place of their configurations."""
    if isinstance(config, list):
        return [_with_objects(item, objects) for item in config]
    if not isinstance(config, dict):
        return config
    name = str(config.get("class_name"))
    if name not in objects:
        return {key: _with_objects(item, objects) for key, item in config.items()}
    found, arguments = objects[name], config.get("config") or {}
    if isinstance(found, type):
        return found.from_config(arguments)  # type: ignore[attr-defined]
    return MeanMetricWrapper(found, **arguments) if arguments else found


def _architecture(model: Model) -> dict[str, Any]:
    """The model's configuration with the seeds that dropout drew, so that training goes on with the same masks."""
    config = model.seeded_config()
    return config if model.class_name == "Sequential" else {"class_name": model.class_name, "config": config}


def _checked_metadata(model: Model) -> dict[str, Any]:
    """model.metadata, if JSON keeps it as it is. Raises TypeError or ValueError else."""
    what = f"model {model.name!r}: metadata"
    if not isinstance(model.metadata, dict):
        raise TypeError(f"{what}: expected a dict, got {type(model.metadata).__name__}")
    try:
        kept = json.loads(json.dumps(model.metadata, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise type(error)(f"{what}: expected what JSON can hold: {_short(error)}") from None
    if kept != model.metadata:  # tuples, keys that are no strings
        raise TypeError(
            f"{what}: JSON would change it: expected dicts with strings as keys, lists, strings, finite numbers, "
            "booleans and None"
        )
    return dict(kept)


def _weights(model: Model) -> dict[str, tuple[int, Variable]]:
    """Name -> number in the model's network, and weight; in the order of model.weights.

    The names are unique: those of models within stand in front, as "encoder/dense/kernel".
    """
    graph = model._graph_now()
    if graph is None:
        raise ValueError(f"model {model.name!r} is not built: it has no Input")
    names = {id(variable): name for name, variable in graph.named().items()}
    numbers = {id(variable): number for number, variable in enumerate(graph.variables)}
    return {names[id(variable)]: (numbers[id(variable)], variable) for variable in model.weights}


def seeds(architecture: Any) -> list[Any]:
    """All that is called seed in an architecture, in order; that of initial weights, which are settled, left out."""
    if isinstance(architecture, list):
        return [seed for item in architecture for seed in seeds(item)]
    if not isinstance(architecture, dict):
        return []
    found = [architecture["seed"]] if "seed" in architecture else []
    return found + [
        seed for key, item in architecture.items() if not key.endswith("initializer") for seed in seeds(item)
    ]


def _resume(model: Model, training: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> None:
    """Set the optimizer's state and the counters, or raise ValueError and change nothing."""
    variables, network, optimizer = _weights(model), model._network(), model.optimizer
    assert optimizer is not None
    slots = []
    for name, value in tensors.items():
        if name not in variables and name.startswith(SLOT):
            slot, path = name.removeprefix(SLOT).split("/", 1)
            number, variable = variables[path]
            slots.append((number, optimizer.slot_number(slot), variable.convert(value, name)))
    if training:
        calls = integer(training["calls"], "calls", 0, CALLS)
        iterations = integer(training["iterations"], "iterations", 0, CALLS)
        # files of Tauten 0.1 count but one: their slots were never made anew
        steps = integer(training.get("steps", iterations), "steps", 0, CALLS)
        optimizer._steps = iterations
        network.calls = calls
        network.steps = steps
    for number, slot_number, value in slots:
        network.set_slot(number, slot_number, value)


def _header(content: str, names: list[str]) -> dict[str, Any]:
    return {"format_version": FORMAT_VERSION, "content": content, "library": _core.__version__, "weights": names}


def _target(filepath: Path, overwrite: bool) -> str:
    """The file to write. Raises ValueError for another ending than .safetensors, OSError if it may not be written."""
    path = os.fsdecode(filepath)
    check_name(path)
    folder_of(path)
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{path}: the file exists and overwrite=False")
    return path


def check_name(path: str) -> None:
    """Raise ValueError, which says how to call the file, for another ending than .safetensors.

    Raises IsADirectoryError for a folder.
    """
    suffix = _suffix(path)
    if suffix != SUFFIX:
        stem = path[: -len(suffix)] if suffix in CONVERT else path
        raise ValueError(f"{path}: Tauten's files end in {SUFFIX!r}, got {suffix!r}: save as {stem}{SUFFIX}")


def _suffix(path: str) -> str:
    """The ending, in lower case. Raises IsADirectoryError for a folder."""
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path}: expected a file, got a folder")
    return os.path.splitext(path)[1].lower()


def _write(path: str, tensors: dict[str, NDArray[Any]], header: dict[str, Any]) -> None:
    from safetensors.numpy import save

    content = save(
        {name: np.ascontiguousarray(array) for name, array in tensors.items()}, {"tauten": json.dumps(header)}
    )
    replace_file(path, content)


def replace_file(path: str, content: bytes) -> None:
    """Make `path`, links followed, hold `content`: through a file beside it, synced and renamed.

    An error leaves `path` as it was, and an OSError names it and not the file beside it.
    """
    try:
        _replace(os.path.realpath(path), content)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, path) from error


def _replace(path: str, content: bytes) -> None:
    folder = os.path.dirname(path)
    beside = os.path.join(folder, f".{os.urandom(8).hex()}.tmp")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if os.path.exists(path) and hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), stat.S_IMODE(os.stat(path).st_mode))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        if os.path.exists(beside):
            os.unlink(beside)
        raise
    if os.name == "posix":  # the new name itself must survive a power cut
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _read(filepath: Path) -> Packed:
    """Header and tensors of a file, checked against each other. Raises ValueError, OSError."""
    from safetensors import SafetensorError, safe_open

    path = os.fsdecode(filepath)
    suffix = _suffix(path)
    if suffix != SUFFIX:
        how = f". To bring such a model here: {CONVERT[suffix]}" if suffix in CONVERT else ""
        raise ValueError(f"{path}: Tauten's files end in {SUFFIX!r}, got {suffix!r}{how}")
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path}: no such file")
    try:
        with safe_open(path, framework="numpy") as file:
            header = _parse(path, (file.metadata() or {}).get("tauten"))
            tensors = {name: _tensor(path, file, name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f"{path}: not a whole safetensors file ({error}): it is cut short, damaged or something else; save it again"
        ) from error
    names = header["weights"]
    known = {*names, *(f"{SLOT}{slot}/{name}" for slot in optimizers.slot_names() for name in names)}
    missing, extra = (
        [n for n in names if n not in tensors],
        [n for n in tensors if n not in known and not n.startswith(f"{FIT}/")],
    )
    if missing or extra:
        raise ValueError(
            f"{path}: tensors missing: {_short(missing)}, unexpected: {_short(extra)}; the file is damaged: "
            "save it again"
        )
    return header, tensors


def _tensor(path: str, file: Any, name: str) -> NDArray[Any]:
    dtype = file.get_slice(name).get_dtype()
    if dtype not in FLOATS:
        raise ValueError(f"{path}: tensor {name!r} has dtype {dtype}, expected one of {FLOATS}: not Tauten's")
    return np.asarray(file.get_tensor(name))


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


def _short(thing: object) -> str:
    text = str(thing) or type(thing).__name__
    return text if len(text) <= 300 else f"{text[:300]}..."


def _parse(path: str, text: str | None) -> dict[str, Any]:
    if text is None:
        raise ValueError(
            f"{path}: a safetensors file, but not Tauten's: it names no architecture. For weights of another library "
            "read it with safetensors.numpy.load_file and call model.set_weights()"
        )
    try:
        header = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: the file's header is damaged ({_short(error)}): save it again") from error
    version = header.get("format_version") if isinstance(header, dict) else None
    if type(version) is not int or version < 1:
        raise ValueError(f"{path}: the file's header names no format version: it is damaged: save it again")
    if version > FORMAT_VERSION:
        raise ValueError(
            f"{path}: format version {version} is newer than this Tauten knows ({FORMAT_VERSION}): upgrade Tauten"
        )
    names = header.get("weights")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{path}: the file's header lists no weights: it is damaged: save it again")
    return dict(header)
