"""One key for everything that rests, with a replica in a second region, rotated every year."""

import pulumi
import pulumi_aws as aws

from components.encryption import Encryption, EncryptionArgs, ReplicaArgs

there = aws.Provider("recovery", region="us-west-2")

keys = Encryption(
    "keys",
    EncryptionArgs(
        name="research",
        region=pulumi.Config("aws").require("region"),
        account_id=aws.get_caller_identity_output().account_id,
        retain=False,  # true protects it, and everything that it encrypts
        replica=ReplicaArgs(region="us-west-2", provider=there),
    ),
)

pulumi.export("key_arn", keys.key_arn)
pulumi.export("replica_key_arn", keys.replica_key_arn)
