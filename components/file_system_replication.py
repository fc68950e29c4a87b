"""Read-only replicas of EFS file systems in the recovery region, at most 15 minutes behind for most.

EFS makes the replicas. The provider refuses to refresh a replica that was declared as a file system of its own: its
protection is ``REPLICATING`` then, which the provider does not know. So a destroy leaves the replicas, as writable
file systems.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from .efs import mount_policy
from .naming import component_type, partition


@dataclass(frozen=True, kw_only=True)
class FileSystemReplicationArgs:
    """Arguments of :class:`FileSystemReplication`.

    Attributes:
        region: the recovery region.
        file_system_ids: the originals by name.
        key_arn: the KMS key in the recovery region.
        provider: AWS there.
    """

    region: str
    account_id: pulumi.Input[str]
    file_system_ids: Mapping[str, pulumi.Input[str]]
    key_arn: pulumi.Input[str]
    provider: aws.Provider


class FileSystemReplication(pulumi.ComponentResource):
    """A replica of each, which nobody can mount before whoever takes over gives it addresses in the zones.

    Attributes:
        file_system_ids: the replicas, by the names of their originals.
    """

    file_system_ids: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: FileSystemReplicationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(FileSystemReplication), name, None, opts)
        self._name, self._args = name, args
        self.file_system_ids = {system: self._replicate(system, id) for system, id in args.file_system_ids.items()}
        for system, id in self.file_system_ids.items():
            self._create_policy(system, id)
        self.register_outputs({"file_system_ids": self.file_system_ids})

    def _replicate(self, system: str, id: pulumi.Input[str]) -> pulumi.Output[str]:
        replication = aws.efs.ReplicationConfiguration(
            f"{self._name}-{system}",
            source_file_system_id=id,
            destination={"region": self._args.region, "kms_key_id": self._args.key_arn},
            opts=pulumi.ResourceOptions(parent=self),
        )
        return replication.destination.apply(lambda replica: replica.file_system_id or "")

    def _create_policy(self, system: str, id: pulumi.Output[str]) -> None:
        """The replica has none of its original's policies: whoever reached it would be root, without TLS."""
        args = self._args
        policy = pulumi.Output.all(args.account_id, id).apply(
            lambda known: json.dumps(mount_policy(file_system_arn(args.region, known[0], known[1])))
        )
        aws.efs.FileSystemPolicy(
            f"{self._name}-{system}-policy",
            file_system_id=id,
            policy=policy,
            opts=pulumi.ResourceOptions(parent=self, provider=args.provider),
        )


def file_system_arn(region: str, account_id: str, file_system_id: str) -> str:
    """The ARN of a file system."""
    return f"arn:{partition(region)}:elasticfilesystem:{region}:{account_id}:file-system/{file_system_id}"
