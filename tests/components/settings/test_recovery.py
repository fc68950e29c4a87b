"""A recovery region that could not take over is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.config import load
from components.rules.replication import replicated_buckets, replicated_file_systems

from ..stack_files import GOOD, problems

SECTION = "  ai-datacenter:recovery:\n    region: {region}\n    cidr: {cidr}\n"


def text(region: str = "us-west-2", cidr: str = "10.1.0.0/16") -> str:
    return GOOD + SECTION.format(region=region, cidr=cidr)


def test_another_region_and_another_range_are_taken(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.test.yaml").write_text(text())
    recovery = load(tmp_path / "Pulumi.test.yaml").recovery
    assert recovery
    assert (recovery.region, str(recovery.cidr)) == ("us-west-2", "10.1.0.0/16")


@pytest.mark.parametrize(
    ("region", "cidr", "place", "what"),
    [
        ("us-east-1", "10.1.0.0/16", (14, 13, "recovery.region"), "us-east-1 is the stack's own region"),
        ("us-west-2", "10.0.128.0/20", (15, 11, "recovery.cidr"), "overlaps network.cidr 10.0.0.0/16"),
        ("us-west-2", "172.20.0.0/16", (15, 11, "recovery.cidr"), "overlaps cluster.service_cidr 172.20.0.0/16"),
        ("us-west-2", "10.9.0.0/16", (16, 11, "recovery.cidr"), "overlaps network.reserved_cidrs 10.9.1.0/24"),
        ("us-west-2", "10.1.0.0/21", (15, 11, "recovery.cidr"), "must be a /16 to a /20"),
        ("us-west-2", "127.0.0.0/16", (15, 11, "recovery.cidr"), "no range that machines can have addresses of"),
        ("us-west-1", "10.1.0.0/16", (14, 13, "recovery.region"), "us-west-1 has 2 zones (us-west-1a, us-west-1"),
        ("us-wset-2", "10.1.0.0/16", (14, 13, "recovery.region"), "is not known"),
    ],
)
def test_one_that_could_not_take_over_is_refused_with_its_place(
    tmp_path: Path, region: str, cidr: str, place: tuple[int, int, str], what: str
) -> None:
    written = text(region, cidr)
    if "reserved" in what:
        written = written.replace("cidr: 10.0.0.0/16", "cidr: 10.0.0.0/16\n    reserved_cidrs: [10.9.1.0/24]")
    (problem,) = problems(tmp_path, written)
    assert (problem.line, problem.column, problem.key) == (*place[:2], f"ai-datacenter:{place[2]}")
    assert what in problem.message


def test_both_mistakes_of_a_region_are_told_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, text("us-east-1", "10.0.0.0/24"))
    assert {problem.line for problem in found} == {14, 15}


def test_a_replica_of_a_file_system_that_is_not_there_is_refused(tmp_path: Path) -> None:
    systems = "    replication: {file_systems: [homes, hoems]}\n  ai-datacenter:efs: {homes: {}}\n"
    (problem,) = problems(tmp_path, text() + systems)
    assert (problem.key, problem.line) == ("ai-datacenter:recovery.replication.file_systems.1", 16)
    assert (problem.message, problem.nearest) == ("there is no file system hoems under efs", "homes")


def test_a_bucket_that_is_named_twice_has_one_replica(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.test.yaml").write_text(text() + "    replication: {buckets: [data, data]}\n")
    assert replicated_buckets(load(tmp_path / "Pulumi.test.yaml")) == ("data",)


def test_all_is_copied_but_images_where_nothing_else_is_said(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.test.yaml").write_text(text() + "    replication: {}\n  ai-datacenter:efs: {homes: {}}\n")
    config = load(tmp_path / "Pulumi.test.yaml")
    assert config.recovery
    assert config.recovery.replication
    assert (replicated_buckets(config), replicated_file_systems(config)) == (("data", "checkpoints"), ("homes",))
    assert not config.recovery.replication.images
