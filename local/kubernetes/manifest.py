"""Manifests: their defaults, what is sent to the API server, and what of a live object goes into the state."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, cast

from local.kubernetes.tokens import DEFAULT_NAMESPACE, ObjectType, annotations_of, metadata_of
from local.provider import Secret, Values

AUTONAMED = "pulumi.com/autonamed"
"""The official provider's annotation of an object whose name it made."""

URN = "ai-datacenter/urn"
"""As an annotation the resource's URN, as a label its digest: how an interrupted run's object is found again."""

NAME_LENGTH = 63
"""Service and Job names end up in labels and host names, whose parts have at most 63 characters."""

_SECRET_FIELDS = ("data", "stringData")
_SERVER_METADATA = frozenset(
    {"creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields",
     "ownerReferences", "resourceVersion", "selfLink", "uid"}
)  # fmt: skip


def with_defaults(inputs: Values, type: ObjectType, namespace: str, name: str) -> Values:
    """The inputs with ``apiVersion``, ``kind``, a namespace where the kind has them, and a name.

    ``name`` is used, and marked as made, where the inputs give none. What is not known yet stays as it is.
    """
    manifest: Values = {**inputs, "apiVersion": inputs.get("apiVersion") or type.api_version}
    manifest["kind"] = inputs.get("kind") or type.kind
    if inputs.get("metadata") is not None and not isinstance(inputs["metadata"], dict):
        return manifest
    metadata = dict(metadata_of(inputs))
    if not metadata.get("name"):
        prefix = metadata.pop("generateName", None)
        name = f"{prefix}{name.rpartition('-')[2]}" if prefix else name  # applying needs the whole name
        annotations = metadata.get("annotations") or {}
        metadata["name"] = name
        if isinstance(annotations, dict):
            metadata["annotations"] = {**cast(Values, annotations), AUTONAMED: "true"}
    if not metadata.get("namespace") and not type.cluster_scoped and type.built_in:
        metadata["namespace"] = namespace or DEFAULT_NAMESPACE
    return {**manifest, "metadata": metadata}


def conceal_secret(values: Mapping[str, Any], kind: str) -> Values:
    """The values with the content of a Kubernetes Secret marked secret, whether its program marked it or not."""
    if kind != "Secret":
        return dict(values)
    return {key: Secret(value) if key in _SECRET_FIELDS else value for key, value in values.items()}


def redact(message: str, manifest: Mapping[str, Any]) -> str:
    """A message of the API server without the content of the Secret that it is about."""
    if manifest.get("kind") != "Secret":
        return message
    words: set[str] = set()
    for field in _SECRET_FIELDS:
        for value in (manifest.get(field) or {}).values():
            text = str(value)
            words |= {text, base64.b64encode(text.encode()).decode(), _decoded(text)}
    for word in sorted(words, key=len, reverse=True):
        if len(word) >= 4:
            message = message.replace(word, "[secret]")
    return message


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return ""


def urn_digest(urn: str) -> str:
    """The URN as a label's value."""
    return hashlib.sha256(urn.encode()).hexdigest()[:40]


def to_apply(inputs: Mapping[str, Any], urn: str, name: str) -> Values:
    """What is sent: the inputs without a status, under ``name``, with the URN as annotation and label."""
    metadata = {**metadata_of(inputs), "name": name}
    metadata["annotations"] = {**(metadata.get("annotations") or {}), URN: urn}
    metadata["labels"] = {**(metadata.get("labels") or {}), URN: urn_digest(urn)}
    manifest = {key: value for key, value in inputs.items() if key != "status" and value is not None}
    return {**manifest, "metadata": metadata}


def is_of(live: Mapping[str, Any], urn: str) -> bool:
    """Whether a live object was made for that resource."""
    return annotations_of(live).get(URN) == urn


def outputs_of(live: Mapping[str, Any]) -> Values:
    """What goes into the state: the live object without ``managedFields``."""
    metadata = {key: value for key, value in metadata_of(live).items() if key != "managedFields"}
    return conceal_secret({**live, "metadata": metadata}, str(live.get("kind")))


def imported_inputs(live: Mapping[str, Any]) -> Values:
    """The inputs of an object that no program has declared yet: what it is without what the server adds."""
    metadata = {key: value for key, value in metadata_of(live).items() if key not in _SERVER_METADATA}
    inputs = {key: value for key, value in live.items() if key != "status"}
    return conceal_secret({**inputs, "metadata": metadata}, str(live.get("kind")))


def drifted_inputs(inputs: Mapping[str, Any], before: Mapping[str, Any], live: Mapping[str, Any]) -> Values:
    """The inputs as the live object has them, where it is no longer what it was after the last run (``before``).

    What the server normalised (``1000m`` to ``1``), filled in, or was told in another field (``stringData``) is the
    same in ``before`` and in ``live``, and stays as it was declared.
    """
    drifted = _drifted(dict(inputs), dict(before), dict(live))
    return conceal_secret(cast(Values, drifted), str(live.get("kind")))


def _drifted(declared: Any, before: Any, live: Any) -> Any:
    if live == before:
        return declared
    if isinstance(declared, dict) and isinstance(live, dict):
        then = cast(Values, before) if isinstance(before, dict) else {}
        return _drifted_fields(cast(Values, declared), then, cast(Values, live))
    if isinstance(declared, list) and isinstance(live, list):
        then = cast(list[Any], before) if isinstance(before, list) else []
        return _drifted_items(cast(list[Any], declared), then, cast(list[Any], live))
    return live


def _drifted_fields(declared: Values, before: Values, live: Values) -> Values:
    now: Values = {}
    for key, value in declared.items():
        if key in live:
            now[key] = _drifted(value, before.get(key), live[key])
        elif key not in before or value in (None, {}, []):
            now[key] = value  # the server never showed it: nothing is known to have changed
    return now


def _drifted_items(declared: list[Any], before: list[Any], live: list[Any]) -> list[Any]:
    declared_by, before_by, live_by = (_by_name(items) for items in (declared, before, live))
    if declared_by is None or live_by is None:
        return live
    return [
        _drifted(item, (before_by or {}).get(name), live_by[name])
        for name, item in declared_by.items()
        if name in live_by
    ]


def _by_name(items: list[Any]) -> dict[str, Any] | None:
    named = {str(item["name"]): item for item in items if isinstance(item, dict) and "name" in item}
    return named if len(named) == len(items) else None
