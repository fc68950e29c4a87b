"""From all measurements to the verdict: whatever one thing is wrong, that is told, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import jax
import pytest
from train.checks import devices, run, work
from train.checks.collectives import Timed
from train.checks.estimate import Effect, Status
from train.checks.health import Bus, Health
from train.checks.pairs import Met, blame
from train.config.failure import Failure
from train.config.job import Job
from train.config.settings import TrainConfig
from train.parallel.mesh import make_mesh
from train.parallel.peers import Peers

from .test_health import ROW, SLOW, figures
from .test_pairs import met

NODES = 4  # each with two devices
OF_TWO = ROW.model_copy(update={"chips": 2})
JOB = Job(TrainConfig(), OF_TWO, "job", "node-0", processes=NODES, index=0, coordinator="")
WELL = Effect(share=0.0, low=-0.01, high=0.01, confidence=0.99999, status=Status.PASS)
MET = met(NODES)


def judged(
    second: dict[str, Any] | None = None,
    clocks: Sequence[float] = (0.0,) * NODES,
    slow_worker: int | None = None,
    bus_bytes_per_s: float = 300e9,
    met: Met = MET,
) -> Health:
    """The verdict on nodes that are well but for what is given; ``second`` is what node-1 measured otherwise."""
    everyone = [figures(f"node-{node}", **(second or {}) if node == 1 else {}) for node in range(NODES)]
    effects = {"matrix products": [SLOW if worker == slow_worker else WELL for worker in range(2 * NODES)]}
    bus = Bus(
        name="all-reduce", message_bytes=128 << 20, seconds=1, bus_bytes_per_s=bus_bytes_per_s, floor_bytes_per_s=2e11
    )
    return run.judge(JOB, everyone, list(clocks), effects, [bus], met, blame(met), [], apart=True)


def test_nodes_that_are_well_in_everything_pass() -> None:
    found = judged()
    assert (found.status, found.reason, found.wrong, found.findings) == (Status.PASS, "", "", ())
    assert {row.status for row in (*found.nodes, *found.links)} == {Status.PASS}


@pytest.mark.parametrize(
    ("given", "reason", "is_wrong"),
    [
        ({"clocks": (0, 3.0, 0, 0)}, "the clock of node-1 is 3.0 s ahead of the others'", True),
        (
            {"second": {"matmul_flops": 400e12}},
            "node-1: matrix products 400.0 TFLOP/s, and 494.5 is the least for its type",
            False,
        ),
        (
            {"second": {"wrong_devices": (1,)}},
            "node-1 device 1 calculates wrong: a known answer came out different",
            True,
        ),
        (
            {"second": {"digests": ("a", "b")}},
            "node-1 device 1 calculates wrong: its matrix products differ from 7 others'",
            True,
        ),
        (
            {"bus_bytes_per_s": 100e9},
            "all-reduce of 128 MiB over all devices: 100.0 GB/s, and 200.0 is the least for this type and number of "
            "nodes",
            False,
        ),
        (
            {"slow_worker": 3},
            "node-1 device 1 is slow: its matrix products take 5.3 % longer than its peers' (3.9 to 6.7 %), with "
            "confidence 99.99 %",
            False,
        ),
    ],
    ids=["clock", "floor", "known answer", "bits", "bus", "device"],
)
def test_one_thing_that_is_wrong_fails_the_job_and_is_all_that_is_told(
    given: dict[str, Any], reason: str, is_wrong: bool
) -> None:
    found = judged(**given)
    assert (found.status, found.reason) == (Status.FAIL, reason)
    assert found.wrong == (reason if is_wrong else "")


def test_the_row_of_a_node_has_its_worst_device() -> None:
    found = judged(slow_worker=3)
    assert [row.status for row in found.nodes] == [Status.PASS, Status.FAIL, Status.PASS, Status.PASS]
    assert [row.slower for row in found.nodes] == [0.0, SLOW.share, 0.0, 0.0]


def test_the_row_of_a_node_that_calculates_wrong_says_so() -> None:
    found = judged(second={"digests": ("a", "b")})
    assert [row.status for row in found.nodes] == [Status.PASS, Status.FAIL, Status.PASS, Status.PASS]


def test_where_no_majority_says_which_device_is_wrong_no_row_passes_and_it_is_told_once() -> None:
    two = [figures("node-0"), figures("node-1", digests=("b", "b"))]
    found = run.judge(JOB, two, [0.0, 0.0], {}, [], None, ({}, {}), [], apart=True)
    assert [row.status for row in found.nodes] == [Status.FAIL, Status.FAIL]
    assert found.reason.count("no majority says which are wrong") == 1


def test_a_node_whose_links_are_slow_is_named_and_its_links_are_not() -> None:
    found = judged(met=met(NODES, slow_node=1))
    assert found.status is Status.FAIL
    assert found.reason.startswith("node-1 is slow: its links' transfers take ")
    assert ";" not in found.reason
    assert [row.status is Status.FAIL for row in found.nodes] == [False, True, False, False]
    assert Status.FAIL not in {link.status for link in found.links}
    assert found.wrong == ""


def test_a_slow_link_is_named_by_its_ends_and_neither_of_them_is_blamed() -> None:
    found = judged(met=met(NODES, slow_link=(0, 2)))
    assert found.status is Status.FAIL
    assert found.reason.startswith("the link node-0 to node-2 is slow: its transfers take ")
    assert ";" not in found.reason
    assert [link.nodes for link in found.links if link.status is Status.FAIL] == [("node-0", "node-2")]
    assert Status.FAIL not in {row.status for row in found.nodes}
    assert found.wrong == ""


def test_of_collectives_the_all_reduce_has_a_floor() -> None:
    two = replace(JOB, processes=2)
    kinds = ("all-reduce", "all-gather")
    assert [run._bus(two, Timed(kind, 128 << 20, 1.0, 1e11)).floor_bytes_per_s for kind in kinds] == [230.4e9, None]


def test_data_that_comes_back_different_between_nodes_ends_the_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax.lax, "ppermute", lambda x, axis, permutation: x + 1)
    alone = replace(JOB, processes=1)
    with pytest.raises(Failure, match=r"processes 0 and 1 swap data, and .* numbers come back different"):
        run._meet(replace(JOB, processes=2), Peers(alone), make_mesh(), judged=False)


def test_a_node_has_the_figures_of_its_slowest_device_and_each_one_that_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    local = [SimpleNamespace(id=number, platform="cpu", device_kind="chip") for number in range(3)]
    measured = {
        "product_flops": [(3.0, "a"), (2.0, "b"), (4.0, "c")],
        "memory_bytes_per_s": [(5.0, 0), (7.0, 0), (6.0, 12)],  # the last one lost words
        "transfer_bytes_per_s": [(9.0, 11.0), (10.0, 8.0), (12.0, 12.0)],
        "device_answer": [work.known_answer(), "another", work.known_answer()],
    }
    for name, values in measured.items():
        monkeypatch.setattr(work, name, lambda device, values=values: values[device.id])
    monkeypatch.setattr(devices, "device_memory_bytes", lambda device: [80, 70, 90][device.id])
    found = run.measure(JOB, local)
    assert (found.node, found.devices, found.device_kind, found.digests) == ("node-0", 3, "chip", ("a", "b", "c"))
    assert found.wrong_devices == (1, 2)
    assert (found.matmul_flops, found.memory_bytes_per_s, found.device_memory_bytes) == (2.0, 5.0, 70)
    assert (found.to_device_bytes_per_s, found.from_device_bytes_per_s) == (9.0, 8.0)
