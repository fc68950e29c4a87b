"""What can be probed, and who can take over."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.failover import LONGEST_PATH, EndpointCheckConfig
from components.settings.load_balancer import LoadBalancerConfig
from components.settings.section import Conflict
from components.settings.stack import StackConfig


def checks_of(config: StackConfig) -> tuple[str, ...]:
    """The failover's health checks, each once."""
    failover, balancer = config.failover, config.load_balancer
    if failover and failover.checks is not None:
        return tuple(dict.fromkeys(failover.checks))
    return ("endpoint",) if balancer and _unreachable(balancer) is None else ("targets",)


def _unreachable(balancer: LoadBalancerConfig) -> str | None:
    """Why Route 53's checkers, which have public addresses of their own, do not get through; ``None`` if they do."""
    if balancer.scheme == "internal":
        return "an internal load balancer has private addresses"
    if not any(cidr.prefixlen == 0 for cidr in balancer.allowed_cidrs):
        return "allowed_cidrs lets in the ranges that it names, and the checkers' are not this stack's to know"
    return None


def _conflict(*key: str | int, message: str) -> Conflict:
    return Conflict(key=("failover", *key), message=message)


def _something_to_fail(config: StackConfig) -> Iterator[Conflict]:
    if not config.failover:
        return
    if not config.load_balancer:
        yield _conflict(message="there is no load_balancer whose name could answer from elsewhere")
    elif not config.load_balancer.domain_name:
        yield _conflict(message="load_balancer has no domain_name: there is no name that could answer from elsewhere")


def _somebody_to_take_over(config: StackConfig) -> Iterator[Conflict]:
    failover = config.failover
    if not failover:
        return
    if failover.standby_dns_name is None:
        if config.recovery is None:
            message = "nobody would take over: add a recovery section, where a standby load balancer can be, or name a "
            yield _conflict(message=f"{message}standby_dns_name")
    elif config.load_balancer and failover.standby_dns_name.lower() == config.load_balancer.domain_name:
        yield _conflict("standby_dns_name", message="is the name that fails: it would lead back to itself")


def _probe(config: StackConfig) -> Iterator[Conflict]:
    failover, balancer = config.failover, config.load_balancer
    if not failover or not balancer or failover.checks is None or "endpoint" not in failover.checks:
        return
    if reason := _unreachable(balancer):
        message = f"Route 53 asks from the internet, and {reason}: leave checks out, or take targets"
        yield _conflict("checks", failover.checks.index("endpoint"), message=message)


def _path(config: StackConfig) -> Iterator[Conflict]:
    balancer = config.load_balancer
    if not config.failover or not balancer or "endpoint" not in checks_of(config):
        return
    if len(balancer.health_check.path or "") > LONGEST_PATH:
        message = f"failover has Route 53 ask for it too, which takes {LONGEST_PATH} characters at most"
        yield Conflict(key=("load_balancer", "health_check", "path"), message=message)


def _number_of_checks(config: StackConfig) -> Iterator[Conflict]:
    failover = config.failover
    if failover and failover.healthy_checks is not None and failover.healthy_checks > len(checks_of(config)):
        checks = ", ".join(checks_of(config))
        yield _conflict("healthy_checks", message=f"{failover.healthy_checks} is more than there are checks ({checks})")


def _unused_endpoint(config: StackConfig) -> Iterator[Conflict]:
    failover = config.failover
    if failover and failover.endpoint != EndpointCheckConfig() and "endpoint" not in checks_of(config):
        yield _conflict("endpoint", message="endpoint is not among the checks here: Route 53 asks nobody")


RULES = (_something_to_fail, _somebody_to_take_over, _probe, _path, _number_of_checks, _unused_endpoint)
