"""What happens during a run, each step durable before the next: one line a record, appended and flushed to the disk.

The checkpoint holds the whole state and is written once, at the end; until then the journal holds the difference. A
line is ``<CRC-32 of the rest> <JSON>``; what follows the first line that is not whole never was acknowledged, and is
passed over. Several threads share one flush: each waits until its own record is on the disk.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from local.engine.store.errors import StateUnwritable, unwritable
from local.engine.store.model import (
    Operation,
    OperationType,
    ResourceState,
    Snapshot,
    StateKey,
    in_order_of_need,
)
from local.engine.store.resources import decode_resource, encode_resource
from local.engine.store.secrets import SecretsManager
from local.engine.store.values import to_json
from local.files import sync_folder

FORMAT = 1


@dataclass
class WorkingState:
    """A snapshot under change: what the records so far make of the state that the run began with."""

    base: Snapshot
    resources: dict[StateKey, ResourceState] = field(init=False)
    pending: dict[int, Operation] = field(init=False)

    def __post_init__(self) -> None:
        self.resources = {state.key: state for state in self.base.resources}
        # Operations that an earlier run left open count downwards from -1, this run's own from 1.
        self.pending = {-1 - place: pending for place, pending in enumerate(self.base.pending_operations)}

    def begin(self, number: int, operation: Operation) -> None:
        """An operation began; it takes the place of one that an earlier run left open on the same resource."""
        self.settle([operation.resource.urn])
        self.pending[number] = operation

    def end(self, number: int, put: Iterable[ResourceState], remove: Iterable[StateKey]) -> None:
        """An operation ended; what it removed goes first, so that ``put`` may take the same place again."""
        self.pending.pop(number, None)
        for key in remove:
            self.resources.pop(key, None)
        for state in put:
            self.resources[state.key] = state

    def settle(self, urns: Iterable[str]) -> None:
        """What earlier runs left open on these resources has been looked into."""
        settled = set(urns)
        for number, pending in list(self.pending.items()):
            if number < 0 and pending.resource.urn in settled:
                del self.pending[number]

    def snapshot(self) -> Snapshot:
        """The state as of now, in an order that the CLI takes."""
        return replace(
            self.base,
            resources=in_order_of_need(self.resources.values()),
            pending_operations=tuple(self.pending.values()),
        )


class Journal:
    """The journal of one run. Its methods may be called from many threads."""

    def __init__(
        self, path: Path, base: Snapshot, base_digest: str, secrets: SecretsManager, command: str = ""
    ) -> None:
        """Begin the journal of a run on ``base``, whose checkpoint file has the digest ``base_digest``.

        Raises:
            StateUnwritable: the file cannot be made.
        """
        self._path = path
        self._state = WorkingState(base)
        self._secrets = secrets
        self._flushed = threading.Condition()
        self._queue: list[bytes] = []
        self._appended = self._durable = self._operations = self._size = 0
        self._is_flushing = False
        self._failure: StateUnwritable | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
            sync_folder(path.parent)
        except OSError as problem:
            raise unwritable(path, problem, kept="Nothing was changed.") from None
        head = {"journal": FORMAT, "base": base_digest, "salt": secrets.salt, "pid": os.getpid(), "command": command}
        try:
            self._append(head, lambda: None)
        except StateUnwritable:
            self.close()
            path.unlink(missing_ok=True)
            raise

    def begin(self, operation: OperationType, resource: ResourceState) -> int:
        """Say that an operation is about to start; the number names it in ``end`` and ``failed``.

        Raises:
            StateUnwritable: this could not be made durable. Do not start the operation.
        """
        with self._flushed:
            self._operations += 1
            number = self._operations
        record = {"begin": number, "op": operation, "resource": self._encoded(resource)}
        try:
            self._append(record, lambda: self._state.begin(number, Operation(operation, resource)))
        except StateUnwritable:
            with self._flushed:
                self._state.pending.pop(number, None)
            raise
        return number

    def end(self, number: int, *, put: Sequence[ResourceState] = (), remove: Sequence[ResourceState] = ()) -> None:
        """Say what the operation made of the state: entries put (replacing those with the same key) and removed.

        Raises:
            StateUnwritable: this could not be made durable. The operation stays among the pending ones.
        """
        self._change(number, put, remove, is_durable=True)

    def failed(self, number: int) -> None:
        """Say that the operation changed nothing: it is not pending any more."""
        self._change(number, (), (), is_durable=True)

    def record(self, *, put: Sequence[ResourceState] = (), remove: Sequence[ResourceState] = ()) -> None:
        """Change the state without an operation, such as a new dependency of an unchanged resource.

        This is durable with the next durable record, or at the commit.
        """
        self._change(0, put, remove, is_durable=False)

    def settle(self, *urns: str) -> None:
        """Say that operations which an earlier run left open on these resources have been looked into."""
        self._append({"settle": urns}, lambda: self._state.settle(urns), is_durable=False)

    def committing(self, digest: str) -> None:
        """Say that the checkpoint with this digest, which holds all of this, is about to be put in place.

        Killed between that and the removal of the journal, the next opening must not replay it.
        """
        if not self._failure:  # a journal that cannot be written must not stop a checkpoint that can
            self._append({"commit": digest}, lambda: None)

    def snapshot(self) -> Snapshot:
        """The state with everything so far, including the operations that have not ended."""
        with self._flushed:
            return self._state.snapshot()

    def close(self) -> None:
        """Close the file, and leave it: the next opening of the state reads it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _encoded(self, state: ResourceState) -> dict[str, Any]:
        return encode_resource(state, self._secrets.encrypt)

    def _change(
        self, number: int, put: Sequence[ResourceState], remove: Sequence[ResourceState], *, is_durable: bool
    ) -> None:
        keys = [state.key for state in remove]
        record: dict[str, Any] = {"end": number}
        if put:
            record["put"] = [self._encoded(state) for state in put]
        if keys:
            record["remove"] = keys
        self._append(record, lambda: self._state.end(number, put, keys), is_durable=is_durable)

    def _append(self, record: dict[str, Any], apply: Any, *, is_durable: bool = True) -> None:
        line = written_line(record)
        with self._flushed:
            if self._failure:
                raise self._failure
            self._queue.append(line)
            self._appended += 1
            ticket = self._appended
            apply()
            while is_durable and self._durable < ticket:
                if self._failure:
                    raise self._failure
                if self._is_flushing:
                    self._flushed.wait()
                else:
                    self._flush()

    def _flush(self) -> None:
        """Write and flush everything queued, with the lock let go meanwhile so that others can queue."""
        batch, upto = list(self._queue), self._appended
        data = b"".join(batch)
        self._queue.clear()
        self._is_flushing = True
        is_written = False
        self._flushed.release()
        try:
            _write_all(self._file, data)
            os.fdatasync(self._file)
            is_written = True
        except OSError as problem:
            self._fail(problem)
        finally:
            self._flushed.acquire()
            self._is_flushing = False
            if is_written:
                self._size += len(data)
                self._durable = upto
            else:
                # A full disk, or Ctrl-C in the middle of a write: half a line must not hide what comes after it.
                with contextlib.suppress(OSError):
                    os.ftruncate(self._file, self._size)
                self._queue[:0] = batch
            self._flushed.notify_all()

    def _fail(self, problem: OSError) -> None:
        kept = "Everything up to then is kept, and the next run goes on from there."
        self._failure = unwritable(self._path, problem, kept=kept)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def written_line(record: dict[str, Any]) -> bytes:
    """One record as the journal holds it."""
    text = to_json(record).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def note_commit(path: Path, whole: int, digest: str) -> None:
    """Do what ``Journal.committing`` does in a journal that was left behind and whose first ``whole`` bytes count.

    Raises:
        OSError: it could not be written; the records are as they were.
    """
    with path.open("r+b") as file:
        file.truncate(whole)
        file.seek(whole)
        file.write(written_line({"commit": digest}))
        file.flush()
        os.fsync(file.fileno())


@dataclass(frozen=True)
class Replay:
    """What a journal that was left behind says."""

    base_digest: str
    committed_digest: str  # of the checkpoint that holds all of it; empty when it never came to that
    snapshot: Snapshot
    records: int  # read, without the head
    dropped_bytes: int  # after the last whole record


def read_head(data: bytes) -> dict[str, Any] | None:
    """The journal's first record, or None when not even that was written."""
    records, _ = _whole_records(data, limit=1)
    return records[0] if records and records[0].get("journal") == FORMAT else None


def replay(data: bytes, base: Snapshot, secrets: SecretsManager) -> Replay:
    """Apply the records of a journal to the state that it began with.

    Raises:
        PassphraseError, StateDamaged: a secret in it cannot be decrypted.
    """
    records, whole = _whole_records(data)
    head, steps = (records[0], records[1:]) if records else ({}, [])
    salt = head.get("salt", "")

    def decrypt(ciphertext: str, urn: str) -> str:
        return secrets.decrypt(ciphertext, urn, salt)

    state = WorkingState(base)
    committed = ""
    for step in steps:
        if "begin" in step:
            state.begin(step["begin"], Operation(step["op"], decode_resource(step["resource"], decrypt)))
        elif "end" in step:
            put = [decode_resource(entry, decrypt) for entry in step.get("put", ())]
            state.end(step["end"], put, [cast("StateKey", tuple(key)) for key in step.get("remove", ())])
        elif "settle" in step:
            state.settle(step["settle"])
        else:
            committed = step.get("commit", "")
    return Replay(head.get("base", ""), committed, state.snapshot(), len(steps), len(data) - whole)


def _whole_records(data: bytes, limit: int = -1) -> tuple[list[dict[str, Any]], int]:
    """The records up to the first line that is not whole, and how many bytes they take."""
    records: list[dict[str, Any]] = []
    whole = 0
    while len(records) != limit:
        end = data.find(b"\n", whole)
        line = data[whole:end]
        if end < 0 or len(line) < 10 or line[:9] != b"%08x " % zlib.crc32(line[9:]):
            break
        records.append(json.loads(line[9:]))
        whole = end + 1
    return records, whole
