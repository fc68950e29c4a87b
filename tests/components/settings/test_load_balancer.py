"""A load balancer that its kind cannot be is refused, with its place and the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.config import load
from components.settings import LoadBalancerConfig

from ..stack_files import GOOD, problems

NAMED = "    domain_name: llm.example.com\n    zone_id: Z0123456789ABC\n"
INTERNET = "    scheme: internet_facing\n    allowed_cidrs: [203.0.113.0/24]\n"


def text(kind: str, *lines: str) -> str:
    return GOOD + f"  ai-datacenter:load_balancer:\n    kind: {kind}\n" + "".join(lines)


def taken(tmp_path: Path, kind: str, *lines: str) -> LoadBalancerConfig:
    (tmp_path / "Pulumi.test.yaml").write_text(text(kind, *lines))
    balancer = load(tmp_path / "Pulumi.test.yaml").load_balancer
    assert balancer
    return balancer


@pytest.mark.parametrize(
    ("kind", "lines", "place", "what"),
    [
        ("network", "    waf: true\n", (15, 10, "waf"), "AWS WAF reads HTTP requests"),
        ("network", "    domain_name: llm.example.com\n", (15, 18, "domain_name"), "needs a zone_id"),
        ("network", "    zone_id: Z0123456789ABC\n", (15, 14, "zone_id"), "there is none"),
        ("network", "    zone_id: hosted\n", (15, 14, "zone_id"), "does not match"),
        ("network", "    domain_name: LLM.example\n", (15, 18, "domain_name"), "does not match"),
        ("network", "    health_check: {path: /x}\n", (15, 26, "health_check.path"), "a TCP check only connects"),
        ("application", "    health_check: {protocol: tcp}\n", (15, 30, "health_check.protocol"), "over http or https"),
        ("application", "    health_check: {path: x}\n", (15, 26, "health_check.path"), "does not match"),
        ("application", "    health_check: {interval_s: 5, timeout_s: 5}\n", (15, 46, "health_check.timeout_s"),
         "5 must be less than interval_s 5"),
        ("application", "    idle_timeout_s: 4001\n", (15, 21, "idle_timeout_s"), "not within 1 to 4,000 s"),
        ("network", "    idle_timeout_s: 59\n", (15, 21, "idle_timeout_s"), "not within 60 to 6,000 s"),
        ("network", NAMED + "    idle_timeout_s: 600\n", (17, 21, "idle_timeout_s"), "after 350 s"),
        ("network", "    port: 0\n", (15, 11, "port"), "greater than or equal to 1"),
        ("network", "    target_port: 65536\n", (15, 18, "target_port"), "less than or equal to 65535"),
        ("application", NAMED + "    port: 80\n", (17, 11, "port"), "80 is where plain HTTP is redirected from"),
        ("application", INTERNET, (15, 13, "scheme"), "in plain text"),
        ("application", NAMED + "    scheme: internet_facing\n", (17, 13, "scheme"), "needs allowed_cidrs"),
        ("gateway", "", (14, 11, "kind"), "gateway is not known"),
        ("network", "    tls_policy: ELBSecurityPolicy-2016-08\n", (15, 17, "tls_policy"), "is not known"),
    ],
)  # fmt: skip
def test_one_that_cannot_be_is_refused_with_its_place(
    tmp_path: Path, kind: str, lines: str, place: tuple[int, int, str], what: str
) -> None:
    (problem,) = problems(tmp_path, text(kind, lines))
    assert (problem.line, problem.column, problem.key) == (*place[:2], f"ai-datacenter:load_balancer.{place[2]}")
    assert what in problem.message


def test_the_port_follows_from_tls_unless_it_is_said(tmp_path: Path) -> None:
    assert taken(tmp_path, "network").listens_on == 80
    assert taken(tmp_path, "network", NAMED).listens_on == 443
    assert taken(tmp_path, "network", NAMED, "    port: 80\n").listens_on == 80


@pytest.mark.parametrize(
    ("kind", "lines", "logs"),
    [("network", "", False), ("network", NAMED, True), ("application", "", True),
     ("application", "    access_log_days: null\n", False)],
)  # fmt: skip
def test_access_is_logged_where_the_kind_logs_it(tmp_path: Path, kind: str, lines: str, logs: bool) -> None:
    assert taken(tmp_path, kind, lines).logs_access is logs


def test_the_limits_themselves_are_taken(tmp_path: Path) -> None:
    for kind, seconds in (("application", 1), ("application", 4000), ("network", 60), ("network", 6000)):
        assert taken(tmp_path, kind, f"    idle_timeout_s: {seconds}\n").idle_timeout_s == seconds
    assert taken(tmp_path, "network", "    health_check: {protocol: https, path: /x}\n").check_protocol == "https"
    assert taken(tmp_path, "application", NAMED, INTERNET, "    waf: true\n").waf
