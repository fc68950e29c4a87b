"""A trail of everything that is called in the account, and of what is read and written in one bucket."""

import json

import pulumi
import pulumi_aws as aws

from components.encryption import key_policy
from components.settings import TrailConfig
from components.trail import Trail, TrailArgs

REGION = pulumi.Config("aws").require("region")

# CloudTrail encrypts its files with the key, which has to let it.
account_id = aws.get_caller_identity_output().account_id
key = aws.kms.Key("own", policy=account_id.apply(lambda id: json.dumps(key_policy(id, REGION, trail=True))))
bucket = aws.s3.Bucket("papers")

trail = Trail(
    "trail",
    TrailArgs(
        name="research",
        region=REGION,
        account_id=account_id,
        config=TrailConfig(keep_days=730, data_events=True),
        key_arn=key.arn,
        bucket_arns=[bucket.arn],
        retain=True,
    ),
)

pulumi.export("trail_arn", trail.trail_arn)
pulumi.export("bucket_name", trail.bucket_name)
