"""What Karpenter needs on AWS's side, for a cluster that is there. Its chart is installed beside this program."""

import pulumi
import pulumi_aws as aws

from components.karpenter import Karpenter, KarpenterArgs
from components.settings import KarpenterConfig, KarpenterLimits, KarpenterPoolConfig

cluster = aws.eks.get_cluster_output(name="research")  # yours
key = aws.kms.Key("own")  # the controller makes disks with it by a right of its own role

karpenter = Karpenter(
    "karpenter",
    KarpenterArgs(
        name="research",
        region=pulumi.Config("aws").require("region"),
        account_id=aws.get_caller_identity_output().account_id,
        config=KarpenterConfig(
            pools={"web": KarpenterPoolConfig(families=("m7i",), limits=KarpenterLimits(cpus=64))},
        ),
        cluster_name=cluster.name,
        subnet_ids=[cluster.vpc_config.subnet_ids[zone] for zone in range(2)],
        security_group_id=cluster.vpc_config.cluster_security_group_id,
        key_arn=key.arn,
    ),
)
# What its nodes may be is another component's: karpenter_pools.py, which takes the last two of the outputs.

pulumi.export("settings.interruptionQueue", karpenter.queue_name)
pulumi.export("key_arn", key.arn)
pulumi.export("instance_profile_name", karpenter.instance_profile_name)
