"""Records of Route 53 that lead to load balancers, or to names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a record leads: to a load balancer or a record, which are in a zone, or else to a name.

    Attributes:
        zone_id: of the load balancer, or of the record.
        ttl_s: how long a name may be remembered; what is in a zone has a time of its own.
    """

    dns_name: pulumi.Input[str]
    zone_id: pulumi.Input[str] | None = None
    ttl_s: int = 60

    @property
    def record(self) -> dict[str, Any]:
        """The record's properties. Where nobody serves behind a target, Route 53 counts it as failed."""
        if self.zone_id is None:
            return {"type": "CNAME", "ttl": self.ttl_s, "records": [self.dns_name]}
        alias = {"name": self.dns_name, "zone_id": self.zone_id, "evaluate_target_health": True}
        return {"type": "A", "aliases": [alias]}


@dataclass(frozen=True, kw_only=True)
class Role:
    """A record's part in a failover; ``identifier``: what tells it from the other one of its name."""

    kind: Literal["PRIMARY", "SECONDARY"]
    identifier: str
    health_check_id: pulumi.Input[str] | None = None


def create_record(
    name: str, zone_id: str, domain_name: str, target: Target, opts: pulumi.ResourceOptions, role: Role | None = None
) -> aws.route53.Record:
    """A record for ``domain_name``. One of another kind goes before: Route 53 keeps no two kinds under one name."""
    routing: dict[str, Any] = {}
    if role:
        policy = [{"type": role.kind}]
        routing = {"set_identifier": role.identifier, "failover_routing_policies": policy}
        routing |= {"health_check_id": role.health_check_id} if role.health_check_id else {}
    first = pulumi.ResourceOptions(delete_before_replace=True)
    return aws.route53.Record(
        name,
        zone_id=zone_id,
        name=domain_name,
        **target.record,
        **routing,
        opts=pulumi.ResourceOptions.merge(opts, first),
    )
