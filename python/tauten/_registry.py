"""Finding initializers, regularizers, losses, ... by name, by configuration or as an object."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from tauten._nearest import nearest


class Configurable(Protocol):
    """What can be written to a file and read back."""

    def get_config(self) -> dict[str, Any]:
        """The arguments that would make an equal object."""


T = TypeVar("T")


def serialize(thing: Configurable | None) -> dict[str, Any] | None:
    """{"class_name": ..., "config": {...}}, or None for None."""
    if thing is None:
        return None
    if not hasattr(thing, "get_config"):
        raise ValueError(f"{thing!r} cannot be written to a configuration: it has no get_config()")
    return {"class_name": getattr(thing, "class_name", type(thing).__name__), "config": thing.get_config()}


def resolve(identifier: Any, base: type[T], names: Mapping[str, type[T]], kind: str) -> T:
    """An object of class `base` from an object, a class, a name or {"class_name": ..., "config": {...}}.

    Raises ValueError for an unknown name (with the nearest one and all known ones) and TypeError for anything else.
    """
    if isinstance(identifier, base):
        return identifier
    if inspect.isclass(identifier) and issubclass(identifier, base):
        return identifier()
    if isinstance(identifier, str):
        return _lookup(identifier, names, kind)()
    if isinstance(identifier, Mapping) and "class_name" in identifier:
        config = identifier.get("config") or {}
        if not isinstance(config, Mapping):
            raise ValueError(f"{kind}: expected a dict as config, got {config!r}")
        cls = _lookup(str(identifier["class_name"]), names, kind)
        try:
            return cls(**config)
        except TypeError as error:
            raise ValueError(f"{kind}: {identifier['class_name']} does not take this config: {error}") from None
    raise TypeError(f"{kind}: expected a name, an object or a config, got {identifier!r}")


def with_custom(config: Any, custom_objects: Mapping[str, Any] | None) -> Any:
    """A configuration or a name; where `custom_objects` has its class or function, an object of that."""
    name = config.get("class_name") if isinstance(config, Mapping) else config
    if not isinstance(name, str) or name not in (custom_objects or {}):
        return config
    found = (custom_objects or {})[name]
    arguments = config.get("config") or {} if isinstance(config, Mapping) else {}
    return found(**arguments) if inspect.isclass(found) else found


def _lookup(name: str, names: Mapping[str, type[T]], kind: str) -> type[T]:
    try:
        return names[name]
    except KeyError:
        known = ", ".join(sorted({key for key in names if key == key.lower()}))
        found = nearest(name, names)
        meant = f": did you mean {found!r}?" if found else ";"
        raise ValueError(f"{kind}: {name!r} is not known{meant} Tauten has {known}") from None
