"""The way through the sources: what a batch adds, when a shard is full, and what stands then."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from etl.config import EtlConfig, Failure
from etl.dedup import Index
from etl.manifest import MANIFEST, Counts, State, manifest_of, state_name
from etl.plan import Prepared, Say
from etl.shards import digest, name_of, pack
from etl.source import Reader, Record
from etl.store import Store
from etl.worker import Outcome, Pool, batches

_SAY_EVERY_S = 5.0


class Segment:
    """The way from one shard to the next that is good already, or to the end of the sources."""

    def __init__(self, config: EtlConfig, store: Store, prepared: Prepared, states: Iterable[State], say: Say) -> None:
        self._config, self._store, self._prepared, self._say = config, store, prepared, say
        self._reader = Reader(prepared.inventory, config.max_document_bytes)
        self._index = Index(config.near_duplicates)
        self._counts, self._position = Counts(), (0, 0)
        self._digested = 0  # files whose digests the states so far have
        self._shards: list[dict[str, Any]] = []
        self._all_lengths: list[np.ndarray] = []
        self._parts: list[np.ndarray] = []
        self._filled, self._beginnings = 0, list[int]()
        self._lengths, self._keys, self._signatures = list[int](), list[np.ndarray](), list[np.ndarray]()
        for state in states:
            self._absorb(state)
        self._began = self._said = time.monotonic()
        self._read_before = self._counts.bytes_read

    def carry_out(self, pool: Pool, good: list[bool], manifest: Any) -> bool:
        """Make shards; True where the sources have ended, False where the next shard is good already."""
        self._good, self._known = good, manifest["shards"] if manifest else []
        if not self._commit_full():  # the document in whose middle it goes on may fill more than one
            return False
        work = batches(self._reader.records(*self._position), self._config.batch_bytes)
        results = pool.map("outcome", work)
        for batch, outcome in results:
            if not self._take(batch, outcome):
                results.close()
                return False
            self._tell()
        return not self._filled or self._commit(self._filled)

    def manifest(self) -> dict[str, Any]:
        """What there is to say at the end. Raises :class:`Failure` where nothing was kept."""
        if not self._shards:
            counts = self._counts
            reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(counts.dropped.items()))
            raise Failure(
                f"all {counts.documents_read} documents were dropped ({reasons or 'none was there'}): see clean"
            )
        plan, lengths = self._prepared.plan, np.concatenate(self._all_lengths)
        return manifest_of(plan, self._prepared.encoder, self._counts, self._reader.digests, self._shards, lengths)

    def _take(self, batch: list[Record], outcome: Outcome) -> bool:
        """Add a batch to what stands; False where the next shard is good already."""
        verdicts = self._index.judge(outcome.keys, outcome.signatures)
        counts, passed = self._counts, -1
        for record, reason in zip(batch, outcome.reasons, strict=True):
            self._position = (record.file, record.number + 1)
            counts.documents_read += 1
            counts.bytes_read += len(record.data or b"")
            if reason:
                counts.dropped[reason] = counts.dropped.get(reason, 0) + 1
                counts.first_dropped.setdefault(reason, self._place(record))
                continue
            passed += 1
            if kind := verdicts[passed]:
                counts.duplicates[kind] = counts.duplicates.get(kind, 0) + 1
                continue
            self._add(outcome, passed)
            if not self._commit_full():
                return False
        return True

    def _place(self, record: Record) -> str:
        """Its file, and its line where it is one."""
        uri = self._prepared.inventory.files[record.file].uri
        return f"{uri}:{record.number + 1}" if record.jsonl else uri

    def _add(self, outcome: Outcome, place: int) -> None:
        tokens, counts = outcome.tokens[place], self._counts
        counts.documents_kept += 1
        counts.bytes_kept += outcome.text_bytes[place]
        counts.tokens += len(tokens) + 1
        self._beginnings.append(self._filled)
        self._parts += [tokens, np.array([self._prepared.encoder.end_of_text], tokens.dtype)]
        self._filled += len(tokens) + 1
        self._lengths.append(len(tokens))
        self._keys.append(outcome.keys[place])
        self._signatures.append(outcome.signatures[place])

    def _commit_full(self) -> bool:
        """Write all shards that are full; False where the next one is good already."""
        while self._filled >= self._config.shard_tokens:
            if not self._commit(self._config.shard_tokens):
                return False
        return True

    def _commit(self, size: int) -> bool:
        """Write a shard of ``size`` tokens, then its state; False where the next one is good already."""
        number, tokens = len(self._shards), np.concatenate(self._parts)
        data = pack(number, self._prepared.encoder.vocabulary, tokens[:size], self._beginnings)
        shard = {
            "file": name_of(number), "sha256": digest(data), "bytes": len(data), "tokens": size,
            "documents": len(self._beginnings),
        }  # fmt: skip
        if number < len(self._known) and self._known[number] != shard:
            raise Failure(
                f"{name_of(number)} made again is not the one of {MANIFEST}: a source or a program changed unnoticed; "
                "run it with --anew"
            )
        state = self._state(shard, tokens[size:])
        self._store.put(name_of(number), data)
        self._store.put(state_name(number), state.pack())
        self._absorb(state, known=True)
        if number < len(self._good):
            self._good[number] = True
        return not (number + 1 < len(self._good) and self._good[number + 1])

    def _state(self, shard: dict[str, Any], carry: np.ndarray) -> State:
        file, number = self._position
        near = self._config.near_duplicates
        bands = near.bands if near.enabled else 0
        digests = {index: self._reader.digests[index] for index in range(self._digested, file)}
        return State(
            file, number, self._counts, digests, shard, carry,
            np.array(self._keys, np.uint64).reshape(len(self._keys), 1 + bands),
            np.array(self._signatures, np.uint16).reshape(len(self._signatures), bands * near.rows),
            np.array(self._lengths, np.uint32),
        )  # fmt: skip

    def _absorb(self, state: State, known: bool = False) -> None:
        """Stand where ``state`` says; ``known`` where it was made here, and its documents are in the index."""
        if not known:
            self._index.add(state.keys, state.signatures)
            self._counts, self._position = state.counts, (state.file, state.number)
            self._reader.digests.update(state.source_digests)
        self._shards.append(state.shard)
        self._digested = state.file
        self._all_lengths.append(state.lengths)
        self._parts, self._filled, self._beginnings = [state.carry], len(state.carry), []
        self._lengths, self._keys, self._signatures = [], [], []

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._said >= _SAY_EVERY_S:
            self._said, counts = now, self._counts
            rate = (counts.bytes_read - self._read_before) / 1e6 / (now - self._began)
            self._say(
                f"{counts.documents_read:,} documents, {counts.bytes_read / 1e6:,.0f} MB read ({rate:.1f} MB/s), "
                f"{counts.tokens:,} tokens, {len(self._shards)} shard(s)"
            )
