"""A bucket of another account and region, copied and verified into one's own every Sunday."""

import json

import pulumi
import pulumi_aws as aws

from components.encryption import key_policy
from components.migration import Migration, MigrationArgs
from components.migration_access import log_access
from components.settings import MigrationConfig, S3SourceConfig

REGION = pulumi.Config("aws").require("region")

account_id = aws.get_caller_identity_output().account_id
key = aws.kms.Key("own", policy=account_id.apply(lambda id: json.dumps(key_policy(id, REGION))))
bucket = aws.s3.Bucket("corpora")
# DataSync writes what it did into a log group that lets it.
logs = aws.cloudwatch.LogGroup("datasync", name="/aws/datasync/research", retention_in_days=30)
allowed = aws.cloudwatch.LogResourcePolicy(
    "datasync",
    policy_name="research-datasync",
    policy_document=pulumi.Output.all(account_id, logs.arn).apply(
        lambda known: json.dumps(log_access(REGION, known[0], known[1]))
    ),
)

migration = Migration(
    "books",
    MigrationArgs(
        name="research",
        migration="books",
        region=REGION,
        account_id=account_id,
        config=MigrationConfig(
            s3=S3SourceConfig(bucket="corp-books", prefix="text/", region="eu-west-1", account_id="444455556666"),
            prefix="raw/books/",
            schedule="cron(0 1 ? * SUN *)",
        ),
        bucket_arn=bucket.arn,
        key_arn=key.arn,
        log_group_arn=logs.arn,
    ),
    pulumi.ResourceOptions(depends_on=[allowed]),
)

pulumi.export("task_arn", migration.task_arn)
pulumi.export("source_role_arn", migration.source_role_arn)  # for the bucket policy of the other account
