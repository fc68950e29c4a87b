"""Pulumi's property values as plain Python values, and back.

The signatures are those of the SDK (``sdk/go/common/resource/properties.go``). Numbers arrive as doubles; whole ones
become ``int``. Secrets are taken off for the provider's own work and put back on the way out, see
:func:`conceal`: on the very path where they came in, and on every string that contains a secret one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

from google.protobuf import struct_pb2

Values = dict[str, Any]
"""A resource's properties by their schema names. Leaves are str, int, float, bool, None, Asset, Secret, UNKNOWN."""

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_ASSET = "c44067f5952c0a294b673a41bacd8c17"
_ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
_RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class Unknown:
    """A value that will be known once something has been created; the only instance is :data:`UNKNOWN`."""

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __repr__(self) -> str:
        return "<unknown>"


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value that is never printed and is encrypted in the state."""

    value: Any

    def __repr__(self) -> str:
        return "Secret([secret])"


@dataclass(frozen=True)
class Asset:
    """A file, text or archive given as a property; ``fields`` are the wire's own (``path``, ``text``, ``hash``, …)."""

    fields: tuple[tuple[str, Any], ...]

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Asset:
        """The asset with the wire's ``fields``."""
        return cls(tuple(sorted((key, json.dumps(v) if isinstance(v, dict) else v) for key, v in fields.items())))

    def get(self, key: str) -> Any:
        """One of the wire's fields, ``None`` where it is absent."""
        return dict(self.fields).get(key) or None

    def content(self) -> bytes:
        """The bytes of a text or file asset.

        Raises:
            OSError: the file cannot be read.
        """
        if (path := self.get("path")) is not None:
            return Path(path).read_bytes()
        return str(self.get("text") or "").encode()

    def with_hash(self) -> Asset:
        """The same asset carrying the SHA-256 of its content, so that a later change of the file is seen."""
        if self.get("hash") or dict(self.fields).get(_SIGNATURE) != _ASSET or self.get("uri"):
            return self
        return Asset.of({**dict(self.fields), "hash": hashlib.sha256(self.content()).hexdigest()})

    def identity(self) -> object:
        """What two assets have in common when their content is the same."""
        return self.get("hash") or self.fields


def from_struct(struct: struct_pb2.Struct) -> Values:
    """The properties of ``struct`` with :class:`Secret`, :class:`Asset` and :data:`UNKNOWN` in place."""
    return {key: _from_value(value) for key, value in struct.fields.items()}


def to_struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """``values`` as the wire carries them; entries that are ``None`` are left out."""
    struct = struct_pb2.Struct()
    for key, value in values.items():
        if value is not None:
            _into(struct.fields[key], value)
    return struct


def reveal(value: Any) -> Any:
    """``value`` with every :class:`Secret` replaced by what it holds."""
    if isinstance(value, Secret):
        return reveal(value.value)
    if isinstance(value, dict):
        return {key: reveal(item) for key, item in cast(Values, value).items()}
    if isinstance(value, list):
        return [reveal(item) for item in cast(list[Any], value)]
    return value


def conceal(value: Any, *origins: Any) -> Any:
    """``value`` with everything marked :class:`Secret` that is secret in one of ``origins``.

    Marked are the same path, and any string that contains a secret string of at least four characters: a secret tag
    comes back in ``tagsAll`` too, a secret password in a policy document.
    """
    words = {word for origin in origins for word in _secret_words(origin)}
    for origin in origins:
        value = _conceal_path(value, origin)
    return _conceal_words(value, words) if words else value


def has_unknown(value: Any) -> bool:
    """Whether something inside ``value`` is not known yet."""
    if isinstance(value, Unknown):
        return True
    if isinstance(value, Secret):
        return has_unknown(value.value)
    if isinstance(value, dict):
        return any(has_unknown(item) for item in cast(Values, value).values())
    return isinstance(value, list) and any(has_unknown(item) for item in cast(list[Any], value))


def _from_value(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value == _UNKNOWN_TEXT else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_from_value(item) for item in value.list_value.values]
    if kind == "struct_value":
        return _from_marked(from_struct(value.struct_value))
    return None


def _from_marked(fields: Values) -> Any:
    signature = fields.get(_SIGNATURE)
    if signature == _SECRET:
        return Secret(fields.get("value"))
    if signature in (_ASSET, _ARCHIVE):
        return Asset.of(fields)
    if signature == _RESOURCE:
        return fields.get("id") or fields.get("urn")
    if signature == _OUTPUT:
        inner = fields.get("value", UNKNOWN)
        return Secret(inner) if fields.get("secret") else inner
    return fields


def _into(target: struct_pb2.Value, value: Any) -> None:
    if value is None:
        target.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, Unknown):
        target.string_value = _UNKNOWN_TEXT
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, (int, float)):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, Secret):
        _into(target, {_SIGNATURE: _SECRET, "value": value.value})
    elif isinstance(value, Asset):
        _into(target, dict(value.fields))
    elif isinstance(value, Mapping):
        fields = target.struct_value.fields
        target.struct_value.SetInParent()
        for key, item in cast(Mapping[str, Any], value).items():
            _into(fields[key], item)
    elif isinstance(value, Iterable):
        target.list_value.SetInParent()
        for item in cast(Iterable[Any], value):
            _into(target.list_value.values.add(), item)
    else:
        raise TypeError(f"a property cannot be a {type(value).__name__}")


def _secret_words(value: Any, inside: bool = False) -> Iterator[str]:
    if isinstance(value, Secret):
        yield from _secret_words(value.value, True)
    elif isinstance(value, dict):
        for item in cast(Values, value).values():
            yield from _secret_words(item, inside)
    elif isinstance(value, list):
        for item in cast(list[Any], value):
            yield from _secret_words(item, inside)
    elif inside and isinstance(value, str) and len(value) >= 4:
        yield value


def _conceal_path(value: Any, origin: Any) -> Any:
    if isinstance(value, Secret):
        return value
    if isinstance(origin, Secret):
        return Secret(reveal(value))
    if isinstance(value, dict) and isinstance(origin, dict):
        known = cast(Values, origin)
        return {key: _conceal_path(item, known.get(key)) for key, item in cast(Values, value).items()}
    if isinstance(value, list) and isinstance(origin, list):
        items, origins = cast(list[Any], value), cast(list[Any], origin)
        padded = origins + [None] * (len(items) - len(origins))
        return [_conceal_path(item, known) for item, known in zip(items, padded, strict=False)]
    return value


def _conceal_words(value: Any, words: set[str]) -> Any:
    if isinstance(value, str):
        return Secret(value) if any(word in value for word in words) else value
    if isinstance(value, dict):
        return {key: _conceal_words(item, words) for key, item in cast(Values, value).items()}
    if isinstance(value, list):
        return [_conceal_words(item, words) for item in cast(list[Any], value)]
    return value
