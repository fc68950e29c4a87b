"""A stack's state over several runs, some of which are killed, or find no room."""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.engine.store import (
    PassphraseError,
    Recovery,
    ResourceState,
    Secret,
    SecretsManager,
    Snapshot,
    StateDamaged,
    StateError,
    StateStore,
    StateUnwritable,
    files,
)

Make = Callable[..., ResourceState]


def run(store: StateStore, *states: ResourceState) -> None:
    """A whole run that creates ``states``."""
    with store.lock("up"), store.journal(store.open()) as journal:
        for state in states:
            journal.end(journal.begin("creating", state), put=[state])
        store.commit(journal.snapshot())


def killed_run(store: StateStore, made: list[ResourceState], under_way: list[ResourceState]) -> None:
    """A run of which only the journal is left."""
    with store.lock("up"), store.journal(store.open()) as journal:
        for state in made:
            journal.end(journal.begin("creating", state), put=[state])
        for state in under_way:
            journal.begin("creating", state)


def names(snapshot: Snapshot) -> list[str]:
    return [state.name for state in snapshot.resources]


def test_a_new_stack_is_empty_and_looking_at_it_writes_nothing(store: StateStore) -> None:
    assert store.open() == Snapshot()
    assert not store.backend.exists()


def test_what_a_run_made_is_there_in_the_next(store: StateStore, thing: Make) -> None:
    run(store, thing("a", outputs={"k": Secret("canary")}), thing("b"))
    run(store, thing("c"))
    assert names(store.open()) == ["a", "b", "c"]
    assert store.open().resources[0].outputs == {"k": Secret("canary")}
    assert not store.journal_path.exists()
    assert store.recovery is None


def test_the_state_before_the_last_change_is_kept_beside_it(store: StateStore, thing: Make) -> None:
    run(store, thing("a"))
    before = store.checkpoint_path.read_bytes()
    run(store, thing("b"))
    assert Path(f"{store.checkpoint_path}.bak").read_bytes() == before
    store.checkpoint_path.write_bytes(b"{")
    with pytest.raises(StateDamaged, match=r"cp .*\.bak"):
        store.open()
    shutil.copy(f"{store.checkpoint_path}.bak", store.checkpoint_path)
    assert names(store.open()) == ["a"]


def test_a_state_that_is_a_link_keeps_its_copy_from_before_too(store: StateStore, thing: Make, tmp_path: Path) -> None:
    run(store, thing("a"))
    elsewhere = tmp_path / "elsewhere.json"
    shutil.move(store.checkpoint_path, elsewhere)
    store.checkpoint_path.symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    run(store, thing("a"), thing("b"))
    assert store.checkpoint_path.is_symlink()
    assert Path(f"{store.checkpoint_path}.bak").read_bytes() == before != elsewhere.read_bytes()


def test_a_killed_run_is_taken_up_where_it_stopped(
    store: StateStore, thing: Make, notices: list[str], secrets: SecretsManager
) -> None:
    run(store, thing("a"))
    killed_run(store, [thing("b", outputs={"k": Secret("canary")})], [thing("c")])
    assert names(store.open()) == ["a", "b"], "a preview sees it too"
    assert store.journal_path.exists(), "and leaves it for the next run"
    with store.lock("up"):
        snapshot = store.open()
    assert names(snapshot) == ["a", "b"]
    assert snapshot.resources[1].outputs == {"k": Secret("canary")}
    assert [pending.resource.name for pending in snapshot.pending_operations] == ["c"]
    assert store.recovery == Recovery("up", 3, 1)
    assert "An earlier `up` did not end; its 3 recorded steps are kept; 1 operations were under way." in notices
    assert not store.journal_path.exists()
    fresh = StateStore(store.backend, "shop", "dev", secrets)
    assert fresh.open() == snapshot
    assert fresh.recovery is None


def test_killed_at_any_byte_of_its_journal_a_run_leaves_a_state_that_opens(store: StateStore, thing: Make) -> None:
    run(store, thing("a"))
    checkpoint = store.checkpoint_path.read_bytes()
    killed_run(store, [thing("b"), thing("c", parent=thing("b").urn)], [thing("d")])
    whole = store.journal_path.read_bytes()
    seen: set[tuple[str, ...]] = set()
    for length in range(0, len(whole) + 1, 7):
        store.checkpoint_path.write_bytes(checkpoint)
        store.journal_path.write_bytes(whole[:length])
        with store.lock("up"):
            snapshot = store.open()
        assert store.open() == snapshot
        assert not store.journal_path.exists()
        seen.add(tuple(names(snapshot)))
    assert seen == {("a",), ("a", "b"), ("a", "b", "c")}


def test_killed_between_the_checkpoint_and_the_journals_removal_nothing_is_done_twice(
    store: StateStore, thing: Make, notices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.lock("up"), store.journal(store.open()) as journal:
        journal.end(journal.begin("creating", thing("a")), put=[thing("a")])
        journal.begin("creating", thing("b"))
        with monkeypatch.context() as patch:
            patch.setattr(store, "_remove_journal", lambda: None)
            store.commit(dataclasses.replace(journal.snapshot(), pending_operations=()))
    assert store.journal_path.exists()
    with store.lock("up"):
        assert store.open().pending_operations == ()
    assert not store.journal_path.exists()
    assert notices == []


def test_killed_while_recovering_the_recovery_is_not_taken_for_a_change_of_somebody_else(
    store: StateStore, thing: Make, notices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_run(store, [thing("a")], [thing("b")])
    with monkeypatch.context() as patch, store.lock("up"):
        patch.setattr(store, "_remove_journal", lambda: None)
        recovered = store.open()
    with store.lock("up"):
        assert store.open() == recovered
    assert len(notices) == 1
    assert not list(store.journal_path.parent.iterdir())


def test_a_journal_that_another_engine_overtook_is_set_aside_and_said(
    store: StateStore, thing: Make, notices: list[str], secrets: SecretsManager
) -> None:
    run(store, thing("a"))
    killed_run(store, [thing("b")], [])
    left = store.journal_path.read_bytes()
    store.journal_path.unlink()
    run(StateStore(store.backend, "shop", "dev", secrets), thing("c"))
    store.journal_path.write_bytes(left)
    with store.lock("up"):
        assert names(store.open()) == ["a", "c"]
    (kept,) = store.journal_path.parent.glob("*.outdated-*")
    assert kept.read_bytes() == left
    assert str(kept) in notices[-1]


def test_a_preview_beside_a_living_run_does_not_call_it_dead(
    store: StateStore, thing: Make, notices: list[str], secrets: SecretsManager
) -> None:
    preview = StateStore(store.backend, "shop", "dev", secrets, notices.append)
    with store.lock("up"), store.journal(store.open()) as journal:
        journal.end(journal.begin("creating", thing("a")), put=[thing("a")])
        assert names(preview.open()) == ["a"]
        assert notices == []
        assert store.journal_path.exists()


def test_a_state_is_changed_under_the_lock_only(store: StateStore) -> None:
    with pytest.raises(RuntimeError, match="locked"):
        store.journal(Snapshot())
    with pytest.raises(RuntimeError, match="locked"):
        store.commit(Snapshot())


def test_a_wrong_passphrase_is_told_before_anything_is_done(store: StateStore, thing: Make) -> None:
    run(store, thing("a"))
    other = StateStore(store.backend, "shop", "dev", SecretsManager("another horse"))
    with other.lock("up"), pytest.raises(PassphraseError, match="is not the one"):
        other.journal(other.open())
    assert not store.journal_path.exists()


def test_another_salt_in_the_stack_file_takes_over_at_the_next_run(store: StateStore, thing: Make) -> None:
    run(store, thing("a", outputs={"k": Secret("s")}))
    theirs = SecretsManager("correct horse").salt
    other = StateStore(store.backend, "shop", "dev", SecretsManager("correct horse", theirs))
    run(other, thing("b"))
    fresh = StateStore(store.backend, "shop", "dev", SecretsManager("correct horse")).open()
    assert fresh.salt == theirs
    assert fresh.resources[0].outputs == {"k": Secret("s")}


def test_a_compressed_state_of_the_cli_is_not_taken_for_a_new_stack(store: StateStore) -> None:
    store.checkpoint_path.parent.mkdir(parents=True)
    Path(f"{store.checkpoint_path}.gz").write_bytes(b"\x1f\x8b")
    with pytest.raises(StateError, match="is compressed"):
        store.open()


def test_temporary_files_of_killed_writers_are_cleared_away(store: StateStore, thing: Make) -> None:
    run(store, thing("a"))
    leftover = store.checkpoint_path.with_name(".dev.json.k1lled")
    leftover.write_text("half")
    run(store, thing("b"))
    assert sorted(path.name for path in leftover.parent.iterdir()) == ["dev.json", "dev.json.bak"]


@pytest.mark.parametrize("call", ["fsync", "replace", "link"])
def test_no_room_for_the_checkpoint_loses_neither_it_nor_the_journal(
    store: StateStore, thing: Make, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    run(store, thing("a"))
    before = store.checkpoint_path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with store.lock("up"), store.journal(store.open()) as journal:
        journal.end(journal.begin("creating", thing("b")), put=[thing("b")])
        with monkeypatch.context() as patch:
            patch.setattr(os, call, full)
            if call == "link":
                patch.setattr(files.shutil, "copyfile", full)
            with pytest.raises(StateUnwritable) as refusal:
                store.commit(journal.snapshot())
    for part in ("no space left", "Nothing is lost", str(store.journal_path), "Free some space"):
        assert part in str(refusal.value)
    assert store.checkpoint_path.read_bytes() == before
    assert not list(store.checkpoint_path.parent.glob(".*")), "a temporary file stayed"
    with store.lock("up"):
        assert names(store.open()) == ["a", "b"]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 96 KiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a tmpfs here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_really_is_full_stops_the_run_and_loses_nothing(
    tiny_disk: Path, secrets: SecretsManager, thing: Make
) -> None:
    store = StateStore(tiny_disk, "shop", "dev", secrets)
    run(store, thing("a"))
    done = ["a"]

    def fill() -> None:
        with store.lock("up"), store.journal(store.open()) as journal:
            for n in range(100):
                state = thing(f"r{n}", inputs={"x": "y" * 2000})
                journal.end(journal.begin("creating", state), put=[state])
                done.append(state.name)

    with pytest.raises(StateUnwritable) as refusal:
        fill()
    assert "no space left" in str(refusal.value)
    assert len(done) > 5
    kept = names(StateStore(tiny_disk, "shop", "dev", secrets).open())
    assert kept == done


def test_sigkill_at_random_moments_never_loses_what_was_acknowledged(
    tmp_path: Path, secrets: SecretsManager, thing: Make
) -> None:
    backend = tmp_path / "state"
    program = f"""
import sys
from pathlib import Path
from local.engine.store import *
from local.engine.store import secrets
secrets.ROUNDS = 1  # as here
store = StateStore(Path({str(backend)!r}), "shop", "dev", SecretsManager("correct horse", {secrets.salt!r}))
with store.lock("up"), store.journal(store.open()) as journal:
    for n in range(100000):
        state = ResourceState(urn=f"urn:pulumi:dev::shop::t::r{{n}}", type="t", custom=True, id=str(n))
        journal.end(journal.begin("creating", state), put=[state])
        print(n, flush=True)
"""
    for lines in (1, 40, 400):
        shutil.rmtree(backend, ignore_errors=True)
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        assert process.stdout
        acknowledged = [int(process.stdout.readline()) for _ in range(lines)]
        process.kill()
        acknowledged += [int(line) for line in process.stdout.read().splitlines() if line]
        process.wait()
        said: list[str] = []
        store = StateStore(backend, "shop", "dev", secrets, said.append)
        with store.lock("up"):
            snapshot = store.open()
        assert [int(state.id) for state in snapshot.resources][: len(acknowledged)] == acknowledged
        assert len(snapshot.resources) <= len(acknowledged) + 1
        assert "its lock was removed" in said[0]
        assert "did not end" in said[1]


def test_the_files_of_a_state_are_for_their_owner_only(store: StateStore, thing: Make) -> None:
    run(store, thing("a"))
    assert store.checkpoint_path.stat().st_mode & 0o077 == 0
