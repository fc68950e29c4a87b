"""A bucket for data and one for checkpoints, encrypted with a key of one's own; checkpoints go after a month."""

import pulumi
import pulumi_aws as aws

from components.settings import ObjectLockConfig, StorageConfig
from components.storage import Storage, StorageArgs

key = aws.kms.Key("own")

storage = Storage(
    "storage",
    StorageArgs(
        name="research",
        region=pulumi.Config("aws").require("region"),
        account_id=aws.get_caller_identity_output().account_id,
        config=StorageConfig(checkpoint_days=30, data_intelligent_tiering=True, object_lock=ObjectLockConfig(days=7)),
        key_arn=key.arn,
        retain=True,
        tags={"data": {"owner": "vision"}},
    ),
)

pulumi.export("bucket_names", storage.bucket_names)
