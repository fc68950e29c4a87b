"""Writing and reading where checkpoints go: the bytes that come back, and how fast."""

from __future__ import annotations

import os
import time

from train.checkpoint.store import Store
from train.config.failure import Failure

_REPEATS = 3
SIZE_BYTES = 4 << 20  # a checkpoint of the small model; larger ones would tell the medium's limit, and take its time


def time_store(store: Store, index: int) -> tuple[float, float]:
    """Bytes a second written (on the disk when it is one: the store syncs) and read back: the best of some times.

    The first is not counted: it finds the address, agrees on keys and fetches credentials, when all others do.

    Raises:
        Failure: the store refuses, or gives other bytes back.
    """
    name, data = f"check_{index}.bin", os.urandom(SIZE_BYTES)
    store.put(name, data)
    try:
        times = [_time_once(store, name, data, index) for _ in range(_REPEATS)]
    finally:
        store.delete(name)
    written_s, read_s = (min(seconds) for seconds in zip(*times, strict=True))
    return SIZE_BYTES / written_s, SIZE_BYTES / read_s


def _time_once(store: Store, name: str, data: bytes, index: int) -> tuple[float, float]:
    start = time.perf_counter()
    store.put(name, data)
    written = time.perf_counter()
    found = store.get(name)
    read = time.perf_counter()
    if found != data:
        raise Failure(f"{store.uri} gave other bytes back than process {index} wrote")
    return written - start, read - written
