"""Whether a run may go on where another stopped: the same configuration, sources and versions, or not at all."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from etl.config import EtlConfig, Failure
from etl.manifest import MANIFEST, OWN, PLAN, TOKENIZER, difference, plan_of, to_json
from etl.pieces import PACKED
from etl.shards import digest
from etl.source import Inventory, Reader, Record, take_inventory
from etl.store import Store, lies_in, open_file
from etl.tokenizer import Encoder, train
from etl.worker import Pool, batches

_UNPACKED = 4  # times the size of a packed file, as a guess: it only decides how large the sample is
Say = Callable[[str], None]


@dataclass(frozen=True)
class Prepared:
    """A plan that stands in the output, and what it takes to carry it out."""

    plan: dict[str, Any]
    inventory: Inventory
    encoder: Encoder
    tokenizer: str


def prepare(config: EtlConfig, store: Store, anew: bool, say: Say) -> Prepared:
    """Take up the plan in ``store``, or make one; ``anew`` deletes what another left."""
    inventory = take_inventory(config)
    if anew:
        _clear(store)
    new, old = plan_of(config, inventory), _read(store)
    if old is not None:
        kept = {key: value for key, value in old.items() if key != "tokenizer_sha256"}
        if changed := difference(kept, new):
            raise Failure(
                f"{store.uri} holds another run: {changed}. Give back what was, or another output, or --anew to "
                "delete that run"
            )
    else:
        _clear(store)  # what a killed start left
    text = _tokenizer(config, inventory, store, old, say)
    if old is None:
        store.put(TOKENIZER, text.encode())
        store.put(PLAN, to_json({**new, "tokenizer_sha256": digest(text.encode())}))
    return Prepared(new, inventory, Encoder(text, config.tokenizer or TOKENIZER), text)


def _read(store: Store) -> dict[str, Any] | None:
    data = store.get(PLAN)
    try:
        plan = json.loads(data) if data is not None else None
    except ValueError:
        plan = {}
    if plan is not None and not (isinstance(plan, dict) and "tokenizer_sha256" in plan):
        raise Failure(f"{store.uri}/{PLAN} is damaged: give another output, or --anew to delete that run")
    return plan


def refuse_places(config: EtlConfig) -> None:
    """Raise :class:`Failure` where a run would write among what it reads, or among its shards what is none of them."""
    written = {"output": config.output, **({"catalogue": config.catalogue} if config.catalogue else {})}
    for name, uri in written.items():
        others = [("source", source) for source in config.sources]
        for kind, other in others if name == "output" else [*others, ("output", config.output)]:
            if lies_in(uri, other):
                raise Failure(f"{name} {uri} lies in {kind} {other}: give one outside of it")


def refuse_strangers(store: Store) -> None:
    """Raise :class:`Failure` where somebody else's things are in the output."""
    if strangers := [name for name in store.names() if not OWN.fullmatch(name)]:
        raise Failure(f"output {store.uri} holds other things ({strangers[0]}): give it a place of its own")


def _clear(store: Store) -> None:
    """The manifest and the plan go first: what is half deleted is no run."""
    for name in sorted(filter(OWN.fullmatch, store.names()), key=lambda name: (name != MANIFEST, name != PLAN, name)):
        store.delete(name)


def _tokenizer(config: EtlConfig, inventory: Inventory, store: Store, old: dict[str, Any] | None, say: Say) -> str:
    """The tokenizer.json of this run: the one in the output, the one given, or a new one."""
    found = store.get(TOKENIZER) if old is not None and not config.tokenizer else None
    if old is not None and found is not None and digest(found) == old["tokenizer_sha256"]:
        return found.decode()
    if config.tokenizer:
        text = _given(config.tokenizer)
    else:
        say("training the tokenizer")
        with Pool(config) as pool:
            text = train(_sample(config, inventory, pool), config.vocabulary)
    if old is not None:
        if digest(text.encode()) != old["tokenizer_sha256"]:
            name = config.tokenizer or f"{store.uri}/{TOKENIZER}"
            raise Failure(f"{name} is not the tokenizer that the run began with: bring it back, or --anew")
        if store.get(TOKENIZER) != text.encode():
            store.put(TOKENIZER, text.encode())
    return text


def _given(uri: str) -> str:
    store, name = open_file(uri)
    data = store.get(name)
    if data is None:
        raise Failure(f"tokenizer {uri} is not there: correct tokenizer, or leave it out to train one")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Failure(f"tokenizer {uri} is no tokenizer.json: it is not UTF-8") from None


def _sample(config: EtlConfig, inventory: Inventory, pool: Pool) -> Iterator[str]:
    """Cleaned documents, chosen by the checksum of their bytes from all over the sources."""
    total = sum(file.size * (_UNPACKED if file.uri.endswith(PACKED) else 1) for file in inventory.files)
    share = min(1.0, config.tokenizer_sample_bytes / max(1, total))

    def chosen() -> Iterator[Record]:
        for record in Reader(inventory, config.max_document_bytes).records():
            if record.data and zlib.crc32(record.data) < share * 2**32:
                yield record

    taken = 0
    for _, (_, texts) in pool.map("texts", batches(chosen(), config.batch_bytes)):
        for text in texts:
            if taken >= 2 * config.tokenizer_sample_bytes:
                return  # the guess was wrong, and this is enough
            taken += len(text)
            yield text
