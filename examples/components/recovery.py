"""A second region for a VPC of one's own: a network there, and a way between the two."""

from ipaddress import IPv4Network

import pulumi
import pulumi_aws as aws

from components.recovery import Recovery, RecoveryArgs
from components.settings import NetworkConfig, RecoveryConfig

vpc = aws.ec2.Vpc("own", cidr_block="10.8.0.0/16")
table = aws.ec2.RouteTable("own", vpc_id=vpc.id)
there = aws.Provider("recovery", region="us-west-2")
zones_there = aws.get_availability_zones_output(
    state="available", opts=pulumi.InvokeOutputOptions(provider=there)
).names

recovery = Recovery(
    "recovery",
    RecoveryArgs(
        name="research",
        account_id=aws.get_caller_identity_output().account_id,
        config=RecoveryConfig(region="us-west-2", cidr=IPv4Network("10.9.0.0/16")),
        provider=there,
        zone_names=zones_there,
        primary_vpc_id=vpc.id,
        primary_route_table_ids={"private": table.id},
        primary_config=NetworkConfig(cidr=IPv4Network("10.8.0.0/16")),
    ),
)

pulumi.export("vpc_id", recovery.vpc_id)
pulumi.export("private_subnet_ids", recovery.network.private_subnet_ids)
