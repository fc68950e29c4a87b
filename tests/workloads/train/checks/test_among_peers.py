"""What each node measures once is held to the median of the others', where each has a machine to itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from train.checks import health, rounds, run
from train.checks.estimate import Status
from train.checks.health import Figures, Finding
from train.checks.schedule import are_apart
from train.config.job import load

from tests.workloads.train.checks.test_health import figures

NAMES = ("node-0", "node-1", "node-2", "node-3")


def four(**values: object) -> list[Figures]:
    """Four nodes of which the third has these figures."""
    return [figures(name, **(values if name == "node-2" else {})) for name in NAMES]


def found(everyone: list[Figures]) -> list[list[Finding]]:
    return [health.judge_among_peers(everyone, node) for node in range(len(everyone))]


@pytest.mark.parametrize(
    ("figure", "value", "sentence"),
    [
        ("to_device_bytes_per_s", 1e10, "node-2: transfers to a device 10.0 GB/s, less than 70% of its peers' 20.0"),
        ("from_device_bytes_per_s", 6e9, "node-2: transfers from a device 6.0 GB/s"),
        ("memory_bytes_per_s", 1e12, "node-2: memory bandwidth 1,000.0 GB/s, less than 50%"),
        ("store_write_bytes_per_s", 2e7, "node-2: writes to the checkpoints' place 20.0 MB/s"),
        ("store_read_bytes_per_s", 2e7, "node-2: reads from the checkpoints' place 20.0 MB/s"),
    ],
)
def test_only_the_node_far_below_the_others_is_named(figure: str, value: float, sentence: str) -> None:
    assert [len(one) for one in found(four(**{figure: value}))] == [0, 0, 1, 0]
    (finding,) = health.judge_among_peers(four(**{figure: value}), 2)
    assert finding.sentence.startswith(sentence)
    assert (finding.status, finding.wrong) == (Status.FAIL, False)


def test_what_sound_nodes_differ_by_is_no_fault() -> None:
    everyone = four(to_device_bytes_per_s=1.5e10, memory_bytes_per_s=1.6e12, store_write_bytes_per_s=3e7)
    assert found(everyone) == [[], [], [], []]


def test_one_that_is_far_above_the_others_blames_nobody() -> None:
    assert found(four(to_device_bytes_per_s=1e12)) == [[], [], [], []]


def test_what_nobody_else_has_is_not_judged() -> None:
    alone = [figures("node-0", store_write_bytes_per_s=1.0)]
    assert found(alone) == [[]]
    others = [figures(name, to_device_bytes_per_s=None) for name in NAMES[1:]]
    assert found([figures("node-0", to_device_bytes_per_s=1.0), *others])[0] == []


@pytest.mark.parametrize(
    ("hosts", "status"), [(["a", "b", "c", "d"], Status.FAIL), (["a", "b", "c", "a"], Status.PASS)]
)
def test_who_shares_a_machine_is_not_held_to_others(hosts: list[str], status: Status) -> None:
    everyone = four(to_device_bytes_per_s=1e9)
    verdict = run.judge(load({}), everyone, [0.0] * 4, {}, [], None, ({}, {}), [], apart=are_apart(hosts))
    assert verdict.status is status
    assert [node.status for node in verdict.nodes] == [Status.PASS, Status.PASS, status, Status.PASS]


def test_two_processes_of_a_machine_are_not_apart_though_each_has_chips_of_its_own(tmp_path: Path) -> None:
    boot_id = tmp_path / "boot_id"
    boot_id.write_text("5f0c1d\n")
    jobs = [replace(load({}), processes=2, index=index) for index in (0, 1)]
    hosts = [rounds.host_of(job, boot_id) for job in jobs]
    assert not are_apart(hosts)
    assert are_apart(rounds.machines_of("gpu", hosts))
    assert not are_apart(rounds.machines_of("cpu", hosts))
    assert are_apart([rounds.host_of(job, tmp_path / "none") for job in jobs])
