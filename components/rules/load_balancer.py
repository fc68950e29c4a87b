"""What a load balancer's kind cannot do. Limits: Elastic Load Balancing guides and API reference."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.load_balancer import IDLE_TIMEOUTS_S
from components.settings.section import Conflict
from components.settings.stack import StackConfig


def _conflict(*key: str | int, message: str) -> Conflict:
    return Conflict(key=("load_balancer", *key), message=message)


def _zone_and_name(config: StackConfig) -> Iterator[Conflict]:
    balancer = config.load_balancer
    if balancer and balancer.domain_name and not balancer.zone_id:
        message = "needs a zone_id beside it: the certificate is validated by a record in that zone"
        yield _conflict("domain_name", message=message)
    if balancer and balancer.zone_id and not balancer.domain_name:
        yield _conflict("zone_id", message="is for a domain_name, and there is none: no certificate is made without")


def _firewall(config: StackConfig) -> Iterator[Conflict]:
    balancer = config.load_balancer
    if balancer and balancer.waf and balancer.kind == "network":
        message = "AWS WAF reads HTTP requests, and a network load balancer passes connections on unread: "
        yield _conflict("waf", message=message + "take kind application, or leave waf out")


def _open_to_the_internet(config: StackConfig) -> Iterator[Conflict]:
    balancer = config.load_balancer
    if not balancer or balancer.scheme != "internet_facing":
        return
    if not balancer.is_tls:
        message = "internet_facing without a domain_name would carry requests and tokens in plain text"
        yield _conflict("scheme", message=message)
    if not balancer.allowed_cidrs:
        message = "internet_facing needs allowed_cidrs: name the ranges that may connect (0.0.0.0/0 is everyone)"
        yield _conflict("scheme", message=message)


def _redirect_port(config: StackConfig) -> Iterator[Conflict]:
    balancer = config.load_balancer
    if balancer and balancer.kind == "application" and balancer.is_tls and balancer.listens_on == 80:
        yield _conflict("port", message="80 is where plain HTTP is redirected from: listen with TLS on another port")


def _health_check(config: StackConfig) -> Iterator[Conflict]:
    balancer = config.load_balancer
    if not balancer:
        return
    check = balancer.health_check
    if balancer.check_protocol == "tcp" and check.path is not None:
        why = "" if check.protocol else ", which is what a network load balancer does unless protocol says otherwise"
        yield _conflict("health_check", "path", message=f"a TCP check only connects and asks for no path{why}")
    if balancer.kind == "application" and check.protocol == "tcp":
        message = "an application load balancer checks over http or https"
        yield Conflict(key=("load_balancer", "health_check", "protocol"), message=message, allowed=("http", "https"))
    if check.timeout_s >= check.interval_s:
        message = f"{check.timeout_s} must be less than interval_s {check.interval_s}"
        yield _conflict("health_check", "timeout_s", message=message)


def _idle_timeout(config: StackConfig) -> Iterator[Conflict]:
    balancer = config.load_balancer
    if not balancer or balancer.idle_timeout_s is None:
        return
    least, most = IDLE_TIMEOUTS_S[balancer.kind]
    if balancer.kind == "network" and balancer.is_tls:
        message = "a network load balancer ends silent TLS connections after 350 s, and nothing changes that"
        yield _conflict("idle_timeout_s", message=message)
    elif not least <= balancer.idle_timeout_s <= most:
        message = f"{balancer.idle_timeout_s} is not within {least} to {most:,} s of a load balancer of kind "
        yield _conflict("idle_timeout_s", message=message + balancer.kind)


RULES = (_zone_and_name, _firewall, _open_to_the_internet, _redirect_port, _health_check, _idle_timeout)
