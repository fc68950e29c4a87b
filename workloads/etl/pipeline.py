"""A run: documents in the order of the sources, duplicates dropped, shard after shard, the manifest last.

A shard and then its state are written when the shard is full, each whole or not at all. A run that was killed goes on
from the first shard that is missing or damaged, and writes the same bytes as one that was not.
"""

from __future__ import annotations

from typing import Any

from etl.config import EtlConfig
from etl.manifest import MANIFEST, State, row_of, state_name, to_json
from etl.plan import Prepared, Say, prepare, refuse_places, refuse_strangers
from etl.segment import Segment
from etl.shards import Damaged, digest, name_of
from etl.store import Store, open_file, open_store
from etl.verify import damages, read_manifest
from etl.worker import Pool


def run(config: EtlConfig, say: Say, anew: bool = False) -> dict[str, Any]:
    """Carry out or finish a run; returns its manifest. Raises :class:`Failure`."""
    refuse_places(config)
    store, told = open_store(config.output), open_file(config.catalogue) if config.catalogue else None
    refuse_strangers(store)
    with store.held():
        prepared = prepare(config, store, anew, say)
        manifest = read_manifest(store)
        if manifest and not damages(store):
            say(f"{store.uri} is finished, and whole")
        else:
            manifest = _build(config, store, prepared, manifest, say)
        if told:
            catalogue, name = told
            catalogue.put(name, row_of(store.uri, manifest))
        return manifest


def _build(config: EtlConfig, store: Store, prepared: Prepared, manifest: Any, say: Say) -> dict[str, Any]:
    good = _examine(store, len(manifest["shards"]) if manifest else 0)
    with Pool(config, prepared.tokenizer) as pool:
        while True:
            first = good.index(False) if False in good else len(good)
            if manifest and first == len(good):
                return manifest
            if first:
                say(f"going on after {first} good shard(s)")
            states = (_state(store, number) for number in range(first))
            segment = Segment(config, store, prepared, states, say)
            if segment.carry_out(pool, good, manifest):
                break
    made = segment.manifest()
    store.put(MANIFEST, to_json(made))
    return made


def _examine(store: Store, at_least: int) -> list[bool]:
    """For each shard whether it and its state are whole."""
    names = set(store.names())
    good: list[bool] = []
    while len(good) < at_least or state_name(len(good)) in names or name_of(len(good)) in names:
        number = len(good)
        try:
            state = _state(store, number)
            good.append(_sha256(store, name_of(number)) == state.shard["sha256"])
        except Damaged:
            good.append(False)
    return good


def _state(store: Store, number: int) -> State:
    data = store.get(state_name(number))
    if data is None:
        raise Damaged("it is missing")
    return State.unpack(data)


def _sha256(store: Store, name: str) -> str:
    data = store.get(name)
    return "" if data is None else digest(data)
