"""A VPC over three zones with subnets of their own for file systems, one way out, and no cluster in it."""

from ipaddress import IPv4Network

import pulumi
import pulumi_aws as aws

from components.network import Network, NetworkArgs
from components.settings import NetworkConfig

network = Network(
    "network",
    NetworkArgs(
        name="research",
        region=pulumi.Config("aws").require("region"),
        account_id=aws.get_caller_identity_output().account_id,
        zone_names=aws.get_availability_zones_output(state="available").names,
        config=NetworkConfig(
            cidr=IPv4Network("10.8.0.0/16"),
            nat="one",
            dedicated_subnets=("storage",),
            endpoint_services=("ecr.api", "ecr.dkr", "logs", "sts"),
        ),
    ),
)

pulumi.export("vpc_id", network.vpc_id)
pulumi.export("private_subnet_ids", network.private_subnet_ids)
pulumi.export("storage_subnet_ids", network.storage_subnet_ids)
