"""A training job on a TPU slice that is there, with its checkpoints and verdict in buckets of one's own in AWS.

The cluster is that of your kubeconfig; ``pulumi config set kubernetes:context`` chooses another of its contexts.
"""

import pulumi
import pulumi_aws as aws

from components.settings import SmokeTestConfig, TpuPoolConfig
from components.tpu_smoke_test import TpuSmokeTest, TpuSmokeTestArgs

CLUSTER = "projects/my-project/locations/us-east5/clusters/research-tpus"  # yours

key = aws.kms.Key("own")
checkpoints = aws.s3.Bucket("checkpoints")
verdicts = aws.s3.Bucket("verdicts")  # apart from what may expire

test = TpuSmokeTest(
    "tpu-smoke-test",
    TpuSmokeTestArgs(
        name="research",
        region=pulumi.Config("aws").require("region"),
        config=SmokeTestConfig(pool="v6e", steps=100),
        pool=TpuPoolConfig(machine_type="ct6e-standard-4t", topology="2x4", zone="us-east5-b"),
        image="us-east5-docker.pkg.dev/my-project/research-tpus/train:1",  # of workloads/Dockerfile
        issuer_url=f"https://container.googleapis.com/v1/{CLUSTER}",
        checkpoint_bucket_name=checkpoints.bucket,
        checkpoint_bucket_arn=checkpoints.arn,
        verdict_bucket_name=verdicts.bucket,
        verdict_bucket_arn=verdicts.arn,
        key_arn=key.arn,
        own_cidrs=("10.128.0.0/20", "10.132.0.0/14"),  # of its nodes and pods
    ),
)

pulumi.export("job_names", test.job_names)
pulumi.export("verdicts", test.verdicts)
