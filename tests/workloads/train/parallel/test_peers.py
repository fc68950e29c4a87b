"""What a process says of those that it cannot find, and hears of those that go."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from types import SimpleNamespace

import pytest
from train.config.job import Accelerator, Job
from train.config.settings import TrainConfig
from train.parallel.peers import Peers

JOB = Job(TrainConfig(), Accelerator(), "job", "node", 2, 1, "smoke-test-0.invalid:55527")


def test_a_coordinator_whose_name_has_no_address_points_to_names_and_not_to_processes() -> None:
    peers = Peers(JOB)
    assert peers.diagnose().startswith("the name smoke-test-0.invalid has no address (")


def listening(read: Callable[[str, int], str]) -> tuple[Peers, SimpleQueue[str]]:
    """One that hears of failures from the coordinator, which is asked by ``read``; and what it heard."""
    peers, heard = Peers(JOB), SimpleQueue[str]()
    peers._client = SimpleNamespace(blocking_key_value_get=read)
    peers.listen(heard.put)
    return peers, heard


def gone(key: str, timeout_ms: int) -> str:
    raise RuntimeError("UNAVAILABLE: failed to connect to all addresses")


def test_a_coordinator_that_vanishes_is_told_as_process_0() -> None:
    _, heard = listening(gone)
    assert heard.get(timeout=10) == "process 0 at smoke-test-0.invalid:55527 is gone"


def test_why_another_one_fails_is_heard_in_its_own_words() -> None:
    _, heard = listening(lambda key, timeout_ms: "node-1: its disk is full")
    assert heard.get(timeout=10) == "node-1: its disk is full"


def test_who_leaves_by_itself_does_not_mind_that_the_coordinator_goes() -> None:
    peers, heard = Peers(JOB), SimpleQueue[str]()
    peers._client, peers._leaving = SimpleNamespace(blocking_key_value_get=gone), True
    peers._listen(heard.put)
    with pytest.raises(Empty):
        heard.get_nowait()
