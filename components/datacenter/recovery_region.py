"""What stands in the recovery region beside its network: copies of what is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from ..bucket_replication import BucketReplication, BucketReplicationArgs
from ..datasets import dataset_tags, datasets_in
from ..file_system_replication import FileSystemReplication, FileSystemReplicationArgs
from ..image_replication import ImageReplication, ImageReplicationArgs
from ..registry import RepositoryArgs
from ..rules.replication import replicated_buckets, replicated_file_systems
from ..storage import StorageArgs
from .data import Data
from .foundation import Foundation
from .site import Site


@dataclass(frozen=True, kw_only=True)
class _There:
    region: str
    provider: aws.Provider
    key_arn: pulumi.Output[str]


class RecoveryRegion:
    """Copies of buckets, file systems and images, where the stack asks for them."""

    buckets: BucketReplication | None = None
    file_systems: FileSystemReplication | None = None
    images: ImageReplication | None = None

    def __init__(self, site: Site, foundation: Foundation, data: Data) -> None:
        self._site, self._data, self._key_arn = site, data, foundation.encryption.key_arn
        config, provider, key_arn = site.config.recovery, site.recovery_provider, foundation.encryption.replica_key_arn
        if config is None or config.replication is None or provider is None or key_arn is None:
            return
        there = _There(region=config.region, provider=provider, key_arn=key_arn)
        if kinds := replicated_buckets(site.config):
            self.buckets = self._replicate_buckets(kinds, config.replication.delete_markers, there)
        if systems := replicated_file_systems(site.config):
            self.file_systems = self._replicate_file_systems(systems, there)
        if config.replication.images:
            self.images = self._replicate_images(there)

    def _replicate_buckets(self, kinds: tuple[str, ...], delete_markers: bool, there: _There) -> BucketReplication:
        site = self._site
        replicas = StorageArgs(
            name=site.name,
            region=there.region,
            account_id=site.account_id,
            config=site.config.storage,
            key_arn=there.key_arn,
            retain=site.config.retain_data,
            tags={kind: dataset_tags(datasets_in("s3", kind, site.config)) for kind in kinds},
        )
        args = BucketReplicationArgs(
            region=site.region,
            key_arn=self._key_arn,
            sources={kind: self._data.storage.buckets[kind] for kind in kinds},
            replicas=replicas,
            delete_markers=delete_markers,
            provider=there.provider,
        )
        return BucketReplication("bucket-replication", args, site.opts)

    def _replicate_file_systems(self, systems: tuple[str, ...], there: _There) -> FileSystemReplication:
        efs = self._data.file_systems.efs
        args = FileSystemReplicationArgs(
            region=there.region,
            account_id=self._site.account_id,
            file_system_ids={system: efs[system].file_system_id for system in systems},
            key_arn=there.key_arn,
            provider=there.provider,
        )
        return FileSystemReplication("file-system-replication", args, self._site.opts)

    def _replicate_images(self, there: _There) -> ImageReplication:
        site = self._site
        replica = RepositoryArgs(
            name=site.name, config=site.config.registry, key_arn=there.key_arn, retain=site.config.retain_data
        )
        args = ImageReplicationArgs(
            region=there.region, account_id=site.account_id, replica=replica, provider=there.provider
        )
        return ImageReplication("image-replication", args, site.opts)

    def outputs(self) -> dict[str, Any]:
        """The field ``replicas`` of :class:`components.outputs.DatacenterOutputs`, where anything is copied."""
        if not (self.buckets or self.file_systems or self.images):
            return {}
        found = {
            "buckets": self.buckets.bucket_names if self.buckets else {},
            "file_systems": self.file_systems.file_system_ids if self.file_systems else {},
            "repository_url": self.images.repository_url if self.images else None,
        }
        return {"replicas": found}
