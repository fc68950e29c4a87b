"""A name that answers from a standby while one's own load balancer has no healthy target."""

import pulumi

from components.failover import Failover, FailoverArgs
from components.records import Target
from components.settings import FailoverConfig, LoadBalancerConfig

REGION = pulumi.Config("aws").require("region")
BALANCER = f"arn:aws:elasticloadbalancing:{REGION}:111122223333:loadbalancer/net/llm/50dc6c495c0c9188"
ZONE = pulumi.Config().require("zone_id")  # of example.org
TARGETS = f"arn:aws:elasticloadbalancing:{REGION}:111122223333:targetgroup/llm/73e2d6bc24d8a067"

failover = Failover(
    "failover",
    FailoverArgs(
        name="research",
        region=REGION,
        config=FailoverConfig(),
        checks=("targets",),
        balancer=LoadBalancerConfig(kind="network", domain_name="llm.example.org", zone_id=ZONE),
        load_balancer_arn=BALANCER,
        target_group_arn=TARGETS,
        primary=Target(dns_name="llm-50dc6c495c0c9188.elb.us-east-1.amazonaws.com"),
        standby=Target(dns_name="llm.eu.example.com"),
    ),
)

pulumi.export("health_check_id", failover.health_check_id)
pulumi.export("name", failover.target.dns_name)  # what llm.example.org is an alias or a CNAME of
