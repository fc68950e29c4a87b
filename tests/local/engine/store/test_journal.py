"""What a journal says is durable, whole, cheap, and survives being cut off anywhere."""

from __future__ import annotations

import dataclasses
import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local.engine.store import Journal, ResourceState, Secret, SecretsManager, Snapshot, StateStore, StateUnwritable
from local.engine.store import journal as module
from local.engine.store.journal import read_head, replay

Make = Callable[..., ResourceState]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journals" / "dev.journal"


def test_every_prefix_of_a_journal_replays_to_a_state_that_was_true_once(
    path: Path, secrets: SecretsManager, thing: Make
) -> None:
    old = thing("old", inputs={"k": Secret("canary")})
    base = Snapshot((old, thing("gone")), salt=secrets.salt)
    history = [base]
    with Journal(path, base, "digest", secrets) as journal:

        def noted() -> None:
            history.append(journal.snapshot())

        first = journal.begin("creating", thing("new", inputs={"k": Secret("canary")}))
        noted()
        second = journal.begin("deleting", thing("gone"))
        noted()
        journal.end(first, put=[thing("new", id="n", custom=True), dataclasses.replace(old, delete=True, id="o")])
        noted()
        journal.end(second, remove=[thing("gone")])
        noted()
        journal.failed(journal.begin("updating", thing("new")))
        noted()
    data = path.read_bytes()
    assert b"canary" not in data
    told = [(frozenset(s.key for s in snapshot.resources), snapshot.pending_operations) for snapshot in history]
    reached: set[int] = set()
    for length in range(len(data) + 1):
        replayed = replay(data[:length], base, secrets).snapshot
        now = (frozenset(s.key for s in replayed.resources), replayed.pending_operations)
        if now in told:
            reached.add(told.index(now))
        else:  # between `begin` and `failed` of the last operation, which was noted only after both
            assert [pending.type for pending in replayed.pending_operations] == ["updating"]
    # The last moment has the content of the one before its operation, so it counts as that one.
    assert reached == set(range(len(history) - 1))
    assert replay(data, base, secrets).snapshot == history[-1]


def test_bytes_that_were_never_whole_are_passed_over_and_counted(
    path: Path, secrets: SecretsManager, thing: Make
) -> None:
    with Journal(path, Snapshot(), "", secrets) as journal:
        journal.end(journal.begin("creating", thing("a")), put=[thing("a")])
    data = path.read_bytes()
    for rubbish in (b"\0" * 100, b"12345678 {}\n", b"\n\n\n", b'deadbeef {"end": 1}\n' * 3):
        replayed = replay(data + rubbish, Snapshot(), secrets)
        assert [state.name for state in replayed.snapshot.resources] == ["a"]
        assert replayed.dropped_bytes == len(rubbish)


def test_no_single_flipped_bit_is_taken_for_a_record(path: Path, secrets: SecretsManager, thing: Make) -> None:
    with Journal(path, Snapshot(), "", secrets) as journal:
        journal.begin("creating", thing("a"))
    data = path.read_bytes()
    head_ends = data.index(b"\n") + 1
    for place in range(head_ends, len(data)):
        broken = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        assert replay(broken, Snapshot(), secrets).snapshot.pending_operations == ()


def test_a_file_that_is_no_journal_has_no_head() -> None:
    assert read_head(b"") is None
    assert read_head(b'{"version": 3}\n') is None


def test_an_operation_left_open_earlier_stays_pending_until_it_is_settled_or_begun_again(
    path: Path, secrets: SecretsManager, thing: Make
) -> None:
    with Journal(path, Snapshot(), "", secrets) as journal:
        for name in "abc":
            journal.begin("creating", thing(name))
        left = journal.snapshot()
    with Journal(path, left, "", secrets) as journal:
        assert len(journal.snapshot().pending_operations) == 3
        journal.settle(thing("a").urn)
        journal.end(journal.begin("creating", thing("b")), put=[thing("b")])
        now = journal.snapshot()
    assert [pending.resource.name for pending in now.pending_operations] == ["c"]
    assert replay(path.read_bytes(), left, secrets).snapshot == now


def test_a_record_is_on_the_disk_before_the_call_returns(
    path: Path, secrets: SecretsManager, thing: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []

    def fdatasync(descriptor: int) -> None:
        flushed.append(os.fstat(descriptor).st_size)

    monkeypatch.setattr(module.os, "fdatasync", fdatasync)
    with Journal(path, Snapshot(), "", secrets) as journal:
        for name in "abc":
            journal.begin("creating", thing(name))
            assert flushed[-1] == path.stat().st_size
            assert thing(name).urn.encode() in path.read_bytes()


def test_operations_in_parallel_share_their_flushes(
    path: Path, secrets: SecretsManager, thing: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushes: list[None] = []

    def slow(_: int) -> None:
        flushes.append(None)
        time.sleep(0.005)

    monkeypatch.setattr(module.os, "fdatasync", slow)
    with Journal(path, Snapshot(), "", secrets) as journal:

        def work(worker: int) -> None:
            for n in range(10):
                state = thing(f"{worker}-{n}")
                journal.end(journal.begin("creating", state), put=[state])

        threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        made = journal.snapshot()
    assert len(made.resources) == 160
    assert not made.pending_operations
    assert len(flushes) < 320 / 3
    replayed = replay(path.read_bytes(), Snapshot(), secrets).snapshot
    assert {state.key for state in replayed.resources} == {state.key for state in made.resources}


def test_a_record_costs_the_same_however_large_the_state_is(path: Path, secrets: SecretsManager, thing: Make) -> None:
    large = Snapshot(tuple(thing(f"r{n}", inputs={"x": "y" * 100}) for n in range(3000)))
    with Journal(path, large, "", secrets) as journal:
        before = path.stat().st_size
        journal.begin("creating", thing("one more"))
        assert path.stat().st_size - before < 300


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_a_disk_that_takes_half_a_line_loses_nothing_that_was_acknowledged(
    path: Path, secrets: SecretsManager, thing: Make, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    write = os.write
    with Journal(path, Snapshot(), "", secrets) as journal:
        kept = journal.begin("creating", thing("kept"))

        def full(descriptor: int, data: memoryview) -> int:
            if len(data) > 20:
                return write(descriptor, data[:20])
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patch:
            patch.setattr(module.os, "write", full)
            with pytest.raises(StateUnwritable, match="could not be written") as refusal:
                journal.begin("creating", thing("never started"))
        assert str(path) in str(refusal.value)
        with pytest.raises(StateUnwritable):  # also when there is room again: the run has to end
            journal.end(kept, put=[thing("kept")])
        assert "never started" not in str(journal.snapshot())
    replayed = replay(path.read_bytes(), Snapshot(), secrets)
    assert [pending.resource.name for pending in replayed.snapshot.pending_operations] == ["kept"]
    assert replayed.dropped_bytes == 0


def test_ctrl_c_in_the_middle_of_a_write_leaves_no_half_line(
    path: Path, secrets: SecretsManager, thing: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    with Journal(path, Snapshot(), "", secrets) as journal:

        def interrupted(descriptor: int, data: memoryview) -> int:
            write(descriptor, data[:20])
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(module.os, "write", interrupted)
            with pytest.raises(KeyboardInterrupt):
                journal.begin("creating", thing("a"))
        journal.begin("creating", thing("b"))
    replayed = replay(path.read_bytes(), Snapshot(), secrets)
    assert [pending.resource.name for pending in replayed.snapshot.pending_operations] == ["a", "b"]


def test_a_folder_that_cannot_be_made_is_told_before_anything_starts(tmp_path: Path, secrets: SecretsManager) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    store = StateStore(tmp_path / "state", "shop", "dev", secrets)
    with pytest.raises(StateUnwritable, match="could not be written"), store.lock("up"):
        pass
