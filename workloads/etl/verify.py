"""Whether every byte is as it was written; what is not is told by file and place."""

from __future__ import annotations

import json
from typing import Any

from etl.config import Failure
from etl.manifest import MANIFEST, TOKENIZER, State, state_name
from etl.shards import Damaged, digest, unpack
from etl.store import Store


def read_manifest(store: Store) -> dict[str, Any] | None:
    """The manifest; None where there is none, or none that can be read: it can be made again."""
    try:
        manifest = json.loads(store.get(MANIFEST) or b"null")
    except ValueError:
        return None
    return manifest if isinstance(manifest, dict) and "shards" in manifest else None


def damages(store: Store) -> list[str]:
    """A line for each file that is not as the manifest says. Raises :class:`Failure` where there is no manifest."""
    manifest = read_manifest(store)
    if manifest is None and not any(store.names()):
        raise Failure(f"there is nothing at {store.uri}: give the output of a run")
    if manifest is None:
        raise Failure(f"{store.uri} has no {MANIFEST} that can be read: the run is not finished; run it again")
    found = [_damage(store, TOKENIZER, manifest["tokenizer"]["sha256"])]
    for number, shard in enumerate(manifest["shards"]):
        found.append(_damage(store, shard["file"], shard["sha256"]))
        found.append(_damage_of_state(store, state_name(number)))
    return [line for line in found if line]


def _damage(store: Store, name: str, sha256: str) -> str:
    data = store.get(name)
    if data is None:
        return f"{name}: missing"
    if digest(data) == sha256:
        return ""
    if name == TOKENIZER:
        return f"{name}: not the one of {MANIFEST}"
    try:
        unpack(data)
    except Damaged as damaged:
        return f"{name}: {damaged}"
    return f"{name}: whole, and not the one of {MANIFEST}"


def _damage_of_state(store: Store, name: str) -> str:
    """States are for going on and for rebuilding: somebody may have deleted them to save room."""
    data = store.get(name)
    try:
        if data is not None:
            State.unpack(data)
    except Damaged as damaged:
        return f"{name}: {damaged}"
    return ""
