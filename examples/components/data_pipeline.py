"""Data from an NFS server of one's own into a bucket and into EFS, and a table of what etl made of it."""

import json

import pulumi
import pulumi_aws as aws

from components.data_pipeline import DataPipeline, DataPipelineArgs
from components.encryption import key_policy
from components.migration import EfsTarget
from components.settings import CatalogueConfig, DataPipelineConfig, EtlJobConfig, MigrationConfig, NfsSourceConfig

REGION = pulumi.Config("aws").require("region")
AGENT = f"arn:aws:datasync:{REGION}:111122223333:agent/agent-0123456789abcdef0"  # beside the server

account_id = aws.get_caller_identity_output().account_id
key = aws.kms.Key("own", policy=account_id.apply(lambda id: json.dumps(key_policy(id, REGION))))
bucket = aws.s3.Bucket("corpora")
vpc = aws.ec2.Vpc("own", cidr_block="10.8.0.0/16")
subnet = aws.ec2.Subnet("own", vpc_id=vpc.id, cidr_block="10.8.0.0/24")
group = aws.ec2.SecurityGroup("homes", vpc_id=vpc.id, description="NFS")
homes = aws.efs.FileSystem("homes", encrypted=True, kms_key_id=key.arn)
target = aws.efs.MountTarget("homes", file_system_id=homes.id, subnet_id=subnet.id, security_groups=[group.id])

crawl = MigrationConfig(
    nfs=NfsSourceConfig(server="nas.corp.example.com", path="/export/crawl", agent_arns=(AGENT,)), prefix="raw/crawl/"
)
old_homes = MigrationConfig(
    nfs=NfsSourceConfig(server="nas.corp.example.com", path="/export/home", agent_arns=(AGENT,)), kind="efs"
)

pipeline = DataPipeline(
    "pipeline",
    DataPipelineArgs(
        name="corpora",
        region=REGION,
        account_id=account_id,
        config=DataPipelineConfig(
            migrations={"crawl": crawl, "old-homes": old_homes},
            catalogue=CatalogueConfig(prefix="catalogue/"),
            etl=EtlJobConfig(pool="cpu", schedule="@daily"),  # etl_job.py makes its job
        ),
        bucket_name=bucket.bucket,
        bucket_arn=bucket.arn,
        key_arn=key.arn,
        targets={
            "old-homes": EfsTarget(
                file_system_arn=homes.arn,
                vpc_id=vpc.id,
                subnet_id=subnet.id,
                security_group_id=group.id,
                after=[target],
            )
        },
    ),
)

pulumi.export("task_arns", {name: migration.task_arn for name, migration in pipeline.migrations.items()})
