"""A copy of the workload's images in the recovery region. Images that were pushed before have none."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from .naming import component_type
from .registry import RepositoryArgs, create_repository


@dataclass(frozen=True, kw_only=True)
class ImageReplicationArgs:
    """Arguments of :class:`ImageReplication`.

    Attributes:
        region: the recovery region.
        replica: the repository there, like the first one but for its key.
        provider: AWS there.
    """

    region: str
    account_id: pulumi.Input[str]
    replica: RepositoryArgs
    provider: aws.Provider


class ImageReplication(pulumi.ComponentResource):
    """The repository that receives, and the registry's rule.

    The repository is declared: one that ECR makes for a copy would have tags that move, and no key of ours.

    Attributes:
        repository_url: where the replicas are pulled from.
    """

    repository_url: pulumi.Output[str]

    def __init__(self, name: str, args: ImageReplicationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(ImageReplication), name, None, opts)
        there = pulumi.ResourceOptions(parent=self, provider=args.provider)
        repository = create_repository(name, args.replica, there)
        destination = {"region": args.region, "registry_id": args.account_id}
        # No slash at the end: a filter is the beginning of a name.
        beginning = {"filter": args.replica.repository_name, "filter_type": "PREFIX_MATCH"}
        rule = {"destinations": [destination], "repository_filters": [beginning]}
        aws.ecr.ReplicationConfiguration(
            f"{name}-rule",
            replication_configuration={"rules": [rule]},  # pyright: ignore[reportArgumentType]
            opts=pulumi.ResourceOptions(parent=self, depends_on=[repository]),
        )
        self.repository_url = repository.repository_url
        self.register_outputs({"repository_url": self.repository_url})
