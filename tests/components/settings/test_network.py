"""A network that cannot work is refused before anything is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.config import load

from ..stack_files import GOOD, only, problems


@pytest.mark.parametrize(
    ("line", "key", "what"),
    [
        ("dedicated_subnets: [storage, storage]", "dedicated_subnets.1", "stands here a second time"),
        ("dedicated_subnets: [storge]", "dedicated_subnets.0", "storge is not known"),
        ("endpoint_services: [s3]", "endpoint_services.0", "s3 is not known"),
        ("endpoint_services: []", "endpoint_services", "at least 1"),
        ("endpoint_services: [ec2]\n    interface_endpoints: false", "endpoint_services", "none gets an endpoint"),
        ("nat: none\n    interface_endpoints: false", "nat", "need private endpoints of ec2, ecr.api"),
        (
            "nat: none\n    endpoint_services: [ec2, sts]",
            "endpoint_services",
            "of ecr.api, ecr.dkr, eks, eks-auth, logs",
        ),
    ],
)
def test_a_network_that_cannot_work_is_refused_where_it_is_said(tmp_path: Path, line: str, key: str, what: str) -> None:
    problem = only(tmp_path, "cidr: 10.0.0.0/16", f"cidr: 10.0.0.0/16\n    {line}")
    assert (problem.key, problem.line > 6) == (f"ai-datacenter:network.{key}", True)
    assert what in problem.message


def test_a_region_with_fewer_zones_than_the_network_takes_is_refused(tmp_path: Path) -> None:
    problem = only(tmp_path, "us-east-1", "us-west-1")
    assert (problem.line, problem.column, problem.key) == (2, 15, "aws:region")
    assert "has 2 zones" in problem.message


def test_more_accelerator_nodes_than_their_subnets_have_addresses_for_are_refused(tmp_path: Path) -> None:
    text = GOOD.replace("m7i.large", "p5.48xlarge").replace("/16", "/16\n    dedicated_subnets: [accelerator]")
    (tmp_path / "Pulumi.test.yaml").write_text(text.replace("desired_size: 2", "desired_size: 122"))
    assert load(tmp_path / "Pulumi.test.yaml").pools["cpu"].most == 122
    (problem,) = problems(tmp_path, text.replace("desired_size: 2", "desired_size: 123"))
    assert (problem.line, problem.key) == (11, "ai-datacenter:pools.cpu.desired_size")
    assert "123 nodes take up to 12,300 addresses, and the accelerator subnets of network.cidr have 12,273" in str(
        problem
    )
