"""Checkpoints: written beside the training, and every byte is checked when it comes back.

``step_00000060.0of1.safetensors`` holds the arrays of process 0 of 1, ``step_00000060.json`` says what must be in all
of them (digests, cursor, the batch that comes next), and ``latest.json`` names the newest complete step. They are
written in this order, each atomically, so a writer that is killed leaves the previous checkpoint in force. A damaged
one is passed over for the one before it.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from train.checkpoint.arrays import Damaged, Entry, Piece, assemble, digests, file_of, pieces_of, read_file, writers
from train.checkpoint.store import Store
from train.config.failure import Failure

LATEST = "latest.json"
_MANIFEST = re.compile(r"step_([0-9]{8})\.json")
_OF_STEP = re.compile(r"step_([0-9]{8})\.")
_POLL_S = 0.05


@dataclass(frozen=True)
class Mark:
    """Where in a training a checkpoint is made.

    Attributes:
        cursor: the sequences drawn.
        next_batch: digest of the tokens that are to come next.
        topology: what it was trained on; on the same, it goes on to the bit.
    """

    step: int
    cursor: int
    next_batch: str = ""
    topology: str = ""


@dataclass(frozen=True)
class Manifest(Mark):
    """What a checkpoint must hold. ``training`` is its settings' digest."""

    training: str = ""
    entries: tuple[Entry, ...] = ()

    def to_json(self) -> bytes:
        """With a digest of its own, for a cursor may be damaged too."""
        values = asdict(self)
        return json.dumps({**values, "sha256": _digest(values)}).encode()

    @classmethod
    def read(cls, data: bytes | None, step: int) -> Manifest:
        """Raises :class:`Damaged` where it is not what was written."""
        try:
            values = json.loads(data or b"")
            expected = values.pop("sha256")
            manifest = cls(**{**values, "entries": tuple(map(Entry.read, values["entries"]))})
        except (ValueError, TypeError, KeyError, AttributeError):
            raise Damaged("its manifest cannot be read") from None
        if _digest(values) != expected:
            raise Damaged("its manifest's digest differs")
        if manifest.step != step:
            raise Damaged(f"its manifest is of step {manifest.step}")
        return manifest


def _digest(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Policy:
    """What is kept, and how surely: the newest ``keep``, and for good each step that ``keep_every`` divides."""

    keep: int = 3
    keep_every: int = 0
    read_back: bool = True
    timeout_s: float = 300.0


@dataclass(frozen=True)
class Writer:
    """Which process this is; ``attempt`` is the same at all processes of one start of the job, and at no other."""

    index: int = 0
    processes: int = 1
    attempt: str = ""


@dataclass
class Checkpoints:
    """The checkpoints of one training under one address; ``say`` is told of what goes wrong and is survived.

    Attributes:
        newest_address: of the last one that was written whole; empty before.
        failure: why the last one could not be written; None after one that could.
    """

    store: Store
    training: str
    say: Callable[[str], None]
    policy: Policy = Policy()
    writer: Writer = Writer()
    newest_address: str = ""
    failure: Failure | None = None
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="checkpoint"))
    _pending: Future[None] | None = None
    _began: float = 0.0
    _step: int = 0

    def save(self, mark: Mark, state: Any) -> None:
        """Copy the state, and write it while the training goes on. A slow store costs checkpoints, not time.

        Every process calls it: each writes what it has, and process 0 publishes.
        """
        writing = writers(state)
        if self._pending is not None and not self._pending.done():
            took = f"that of step {self._step} is still being written ({time.monotonic() - self._began:.1f} s so far)"
            if len(writing) == 1:
                self.say(f"the checkpoint of step {mark.step} is left out: {took}; the storage is slow")
                return
            self.say(f"the checkpoint of step {mark.step} waits: {took}; the storage is slow")
            self.wait()  # all processes or none must write, and none knows what the others have done
        self._began, self._step = time.monotonic(), mark.step
        pieces = pieces_of(state)
        self._pending = self._thread.submit(self._try, mark, pieces, writing)  # which begins with what is copied
        for piece in pieces:  # the next step writes into the same memory; and what cannot be copied ends the training
            piece.copy.result()

    def save_last(self, mark: Mark, state: Any) -> str:
        """Write one more, after what is being written; returns its address. Raises :class:`Failure` where it cannot."""
        self.wait()
        self.save(mark, state)
        self.wait()
        if self.failure is not None:
            raise self.failure
        return self.newest_address

    def wait(self) -> None:
        """Until nothing is being written."""
        if self._pending is not None:
            self._pending.result()

    def newest(self, like: Any) -> tuple[Manifest, Any] | None:
        """The newest undamaged checkpoint as host arrays shaped like ``like``; None where there is none.

        What killed writers left is removed. Raises :class:`Failure` where the checkpoints here are another training's.
        """
        self.store.sweep()
        for step in self._candidates():
            try:
                return self.read(step, like)
            except Damaged as error:
                self.say(f"the checkpoint of step {step} is damaged ({error}): trying the one before")
        return None

    def read(self, step: int, like: Any) -> tuple[Manifest, Any]:
        """One checkpoint; raises :class:`Damaged` where it is not what was written."""
        manifest = Manifest.read(self.store.get(_name(step)), step)
        if manifest.training != self.training:
            raise Failure(
                f"{self.store.uri} holds a checkpoint of another training (other text, model, seed or schedule): "
                "give another checkpoint_uri or empty this one"
            )
        return manifest, assemble(manifest.entries, self._arrays(manifest.entries), like)

    def _arrays(self, entries: tuple[Entry, ...]) -> dict[tuple[str, str], np.ndarray]:
        """The pieces that these entries list, by file and name; raises :class:`Damaged`."""
        found: dict[tuple[str, str], np.ndarray] = {}
        for file in sorted({entry.file for entry in entries}):
            if (data := self.store.get(file)) is None:
                raise Damaged("its arrays are missing")
            found |= {(file, key): array for key, array in read_file(data).items()}
        for entry in entries:
            if (entry.file, entry.key) not in found:
                raise Damaged(f"{entry.key} is missing")
        differing = digests(found[entry.file, entry.key] for entry in entries)
        for entry, sha256 in zip(entries, differing, strict=True):
            if sha256 != entry.sha256:
                raise Damaged(f"the digest of {entry.key} differs")
        return found

    def _try(self, mark: Mark, pieces: list[Piece], writing: set[int]) -> None:
        try:
            self._write(mark, pieces, writing)
            self.failure = None
        except Failure as failure:
            self.failure = failure
            self.say(f"the checkpoint of step {mark.step} is not written: {failure}. The one before stays in force")

    def _write(self, mark: Mark, pieces: list[Piece], writing: set[int]) -> None:
        """Write, read back, and only then make it the latest."""
        part = f"step_{mark.step:08d}.{self.writer.index}of{self.writer.processes}"
        own = self._write_own(f"{part}.safetensors", pieces, mark.step)
        if self.writer.index:
            values = {"attempt": self.writer.attempt, "entries": [asdict(entry) for entry in own]}
            if pieces:
                self.store.put(f"{part}.part", json.dumps(values).encode(), "application/json")
            return
        others = [entry for index in sorted(writing - {0}) for entry in self._entries_of(index, mark.step)]
        manifest = Manifest(**asdict(mark), training=self.training, entries=(*own, *others))
        self.store.put(_name(mark.step), manifest.to_json(), "application/json")
        self.store.put(LATEST, json.dumps({"step": mark.step}).encode(), "application/json")
        self.newest_address = f"{self.store.uri.rstrip('/')}/{_name(mark.step)}"
        self._drop_old(mark.step)

    def _write_own(self, file: str, pieces: list[Piece], step: int) -> tuple[Entry, ...]:
        """Hash and look at the numbers beside the writing: a disk and a processor have both something to do."""
        if not pieces:
            return ()
        with ThreadPoolExecutor(1) as beside:
            # When all are copied, and not before: the training waits for the copies alone.
            hashed = beside.submit(lambda: digests([piece.data for piece in pieces]))
            finite = beside.submit(lambda: all(bool(np.isfinite(piece.data).all()) for piece in pieces))
            self.store.put(file, file_of(pieces))
        if not finite.result():
            self.store.delete(file)
            raise Failure(f"the parameters are no longer finite at step {step}: no checkpoint is made of them")
        entries = tuple(piece.entry(file, sha256) for piece, sha256 in zip(pieces, hashed.result(), strict=True))
        if self.policy.read_back:
            try:
                self._arrays(entries)
            except Damaged as error:
                raise Failure(f"{self.store.uri} gave other bytes back than were written: {error}") from None
        return entries

    def _entries_of(self, index: int, step: int) -> list[Entry]:
        """What another process wrote, once it has."""
        name = f"step_{step:08d}.{index}of{self.writer.processes}.part"
        deadline = time.monotonic() + self.policy.timeout_s
        while time.monotonic() < deadline:
            values = json.loads(self.store.get(name) or b"{}")
            if values.get("attempt") == self.writer.attempt:
                return [Entry.read(entry) for entry in values["entries"]]
            time.sleep(_POLL_S)
        raise Failure(f"process {index} did not write its part within {self.policy.timeout_s:g} s")

    def _steps(self) -> list[int]:
        """Steps that have a manifest, newest first."""
        return sorted((int(found[1]) for found in map(_MANIFEST.fullmatch, self.store.names()) if found), reverse=True)

    def _candidates(self) -> list[int]:
        """Steps to try, newest first: nothing above the latest, for that is from an older run or half written."""
        pointer = self.store.get(LATEST)
        if pointer is None:
            return self._steps()
        try:
            latest = int(json.loads(pointer)["step"])
        except (ValueError, KeyError, TypeError):
            self.say(f"{LATEST} is damaged: trying every checkpoint, newest first")
            return self._steps()
        return [step for step in self._steps() if step <= latest]

    def _drop_old(self, newest: int) -> None:
        """Manifests go first: without one, nothing else of a checkpoint counts."""
        every, steps = self.policy.keep_every, [step for step in self._steps() if step <= newest]
        kept = {*steps[: self.policy.keep], *(step for step in steps if every and step % every == 0)}
        owners = [(int(found[1]), name) for name in self.store.names() if (found := _OF_STEP.match(name))]
        passing = [name for step, name in owners if step <= newest and step not in kept]
        for name in sorted(passing, key=lambda name: not _MANIFEST.fullmatch(name)):
            self.store.delete(name)


def _name(step: int) -> str:
    return f"step_{step:08d}.json"
