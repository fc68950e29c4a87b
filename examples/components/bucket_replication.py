"""A replica of a bucket of one's own in a second region, at most 15 minutes behind."""

import pulumi
import pulumi_aws as aws

from components.bucket import MadeBucket
from components.bucket_replication import BucketReplication, BucketReplicationArgs
from components.settings import StorageConfig
from components.storage import StorageArgs

there = aws.Provider("recovery", region="us-west-2")
key = aws.kms.Key("own")
key_there = aws.kms.Key("own-there", opts=pulumi.ResourceOptions(provider=there))
bucket = aws.s3.Bucket("papers")
versions = aws.s3.BucketVersioning(
    "papers", bucket=bucket.bucket, versioning_configuration={"status": "Enabled"}
)  # S3 replicates none without

replication = BucketReplication(
    "replication",
    BucketReplicationArgs(
        region=pulumi.Config("aws").require("region"),
        key_arn=key.arn,
        sources={"data": MadeBucket(bucket, (versions,))},
        replicas=StorageArgs(
            name="research",
            region="us-west-2",
            account_id=aws.get_caller_identity_output().account_id,
            config=StorageConfig(noncurrent_days=90),
            key_arn=key_there.arn,
            retain=True,
        ),
        delete_markers=False,
        provider=there,
    ),
)

pulumi.export("bucket_names", replication.bucket_names)
