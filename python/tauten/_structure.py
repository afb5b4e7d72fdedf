"""One thing, or several in a list, a tuple or a dict by name: what models read and write, and what users hand over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Structure:
    """How leaves are held.

    Attributes:
        kind: None for a single leaf as it is, else list, tuple or dict.
        keys: of a dict, sorted, as Keras orders its leaves; else empty.
    """

    kind: type | None = None
    keys: tuple[str, ...] = ()

    @staticmethod
    def split(value: Any, what: str) -> tuple[Structure, list[Any]]:
        """`value`'s structure and its leaves. Raises ValueError for nothing, TypeError for keys that are no names."""
        if isinstance(value, Mapping):
            if not all(isinstance(key, str) for key in value):
                raise TypeError(f"{what}: expected names as keys of the dict, got {list(value)}")
            keys = tuple(sorted(value))
            structure, leaves = Structure(dict, keys), [value[key] for key in keys]
        elif isinstance(value, (list, tuple)):
            structure, leaves = Structure(tuple if isinstance(value, tuple) else list), list(value)
        else:
            return Structure(), [value]
        if not leaves:
            raise ValueError(f"{what}: expected at least one tensor, got none")
        for leaf in leaves:
            if isinstance(leaf, (Mapping, list, tuple)):
                raise ValueError(f"{what}: lists and dicts within each other are not supported, got {value!r}")
        return structure, leaves

    def pack(self, leaves: Sequence[Any], unpack: bool = False) -> Any:
        """The leaves held so.

        Args:
            leaves: in order.
            unpack: a list or tuple of one becomes the one, as Keras does with outputs.
        """
        if self.kind is None or (unpack and self.kind is not dict and len(leaves) == 1):
            return leaves[0]
        if self.kind is dict:
            return dict(zip(self.keys, leaves, strict=True))
        return tuple(leaves) if self.kind is tuple else list(leaves)

    def map(self, function: Callable[[Any], Any], leaves: Sequence[Any]) -> Any:
        """function of each leaf, held so."""
        return self.pack([function(leaf) for leaf in leaves])


def by_name(value: Any, names: Sequence[str], what: str, of: str, partial: bool = False) -> list[Any]:
    """One value for each of several inputs or outputs, from a list or tuple in their order or a dict by their names.

    Args:
        value: what the user gave.
        names: of the inputs or outputs.
        what: the argument, for messages.
        of: such as "model 'net' has 2 inputs".
        partial: names may be missing in a dict; their value is None.

    Raises:
        ValueError: for another number or other names.
        TypeError: for what is no list, tuple or dict.
    """
    if isinstance(value, Mapping):
        unknown = [key for key in value if key not in names]
        missing = [name for name in names if name not in value]
        if unknown or (missing and not partial):
            wrong = f"unknown: {unknown}" if unknown else f"missing: {missing}"
            raise ValueError(f"{what}: {of}, {list(names)}, got a dict with keys {list(value)}; {wrong}")
        return [value.get(name) for name in names]
    if not isinstance(value, (list, tuple)):
        shape = getattr(value, "shape", None)
        got = type(value).__name__ if shape is None else f"an array of shape {tuple(shape)}"
        raise TypeError(f"{what}: {of}, {list(names)}: expected a list with one item each, or a dict, got {got}")
    if len(value) != len(names):
        raise ValueError(f"{what}: {of}, {list(names)}: expected a list with one item each, got {len(value)}")
    return list(value)
