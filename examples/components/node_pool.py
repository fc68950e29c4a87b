"""A pool of spot GPU machines for a cluster that is there."""

import json

import pulumi
import pulumi_aws as aws

from components.encryption import key_policy
from components.node_pool import NodePool, NodePoolArgs
from components.settings import PoolConfig

REGION = pulumi.Config("aws").require("region")

cluster = aws.eks.get_cluster_output(name="research")  # yours
# Auto Scaling makes the disks with the key, which has to let it.
account_id = aws.get_caller_identity_output().account_id
key = aws.kms.Key("own", policy=account_id.apply(lambda id: json.dumps(key_policy(id, REGION))))

pool = NodePool(
    "l4",
    NodePoolArgs(
        name="research",
        pool="l4",
        region=REGION,
        config=PoolConfig(instance_type="g6.xlarge", desired_size=1, max_size=4, capacity="spot"),
        kubernetes_version="1.34",
        cluster_name=cluster.name,
        cluster_security_group_id=cluster.vpc_config.cluster_security_group_id,
        vpc_id=cluster.vpc_config.vpc_id,
        subnet_ids=[cluster.vpc_config.subnet_ids[zone] for zone in range(2)],
        key_arn=key.arn,
        tags={"team": "vision"},
    ),
)
# What makes the GPU countable is another component's: device_plugins.py.

pulumi.export("node_group_name", pool.node_group_name)
pulumi.export("node_role_arn", pool.node_role_arn)
