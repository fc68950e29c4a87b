"""The gate that a resumed training passes before its first step: it is the training that was saved, or it does not run.

A lost optimizer state or a batch too many moves the loss by a per cent or two, which no look at a curve finds. So bytes
are compared: those that the devices hold now, and those of the batch that they will be given.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from train.checkpoint.arrays import digests, local_piece, named
from train.checkpoint.manifest import Manifest
from train.config.failure import Failure

CPU = "cpu"  # what JAX calls every kind of CPU, and a topology of them begins with


def batch_digest(rows_BxT1: np.ndarray) -> str:
    """Of a batch's tokens, whatever type they are kept in."""
    return hashlib.sha256(np.ascontiguousarray(rows_BxT1, np.int32).tobytes()).hexdigest()[:16]


def differences(manifest: Manifest, state: Any, cursor: int, next_rows_BxT1: np.ndarray) -> list[str]:
    """What is not as it was saved; pieces that only other processes hold are theirs to check."""
    arrays = dict(named(state))
    held = [(entry, local_piece(arrays[entry.name], entry.place)) for entry in manifest.entries if entry.name in arrays]
    own = [(entry, piece) for entry, piece in held if piece is not None]
    found = [f"{entry.name} is missing" for entry in manifest.entries if entry.name not in arrays]
    for (entry, _), sha256 in zip(own, digests(piece for _, piece in own), strict=True):
        if sha256 != entry.sha256:
            found.append(f"{entry.key} holds other numbers")
    if cursor != manifest.cursor:
        found.append(f"the data goes on at sequence {cursor}, not {manifest.cursor}")
    if batch_digest(next_rows_BxT1) != manifest.next_batch:
        found.append("the next batch is not the one that was to come")
    return found


def check(manifest: Manifest, state: Any, cursor: int, next_rows_BxT1: np.ndarray, topology: str) -> str:
    """What may be expected of the training that goes on; raises :class:`Failure` where it is another one.

    More than that the bytes are the same is promised of CPUs alone: chips compute in bfloat16, and may add up in
    another order each time.
    """
    if found := differences(manifest, state, cursor, next_rows_BxT1):
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise Failure(f"the checkpoint of step {manifest.step} was not restored: {'; '.join(found[:3])}{more}")
    on_cpus = all(each.startswith(CPU) for each in (topology, manifest.topology))
    if topology == manifest.topology:
        return f"{'to the bit: ' if on_cpus else 'with '}same state, same batch, same devices"
    how_far = ", the loss within 1e-5" if on_cpus else ""
    return f"not to the bit{how_far}: saved on {manifest.topology}; now on {topology}"
