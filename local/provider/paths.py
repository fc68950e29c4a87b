"""What changed between two sets of inputs, by property path."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from pulumi.runtime.proto import provider_pb2

from local.provider.values import Asset, Secret, Unknown, Values

Kind = Literal["add", "delete", "update"]


@dataclass(frozen=True)
class Change:
    """One property that differs; ``replace`` where it cannot be changed in place."""

    path: str
    kind: Kind
    replace: bool = False

    @property
    def top(self) -> str:
        """The top-level property that the path starts with."""
        return top_of(self.path)


@dataclass(frozen=True)
class Changes:
    """The answer of a diff."""

    changes: tuple[Change, ...] = ()
    delete_before_replace: bool = False
    stables: tuple[str, ...] = field(default=())

    @property
    def properties(self) -> frozenset[str]:
        """The top-level properties that differ."""
        return frozenset(change.top for change in self.changes)

    @property
    def replaces(self) -> bool:
        """Whether one of the changes needs a new resource."""
        return any(change.replace for change in self.changes)

    def to_response(self) -> provider_pb2.DiffResponse:
        """As the protocol carries it, detailed."""
        changed = bool(self.changes)
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=sorted(self.properties),
            replaces=sorted({change.top for change in self.changes if change.replace}),
            stables=self.stables,
            deleteBeforeReplace=self.delete_before_replace,
            detailedDiff={change.path: _property_diff(change) for change in self.changes},
            hasDetailedDiff=True,
        )


def compare(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    replace_on: Callable[[str], bool] = lambda path: False,
    ignore: Iterable[str] = (),
) -> tuple[Change, ...]:
    """The differing leaves of two sets of inputs, in order of their paths.

    A property that is ``None`` is the same as one that is absent. Lists are compared item by item. ``replace_on`` is
    asked for each path; ``ignore`` are property paths (``*`` for any part) that count as unchanged.
    """
    ignored = [_path_pattern(path) for path in ignore]
    found: list[Change] = []
    _compare(dict(old), dict(new), "", found)
    kept = [change for change in found if not any(pattern.match(change.path) for pattern in ignored)]
    return tuple(Change(change.path, change.kind, replace_on(change.path)) for change in kept)


def top_of(path: str) -> str:
    """The first part of a property path."""
    if path.startswith('["'):
        return path[2 : path.index('"]')]
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _compare(old: Any, new: Any, path: str, found: list[Change]) -> None:
    old, new = _bare(old), _bare(new)
    if isinstance(old, dict) and isinstance(new, dict):
        before, after = cast(Values, old), cast(Values, new)
        for key in sorted(before.keys() | after.keys()):
            _compare(before.get(key), after.get(key), _join(path, key), found)
    elif isinstance(old, list) and isinstance(new, list):
        first, second = cast(list[Any], old), cast(list[Any], new)
        for index in range(max(len(first), len(second))):
            one = first[index] if index < len(first) else None
            two = second[index] if index < len(second) else None
            _compare(one, two, f"{path}[{index}]", found)
    elif isinstance(new, Unknown):
        found.append(Change(path, "update" if old is not None else "add"))
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        found.append(Change(path, "add" if old is None else "delete" if new is None else "update"))


def _bare(value: Any) -> Any:
    if isinstance(value, Secret):
        return _bare(value.value)
    return value.identity() if isinstance(value, Asset) else value


def _join(path: str, key: str) -> str:
    plain = re.fullmatch(r"[^.\[\]\"\s]+", key) is not None
    if plain:
        return f"{path}.{key}" if path else key
    escaped = key.replace('"', '\\"')
    return f'{path}["{escaped}"]'


def _path_pattern(path: str) -> re.Pattern[str]:
    escaped = re.escape(path).replace(r"\*", r"[^.\[\]]+")
    return re.compile(escaped + r"($|[.\[])")


def _property_diff(change: Change) -> provider_pb2.PropertyDiff:
    name = change.kind.upper() + ("_REPLACE" if change.replace else "")
    return provider_pb2.PropertyDiff(kind=provider_pb2.PropertyDiff.Kind.Value(name), inputDiff=True)
