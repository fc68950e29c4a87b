"""Why a process that is told to stop before its first step ends: the signal, or a peer's failure that came before."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

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


def reasons(run: Run, monkeypatch: pytest.MonkeyPatch, *told: signal.Signals) -> list[tuple[str, bool]]:
    """With what the process would end after these signals, and whether that is a reason of all."""
    found: list[tuple[str, bool]] = []
    monkeypatch.setattr(run, "fail", lambda reason, of_all: found.append((reason, of_all)))
    monkeypatch.setattr(os, "_exit", lambda status: None)
    hear(run, *(told or [signal.SIGTERM]))
    for thread in threading.enumerate():
        if thread.name == "ending":
            thread.join(20)
    return found


def hear(run: Run, *told: signal.Signals) -> None:
    woken, wakes = os.pipe()
    os.write(wakes, bytes(told))
    os.close(wakes)
    stop._listen(run, woken)


def test_what_a_peer_announced_is_the_reason_and_not_the_sigterm_that_followed(run: Run, monkeypatch) -> None:
    monkeypatch.setattr(run.peers, "announced", lambda: "process 1: no disk")
    assert reasons(run, monkeypatch) == [("process 1: no disk (then SIGTERM)", True)]


def test_a_peer_that_is_gone_is_the_reason_and_not_the_sigterm_that_followed(run: Run, monkeypatch) -> None:
    monkeypatch.setattr(run.heartbeat, "silent", lambda: SILENT)
    assert reasons(run, monkeypatch) == [(f"loading failed: {SILENT} (then SIGTERM)", False)]


def test_where_all_peers_are_well_it_is_the_signal(run: Run, monkeypatch) -> None:
    assert reasons(run, monkeypatch) == [(SIGTERM, False)]
    assert reasons(run, monkeypatch, signal.SIGINT) == [(SIGTERM.replace("SIGTERM", "SIGINT"), False)]


def test_a_second_sigterm_and_what_is_no_word_to_stop_change_nothing(run: Run, monkeypatch) -> None:
    assert reasons(run, monkeypatch, signal.SIGALRM, signal.SIGTERM, signal.SIGTERM) == [(SIGTERM, False)]


@pytest.mark.parametrize("is_training", [False, True])
def test_ctrl_c_again_waits_for_nothing_and_says_so(
    run: Run, monkeypatch, tmp_path: Path, capfd: pytest.CaptureFixture[str], is_training: bool
) -> None:
    hangs, ended = threading.Event(), list[int]()
    monkeypatch.setattr(stop, "_end_early", lambda run, told: hangs.wait(20))
    monkeypatch.setattr(os, "_exit", ended.append)
    run.training, run.environ = is_training, {"TERMINATION_LOG": str(tmp_path / "log")}
    hear(run, signal.SIGINT, signal.SIGINT)
    assert ended == [], "one Ctrl-C comes twice where a wrapper passes it on"
    monkeypatch.setattr(stop, "_AGAIN_S", -1.0)
    hear(run, signal.SIGINT, signal.SIGINT)
    assert ended == [130]
    why = "here was told to stop (SIGINT) again while loading: ended at once, without a verdict"
    assert (tmp_path / "log").read_text() == why
    assert capfd.readouterr().err == f"train: FAIL: {why}; checkpoints that were saved stay\n"
    hangs.set()


@pytest.mark.parametrize("ignored", [True, False])
def test_what_a_shell_runs_in_the_background_does_not_hear_ctrl_c(run: Run, ignored: bool) -> None:
    handler = signal.SIG_IGN if ignored else signal.default_int_handler
    before = signal.signal(signal.SIGINT, handler)
    run.training = True  # or it would end this process
    try:
        with stop.signals(run):
            signal.raise_signal(signal.SIGINT)
        assert run.stopping == ("" if ignored else "SIGINT")
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


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
