"""A load balancer with TLS, health checks and access logs for pods of a cluster that is there, in its VPC."""

import pulumi
import pulumi_aws as aws

from components.load_balancer import LoadBalancer, LoadBalancerArgs
from components.settings import HealthCheckConfig, LoadBalancerConfig

cluster = aws.eks.get_cluster_output(name="research")  # yours
config = LoadBalancerConfig(
    kind="application",
    domain_name="llm.example.org",
    zone_id=pulumi.Config().require("zone_id"),
    target_port=8000,
    health_check=HealthCheckConfig(path="/health"),
)

balancer = LoadBalancer(
    "llm",
    LoadBalancerArgs(
        name="research",
        region=pulumi.Config("aws").require("region"),
        account_id=aws.get_caller_identity_output().account_id,
        config=config,
        vpc_id=cluster.vpc_config.vpc_id,
        vpc_cidr="10.8.0.0/16",
        # Private ones: it is internal, as nothing else is said.
        subnet_ids=[cluster.vpc_config.subnet_ids[zone] for zone in range(2)],
        cluster_security_group_id=cluster.vpc_config.cluster_security_group_id,
        retain=False,
    ),
)
balancer.add_record()

pulumi.export("dns_name", balancer.dns_name)
pulumi.export("target_group_arn", balancer.target_group_arn)  # for a TargetGroupBinding
