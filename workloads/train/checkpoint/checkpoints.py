"""Checkpoints: written beside the training, and every byte is checked when it comes back.

``step_00000060.0of1.safetensors`` holds the arrays of process 0 of 1, ``step_00000060.json`` says what must be in all
of them (digests, cursor, the batch that comes next), and ``latest.json`` names the newest complete step. They are
written in this order, each atomically, so a writer that is killed leaves the previous checkpoint in force. A damaged
one is passed over for the one before it; where all are damaged, whoever started the training decides.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from train.checkpoint.arrays import Damaged, Entry, Piece, assemble, digests, file_of, pieces_of, read_file, writers
from train.checkpoint.manifest import Manifest, Mark
from train.checkpoint.store import Store
from train.checkpoint.writer import Policy, Writer
from train.config.failure import Failure

LATEST = "latest.json"
_MANIFEST = re.compile(r"step_([0-9]{8})\.json")
_OF_STEP = re.compile(r"step_([0-9]{8})\.")
_POLL_S = 0.05


@dataclass(frozen=True)
class _Save:
    """One checkpoint on its way: the how manyth of this run, this process's pieces of it, and who else has some."""

    number: int
    mark: Mark
    pieces: list[Piece]
    writing: set[int]
    deadline: float


@dataclass
class Checkpoints:
    """The checkpoints of one training under one address; ``say`` is told of each, and of what goes wrong meanwhile.

    Attributes:
        batch_rows: the sequences of a step; 0 where a refusal need not tell.
        settings: what ``training`` is a digest of, by name, for a refusal to tell.
        after: the step that this run goes on after. Later ones that it did not write itself are another run's.
        newest_address: of the last one that was written whole; empty before.
        failure: why the last one could not be written; None after one that could.
    """

    store: Store
    training: str
    say: Callable[[str], None]
    policy: Policy = field(default_factory=Policy)
    writer: Writer = field(default_factory=Writer)
    batch_rows: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    after: int = 0
    newest_address: str = ""
    failure: Failure | None = None
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="checkpoint"))
    _pending: Future[None] | None = None
    _began: float = 0.0
    _step: int = 0
    _number: int = 0
    _written: set[int] = field(default_factory=set[int])
    _told_refusal: bool = False

    def save(self, mark: Mark, state: Any) -> None:
        """Copy the state, and write it while the training goes on. A slow store costs checkpoints, not time.

        Every process calls it: each writes what it has, and process 0 publishes. Raises what nobody foresaw while the
        one before was written.
        """
        self._save(mark, state, time.monotonic() + self.policy.timeout_s)

    def save_last(self, mark: Mark, state: Any) -> str:
        """Write one more, after what is being written; returns its address. Raises :class:`Failure` where it cannot."""
        deadline = time.monotonic() + self.policy.timeout_s  # of both: whoever waits for them waits no longer
        self.wait()
        self._save(mark, state, deadline)
        self.wait()
        if self.failure is not None:
            raise self.failure
        return self.newest_address

    def _save(self, mark: Mark, state: Any, deadline: float) -> None:
        self._number += 1
        own, writing = self._still_writing(), writers(state)
        # All or none must write. Process 0 has waited for all of the last one, and for nobody longer than the deadline.
        told = self.writer.others.from_first(f"train/saving/{self._number}", lambda: own) if len(writing) > 1 else own
        if busy := told or own:
            if own:
                self._refuse(self._number, own)
            self.say(f"the checkpoint of step {mark.step} is left out: {busy}; the storage is slow")
            return
        self._began, self._step = time.monotonic(), mark.step
        save = _Save(self._number, mark, pieces_of(state), writing, deadline)
        self._pending = self._thread.submit(self._try, save)  # which begins with what is copied
        for piece in save.pieces:  # the next step writes into the same memory; what cannot be copied ends the training
            piece.copy.result()

    def _still_writing(self) -> str:
        """Which checkpoint is, in words; empty where none is. Raises what nobody foresaw in the last one."""
        if self._pending is not None and not self._pending.done():
            return f"that of step {self._step} is still being written ({time.monotonic() - self._began:.1f} s so far)"
        self.wait()
        return ""

    def wait(self) -> None:
        """Until nothing is being written."""
        if self._pending is not None:
            self._pending.result()

    def newest(self, like: Any) -> tuple[Manifest, Any] | None:
        """The newest undamaged checkpoint as host arrays shaped like ``like``; None where there is none.

        What killed writers left is removed. Raises :class:`Failure` where the checkpoints here are another training's,
        or all damaged: to begin at step 0 would write over what somebody may still repair.
        """
        self.store.sweep()
        latest = self._latest().get("step")
        # Nothing above the latest: that is from an older run, or half written.
        steps = [step for step in self._steps() if latest is None or step <= latest]
        for step in steps:
            try:
                return self.read(step, like)
            except Damaged as error:
                further = ": trying the one before" if step != steps[-1] else ", and there is none before it"
                self.say(f"the checkpoint of step {step} is damaged ({error}){further}")
        if steps:
            raise self._refusal(f"is damaged, the newest of step {steps[0]}, as the log says of each")
        if latest is not None:
            raise self._refusal(f"is gone, though {LATEST} names that of step {latest}: their manifests are missing")
        return None

    def _refusal(self, what: str) -> Failure:
        return Failure(
            f"every checkpoint in {self.store.uri} {what}. Nothing is removed: put a copy back, or begin at step 0 "
            "with resume false or another checkpoint_uri"
        )

    def pass_over(self) -> None:
        """Begin without what is here: it stays until this run has written the same steps, and never counts as its own.

        What killed writers left is removed.
        """
        self.store.sweep()
        if steps := self._steps():
            self.say(f"{self.store.uri} has checkpoints up to step {steps[0]}: passed over, for resume is false")

    def read(self, step: int, like: Any) -> tuple[Manifest, Any]:
        """One checkpoint; raises :class:`Damaged` where it is not what was written."""
        manifest = Manifest.read(self.store.get(_name(step)), step)
        if manifest.training != self.training:
            raise Failure(
                f"{self.store.uri} holds a checkpoint of another training ({self._how_it_differs(manifest)}): "
                "give another checkpoint_uri or empty this one"
            )
        return manifest, assemble(manifest.entries, self._arrays(manifest.entries), like)

    def _how_it_differs(self, manifest: Manifest) -> str:
        """As far as is told: a manifest has a digest of the settings alone, and :data:`LATEST` of before has none."""
        there, here = self._latest().get("settings") or {}, self.settings
        names = [name for name in here if name in there and there[name] != here[name]]
        found = [f"{name}: {_told(there[name])} there, {_told(here[name])} here" for name in names]
        rows = manifest.cursor // manifest.step if manifest.step else 0
        if self.batch_rows and rows != self.batch_rows:
            found.append(
                f"its steps took {rows} sequences, and these take {self.batch_rows}: batch_size, rounded up so that "
                "each device gets as many"
            )
        return "; ".join(found) or "other text, model, seed or schedule"

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

    def _try(self, save: _Save) -> None:
        try:
            self._write(save)
            self.failure = None
        except BaseException as error:
            self._refuse(save.number, str(error) or type(error).__name__)
            if not isinstance(error, Failure):
                raise  # at the training, which looks at the next
            self.failure = error
            self.say(f"the checkpoint of step {save.mark.step} is not written: {error}. The one before stays in force")

    def _refuse(self, number: int, why: str) -> None:
        """Tell process 0 that the part of this process does not come: it would wait for it."""
        if self.writer.index:
            self.writer.others.publish(f"train/refused/{number}/{self.writer.index}", why)

    def _write(self, save: _Save) -> None:
        """Write, read back, and only then make it the latest."""
        mark = save.mark
        part = f"step_{mark.step:08d}.{self.writer.index}of{self.writer.processes}"
        own = self._write_own(f"{part}.safetensors", save.pieces, mark.step)
        if self.writer.index:
            values = {"attempt": self.writer.attempt, "entries": [asdict(entry) for entry in own]}
            if save.pieces:
                self.store.put(f"{part}.part", json.dumps(values).encode(), "application/json")
            return
        others = [entry for index in sorted(save.writing - {0}) for entry in self._entries_of(index, save)]
        manifest = Manifest(**asdict(mark), training=self.training, entries=(*own, *others))
        self.store.put(_name(mark.step), manifest.to_json(), "application/json")
        # The settings are here, of which older releases read the step alone: a manifest must be all that they know.
        latest = json.dumps({"step": mark.step, "settings": dict(self.settings)})
        self.store.put(LATEST, latest.encode(), "application/json")
        self.newest_address = f"{self.store.uri.rstrip('/')}/{_name(mark.step)}"
        self._written.add(mark.step)
        self.say(f"step {mark.step}: saved as {self.newest_address}")
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
            with suppress(Failure):  # no manifest will name it
                self.store.delete(file)
            raise Failure(f"the parameters are no longer finite at step {step}: no checkpoint is made of them")
        entries = tuple(piece.entry(file, sha256) for piece, sha256 in zip(pieces, hashed.result(), strict=True))
        if self.policy.read_back:
            try:
                self._arrays(entries)
            except Damaged as error:
                raise Failure(f"{self.store.uri} gave other bytes back than were written: {error}") from None
        return entries

    def _entries_of(self, index: int, save: _Save) -> list[Entry]:
        """What another process wrote, once it has."""
        name = f"step_{save.mark.step:08d}.{index}of{self.writer.processes}.part"
        while True:
            is_late = time.monotonic() >= save.deadline  # what is there by then counts
            if why := self.writer.others.published(f"train/refused/{save.number}/{index}"):
                raise Failure(f"process {index} did not write its part: {why}")
            values = json.loads(self.store.get(name) or b"{}")
            if values.get("attempt") == self.writer.attempt:
                return [Entry.read(entry) for entry in values["entries"]]
            if is_late:
                raise Failure(f"process {index} did not write its part within {self.policy.timeout_s:g} s")
            time.sleep(_POLL_S)

    def _steps(self) -> list[int]:
        """Steps that have a manifest, newest first."""
        return sorted((int(found[1]) for found in map(_MANIFEST.fullmatch, self.store.names()) if found), reverse=True)

    def _latest(self) -> dict[str, Any]:
        """What :data:`LATEST` says; nothing where it is missing or damaged, which is told."""
        pointer = self.store.get(LATEST)
        if pointer is None:
            return {}
        try:
            values = json.loads(pointer)
            return {**values, "step": int(values["step"])}
        except (ValueError, KeyError, TypeError):
            self.say(f"{LATEST} is damaged: trying every checkpoint, newest first")
            return {}

    def _drop_old(self, newest: int) -> None:
        """What is refused costs room and no checkpoint: it is told once, and tried again after the next."""
        try:
            for name in self._passing(newest):
                self.store.delete(name)
        except Failure as failure:
            if not self._told_refusal:
                self.say(f"old checkpoints stay, and take room: {failure}. It is tried again after each, and told once")
            self._told_refusal = True

    def _passing(self, newest: int) -> list[str]:
        """The files that go. Manifests do first: without one, nothing else of a checkpoint counts."""
        every, steps = self.policy.keep_every, [step for step in self._steps() if step <= newest]
        own = [step for step in steps if step <= self.after or step in self._written]
        kept = {*own[: self.policy.keep], *(step for step in steps if every and step % every == 0)}
        owners = [(int(found[1]), name) for name in self.store.names() if (found := _OF_STEP.match(name))]
        passing = [name for step, name in owners if step <= newest and step not in kept]
        return sorted(passing, key=lambda name: not _MANIFEST.fullmatch(name))


def _told(value: Any) -> str:
    return "absent" if value is None else str(value)


def _name(step: int) -> str:
    return f"step_{step:08d}.json"
