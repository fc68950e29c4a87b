"""Copies of the images that are pushed to ``research/train`` in a second region.

The rule is the registry's, of which an account has one a region: it replaces those of other programs.
"""

import pulumi
import pulumi_aws as aws

from components.image_replication import ImageReplication, ImageReplicationArgs
from components.registry import RepositoryArgs
from components.settings import RegistryConfig

there = aws.Provider("recovery", region="us-west-2")
key_there = aws.kms.Key("own-there", opts=pulumi.ResourceOptions(provider=there))

replication = ImageReplication(
    "replication",
    ImageReplicationArgs(
        region="us-west-2",
        account_id=aws.get_caller_identity_output().account_id,
        replica=RepositoryArgs(
            name="research", config=RegistryConfig(keep_images=20), key_arn=key_there.arn, retain=True
        ),
        provider=there,
    ),
)

pulumi.export("repository_url", replication.repository_url)
