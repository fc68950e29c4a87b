"""What a run began with, where it stands, and what it made: ``plan.json``, ``tokens-*.state``, ``manifest.json``."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import re
import unicodedata
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from etl.config import EtlConfig
from etl.shards import Damaged
from etl.source import Inventory
from etl.tokenizer import LIBRARY, Encoder

PLAN, MANIFEST, TOKENIZER = "plan.json", "manifest.json", "tokenizer.json"
OWN = re.compile(r"plan\.json|manifest\.json|tokenizer\.json|tokens-\d{5,}\.(bin|state)")  # all that a run writes
FORMAT = 2  # of everything that is written here; another one is another run
_PERCENTILES = (1, 5, 25, 50, 75, 95, 99)


def to_json(value: Any) -> bytes:
    """Readable, and the same for the same value."""
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()


def plan_of(config: EtlConfig, inventory: Inventory) -> dict[str, Any]:
    """All that decides what is written. A run goes on only where all of it is the same."""
    files = [{"uri": file.uri, "size": file.size, "version": file.version} for file in inventory.files]
    return {"config": config.content(), "versions": versions(), "sources": files, "ignored": inventory.ignored}


def versions() -> dict[str, Any]:
    """Of what decides the bytes; Python brings the tables of Unicode."""
    return {"format": FORMAT, "tokenizer": LIBRARY, "unicode": unicodedata.unidata_version}


def difference(old: Any, new: Any, where: str = "") -> str | None:
    """The first thing in which two plans differ, in words; None where they do not."""
    if isinstance(old, dict) and isinstance(new, dict):
        parts = [(key, old.get(key), new.get(key)) for key in sorted({*old, *new})]
    elif isinstance(old, list) and isinstance(new, list) and where in ("sources", "ignored"):
        if len(old) != len(new):
            return f"{where} has {len(new)} files, was {len(old)}"
        parts = [(f"[{number}]", *pair) for number, pair in enumerate(zip(old, new, strict=True))]
    else:
        return None if old == new else f"{where} is {new!r}, was {old!r}"
    found = (difference(a, b, f"{where}.{key}" if where and key[0] != "[" else f"{where}{key}") for key, a, b in parts)
    return next(filter(None, found), None)


@dataclass
class Counts:
    """What was read and what became of it, up to one document; ``first_dropped``: where each reason was met first."""

    documents_read: int = 0
    bytes_read: int = 0
    documents_kept: int = 0
    bytes_kept: int = 0
    tokens: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    first_dropped: dict[str, str] = field(default_factory=dict)
    duplicates: dict[str, int] = field(default_factory=dict)


@dataclass
class State:
    """Where a run stands when a shard is full; enough to go on from there, with the states before it.

    ``shard`` is what the manifest will say of it, ``file`` and ``number`` are the next record to read, ``carry`` the
    tokens of the last document that did not fit. ``source_digests`` are of the files that were read to their end since
    the shard before, ``keys``, ``signatures`` and ``lengths`` of the documents that were kept since then.
    """

    file: int
    number: int
    counts: Counts
    source_digests: dict[int, str]
    shard: dict[str, Any]
    carry: np.ndarray
    keys: np.ndarray
    signatures: np.ndarray
    lengths: np.ndarray

    def pack(self) -> bytes:
        """Bytes that begin with their own SHA-256."""
        values = {key: value for key, value in vars(self).items() if not isinstance(value, np.ndarray)}
        values["counts"] = asdict(self.counts)
        arrays: dict[str, Any] = {key: value for key, value in vars(self).items() if isinstance(value, np.ndarray)}
        file = io.BytesIO()
        np.savez(file, head=np.frombuffer(to_json(values), np.uint8), **arrays)
        data = file.getvalue()
        return hashlib.sha256(data).digest() + data

    @staticmethod
    def unpack(data: bytes) -> State:
        """Raises :class:`Damaged` for bytes that are not what was packed."""
        if hashlib.sha256(data[32:]).digest() != data[:32]:
            raise Damaged("its SHA-256 is not the one that it begins with")
        with np.load(io.BytesIO(data[32:]), allow_pickle=False) as arrays:
            values = json.loads(arrays["head"].tobytes())
            rest = {key: arrays[key] for key in arrays.files if key != "head"}
        counts = Counts(**values.pop("counts"))
        digests = {int(key): value for key, value in values.pop("source_digests").items()}
        return State(counts=counts, source_digests=digests, **values, **rest)


def state_name(number: int) -> str:
    """The state that stands beside the shard of that number."""
    return f"tokens-{number:05}.state"


def manifest_of(
    plan: dict[str, Any], encoder: Encoder, counts: Counts, digests: dict[int, str], shards: list[dict[str, Any]],
    lengths: np.ndarray,
) -> dict[str, Any]:  # fmt: skip
    """What is written last: with it the data is whole."""
    sources = [
        {"uri": file["uri"], "bytes": file["size"], "sha256": digests[number]}
        for number, file in enumerate(plan["sources"])
    ]
    return {
        "versions": {**plan["versions"], "python": platform.python_version()},
        "config": plan["config"],
        "config_sha256": hashlib.sha256(to_json(plan["config"])).hexdigest(),
        "tokenizer": {
            "file": TOKENIZER, "sha256": encoder.digest, "vocabulary": encoder.vocabulary,
            "end_of_text": encoder.end_of_text,
        },
        "token_bytes": encoder.dtype.itemsize,
        "sources": sources,
        "ignored_sources": plan["ignored"],
        "shards": shards,
        "statistics": statistics(counts, lengths),
    }  # fmt: skip


def row_of(output: str, manifest: dict[str, Any]) -> bytes:
    """The manifest and where it stands in one line, as tables of JSON have their rows."""
    return (json.dumps({**manifest, "output": output}, sort_keys=True) + "\n").encode()


def statistics(counts: Counts, lengths: np.ndarray) -> dict[str, Any]:
    """The counts, and how long documents are in tokens. ``tokens`` include one end of text for each document."""
    found = {f"p{share}": int(np.percentile(lengths, share, method="nearest")) for share in _PERCENTILES}
    text = {"min": int(lengths.min()), "max": int(lengths.max()), "mean": round(float(lengths.mean()), 3), **found}
    per_token = round(counts.bytes_kept / max(1, counts.tokens - counts.documents_kept), 4)
    return {**asdict(counts), "bytes_per_token": per_token, "document_tokens": text}
