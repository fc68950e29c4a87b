"""The failover section. Limits: Route 53 API reference, HealthCheckConfig."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .section import Conflict, Section, rule_of
from .values import enumeration, one_of

CHECK_INTERVALS_S = (10, 30)

LONGEST_PATH = 255

# Where Route 53's checkers are, of which it takes no fewer than three.
CheckerRegion = Literal[
    "us-east-1", "us-west-1", "us-west-2", "eu-west-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1",
    "sa-east-1",
]  # fmt: skip

CheckInterval = Annotated[int, one_of("interval", CHECK_INTERVALS_S), enumeration(CHECK_INTERVALS_S)]

Check = Literal["endpoint", "targets"]

_LABEL = "[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"

HostName = Annotated[str, StringConstraints(pattern=rf"^({_LABEL}\.)+[a-zA-Z]{{2,63}}$", max_length=253)]


class EndpointCheckConfig(Section):
    """How Route 53 asks the load balancer from outside, from several regions at once."""

    interval_s: CheckInterval = Field(default=30, description="Seconds between two looks of a checker; 10 costs more.")
    failures: int = Field(default=3, ge=1, le=10, description="Looks in a row until it counts as failed, or as back.")
    regions: tuple[CheckerRegion, ...] | None = Field(
        default=None,
        strict=False,
        min_length=3,
        description="Where the checkers are, at least three; absent: all eight.",
    )


class FailoverConfig(Section):
    """The load balancer's name answers from elsewhere when the stack's own load balancer does not serve.

    Route 53 answers with the stack's own again once it serves, and as long as nobody else does.
    """

    standby_dns_name: HostName | None = Field(
        default=None,
        description="A name that takes over, as of another stack's load balancer; DNS allows that for no domain_name "
        "that is the zone's own. Absent: a standby load balancer like the first one in the recovery region, which "
        "bills by the hour and takes over once it has pods.",
    )
    ttl_s: int | None = Field(
        default=None, ge=1, le=86_400, description="Seconds that standby_dns_name may be remembered; absent: 60."
    )
    checks: tuple[Check, ...] | None = Field(
        default=None,
        strict=False,
        min_length=1,
        description="endpoint: Route 53 asks from the internet; targets: CloudWatch counts healthy pods. Absent: "
        "endpoint where everybody may connect, else targets.",
    )
    healthy_checks: int | None = Field(
        default=None, ge=1, le=2, description="Checks that must be good for the stack to serve; absent: all."
    )
    endpoint: EndpointCheckConfig = Field(
        default=EndpointCheckConfig(), description="How Route 53 asks, where endpoint is among the checks."
    )


@rule_of(FailoverConfig)
def _time_of_a_name(failover: FailoverConfig) -> Iterator[Conflict]:
    if failover.standby_dns_name is None and failover.ttl_s is not None:
        message = "is for a standby_dns_name: a record that points at load balancers has their own 60 s"
        yield Conflict(key=("ttl_s",), message=message)
