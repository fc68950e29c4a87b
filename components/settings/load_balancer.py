"""The load balancer's section. Limits: Elastic Load Balancing guides and API reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .section import Conflict, Section, rule_of
from .values import Cidr

# A certificate's first name may have 64 octets (ACM guide, quotas).
_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"

DomainName = Annotated[str, StringConstraints(pattern=rf"^(\*\.)?({_LABEL}\.)+[a-z]{{2,63}}$", max_length=64)]

ZoneId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{10,32}$")]

Port = Annotated[int, Field(ge=1, le=65_535)]

# Seconds a connection may be silent, by kind (guides: "Update the TCP idle timeout", "Edit attributes").
IDLE_TIMEOUTS_S = {"application": (1, 4000), "network": (60, 6000)}


class HealthCheckConfig(Section):
    """How the load balancer asks a target whether it can serve (API reference, CreateTargetGroup)."""

    protocol: Literal["tcp", "http", "https"] | None = Field(
        default=None, description="Absent: http on an application load balancer, tcp on a network one."
    )
    path: Annotated[str, StringConstraints(pattern=r"^/[!-~]{0,1023}$")] | None = Field(
        default=None, description="Asked over http and https; absent: /healthz."
    )
    interval_s: int = Field(default=15, ge=5, le=300, description="Seconds between two checks of a target.")
    timeout_s: int = Field(default=5, ge=2, le=120, description="Seconds until a check has failed.")
    healthy_threshold: int = Field(default=3, ge=2, le=10, description="Checks until a target is served.")
    unhealthy_threshold: int = Field(default=3, ge=2, le=10, description="Failed checks until it is not.")


class LoadBalancerConfig(Section):
    """One load balancer for the inference services, and what stands around it."""

    kind: Literal["network", "application"] = Field(
        description="network passes connections on, application HTTP requests."
    )
    scheme: Literal["internal", "internet_facing"] = Field(default="internal", description="Who can reach it at all.")
    allowed_cidrs: tuple[Cidr, ...] = Field(
        default=(), strict=False, description="Ranges that may connect; absent: the VPC's own."
    )
    domain_name: DomainName | None = Field(
        default=None, description="Its name: gets a certificate, TLS and a record; absent: plain text."
    )
    zone_id: ZoneId | None = Field(default=None, description="The Route 53 zone that domain_name is in.")
    tls_policy: Literal[
        "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        "ELBSecurityPolicy-TLS13-1-3-2021-06",
    ] = Field(default="ELBSecurityPolicy-TLS13-1-2-2021-06", description="TLS versions and ciphers that it takes.")
    port: Port | None = Field(default=None, description="Where it listens; absent: 443 with TLS, else 80.")
    target_port: Port = Field(default=8080, description="Where the services' pods listen.")
    health_check: HealthCheckConfig = Field(
        default=HealthCheckConfig(), description="How it asks a pod whether it can serve."
    )
    idle_timeout_s: int | None = Field(
        default=None,
        ge=1,
        le=6000,
        description="Seconds until a silent connection ends: 1 to 4,000 (absent: 60) on an application load balancer, "
        "60 to 6,000 (absent: 350) on a network one without TLS.",
    )
    deregistration_delay_s: int = Field(
        default=300, ge=0, le=3600, description="Seconds that a target which goes may still finish what it began."
    )
    cross_zone: bool = Field(default=True, description="Whether each zone serves the targets of all zones.")
    waf: bool = Field(default=False, description="AWS WAF with AWS's managed rules before an application one.")
    access_log_days: int | None = Field(
        default=90, ge=1, le=36_500, description="Days access logs are kept; null: none. A network one logs TLS only."
    )

    @property
    def is_tls(self) -> bool:
        """Whether clients speak TLS to it."""
        return self.domain_name is not None

    @property
    def listens_on(self) -> int:
        """The listener's port."""
        return self.port if self.port is not None else (443 if self.is_tls else 80)

    @property
    def logs_access(self) -> bool:
        """Whether there is anything to log and somewhere to keep it."""
        return self.access_log_days is not None and (self.kind == "application" or self.is_tls)

    @property
    def check_protocol(self) -> str:
        """The health check's protocol."""
        return self.health_check.protocol or ("http" if self.kind == "application" else "tcp")


@rule_of(LoadBalancerConfig)
def _zone_and_name(balancer: LoadBalancerConfig) -> Iterator[Conflict]:
    if balancer.domain_name and not balancer.zone_id:
        message = "needs a zone_id beside it: the certificate is validated by a record in that zone"
        yield Conflict(key=("domain_name",), message=message)
    if balancer.zone_id and not balancer.domain_name:
        yield Conflict(
            key=("zone_id",), message="is for a domain_name, and there is none: no certificate is made without"
        )


@rule_of(LoadBalancerConfig)
def _firewall(balancer: LoadBalancerConfig) -> Iterator[Conflict]:
    if balancer.waf and balancer.kind == "network":
        message = "AWS WAF reads HTTP requests, and a network load balancer passes connections on unread: "
        yield Conflict(key=("waf",), message=message + "take kind application, or leave waf out")


@rule_of(LoadBalancerConfig)
def _open_to_the_internet(balancer: LoadBalancerConfig) -> Iterator[Conflict]:
    if balancer.scheme != "internet_facing":
        return
    if not balancer.is_tls:
        message = "internet_facing without a domain_name would carry requests and tokens in plain text"
        yield Conflict(key=("scheme",), message=message)
    if not balancer.allowed_cidrs:
        message = "internet_facing needs allowed_cidrs: name the ranges that may connect (0.0.0.0/0 is everyone)"
        yield Conflict(key=("scheme",), message=message)


@rule_of(LoadBalancerConfig)
def _redirect_port(balancer: LoadBalancerConfig) -> Iterator[Conflict]:
    if balancer.kind == "application" and balancer.is_tls and balancer.listens_on == 80:
        yield Conflict(
            key=("port",), message="80 is where plain HTTP is redirected from: listen with TLS on another port"
        )


@rule_of(LoadBalancerConfig)
def _health_check(balancer: LoadBalancerConfig) -> Iterator[Conflict]:
    check = balancer.health_check
    if balancer.check_protocol == "tcp" and check.path is not None:
        why = "" if check.protocol else ", which is what a network load balancer does unless protocol says otherwise"
        yield Conflict(key=("health_check", "path"), message=f"a TCP check only connects and asks for no path{why}")
    if balancer.kind == "application" and check.protocol == "tcp":
        message = "an application load balancer checks over http or https"
        yield Conflict(key=("health_check", "protocol"), message=message, allowed=("http", "https"))


@rule_of(LoadBalancerConfig)
def _idle_timeout(balancer: LoadBalancerConfig) -> Iterator[Conflict]:
    if balancer.idle_timeout_s is None:
        return
    least, most = IDLE_TIMEOUTS_S[balancer.kind]
    if balancer.kind == "network" and balancer.is_tls:
        message = "a network load balancer ends silent TLS connections after 350 s, and nothing changes that"
        yield Conflict(key=("idle_timeout_s",), message=message)
    elif not least <= balancer.idle_timeout_s <= most:
        message = f"{balancer.idle_timeout_s} is not within {least} to {most:,} s of a load balancer of kind "
        yield Conflict(key=("idle_timeout_s",), message=message + balancer.kind)


@rule_of(HealthCheckConfig)
def _in_time_for_the_next(check: HealthCheckConfig) -> Iterator[Conflict]:
    if check.timeout_s >= check.interval_s:
        message = f"{check.timeout_s} must be less than interval_s {check.interval_s}"
        yield Conflict(key=("timeout_s",), message=message)
