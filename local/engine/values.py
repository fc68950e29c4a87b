"""Property values: the protocol's structs on one side, plain Python with ``Secret`` and ``UNKNOWN`` on the other.

Assets, archives and resource references stay the maps with a signature key that the protocol and the checkpoint share.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

from google.protobuf import struct_pb2

from local.engine.store.model import ASSET_SIGNATURE, SECRET_SIGNATURE, SIGNATURE_KEY, Secret

Values: TypeAlias = dict[str, Any]

OUTPUT_SIGNATURE = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
MASK = "[secret]"


class Unknown:
    """A value that will be known once something has been made; its only instance is ``UNKNOWN``."""

    def __repr__(self) -> str:
        return "[unknown]"

    def __reduce__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


def from_struct(struct: struct_pb2.Struct) -> Values:
    """The properties that ``struct`` carries."""
    return {key: _from_wire(value) for key, value in struct.fields.items()}


def to_struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """``values`` as the protocol carries them."""
    struct = struct_pb2.Struct()
    fields = struct.fields
    for key, value in values.items():
        _into(fields[key], value)
    return struct


def reveal(value: Any) -> Any:
    """``value`` without its secret marks: for comparing and for the program's own process, never for printing."""
    if isinstance(value, Secret):
        return reveal(value.value)
    if isinstance(value, Mapping):
        return {key: reveal(item) for key, item in cast("Values", value).items()}
    if isinstance(value, list):
        return [reveal(item) for item in cast("list[Any]", value)]
    return value


def masked(value: Any) -> Any:
    """``value`` as it may be shown: ``[secret]`` in the place of what is secret."""
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, Mapping):
        return {key: masked(item) for key, item in cast("Values", value).items()}
    if isinstance(value, list):
        return [masked(item) for item in cast("list[Any]", value)]
    return value


def has_unknown(value: Any) -> bool:
    """Whether something inside ``value`` is not known yet."""
    return any(isinstance(leaf, Unknown) for leaf in _leaves(value))


def has_secret(value: Any) -> bool:
    """Whether something inside ``value`` is secret."""
    if isinstance(value, Secret):
        return True
    if isinstance(value, Mapping):
        return any(has_secret(item) for item in cast("Values", value).values())
    return isinstance(value, list) and any(has_secret(item) for item in cast("list[Any]", value))


def secret_words(value: Any, inside: bool = False) -> Iterator[str]:
    """Every secret string inside ``value``, so that messages can be kept free of them."""
    if isinstance(value, Secret):
        yield from secret_words(value.value, True)
    elif isinstance(value, Mapping):
        for item in cast("Values", value).values():
            yield from secret_words(item, inside)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from secret_words(item, inside)
    elif inside and isinstance(value, str):
        yield value


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Secret):
        yield from _leaves(value.value)
    elif isinstance(value, Mapping):
        for item in cast("Values", value).values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _leaves(item)
    else:
        yield value


def _from_wire(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        text = value.string_value
        return UNKNOWN if text == UNKNOWN_TEXT else text
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_from_wire(item) for item in value.list_value.values]
    if kind == "struct_value":
        return _from_marked({key: _from_wire(item) for key, item in value.struct_value.fields.items()})
    return None


def _from_marked(fields: Values) -> Any:
    signature = fields.get(SIGNATURE_KEY)
    if signature == SECRET_SIGNATURE:
        inner = fields.get("value")
        return inner if isinstance(inner, Secret) else Secret(inner)
    if signature == OUTPUT_SIGNATURE:
        inner = fields.get("value", UNKNOWN)
        return Secret(inner) if fields.get("secret") and not isinstance(inner, Secret) else inner
    if signature == ASSET_SIGNATURE and not fields.get("hash"):
        return _hashed(fields)
    return fields


def _hashed(asset: Values) -> Values:
    """The asset with the SHA-256 of its content, so that a changed file is a change; as it is where it has no file."""
    if asset.get("path"):
        try:
            content = Path(asset["path"]).read_bytes()
        except OSError:
            return asset  # the provider says what is wrong, with the resource's name
    elif "text" in asset:
        content = str(asset["text"]).encode()
    else:
        return asset
    return {**asset, "hash": hashlib.sha256(content).hexdigest()}


def _into(target: struct_pb2.Value, value: Any) -> None:
    if isinstance(value, str):
        target.string_value = value
    elif value is None:
        target.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    elif isinstance(value, Mapping):
        fields = target.struct_value.fields
        target.struct_value.SetInParent()
        for key, item in cast("Values", value).items():
            _into(fields[key], item)
    elif isinstance(value, list | tuple):
        target.list_value.SetInParent()
        for item in cast("list[Any]", value):
            _into(target.list_value.values.add(), item)
    elif isinstance(value, Secret):
        fields = target.struct_value.fields
        fields[SIGNATURE_KEY].string_value = SECRET_SIGNATURE
        _into(fields["value"], value.value)
    elif isinstance(value, Unknown):
        target.string_value = UNKNOWN_TEXT
    else:
        raise TypeError(f"a value of the Python type {type(value).__name__} is none that the protocol can carry")
