"""What Karpenter needs on AWS's side, for a cluster that is there. Its chart is installed beside this program."""

import json

import pulumi
import pulumi_aws as aws

from components.encryption import key_policy
from components.karpenter import Karpenter, KarpenterArgs
from components.settings import KarpenterConfig, KarpenterPoolConfig
from components.settings.karpenter import KarpenterLimits

REGION = pulumi.Config("aws").require("region")

cluster = aws.eks.get_cluster_output(name="research")  # yours
account_id = aws.get_caller_identity_output().account_id
# Auto Scaling makes the disks with the key, which has to let it.
key = aws.kms.Key("own", policy=account_id.apply(lambda id: json.dumps(key_policy(id, REGION))))

karpenter = Karpenter(
    "karpenter",
    KarpenterArgs(
        name="research",
        region=REGION,
        account_id=account_id,
        config=KarpenterConfig(
            pools={"web": KarpenterPoolConfig(families=("m7i",), limits=KarpenterLimits(cpus=64))},
        ),
        cluster_name=cluster.name,
        subnet_ids=[cluster.vpc_config.subnet_ids[zone] for zone in range(2)],
        security_group_id=cluster.vpc_config.cluster_security_group_id,
        key_arn=key.arn,
    ),
)
# What its nodes may be is another component's: karpenter_pools.py.

pulumi.export("settings.interruptionQueue", karpenter.queue_name)
pulumi.export("instance_profile_name", karpenter.instance_profile_name)
