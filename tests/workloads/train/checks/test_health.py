"""The sentence that names who is to blame, and what is not judged."""

from __future__ import annotations

import pytest
from train.checks import floors, health, table
from train.checks.estimate import Effect, Status
from train.checks.health import Bus, Figures, Finding, Health, NodeHealth
from train.config.job import Accelerator

from components.accelerators import CATALOGUE

H100 = {
    "instance_type": "p5.48xlarge",
    "memory_gib": 2048,
    "chips": 8,
    "chip": {"name": "H100", "memory_gib": 80, "memory_bytes_per_s": 3.35e12, "peak_bf16_flops": 989e12, "more": 1},
    "all_reduce": [
        {"nodes": 2, "message_bytes": 128 << 20, "bytes_per_s": 288e9},
        {"nodes": 2, "message_bytes": 16 << 30, "bytes_per_s": 487e9},
    ],
}
ROW = Accelerator.model_validate(H100)
SLOW = Effect(share=0.053, low=0.039, high=0.067, confidence=0.99999, status=Status.FAIL)


def figures(node: str = "node-1", **values: object) -> Figures:
    usual = {
        "node": node,
        "devices": 2,
        "device_kind": "NVIDIA H100",
        "host_memory_bytes": 2000 << 30,
        "device_memory_bytes": 79 << 30,
        "digests": ("a", "a"),
        "wrong_devices": (),
        "matmul_flops": 700e12,
        "memory_bytes_per_s": 2.9e12,
        "to_device_bytes_per_s": 2e10,
        "from_device_bytes_per_s": 1e10,
        "store_write_bytes_per_s": 1e8,
        "store_read_bytes_per_s": 1e8,
    }
    return Figures.model_validate({**usual, **values})


def test_floors_are_parts_of_what_the_catalogue_row_says() -> None:
    least = floors.of(ROW, 8)
    assert least.matmul_flops == pytest.approx(494.5e12)
    assert least.memory_bytes_per_s == pytest.approx(1.9095e12)
    assert least.device_memory_bytes == pytest.approx(72 * 2**30)


def test_of_a_chip_that_is_two_devices_each_must_reach_half() -> None:
    assert floors.of(ROW, 16).device_memory_bytes == pytest.approx(36 * 2**30)
    assert floors.of(ROW, 16).host_memory_bytes == floors.of(ROW, 8).host_memory_bytes


def test_the_catalogue_s_own_row_has_every_floor() -> None:
    row = Accelerator.model_validate(CATALOGUE["p5.48xlarge"].row())
    assert floors.of(row, 8) == floors.of(ROW, 8)
    assert floors.of_all_reduce(row, 2, 128 << 20) == floors.of_all_reduce(ROW, 2, 128 << 20)


def test_without_a_row_there_is_no_floor() -> None:
    assert floors.of(Accelerator(), 1) == floors.Floors(None, None, None, None)
    assert health.judge_figures(figures(matmul_flops=1.0), floors.of(Accelerator(), 1)) == []


@pytest.mark.parametrize(
    ("nodes", "message_bytes", "least"),
    [
        (2, 128 << 20, 230.4e9),
        (2, 1 << 30, 230.4e9),
        (2, 32 << 30, 389.6e9),
        (2, 1 << 20, None),
        (4, 128 << 20, None),
    ],
)
def test_a_floor_of_the_bus_depends_on_nodes_and_message(nodes: int, message_bytes: int, least: float | None) -> None:
    assert floors.of_all_reduce(ROW, nodes, message_bytes) == (least and pytest.approx(least))


def test_a_healthy_node_has_no_findings() -> None:
    assert health.judge_figures(figures(), floors.of(ROW, 8)) == []


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"matmul_flops": 400e12}, "node-1: matrix products 400.0 TFLOP/s, and 494.5 is the least for its type"),
        ({"memory_bytes_per_s": 1e12}, "node-1: memory bandwidth 1,000.0 GB/s, and 1,909.5 is the least for its type"),
        ({"host_memory_bytes": 1024 << 30}, "node-1: main memory 1,024.0 GiB, and 1,740.8 is the least for its type"),
        ({"device_memory_bytes": 40 << 30}, "node-1: memory a device 40.0 GiB, and 72.0 is the least for its type"),
    ],
)
def test_a_node_below_its_floor_is_named_with_both_numbers(values: dict, sentence: str) -> None:
    (finding,) = health.judge_figures(figures(**values), floors.of(ROW, 8))
    assert (finding.status, finding.sentence, finding.wrong) == (Status.FAIL, sentence, False)


def test_what_has_a_floor_and_was_not_measured_is_unknown() -> None:
    (finding,) = health.judge_figures(figures(device_memory_bytes=None), floors.of(ROW, 8))
    assert (finding.status, finding.sentence) == (Status.UNKNOWN, "node-1: memory a device could not be measured")


def test_of_a_plugin_that_may_not_tell_memory_it_is_asked_only_where_it_tells() -> None:
    row = Accelerator.model_validate(CATALOGUE["trn2.48xlarge"].row())
    assert floors.of(row, 64, tells_memory=False).device_memory_bytes is None
    assert floors.of(row, 64).device_memory_bytes == pytest.approx(0.9 * 24 * 2**30)
    assert floors.of(ROW, 8, tells_memory=False) == floors.of(ROW, 8)


def test_a_wrong_answer_is_excused_by_no_speed() -> None:
    (finding,) = health.judge_figures(figures(wrong_devices=(1,)), floors.of(ROW, 8))
    assert finding.sentence == "node-1 device 1 calculates wrong: a known answer came out different"
    assert finding.wrong


def test_a_clock_more_than_half_a_second_off_is_named_whatever_the_speed() -> None:
    assert health.judge_clock("node-1", 0.4, nodes=3) == []
    (finding,) = health.judge_clock("node-1", -3.0, nodes=3)
    assert (finding.sentence, finding.wrong) == ("the clock of node-1 is 3.0 s behind the others'", True)


def test_of_two_clocks_that_differ_neither_is_called_the_wrong_one() -> None:
    (finding,) = health.judge_clock("node-1", 0.9, nodes=2)
    assert finding.wrong
    assert finding.sentence == (
        "the clock of node-1 is 0.9 s ahead of the other node's, and which of the two is wrong is not known"
    )


def test_a_device_with_other_bits_than_the_majority_is_named() -> None:
    well, (finding,) = health.judge_bits([figures("node-0"), figures("node-1", digests=("a", "b"))])
    assert not well
    assert finding.sentence == "node-1 device 1 calculates wrong: its matrix products differ from 3 others'"
    assert finding.wrong


def test_where_devices_disagree_without_a_majority_none_is_trusted() -> None:
    ((finding,),) = health.judge_bits([figures(digests=("a", "b"))])
    assert finding.status is Status.FAIL
    assert "no majority" in finding.sentence


def test_a_slow_worker_is_named_with_effect_interval_and_confidence() -> None:
    (finding,) = health.judge_effect("node-1", "its matrix products", SLOW)
    assert finding.sentence == (
        "node-1 is slow: its matrix products take 5.3 % longer than its peers' (3.9 to 6.7 %), with confidence 99.99 %"
    )


def test_a_slow_bus_is_told_with_its_size() -> None:
    bus = Bus(name="all-reduce", message_bytes=128 << 20, seconds=1, bus_bytes_per_s=1e11, floor_bytes_per_s=2e11)
    (finding,) = health.judge_bus(bus)
    assert finding.sentence.startswith("all-reduce of 128 MiB over all devices: 100.0 GB/s, and 200.0 is the least")
    assert health.judge_bus(bus.model_copy(update={"floor_bytes_per_s": None})) == []


def test_unknown_is_not_healthy_and_failure_comes_first() -> None:
    unknown = health.Finding(status=Status.UNKNOWN, sentence="who knows")
    slow = health.Finding(status=Status.FAIL, sentence="slow")
    assert health.conclude([]) == (Status.PASS, "")
    assert health.conclude([unknown]) == (Status.UNKNOWN, "who knows")
    assert health.conclude([unknown, slow]) == (Status.FAIL, "slow")


def test_the_table_has_one_row_a_node_and_ends_with_the_verdict() -> None:
    row = NodeHealth(
        status=Status.FAIL,
        figures=figures(),
        clock_ahead_s=0,
        slower=0.05,
        slower_low=0.04,
        slower_high=0.06,
        confidence=1,
    )
    alone = row.model_copy(update={"slower": None, "figures": figures("node-2", to_device_bytes_per_s=None)})
    lines = table.lines(
        Health(status=Status.FAIL, reason="r", nodes=(row, alone), links=(), collectives=(), findings=())
    )
    assert lines[0].startswith("node    health")
    assert lines[1].split("  ")[0] == "node-1"
    assert lines[1].endswith("+5.0 % (+4.0 to +6.0)")
    assert lines[2].endswith("-")
    assert lines[-1] == "FAIL"


def test_what_is_wrong_is_told_before_what_is_slow() -> None:
    slow = [Finding(status=Status.FAIL, sentence=f"node-{node} is slow") for node in range(2)]
    wrong = Finding(status=Status.FAIL, sentence="node-40 calculates wrong", wrong=True)
    assert health.conclude([*slow, wrong])[1] == "node-40 calculates wrong; node-0 is slow; node-1 is slow"
