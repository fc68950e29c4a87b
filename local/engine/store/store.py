"""One stack's state: opened, changed through a journal, committed as a checkpoint, locked meanwhile."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from local.engine.store.checkpoint import read_checkpoint, write_checkpoint
from local.engine.store.errors import StateError, unwritable
from local.engine.store.files import keep_a_copy, remove_unfinished
from local.engine.store.journal import Journal, note_commit, read_head, replay
from local.engine.store.lock import is_held, stack_lock
from local.engine.store.model import Snapshot
from local.engine.store.secrets import SecretsManager
from local.files import sync_folder, write_atomically


@dataclass(frozen=True)
class Recovery:
    """What a run that did not end had left in its journal."""

    command: str  # of that run
    records: int
    pending: int  # operations of whose end nothing is known


def _be_quiet(_: str) -> None:
    pass


class StateStore:
    """The state of one stack in a local file backend of the CLI (project-scoped layout, version 1)."""

    def __init__(
        self,
        backend: Path,
        project: str,
        stack: str,
        secrets: SecretsManager,
        notify: Callable[[str], None] = _be_quiet,
    ) -> None:
        """``notify`` is told, in one sentence each, what the user should know: broken locks, recovered runs."""
        book = backend / ".pulumi"
        self.secrets = secrets
        self.checkpoint_path = book / "stacks" / project / f"{stack}.json"
        self.journal_path = book / "journals" / project / f"{stack}.journal"
        self.recovery: Recovery | None = None  # set by `open` when there was something to recover
        self.backend = backend
        self._lock_folder = book / "locks" / "organization" / project / stack
        self._name = f"organization/{project}/{stack}"
        self._notify = notify
        self._command = ""
        self._is_locked = False
        self._journal: Journal | None = None

    @contextlib.contextmanager
    def lock(self, command: str) -> Iterator[None]:
        """Hold the stack for a ``with`` block; ``command`` tells others what is going on.

        Raises:
            StateLocked: somebody who may be alive holds it; the message names them.
            StateUnwritable: the lock file could not be written.
        """
        with stack_lock(self._lock_folder, command, self._notify):
            self._is_locked, self._command = True, command
            try:
                yield
            finally:
                self._is_locked = False
                if self._journal:
                    self._journal.close()
                    self._journal = None

    def exists(self) -> bool:
        """Whether the stack has a checkpoint or a journal."""
        return self.checkpoint_path.exists() or self.journal_path.exists()

    def open(self) -> Snapshot:
        """The state, with what an unfinished run left in its journal; under the lock that becomes the checkpoint.

        Raises:
            StateDamaged: the checkpoint is not one; the message says how to go back.
            PassphraseError: the passphrase is missing or wrong.
            StateUnwritable: the recovered checkpoint could not be written; the journal stays.
        """
        data = self._read_checkpoint()
        base = read_checkpoint(data, self.checkpoint_path, self.secrets) if data else Snapshot()
        self.secrets.adopt(base.salt)
        try:
            journal = self.journal_path.read_bytes()
        except FileNotFoundError:
            return base
        except OSError as problem:
            raise StateError(f"The journal {self.journal_path} cannot be read: {problem.strerror}.") from None
        return self._recovered(journal, base, _digest(data))

    def journal(self, base: Snapshot) -> Journal:
        """Begin the journal of a run on ``base``, as ``open`` gave it. The lock must be held.

        Raises:
            StateUnwritable: the journal cannot be written.
            PassphraseError: the passphrase is missing or wrong: told here, before anything is done.
        """
        self._demand_lock()
        self.secrets.unlock()
        self._write_meta()
        digest = _digest(self._read_checkpoint())
        self._journal = Journal(self.journal_path, base, digest, self.secrets, self._command)
        return self._journal

    def commit(self, snapshot: Snapshot) -> None:
        """Make ``snapshot`` the checkpoint, keep the one before as ``.bak``, and remove the journal.

        Raises:
            StateUnwritable: there is no room, or no right to write; checkpoint and journal stay as they were.
        """
        self._demand_lock()
        self._write_meta()
        data = write_checkpoint(snapshot, self._name, self.secrets)
        if self._journal:
            self._journal.committing(_digest(data))
        self._write_checkpoint(data)
        if self._journal:
            self._journal.close()
            self._journal = None
        self._remove_journal()

    def _read_checkpoint(self) -> bytes:
        try:
            return self.checkpoint_path.read_bytes()
        except FileNotFoundError:
            packed = [path for end in (".gz", ".zst") if (path := Path(f"{self.checkpoint_path}{end}")).exists()]
            if packed:
                raise StateError(
                    f"The state {packed[0]} is compressed, which this engine does not read. "
                    "Any `pulumi up` without PULUMI_DIY_BACKEND_COMPRESSION and PULUMI_DIY_BACKEND_GZIP unpacks it."
                ) from None
            return b""
        except OSError as problem:
            raise StateError(f"The state {self.checkpoint_path} cannot be read: {problem.strerror}.") from None

    def _recovered(self, journal: bytes, base: Snapshot, digest: str) -> Snapshot:
        head = read_head(journal)
        if head is None or not journal:
            self._remove_journal()
            return base
        self.secrets.adopt(head["salt"])
        replayed = replay(journal, base, self.secrets)
        if digest and replayed.committed_digest == digest:
            self._remove_journal()
            return base
        if replayed.base_digest != digest:
            return self._set_aside(base)
        if not replayed.records:
            self._remove_journal()
            return base
        snapshot = replace(replayed.snapshot, salt=self.secrets.salt)
        if not self._is_locked and is_held(self._lock_folder):
            return snapshot  # a preview beside a run that is under way: its steps so far, and nothing to recover
        self.recovery = Recovery(head.get("command", ""), replayed.records, len(snapshot.pending_operations))
        self._notify(_describe(self.recovery))
        if self._is_locked:
            self._fold(snapshot, len(journal) - replayed.dropped_bytes)
        return snapshot

    def _fold(self, snapshot: Snapshot, whole: int) -> None:
        """Make the checkpoint of a journal whose first ``whole`` bytes were read."""
        data = write_checkpoint(snapshot, self._name, self.secrets)
        try:
            note_commit(self.journal_path, whole, _digest(data))
        except OSError as problem:
            raise unwritable(self.journal_path, problem, kept="Nothing is lost: it was not changed.") from None
        self._write_checkpoint(data)
        self._remove_journal()

    def _set_aside(self, base: Snapshot) -> Snapshot:
        """Another engine changed the checkpoint after the journal's run was killed: it holds no more."""
        if self._is_locked:
            kept = self.journal_path.with_suffix(f".outdated-{time.time_ns()}")
            self.journal_path.replace(kept)
            self._notify(
                f"An earlier run was killed, and the state was changed by the Pulumi CLI since then; what that run "
                f"had noted does not fit any more and was set aside as {kept}. `refresh` finds what differs."
            )
        return base

    def _write_checkpoint(self, data: bytes) -> None:
        path = self.checkpoint_path
        backup = path.with_name(path.name + ".bak")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            written_to = path.resolve()  # a link stays, and what it leads to is replaced
            remove_unfinished(written_to)
            keep_a_copy(written_to, backup)
            write_atomically(path, data, 0o600)
            # The CLI's notes on the files it wrote (content type, MD5) do not fit what is there now.
            for written in (path, backup):
                written.with_name(written.name + ".attrs").unlink(missing_ok=True)
        except OSError as problem:
            kept = f"Nothing is lost: the state before is in {path}, and what was done since in {self.journal_path}."
            raise unwritable(path, problem, kept=kept) from None

    def _write_meta(self) -> None:
        """Say that the backend has the project-scoped layout; without it the CLI would take it for the older one."""
        meta = self.backend / ".pulumi" / "meta.yaml"
        if meta.exists():
            return
        try:
            write_atomically(meta, b"version: 1\n", 0o600)
        except OSError as problem:
            raise unwritable(meta, problem, kept="Nothing was changed.") from None

    def _remove_journal(self) -> None:
        if self._is_locked:
            self.journal_path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                sync_folder(self.journal_path.parent)

    def _demand_lock(self) -> None:
        if not self._is_locked:
            raise RuntimeError("the stack must be locked before its state is changed: `with store.lock(…):`")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest() if data else ""


def _describe(recovery: Recovery) -> str:
    run = f"An earlier `{recovery.command}`" if recovery.command else "An earlier run"
    pending = f"; {recovery.pending} operations were under way" if recovery.pending else ""
    return f"{run} did not end; its {recovery.records} recorded steps are kept{pending}."
