"""One at a time on a stack, and nobody waits for the dead."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.engine.store import StateLocked, StateStore
from local.engine.store.lock import holders

LONG_AGO = "2001-01-01T00:00:00Z"


def locks(store: StateStore) -> Path:
    return store.backend / ".pulumi" / "locks" / "organization" / "shop" / "dev"


def leave_a_lock(store: StateStore, **fields: Any) -> Path:
    path = locks(store) / "0b33.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    held = {"pid": 1, "username": "ada", "hostname": socket.gethostname(), "timestamp": "2999-01-01T00:00:00Z"}
    path.write_text(json.dumps({**held, **fields}))
    return path


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_lock_of_a_living_process_is_refused_with_its_holder(store: StateStore) -> None:
    path = leave_a_lock(store, pid=os.getpid(), command="up")
    with pytest.raises(StateLocked) as refusal, store.lock("destroy"):
        pytest.fail("entered a locked stack")
    for part in (f"process {os.getpid()}", "`up`", "ada", socket.gethostname(), "2999-01-01", str(path)):
        assert part in str(refusal.value)
    assert path.exists()
    assert len(holders(locks(store))) == 1, "the refused one left its own lock"


def test_a_lock_of_a_dead_process_is_broken_with_a_notice(store: StateStore, notices: list[str]) -> None:
    pid = ended_process()
    path = leave_a_lock(store, pid=pid)
    with store.lock("up"):
        assert not path.exists()
    assert notices == [n for n in notices if f"process {pid} of ada" in n and "was removed" in n]
    assert len(notices) == 1


def test_a_process_that_only_got_the_number_of_the_holder_does_not_count(store: StateStore, notices: list[str]) -> None:
    leave_a_lock(store, pid=os.getpid(), timestamp=LONG_AGO)  # this process began long after that
    with store.lock("up"):
        assert len(notices) == 1


def test_a_killed_holder_that_nobody_waited_for_counts_as_dead(store: StateStore) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    leave_a_lock(store, pid=process.pid)
    with pytest.raises(StateLocked), store.lock("up"):
        pass
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie from here
    with store.lock("up"):
        pass
    process.communicate()


@pytest.mark.parametrize("fields", [{"hostname": "another", "pid": 1}, {"hostname": "another", "timestamp": LONG_AGO}])
def test_a_lock_of_another_machine_is_never_broken(store: StateStore, fields: dict[str, Any]) -> None:
    leave_a_lock(store, **fields)
    with pytest.raises(StateLocked, match="on another"), store.lock("up"):
        pass


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": "x"}'])
def test_a_lock_that_names_nobody_is_respected(store: StateStore, content: bytes) -> None:
    path = leave_a_lock(store)
    path.write_bytes(content)
    with pytest.raises(StateLocked, match=r"names no holder.*0b33"), store.lock("up"):
        pass


def test_the_lock_is_gone_after_the_run_however_it_ended(store: StateStore) -> None:
    def fail() -> None:
        with store.lock("up"):
            (held,) = holders(locks(store))
            assert (held.pid, held.command) == (os.getpid(), "up")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert holders(locks(store)) == []


def test_two_stacks_do_not_lock_each_other(store: StateStore) -> None:
    other = StateStore(store.backend, "shop", "prod", store.secrets)
    with store.lock("up"), other.lock("up"):
        pass
