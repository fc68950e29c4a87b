"""A training job that proves two nodes that are there: ``pulumi up`` waits for it, and fails when it fails.

The cluster is that of your kubeconfig; ``pulumi config set kubernetes:context`` chooses another of its contexts.
Its nodes of the pool bear the label ``ai-datacenter/pool: l4``.
"""

import pulumi
import pulumi_aws as aws

from components.settings import PoolConfig, SmokeTestConfig
from components.smoke_test import SmokeTest, SmokeTestArgs

key = aws.kms.Key("own")
checkpoints = aws.s3.Bucket("checkpoints")
verdicts = aws.s3.Bucket("verdicts")  # apart from what may expire

test = SmokeTest(
    "smoke-test",
    SmokeTestArgs(
        name="research",
        region=pulumi.Config("aws").require("region"),
        config=SmokeTestConfig(pool="l4", steps=100, checks="strict"),
        pool=PoolConfig(instance_type="g6.xlarge", desired_size=2),
        image="111122223333.dkr.ecr.us-east-1.amazonaws.com/research/train:1",  # of workloads/Dockerfile
        image_digest="1",  # another one is another job
        kubernetes_version="1.34",
        cluster_name="research",
        checkpoint_bucket_name=checkpoints.bucket,
        checkpoint_bucket_arn=checkpoints.arn,
        verdict_bucket_name=verdicts.bucket,
        verdict_bucket_arn=verdicts.arn,
        key_arn=key.arn,
        vpc_cidr="10.8.0.0/16",
    ),
)

pulumi.export("job_name", test.job_name)
pulumi.export("verdict", test.verdict)
