"""A repository for the image of this checkout's training job; its name says what the image is made of."""

from pathlib import Path

import pulumi
import pulumi_aws as aws

import components
from components.registry import Registry, RegistryArgs, RepositoryArgs
from components.settings import RegistryConfig

key = aws.kms.Key("own")

registry = Registry(
    "registry",
    RegistryArgs(
        repository=RepositoryArgs(name="research", config=RegistryConfig(keep_images=20), key_arn=key.arn, retain=True),
        workloads=Path(components.__path__[0]).parent / "workloads",  # of the checkout
    ),
)

pulumi.export("push_to", registry.image)
