"""Homes for the nodes of a cluster that is there, in its VPC, with one folder for each of two groups."""

import pulumi
import pulumi_aws as aws

from components.efs import Efs, EfsArgs
from components.settings import AccessPointConfig, EfsConfig

cluster = aws.eks.get_cluster_output(name="research")  # yours
key = aws.kms.Key("own")

efs = Efs(
    "homes",
    EfsArgs(
        name="research",
        system="homes",
        config=EfsConfig(
            infrequent_days=60,
            access_points={
                "vision": AccessPointConfig(path="/vision"),
                "speech": AccessPointConfig(path="/speech", uid=1001, gid=1001),
            },
        ),
        vpc_id=cluster.vpc_config.vpc_id,
        # An address in each zone: a cluster has subnets in two at least.
        subnet_ids=[cluster.vpc_config.subnet_ids[zone] for zone in range(2)],
        nodes_security_group_id=cluster.vpc_config.cluster_security_group_id,
        key_arn=key.arn,
        retain=False,
    ),
)

pulumi.export("file_system_id", efs.file_system_id)
pulumi.export("access_point_ids", efs.access_point_ids)
