"""Property values: Python on one side, the checkpoint's JSON on the other, secrets encrypted in between."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, TypeAlias, cast

from local.engine.store.errors import StateDamaged, StateError
from local.engine.store.model import SECRET_SIGNATURE, SIGNATURE_KEY, Secret, is_plain_number

Encrypt: TypeAlias = Callable[[str], str]
Decrypt: TypeAlias = Callable[[str], str]

# A state of thousands of resources is mostly these: they are recognised without a call.
_AS_IT_IS = frozenset({str, bool, int, type(None)})
_key = itemgetter(0)


def encode(value: Any, encrypt: Encrypt) -> Any:
    """What a checkpoint holds for ``value``: maps in the order of their keys, whole numbers without a fraction.

    Raises:
        StateError: the value is nothing that JSON can hold.
    """
    if type(value) in _AS_IT_IS:
        return value
    if isinstance(value, float):
        return _number(value)
    if type(value) is dict or isinstance(value, Mapping):
        items = sorted(cast("Mapping[str, Any]", value).items(), key=_key)
        return {key: item if type(item) in _AS_IT_IS else encode(item, encrypt) for key, item in items}
    if isinstance(value, list | tuple):
        return [encode(item, encrypt) for item in cast("list[Any]", value)]
    if isinstance(value, str | int):
        return value  # a subclass, such as an enumeration's member
    if isinstance(value, Secret):
        return {SIGNATURE_KEY: SECRET_SIGNATURE, "ciphertext": encrypt(to_json(encode(value.value, encrypt)))}
    raise StateError(
        f"A value of the Python type {type(value).__name__} cannot be kept in a state; it holds JSON only."
    )


def decode(value: Any, decrypt: Decrypt) -> Any:
    """The value that a checkpoint holds, with ``Secret`` where it was encrypted.

    Raises:
        StateDamaged: a secret is not one.
    """
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value)
        if items.get(SIGNATURE_KEY) == SECRET_SIGNATURE:
            return Secret(decode(_opened(items, decrypt), decrypt))
        return {key: item if type(item) in _AS_IT_IS else decode(item, decrypt) for key, item in items.items()}
    if isinstance(value, list):
        return [decode(item, decrypt) for item in cast("list[Any]", value)]
    return value


def to_json(value: Any) -> str:
    """Compact JSON in ASCII: every Python string survives it, and a torn file stays readable."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _number(value: float) -> int | float:
    if not is_plain_number(value):
        raise StateError(f"The number {value} cannot be kept in a state: JSON has no way to write it.")
    # Numbers come from protobuf as floats; the CLI writes 3, not 3.0. Above 2**53 both mean the same float anyway.
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _opened(secret: dict[str, Any], decrypt: Decrypt) -> Any:
    if "ciphertext" in secret:
        text = decrypt(secret["ciphertext"])
    elif "plaintext" in secret:  # how `pulumi stack export --show-secrets` writes it
        text = secret["plaintext"]
    else:
        raise StateDamaged("A secret has neither a ciphertext nor a plaintext.")
    try:
        return json.loads(text)
    except ValueError:
        raise StateDamaged("A decrypted secret is not JSON.") from None
