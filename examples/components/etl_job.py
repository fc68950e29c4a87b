"""Every night the raw text in a bucket of one's own becomes shards of tokens, on nodes that are there.

The cluster is that of your kubeconfig; ``pulumi config set kubernetes:context`` chooses another of its contexts.
Its nodes of the pool bear the label ``ai-datacenter/pool: cpu``.
"""

import pulumi
import pulumi_aws as aws

from components.etl_job import EtlJob, EtlJobArgs
from components.settings import EtlJobConfig, PoolConfig

key = aws.kms.Key("own")
bucket = aws.s3.Bucket("corpora")

job = EtlJob(
    "etl",
    EtlJobArgs(
        name="research",
        region=pulumi.Config("aws").require("region"),
        config=EtlJobConfig(pool="cpu", schedule="0 3 * * *", sources=("raw/crawl/",), cpus=8, memory_gib=24),
        pool=PoolConfig(instance_type="m7i.4xlarge", desired_size=1),
        image="111122223333.dkr.ecr.us-east-1.amazonaws.com/research/train:1",  # of workloads/Dockerfile
        cluster_name="research",
        vpc_cidr="10.8.0.0/16",
        bucket_name=bucket.bucket,
        bucket_arn=bucket.arn,
        key_arn=key.arn,
    ),
)

pulumi.export("cron_job", pulumi.Output.concat(job.namespace_name, "/", job.cron_job_name))
pulumi.export("output_url", job.output_url)
