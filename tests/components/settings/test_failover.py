"""A failover that nothing could decide, or nobody could take over, is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.config import load
from components.rules.failover import checks_of

from ..stack_files import GOOD, problems

BALANCER = "  ai-datacenter:load_balancer:\n    kind: application\n"
NAMED = f"{BALANCER}    domain_name: llm.example.com\n    zone_id: Z0123456789ABC\n"
EVERYBODY = "    scheme: internet_facing\n    allowed_cidrs: [0.0.0.0/0]\n"
SOME = "    scheme: internet_facing\n    allowed_cidrs: [203.0.113.0/24]\n"
RECOVERY = "  ai-datacenter:recovery: {region: us-west-2, cidr: 10.1.0.0/16}\n"
PLAIN = "  ai-datacenter:load_balancer: {kind: network}\n"


def failover(text: str) -> str:
    return f"  ai-datacenter:failover: {{{text}}}\n"


@pytest.mark.parametrize(
    ("before", "text", "key", "what"),
    [
        (RECOVERY, "", "", "there is no load_balancer whose name"),
        (PLAIN + RECOVERY, "", "", "load_balancer has no domain_name"),
        (NAMED, "", "", "nobody would take over: add a recovery section"),
        (NAMED + RECOVERY, "ttl_s: 30", ".ttl_s", "is for a standby_dns_name"),
        (NAMED, "standby_dns_name: LLM.example.com", ".standby_dns_name", "it would lead back to itself"),
        (NAMED, "standby_dns_name: no name", ".standby_dns_name", "does not match"),
        (NAMED + RECOVERY, "checks: [targets, endpoint]", ".checks.1", "an internal load balancer has private"),
        (NAMED + SOME + RECOVERY, "checks: [endpoint]", ".checks.0", "lets in the ranges that it names"),
        (NAMED + RECOVERY, "checks: []", ".checks", "at least 1"),
        (NAMED + RECOVERY, "healthy_checks: 2", ".healthy_checks", "2 is more than there are checks (targets)"),
        (NAMED + RECOVERY, "endpoint: {failures: 2}", ".endpoint", "endpoint is not among the checks here"),
        (NAMED + EVERYBODY + RECOVERY, "endpoint: {interval_s: 20}", ".endpoint.interval_s", "is not known"),
        (NAMED + EVERYBODY + RECOVERY, "endpoint: {regions: [us-east-1]}", ".endpoint.regions", "at least 3"),
        (NAMED + EVERYBODY + RECOVERY, "endpoint: {regions: [us-east-1, us-east-2, eu-west-1]}",
         ".endpoint.regions.1", "us-east-2"),
    ],
)  # fmt: skip
def test_one_that_cannot_be_is_refused_with_its_place(
    tmp_path: Path, before: str, text: str, key: str, what: str
) -> None:
    (problem,) = problems(tmp_path, GOOD + before + failover(text))
    assert problem.key == f"ai-datacenter:failover{key}"
    assert what in str(problem)


def test_a_path_that_route_53_could_not_ask_for_is_refused_where_it_would(tmp_path: Path) -> None:
    long = f"    health_check: {{path: /{'x' * 255}}}\n"
    (problem,) = problems(tmp_path, GOOD + NAMED + EVERYBODY + long + RECOVERY + failover(""))
    assert problem.key == "ai-datacenter:load_balancer.health_check.path"
    assert "255 characters" in problem.message
    assert checks(tmp_path, NAMED + long + RECOVERY + failover("")) == ("targets",)


def checks(folder: Path, text: str) -> tuple[str, ...]:
    (folder / "Pulumi.test.yaml").write_text(GOOD + text)
    return checks_of(load(folder / "Pulumi.test.yaml"))


@pytest.mark.parametrize(
    ("balancer", "found"),
    [(NAMED, ("targets",)), (NAMED + SOME, ("targets",)), (NAMED + EVERYBODY, ("endpoint",))],
)
def test_route_53_asks_where_everybody_may_and_counts_targets_elsewhere(
    tmp_path: Path, balancer: str, found: tuple[str, ...]
) -> None:
    assert checks(tmp_path, balancer + RECOVERY + failover("")) == found


def test_both_checks_and_a_name_that_takes_over_are_taken(tmp_path: Path) -> None:
    twice = "checks: [endpoint, targets, endpoint], healthy_checks: 1"
    text = failover(f"{twice}, standby_dns_name: a.example.net, ttl_s: 5")
    assert checks(tmp_path, NAMED + EVERYBODY + text) == ("endpoint", "targets")
