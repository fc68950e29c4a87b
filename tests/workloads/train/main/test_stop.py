"""Why a process that is told to stop before its first step ends: SIGTERM, or a peer's failure that came before."""

from __future__ import annotations

import os
import signal
import time

import pytest
from train.config.job import load
from train.main import stop
from train.main.run import Run
from train.report import Verdict

TWO = {"JAX_NUM_PROCESSES": "2", "JAX_COORDINATOR_ADDRESS": "host:1", "JOB_COMPLETION_INDEX": "0", "NODE_NAME": "here"}
SIGTERM = "here was told to stop (SIGTERM) while loading, before the first step is done: nothing is saved"
SILENT = "process 1 on there gives no sign of life"


@pytest.fixture
def run() -> Run:
    return Run(load(TWO), {}, Verdict(False, "", "job"), phase="loading")


def reasons(run: Run, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """With what the process would end after one SIGTERM, and whether that is a reason of all."""
    found: list[tuple[str, bool]] = []
    monkeypatch.setattr(run, "fail", lambda reason, of_all: found.append((reason, of_all)))
    monkeypatch.setattr(os, "_exit", lambda status: None)
    woken, wakes = os.pipe()
    os.write(wakes, bytes([signal.SIGTERM]))
    os.close(wakes)
    stop._listen(run, woken)
    return found


def test_what_a_peer_announced_is_the_reason_and_not_the_sigterm_that_followed(run: Run, monkeypatch) -> None:
    monkeypatch.setattr(run.peers, "announced", lambda: "process 1: no disk")
    assert reasons(run, monkeypatch) == [("process 1: no disk (then SIGTERM)", True)]


def test_a_peer_that_is_gone_is_the_reason_and_not_the_sigterm_that_followed(run: Run, monkeypatch) -> None:
    monkeypatch.setattr(run.heartbeat, "silent", lambda: SILENT)
    assert reasons(run, monkeypatch) == [(f"loading failed: {SILENT} (then SIGTERM)", False)]


def test_where_all_peers_are_well_it_is_the_sigterm(run: Run, monkeypatch) -> None:
    assert reasons(run, monkeypatch) == [(SIGTERM, False)]


@pytest.mark.parametrize("asked", ["announced", "silent"])
def test_a_coordinator_that_does_not_answer_holds_the_end_up_for_a_moment_only(run: Run, monkeypatch, asked) -> None:
    monkeypatch.setattr(stop, "_LOOK_S", 0.2)
    monkeypatch.setattr(run.peers if asked == "announced" else run.heartbeat, asked, lambda: time.sleep(20))
    began = time.monotonic()
    assert reasons(run, monkeypatch) == [(SIGTERM, False)]
    assert time.monotonic() - began < 10


def test_a_training_that_begins_while_it_looks_stops_by_itself_and_saves(run: Run, monkeypatch) -> None:
    monkeypatch.setattr(run.heartbeat, "silent", lambda: setattr(run, "training", True))
    assert reasons(run, monkeypatch) == []
