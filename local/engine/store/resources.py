"""One resource: ``ResourceState`` on one side, the checkpoint's ``ResourceV3`` on the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from local.engine.store.model import ResourceState
from local.engine.store.values import decode, encode

ScopedCrypt: TypeAlias = Callable[[str, str], str]  # (text, URN of the resource that it belongs to) -> text

# Our field -> the checkpoint's, in the checkpoint's order.
_FIELDS = {
    "urn": "urn",
    "custom": "custom",
    "delete": "delete",
    "id": "id",
    "type": "type",
    "inputs": "inputs",
    "outputs": "outputs",
    "parent": "parent",
    "protect": "protect",
    "taint": "taint",
    "external": "external",
    "dependencies": "dependencies",
    "init_errors": "initErrors",
    "provider": "provider",
    "property_dependencies": "propertyDependencies",
    "pending_replacement": "pendingReplacement",
    "additional_secret_outputs": "additionalSecretOutputs",
    "aliases": "aliases",
    "custom_timeouts": "customTimeouts",
    "import_id": "importID",
    "retain_on_delete": "retainOnDelete",
    "deleted_with": "deletedWith",
    "replace_with": "replaceWith",
    "created": "created",
    "modified": "modified",
    "source_position": "sourcePosition",
    "ignore_changes": "ignoreChanges",
    "replace_on_changes": "replaceOnChanges",
}
_OURS = {theirs: ours for ours, theirs in _FIELDS.items()}
_ALWAYS = frozenset({"urn", "custom", "type"})
_VALUES = frozenset({"inputs", "outputs"})
_TYPES = {field.name: field.type for field in dataclasses.fields(ResourceState)}


def encode_resource(state: ResourceState, encrypt: ScopedCrypt) -> dict[str, Any]:
    """The checkpoint's object; empty fields are left out, as the CLI leaves them out.

    Raises:
        StateError: a property is nothing that JSON can hold.
    """

    def within(plaintext: str) -> str:
        return encrypt(plaintext, state.urn)

    written: dict[str, Any] = {}
    for ours, theirs in _FIELDS.items():
        value = getattr(state, ours)
        if ours in _VALUES:
            value = encode(value, within)
        if value or ours in _ALWAYS:
            written[theirs] = value
    return {**written, **encode(state.extra, within)}


def decode_resource(written: Mapping[str, Any], decrypt: ScopedCrypt) -> ResourceState:
    """The resource that a checkpoint or a journal holds.

    Raises:
        KeyError, TypeError: it is no resource: a field is missing or of the wrong kind.
        StateDamaged, PassphraseError: a secret cannot be decrypted.
    """
    urn = written["urn"]

    def within(ciphertext: str) -> str:
        return decrypt(ciphertext, urn)

    ours = {_OURS[theirs]: value for theirs, value in written.items() if theirs in _OURS}
    extra = {theirs: decode(value, within) for theirs, value in written.items() if theirs not in _OURS}
    for name, value in ours.items():
        if name in _VALUES:
            ours[name] = decode(value or {}, within)
        elif _TYPES[name] == "tuple[str, ...]":
            ours[name] = tuple(value or ())
    dependencies: Mapping[str, Any] = ours.get("property_dependencies") or {}
    ours["property_dependencies"] = {name: tuple(urns or ()) for name, urns in dependencies.items()}
    return ResourceState(**ours, extra=extra)
