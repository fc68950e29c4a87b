"""Writing and reading where checkpoints go: the bytes that come back, and how fast."""

from __future__ import annotations

import os
import time

from train.checkpoint.store import Store
from train.config.failure import Failure

SIZE_BYTES = 4 << 20  # a checkpoint of the small model; larger ones would tell the medium's limit, and take its time


def time_store(store: Store, index: int) -> tuple[float, float]:
    """Bytes a second written (on the disk when it is one: the store syncs) and read back.

    Raises:
        Failure: the store refuses, or gives other bytes back.
    """
    name, data = f"check_{index}.bin", os.urandom(SIZE_BYTES)
    start = time.perf_counter()
    store.put(name, data)
    written = time.perf_counter()
    try:
        found = store.get(name)
        read = time.perf_counter()
    finally:
        store.delete(name)
    if found != data:
        raise Failure(f"{store.uri} gave other bytes back than process {index} wrote")
    return SIZE_BYTES / (written - start), SIZE_BYTES / (read - written)
