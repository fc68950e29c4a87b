"""Daily backups of a bucket and a file system of one's own, kept for five weeks in a vault that is locked."""

import pulumi
import pulumi_aws as aws

from components.backup import Backup, BackupArgs
from components.settings import BackupConfig, BackupLockConfig, BackupPlanConfig, BackupRuleConfig

key = aws.kms.Key("own")
bucket = aws.s3.Bucket("papers")
aws.s3.BucketVersioning("papers", bucket=bucket.bucket, versioning_configuration={"status": "Enabled"})
homes = aws.efs.FileSystem("homes", encrypted=True, kms_key_id=key.arn)

plan = BackupPlanConfig(rules={"daily": BackupRuleConfig(retention_days=35)})

backup = Backup(
    "backup",
    BackupArgs(
        name="research",
        region=pulumi.Config("aws").require("region"),
        account_id=aws.get_caller_identity_output().account_id,
        key_arn=key.arn,
        config=BackupConfig(plans={"kept": plan}, lock=BackupLockConfig(min_retention_days=7)),
        # By kind (s3, efs or fsx) and a name of your choice.
        resource_arns={"kept": {("s3", "papers"): bucket.arn, ("efs", "homes"): homes.arn}},
        retain=True,
    ),
)

pulumi.export("vault_name", backup.vault_name)
pulumi.export("plan_ids", backup.plan_ids)
