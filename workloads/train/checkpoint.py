"""Checkpoints: every byte is checked when it comes back.

``step_00000060.npz`` holds the arrays, ``step_00000060.json`` says what must be in it (digest, size, cursor), and
``latest.json`` names the newest complete step. They are written in this order, each atomically, so a writer that is
killed leaves the previous checkpoint in force. A damaged one is passed over for the one before it.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import jax
import numpy as np

from train.config import Failure
from train.store import Store

LATEST = "latest.json"
_MANIFEST = re.compile(r"step_([0-9]{8})\.json")


@dataclass(frozen=True)
class Manifest:
    """What a checkpoint must hold. ``cursor`` counts the sequences drawn, ``training`` is its settings' digest."""

    step: int
    cursor: int
    training: str
    sha256: str = ""
    size_bytes: int = 0


class Damaged(Exception):
    """A checkpoint that is not what was written."""


class Checkpoints:
    """The checkpoints of one training under one address; ``say`` is told of those that are passed over."""

    def __init__(self, store: Store, keep: int, training: str, say: Callable[[str], None]) -> None:
        self._store, self._keep, self._training, self._say = store, keep, training, say

    def save(self, step: int, cursor: int, tree: Any) -> str:
        """Write, read back, and only then make it the latest; returns its address.

        Raises:
            Failure: the store refuses, gives other bytes back, or the numbers are not finite.
        """
        if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(tree)):
            raise Failure(f"the parameters are no longer finite at step {step}: no checkpoint is made of them")
        data = pack(tree)
        manifest = Manifest(step, cursor, self._training, sha256=digest(data), size_bytes=len(data))
        self._store.put(_name(step, "npz"), data)
        self._store.put(_name(step, "json"), json.dumps(asdict(manifest)).encode(), "application/json")
        try:
            self._bytes(manifest)
        except Damaged as error:
            raise Failure(f"the checkpoint of step {step} came back different: {error}") from None
        self._store.put(LATEST, json.dumps({"step": step}).encode(), "application/json")
        self._drop_old(step)
        return f"{self._store.uri.rstrip('/')}/{_name(step, 'npz')}"

    def newest(self, like: Any) -> tuple[Manifest, Any] | None:
        """The newest undamaged checkpoint as host arrays shaped like ``like``; None where there is none.

        Raises:
            Failure: the checkpoints here are another training's.
        """
        for step in self._candidates():
            try:
                return self.read(step, like)
            except Damaged as error:
                self._say(f"the checkpoint of step {step} is damaged ({error}): trying the one before")
        return None

    def read(self, step: int, like: Any) -> tuple[Manifest, Any]:
        """One checkpoint; raises :class:`Damaged` where it is not what was written."""
        manifest = self._manifest(step)
        if manifest.training != self._training:
            raise Failure(
                f"{self._store.uri} holds a checkpoint of another training (other text, model, seed or schedule): "
                "give another checkpoint_uri or empty this one"
            )
        return manifest, unpack(self._bytes(manifest), like)

    def _steps(self) -> list[int]:
        """Steps that have a manifest, newest first."""
        return sorted((int(found[1]) for found in map(_MANIFEST.fullmatch, self._store.names()) if found), reverse=True)

    def _candidates(self) -> list[int]:
        """Steps to try, newest first: nothing above the latest, for that is from an older run or half written."""
        pointer = self._store.get(LATEST)
        if pointer is None:
            return self._steps()
        try:
            latest = int(json.loads(pointer)["step"])
        except (ValueError, KeyError, TypeError):
            self._say(f"{LATEST} is damaged: trying every checkpoint, newest first")
            return self._steps()
        return [step for step in self._steps() if step <= latest]

    def _manifest(self, step: int) -> Manifest:
        try:
            manifest = Manifest(**json.loads(self._store.get(_name(step, "json")) or b""))
        except (ValueError, TypeError):
            raise Damaged("its manifest cannot be read") from None
        if manifest.step != step:
            raise Damaged(f"its manifest is of step {manifest.step}")
        return manifest

    def _bytes(self, manifest: Manifest) -> bytes:
        data = self._store.get(_name(manifest.step, "npz"))
        if data is None:
            raise Damaged("its arrays are missing")
        if len(data) != manifest.size_bytes:
            raise Damaged(f"{len(data)} bytes, not {manifest.size_bytes}")
        if digest(data) != manifest.sha256:
            raise Damaged("its digest differs")
        return data

    def _drop_old(self, newest: int) -> None:
        for step in [step for step in self._steps() if step <= newest][self._keep :]:
            self._store.delete(_name(step, "json"))
            self._store.delete(_name(step, "npz"))


def _name(step: int, kind: str) -> str:
    return f"step_{step:08d}.{kind}"


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def pack(tree: Any) -> bytes:
    """All arrays of a tree, named by their path, as one npz."""
    leaves = {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}
    buffer = io.BytesIO()
    np.savez(buffer, **leaves)  # type: ignore[arg-type]  # numpy's stub takes the names for options
    return buffer.getvalue()


def unpack(data: bytes, like: Any) -> Any:
    """The tree that :func:`pack` wrote, in the structure of ``like``; raises :class:`Damaged` where it does not fit."""
    paths, structure = jax.tree_util.tree_flatten_with_path(like)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            leaves = [arrays[jax.tree_util.keystr(path)] for path, _ in paths]
    except (ValueError, KeyError, OSError, zipfile.BadZipFile):
        raise Damaged("its arrays cannot be read") from None
    for (path, wanted), leaf in zip(paths, leaves, strict=True):
        if leaf.shape != wanted.shape or leaf.dtype != wanted.dtype:
            raise Damaged(f"{jax.tree_util.keystr(path)} is {leaf.dtype}{leaf.shape}")
    return jax.tree_util.tree_unflatten(structure, leaves)
