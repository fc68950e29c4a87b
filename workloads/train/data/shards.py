"""Tokens from the shards that a manifest lists; a folder's are mapped into memory, so that they need not fit there.

Each is read whole once, at the start, and compared with the manifest: damaged tokens would be learnt without a word.

A shard is a header of 64 bytes (``TOKSHARD``, version, bytes a token, number, vocabulary: 4 bytes each; tokens,
documents: 8 bytes each; little-endian), then the tokens. What follows them is not needed here.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from train.checkpoint.store import Store, open_store
from train.config.failure import Failure

_AGAIN = "python -m etl run, with the same configuration, makes it again"
_HEADER = struct.Struct("<8sIIIIQQ24x")


class Tokens:
    """Some arrays end to end, or the part from ``first`` on; indexed by arrays of positions, as one array is."""

    def __init__(self, arrays: Sequence[np.ndarray], first: int = 0, count: int | None = None) -> None:
        self._arrays, self._first = arrays, first
        self._ends = np.cumsum([len(array) for array in arrays])
        self._count = int(self._ends[-1]) - first if count is None else count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, positions: np.ndarray) -> np.ndarray:
        places = positions + self._first
        owners = np.searchsorted(self._ends, places, side="right")
        found = np.empty(places.shape, np.int32)
        for owner in np.unique(owners):
            here = owners == owner
            begin = int(self._ends[owner]) - len(self._arrays[owner])
            found[here] = self._arrays[owner][places[here] - begin]
        return found


def read_shards(uri: str, vocabulary: int, verify: bool = True) -> tuple[list[np.ndarray], str]:
    """The tokens of each shard, and a digest of all; of a folder compared with the manifest's where ``verify`` says so.

    Raises:
        Failure: they are not whole, or tokens are too large for the vocabulary.
    """
    store = open_store(uri)
    data = store.get("manifest.json")
    if data is None:
        raise Failure(f"{uri} has no manifest.json: its run is not finished, or corpus_uri is wrong")
    try:
        manifest = json.loads(data)
        needed, shards = manifest["tokenizer"]["vocabulary"], manifest["shards"]
        if needed > vocabulary:
            raise Failure(f"{uri} holds tokens of a vocabulary of {needed}: set model.vocabulary to {needed} or more")
        arrays = [_read(store, uri, shard, verify) for shard in shards]
        digest = hashlib.sha256("".join(shard["sha256"] for shard in shards).encode()).hexdigest()[:16]
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(f"{uri}/manifest.json cannot be used ({type(error).__name__}): {_AGAIN}") from None
    return arrays, digest


def _read(store: Store, uri: str, shard: dict[str, Any], verify: bool) -> np.ndarray:
    where, sha256 = f"{uri}/{shard['file']}", shard["sha256"]
    if urlsplit(uri).scheme == "s3":
        data = store.get(shard["file"])
        if data is None:
            raise Failure(f"{where} is missing: {_AGAIN}")
        _compare(where, hashlib.sha256(data).hexdigest(), sha256)
        buffer = np.frombuffer(data, np.uint8)
    else:
        path = Path(where.removeprefix("file://"))
        try:
            if verify:
                with path.open("rb") as file:  # not what is mapped: of a disk that fails a map tells by a signal
                    _compare(where, hashlib.file_digest(file, "sha256").hexdigest(), sha256)
            buffer = np.memmap(path, np.uint8, "r")
        except OSError as error:
            raise Failure(f"cannot read {where}: {error.strerror}: {_AGAIN}") from None
    magic, version, itemsize, *_, count, _ = _HEADER.unpack_from(buffer[: _HEADER.size].tobytes().ljust(64, b"\0"))
    if (magic, version, len(buffer), count) != (b"TOKSHARD", 1, shard["bytes"], shard["tokens"]):
        raise Failure(f"{where} is not the shard that manifest.json lists: {_AGAIN}")
    return buffer[_HEADER.size : _HEADER.size + count * itemsize].view(f"<u{itemsize}")


def _compare(where: str, found: str, listed: str) -> None:
    if found != listed:
        raise Failure(f"{where} is damaged, for its SHA-256 is not the one in manifest.json: {_AGAIN}")
