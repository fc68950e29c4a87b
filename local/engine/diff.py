"""What differs: property by property, what is ignored, and what asks for a replacement. No input, no output."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, cast

from local.engine.events import PropertyChange
from local.engine.store.model import ASSET_SIGNATURE, SIGNATURE_KEY
from local.engine.values import MASK, UNKNOWN, Unknown, Values, has_secret, masked, reveal

Path: TypeAlias = tuple[str | int, ...]

_SEGMENT = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]|\.?([^.\[\]]+)')
_ABSENT = object()


def parse_path(text: str) -> Path:
    """The steps of a property path such as ``tags["a.b"]``, ``rules[0].port`` or ``rules[*]``."""
    steps: list[str | int] = []
    for quoted, index, name in _SEGMENT.findall(text):
        if index:
            steps.append(index if index == "*" else int(index))
        else:
            steps.append(re.sub(r"\\(.)", r"\1", quoted) if quoted else name)
    return tuple(steps)


def is_within(path: Path, pattern: Path) -> bool:
    """Whether ``path`` is what ``pattern`` names, or lies inside it."""
    return len(path) >= len(pattern) and all(
        wanted == "*" or wanted == step for wanted, step in zip(pattern, path, strict=False)
    )


def with_ignored(new: Values, old: Mapping[str, Any], ignored: Iterable[str]) -> Values:
    """The new inputs with the old values where changes are to be ignored."""
    result = copy.deepcopy(new)
    for text in ignored:
        _restore(result, old, parse_path(text))
    return result


def _restore(new: Any, old: Any, path: Path) -> None:
    if not path:
        return
    for step in _matching(new, old, path[0]):
        before = _step(old, step)
        if len(path) > 1:
            after = _step(new, step)
            if isinstance(after, dict | list) and isinstance(before, Mapping | list):
                _restore(after, before, path[1:])
        elif isinstance(new, dict):
            if before is _ABSENT:
                new.pop(step, None)
            else:
                new[step] = copy.deepcopy(before)
        elif isinstance(new, list) and isinstance(step, int) and before is not _ABSENT and step < len(new):
            new[step] = copy.deepcopy(before)


def _matching(new: Any, old: Any, step: str | int) -> list[str | int]:
    if step != "*":
        return [step]
    if isinstance(new, list):
        return list(range(len(cast("list[Any]", new))))
    names: dict[str, None] = dict.fromkeys(cast("Values", new)) if isinstance(new, dict) else {}
    if isinstance(old, Mapping):
        names.update(dict.fromkeys(cast("Values", old)))
    return list(names)


def _step(value: Any, step: str | int) -> Any:
    if isinstance(value, Mapping):
        return cast("Mapping[Any, Any]", value).get(step, _ABSENT)
    if isinstance(value, list) and isinstance(step, int) and step < len(cast("list[Any]", value)):
        return value[step]
    return _ABSENT


def at(value: Any, path: Path) -> Any:
    """What stands at ``path``, ``None`` where nothing does."""
    is_secret = False
    for step in path:
        is_secret = is_secret or (has_secret(value) and not isinstance(value, Mapping | list))
        value = _step(reveal(value) if is_secret else value, step)
        if value is _ABSENT:
            return None
    return MASK if is_secret else value


def is_equal(old: Any, new: Any) -> bool:
    """Whether two property values mean the same; what is not known yet equals nothing."""
    if isinstance(new, Unknown) or isinstance(old, Unknown):
        return False
    old, new = reveal(old), reveal(new)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        a, b = cast("Values", old), cast("Values", new)
        if a.get(SIGNATURE_KEY) == b.get(SIGNATURE_KEY) == ASSET_SIGNATURE and a.get("hash") and b.get("hash"):
            return a["hash"] == b["hash"]
        return a.keys() == b.keys() and all(is_equal(item, b[key]) for key, item in a.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(is_equal, old, new))
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)


def changes_between(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Path]:
    """The innermost paths at which two sets of inputs differ; ``__defaults`` of older providers aside."""
    found: list[Path] = []
    _compare(dict(old), dict(new), (), found)
    return found


def _compare(old: Any, new: Any, path: Path, found: list[Path]) -> None:
    if isinstance(old, Mapping) and isinstance(new, Mapping) and SIGNATURE_KEY not in {*old, *new}:
        a, b = cast("Values", old), cast("Values", new)
        for key in sorted({*a, *b} - {"__defaults"}):
            _compare(a.get(key, _ABSENT), b.get(key, _ABSENT), (*path, key), found)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (a, b) in enumerate(zip(cast("list[Any]", old), cast("list[Any]", new), strict=True)):
            _compare(a, b, (*path, place), found)
    elif old is _ABSENT or new is _ABSENT or not is_equal(old, new):
        found.append(path)


def described(paths: Iterable[Path], old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[PropertyChange, ...]:
    """The changes at ``paths``, fit to be shown.

    A provider may name what is no input, such as the status of a failed Job that it wants to replace: that has the
    same value (none) on both sides, and is left out.
    """
    pairs = ((path, at(old, path), at(new, path)) for path in dict.fromkeys(paths))
    return tuple(
        PropertyChange(written(path), masked(before), masked(after))
        for path, before, after in pairs
        if before == MASK or not is_equal(before, after)
    )


def written(path: Path) -> str:
    """A path as people write it."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[\w-]+", step):
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text


def forgotten(inputs: Mapping[str, Any], names: Iterable[str]) -> Values:
    """The inputs with some of them not known: what a resource would get while those it needs are being replaced."""
    return {**inputs, **{name: UNKNOWN for name in names if name in inputs}}
