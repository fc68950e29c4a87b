"""A private EKS cluster in subnets of one's own. Nodes are another component's, or EKS' own node groups."""

import json
from ipaddress import IPv4Network

import pulumi
import pulumi_aws as aws

from components.cluster import Cluster, ClusterArgs
from components.encryption import key_policy
from components.settings import ClusterConfig

REGION = pulumi.Config("aws").require("region")

# CloudWatch writes the control plane's logs with the key, which has to let it.
account_id = aws.get_caller_identity_output().account_id
key = aws.kms.Key("own", policy=account_id.apply(lambda id: json.dumps(key_policy(id, REGION))))
vpc = aws.ec2.Vpc("own", cidr_block="10.8.0.0/16", enable_dns_hostnames=True)
zones = aws.get_availability_zones_output(state="available").names
subnets = [
    aws.ec2.Subnet(f"own-{zone}", vpc_id=vpc.id, cidr_block=f"10.8.{zone}.0/24", availability_zone=zones[zone])
    for zone in range(2)
]

cluster = Cluster(
    "cluster",
    ClusterArgs(
        name="research",
        region=REGION,
        config=ClusterConfig(public_access_cidrs=(IPv4Network("203.0.113.0/24"),)),
        subnet_ids=[subnet.id for subnet in subnets],
        key_arn=key.arn,
    ),
)
# `cluster.add_node_addons(after=[group])` adds CoreDNS once there are nodes for it.

pulumi.export("cluster_name", cluster.cluster_name)
pulumi.export("kubeconfig", cluster.kubeconfig)
