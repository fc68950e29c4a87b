"""A pool of spot GPU machines for inference, in a cluster where Karpenter is installed.

The cluster is that of your kubeconfig; ``pulumi config set kubernetes:context`` chooses another of its contexts. The
controller's role may use one key and give machines one profile: set ``key_arn`` and ``instance_profile_name`` by
``pulumi config set`` to what karpenter.py exports under these names, or to yours.
"""

import pulumi
import pulumi_aws as aws

from components.karpenter_pools import KarpenterPools, KarpenterPoolsArgs
from components.settings import KarpenterConfig, KarpenterLimits, KarpenterPoolConfig

config = pulumi.Config()
cluster = aws.eks.get_cluster_output(name="research")  # yours

pools = KarpenterPools(
    "pools",
    KarpenterPoolsArgs(
        name="research",
        config=KarpenterConfig(
            pools={
                "inference": KarpenterPoolConfig(
                    instance_types=("g6.xlarge", "g6e.xlarge"),
                    capacities=("spot", "on_demand"),
                    limits=KarpenterLimits(cpus=128, chips=16),
                )
            },
        ),
        kubernetes_version="1.34",
        instance_profile_name=config.require("instance_profile_name"),
        subnet_ids=[cluster.vpc_config.subnet_ids[zone] for zone in range(2)],
        security_group_id=cluster.vpc_config.cluster_security_group_id,
        key_arn=config.require("key_arn"),
        tags={"team": "vision"},
    ),
)

pulumi.export("pool_names", pools.pool_names)
