"""A Lustre file system beside the nodes of a cluster that is there, which mirrors a prefix of a bucket."""

import json

import pulumi
import pulumi_aws as aws

from components.encryption import key_policy
from components.lustre import Lustre, LustreArgs
from components.settings import LustreConfig, LustreLinkConfig

REGION = pulumi.Config("aws").require("region")

cluster = aws.eks.get_cluster_output(name="research")  # yours
# FSx reads and writes the bucket with the key, which has to let it.
account_id = aws.get_caller_identity_output().account_id
key = aws.kms.Key("own", policy=account_id.apply(lambda id: json.dumps(key_policy(id, REGION, lustre_links=True))))
bucket = aws.s3.Bucket("corpora")

lustre = Lustre(
    "scratch",
    LustreArgs(
        name="research",
        system="scratch",
        config=LustreConfig(
            capacity_gib=2400,
            throughput_mb_s_per_tib=250,
            zone=f"{REGION}a",
            link=LustreLinkConfig(prefix="tokens/", path="/tokens"),
        ),
        vpc_id=cluster.vpc_config.vpc_id,
        subnet_id=cluster.vpc_config.subnet_ids[0],  # in that zone
        nodes_security_group_id=cluster.vpc_config.cluster_security_group_id,
        bucket_names={"data": bucket.bucket},
        key_arn=key.arn,
        retain=False,
    ),
)

pulumi.export("mount", pulumi.Output.concat(lustre.dns_name, "@tcp:/", lustre.mount_name))
