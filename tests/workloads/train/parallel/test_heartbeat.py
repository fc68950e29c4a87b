"""Whom the others wait for, from two readings of everybody's signs."""

from __future__ import annotations

import pytest
from train.config.job import Accelerator, Job
from train.config.settings import TrainConfig
from train.parallel import heartbeat
from train.parallel.heartbeat import Beat, Heartbeat, missing, silent
from train.parallel.peers import Peers


def beats(*stations: int, number: int = 1) -> dict[int, Beat]:
    return {index: Beat(number, station, f"station {station}", f"n{index}") for index, station in enumerate(stations)}


def test_who_gives_no_sign_is_named_before_anybody_who_is_behind() -> None:
    after = {**beats(7, 7, 6, number=3), 1: beats(7, 7)[1]}
    assert missing(beats(7, 7, 6), after, 3) == "process 1 on n1 gives no sign of life"


def test_who_never_gave_a_sign_is_named_by_its_number() -> None:
    assert missing(beats(1), beats(1, number=2), 2) == "process 1 gives no sign of life"


def test_who_is_only_behind_is_not_silent() -> None:
    assert silent(beats(9, 8), beats(9, 8, number=2), 2) == ""
    assert (
        silent(beats(9, 8), {**beats(9, 8, number=2), 1: beats(9, 8)[1]}, 2) == "process 1 on n1 gives no sign of life"
    )


def test_who_is_behind_is_named_with_what_it_does() -> None:
    why = missing(beats(9, 8, 9), beats(9, 8, 9, number=2), 3)
    assert why == "process 1 on n1 is alive and still at: station 8 (others are at: station 9)"


def test_where_nobody_is_behind_it_is_the_device_or_the_link() -> None:
    why = missing(beats(9, 9), beats(9, 9, number=2), 2)
    assert why == "all processes are alive and have come to it: a device or a link hangs"


def test_a_process_alone_waits_for_nobody() -> None:
    job = Job(TrainConfig(), Accelerator(), "job", "node", 1, 0, "")
    assert Heartbeat(job, Peers(job)).missing() == Heartbeat(job, Peers(job)).silent() == ""


def test_where_not_even_its_own_signs_are_kept_it_is_the_coordinator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "_PAUSE_S", 0.01)
    job = Job(TrainConfig(), Accelerator(), "job", "node", 2, 1, "host:1")
    alone = Heartbeat(job, Peers(job))
    alone.start()
    assert alone.silent() == "process 0 at host:1, which coordinates, does not answer"


def test_before_its_first_sign_a_process_blames_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "_PAUSE_S", 0.01)
    job = Job(TrainConfig(), Accelerator(), "job", "node", 2, 1, "host:1")
    assert Heartbeat(job, Peers(job)).silent() == Heartbeat(job, Peers(job)).missing() == ""


def test_a_hang_is_told_within_a_minute_of_its_beginning() -> None:
    assert TrainConfig().step_timeout_s + heartbeat._PAUSE_S + heartbeat._ANSWER_S < 60
