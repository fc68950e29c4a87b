"""The image registry, and the workload's image in it by digest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws

from .naming import component_type, folder_digest
from .settings import RegistryConfig

IMAGE = "train"
IMAGE_SOURCES = ("Dockerfile", "requirements.txt", "chips", "train", "etl")
"""What in ``workloads`` its image is made of; what stands beside them makes no other image."""


@dataclass(frozen=True, kw_only=True)
class RepositoryArgs:
    """A repository of images.

    Attributes:
        name: what it is named after.
        retain: whether images stop a destroy.
    """

    name: str
    config: RegistryConfig
    key_arn: pulumi.Input[str]
    retain: bool

    @property
    def repository_name(self) -> str:
        """The same in every region, so that an image's name differs by the registry alone."""
        return f"{self.name}/{IMAGE}"


@dataclass(frozen=True, kw_only=True)
class RegistryArgs:
    """Arguments of :class:`Registry`.

    Attributes:
        repository: what the repository is like.
        workloads: the folder that the image is built from.
    """

    repository: RepositoryArgs
    workloads: Path


class Registry(pulumi.ComponentResource):
    """One repository whose tags never move.

    Attributes:
        repository_url: where it is.
        image: the workload's image in it: what pods ask for.
        image_digest: the digest of what the image is made of, or of the image where the stack file names one.
    """

    repository_url: pulumi.Output[str]
    image: pulumi.Output[str]
    image_digest: str

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Registry), name, None, opts)
        config = args.repository.config
        child = pulumi.ResourceOptions(parent=self)
        repository = create_repository(name, args.repository, child)
        if config.scanning:
            _create_scanning(name, config.scanning, child)
        self.repository_url = repository.repository_url
        self.image_digest = config.image_digest or folder_digest(args.workloads, IMAGE_SOURCES)
        reference = image_suffix(config, self.image_digest)
        self.image = pulumi.Output.concat(repository.repository_url, reference)
        self.register_outputs({"repository_url": self.repository_url, "image": self.image})


def create_repository(name: str, args: RepositoryArgs, opts: pulumi.ResourceOptions) -> aws.ecr.Repository:
    """The repository of the workload's image, and how many it keeps."""
    repository = aws.ecr.Repository(
        f"{name}-{IMAGE}",
        name=args.repository_name,
        image_tag_mutability="IMMUTABLE",
        image_scanning_configuration={"scan_on_push": True},
        encryption_configurations=[{"encryption_type": "KMS", "kms_key": args.key_arn}],
        force_delete=not args.retain,
        opts=opts,
    )
    aws.ecr.LifecyclePolicy(
        f"{name}-{IMAGE}-lifecycle",
        repository=repository.name,
        policy=json.dumps(keep_newest(args.config.keep_images)),
        opts=opts,
    )
    return repository


def _create_scanning(name: str, scanning: str, opts: pulumi.ResourceOptions) -> None:
    """All repositories of the registry: those that a rule leaves out are scanned no more, whatever they say."""
    frequency = "CONTINUOUS_SCAN" if scanning == "enhanced" else "SCAN_ON_PUSH"
    everything = [{"filter": "*", "filter_type": "WILDCARD"}]
    aws.ecr.RegistryScanningConfiguration(
        f"{name}-scanning",
        scan_type=scanning.upper(),
        rules=[{"scan_frequency": frequency, "repository_filters": everything}],  # pyright: ignore[reportArgumentType]
        opts=opts,
    )


def image_suffix(config: RegistryConfig, digest: str) -> str:
    """``@sha256:…`` of a pushed image that the stack file names, else the tag that its sources' digest makes."""
    return f"@{digest}" if config.image_digest else f":{digest}"


def keep_newest(count: int) -> dict[str, Any]:
    """A lifecycle policy that expires all but the newest ``count`` images."""
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": count}
    rule = {
        "rulePriority": 1,
        "description": f"Keep {count} images",
        "selection": selection,
        "action": {"type": "expire"},
    }
    return {"rules": [rule]}
