"""A read-only replica of an EFS file system of one's own in a second region. A destroy leaves the replica."""

import pulumi
import pulumi_aws as aws

from components.file_system_replication import FileSystemReplication, FileSystemReplicationArgs

there = aws.Provider("recovery", region="us-west-2")
key_there = aws.kms.Key("own-there", opts=pulumi.ResourceOptions(provider=there))
homes = aws.efs.FileSystem("homes", encrypted=True)

replication = FileSystemReplication(
    "replication",
    FileSystemReplicationArgs(
        region="us-west-2",
        account_id=aws.get_caller_identity_output().account_id,
        file_system_ids={"homes": homes.id},
        key_arn=key_there.arn,
        provider=there,
    ),
)

pulumi.export("file_system_ids", replication.file_system_ids)
