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
IMAGE_SOURCES = ("Dockerfile", "requirements.txt", "train", "etl")
"""What in ``workloads`` its image is made of; what stands beside them makes no other image."""


@dataclass(frozen=True, kw_only=True)
class RegistryArgs:
    """``workloads``: the folder that the image is built from; ``retain``: whether images stop a destroy."""

    name: str
    config: RegistryConfig
    workloads: Path
    key_arn: pulumi.Input[str]
    retain: bool


class Registry(pulumi.ComponentResource):
    """One repository whose tags never move."""

    repository_url: pulumi.Output[str]
    image: pulumi.Output[str]
    image_digest: str

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Registry), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        repository = self._create_repository()
        self._create_lifecycle(repository)
        self.repository_url = repository.repository_url
        self.image_digest = args.config.image_digest or folder_digest(args.workloads, IMAGE_SOURCES)
        reference = image_suffix(args.config, self.image_digest)
        self.image = pulumi.Output.concat(repository.repository_url, reference)
        self.register_outputs({"repository_url": self.repository_url, "image": self.image})

    def _create_repository(self) -> aws.ecr.Repository:
        return aws.ecr.Repository(
            f"{self._name}-{IMAGE}",
            name=f"{self._args.name}/{IMAGE}",
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration={"scan_on_push": True},
            encryption_configurations=[{"encryption_type": "KMS", "kms_key": self._args.key_arn}],
            force_delete=not self._args.retain,
            opts=self._child,
        )

    def _create_lifecycle(self, repository: aws.ecr.Repository) -> None:
        aws.ecr.LifecyclePolicy(
            f"{self._name}-{IMAGE}-lifecycle",
            repository=repository.name,
            policy=json.dumps(keep_newest(self._args.config.keep_images)),
            opts=self._child,
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
