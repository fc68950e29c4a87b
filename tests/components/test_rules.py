"""What is right alone and wrong together is refused with its reason, before anything is created."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.config import Problem, load

from .stack_files import GOOD, problems

RESERVED = "capacity_reservation_id: cr-0123456789abcdef0"
P5EN = GOOD.replace("m7i.large", "p5en.48xlarge")


def pool(tmp_path: Path, *lines: str, text: str = P5EN) -> tuple[Problem, ...]:
    return problems(tmp_path, with_lines(text, *lines))


def with_lines(text: str, *lines: str) -> str:
    return text.replace("desired_size: 2", "\n      ".join(["desired_size: 2", *lines]))


def taken(tmp_path: Path, text: str) -> None:
    (tmp_path / "Pulumi.test.yaml").write_text(text)
    load(tmp_path / "Pulumi.test.yaml")


@pytest.mark.parametrize(
    ("lines", "key", "reason"),
    [
        (["capacity: spot", RESERVED], "capacity_reservation_id", "spot nodes cannot use a reservation"),
        (["capacity: capacity_block"], "capacity", "needs a capacity_reservation_id"),
        (["efa_interfaces: 17"], "efa_interfaces", "takes at most 16"),
        (["max_pods: 500"], "max_pods", "149 get an address on p5en.48xlarge"),
        (["update_strategy: default", RESERVED], "update_strategy", "take minimal"),
        (["update_strategy: default", RESERVED, "reserved_nodes: 3"], "update_strategy", "has room for 1"),
        ([RESERVED, "reserved_nodes: 1"], "desired_size", "2 nodes are more than the reservation holds"),
        ([RESERVED, "reserved_nodes: 3", "max_size: 4"], "max_size", "4 nodes are more than"),
        (["reserved_nodes: 3"], "reserved_nodes", "there is no reservation"),
        (["min_size: 3"], "desired_size", "is not between"),
    ],
)
def test_a_pool_that_cannot_be_is_refused_with_its_reason(
    tmp_path: Path, lines: list[str], key: str, reason: str
) -> None:
    (problem,) = pool(tmp_path, *lines)
    assert problem.key == f"ai-datacenter:pools.cpu.{key}"
    assert reason in problem.message
    assert problem.line == 10 + next((i + 1 for i, line in enumerate(lines) if line.startswith(key)), 0)


@pytest.mark.parametrize(
    "lines",
    [
        ["efa_interfaces: 0"],
        ["efa_interfaces: 16", "max_pods: 149"],
        ["update_strategy: minimal", RESERVED],
        ["update_strategy: default", RESERVED, "reserved_nodes: 8"],
        ["capacity: capacity_block", RESERVED],
        ["update_strategy: default"],
    ],
)
def test_a_pool_that_can_be_is_taken(tmp_path: Path, lines: list[str]) -> None:
    taken(tmp_path, with_lines(P5EN, *lines))


def test_a_placement_group_against_a_reservation_is_refused(tmp_path: Path) -> None:
    zones = P5EN.replace("/16", "/16\n    zones: [us-east-1a, us-east-1b, us-east-1c]")
    (problem,) = pool(tmp_path, "zone: us-east-1b", "placement_group: true", RESERVED, text=zones)
    assert problem.key == "ai-datacenter:pools.cpu.placement_group"
    assert "unused" in problem.message
    taken(tmp_path, with_lines(zones, "zone: us-east-1b", "placement_group: true"))


def test_efa_on_a_type_without_it_is_refused(tmp_path: Path) -> None:
    (problem,) = pool(tmp_path, "efa_interfaces: 1", text=GOOD)
    assert problem.message == "1 EFA interfaces are too many: m7i.large has no EFA"


def test_a_type_that_the_region_does_not_sell_is_refused_with_those_that_do_and_what_it_sells(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, P5EN.replace("us-east-1", "eu-west-1"))
    assert problem.line == 9
    assert "p5en.48xlarge is not sold in eu-west-1, but in ap-northeast-1" in problem.message
    assert "us-east-2" in problem.message
    assert "p4d.24xlarge" in problem.allowed
    assert "m7i.large" not in problem.allowed


def test_a_region_of_which_nothing_is_known_is_not_denied_a_type(tmp_path: Path) -> None:
    taken(tmp_path, P5EN.replace("us-east-1", "ap-southeast-7"))


def test_a_type_whose_fabric_layout_is_unknown_goes_only_without_efa(tmp_path: Path) -> None:
    text = with_lines(GOOD.replace("m7i.large", "p6e-gb200.36xlarge"), "capacity: capacity_block", RESERVED)
    (problem,) = problems(tmp_path, text)
    assert "unknown to the catalogue" in problem.message
    taken(tmp_path, text.replace(RESERVED, f"{RESERVED}\n      efa_interfaces: 0"))


@pytest.mark.parametrize(
    ("name", "capacity"),
    [("p6e-gb200.36xlarge", "on_demand"), ("trn1n.32xlarge", "capacity_block"), ("m7i.large", "capacity_block")],
)
def test_a_way_of_buying_that_the_type_does_not_have_is_refused(tmp_path: Path, name: str, capacity: str) -> None:
    lines = [f"capacity: {capacity}", *([RESERVED] if capacity == "capacity_block" else []), "efa_interfaces: 0"]
    (problem,) = pool(tmp_path, *lines, text=GOOD.replace("m7i.large", name))
    assert problem.key.endswith(".capacity")
    assert capacity not in problem.allowed
    assert problem.allowed


def test_a_tpu_type_is_no_type_of_a_pool_on_aws(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, GOOD.replace("m7i.large", "ct6e-standard-4t"))
    assert "is not known" in problem.message


@pytest.mark.parametrize(
    ("zones", "reason"),
    [
        ("us-east-1a, us-east-1b, us-east-1z", "us-east-1z is no zone of us-east-1"),
        ("us-east-1a, us-east-1b, us-east-2c", "us-east-2c is no zone of us-east-1"),
        ("us-east-1a, us-east-1b, us-east-1a", "stands here a second time"),
    ],
)
def test_a_zone_that_is_none_or_twice_is_refused(tmp_path: Path, zones: str, reason: str) -> None:
    (problem,) = problems(tmp_path, GOOD.replace("/16", f"/16\n    zones: [{zones}]"))
    assert reason in problem.message
    assert problem.key == "ai-datacenter:network.zones.2"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("10.0.0.0/16", "169.254.0.0/16", "no range that machines can have"),
        ("  ai-datacenter:pools", "  ai-datacenter:cluster: {service_cidr: 100.64.0.0/16}\n  ai-datacenter:pools",
         "must be within one of 10.0.0.0/8"),
        ("  ai-datacenter:pools", "  ai-datacenter:tags: {aws:owner: me}\n  ai-datacenter:pools", "are AWS's own"),
        ("    pool: cpu", "    pool: cp", "there is no pool cp"),
    ],
)  # fmt: skip
def test_ranges_tags_and_names_that_the_cloud_would_refuse_are_refused(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    (problem,) = problems(tmp_path, GOOD.replace(old, new))
    assert reason in problem.message
