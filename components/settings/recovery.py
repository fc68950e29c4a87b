"""The recovery section: the region that is to take over, and what is copied to it."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from .network import too_few_zones, vpc_range
from .section import Conflict, Section, rule_of
from .storage import Bucket
from .values import Cidr, Name, Region


class ReplicationConfig(Section):
    """What is copied to the recovery region as it is written; nothing that was there before.

    Each copy is encrypted with the recovery region's key, and stays as long as the original would.
    """

    buckets: tuple[Bucket, ...] = Field(
        default=("data", "checkpoints"),
        strict=False,
        description="Buckets with a replica, within 15 minutes by S3 Replication Time Control, which bills by the GB.",
    )
    delete_markers: bool = Field(
        default=True,
        description="What is deleted here is hidden there too; its versions stay for storage.noncurrent_days. What "
        "deletes a version for good reaches no version there.",
    )
    file_systems: tuple[Name, ...] | None = Field(
        default=None,
        strict=False,
        description="EFS file systems with a read-only replica; absent: all, []: none. A destroy leaves the replicas.",
    )
    images: bool = Field(
        default=False,
        description="Copies images too, from their push on. The rule is the registry's, of which an account has one a "
        "region: it replaces the rules of other stacks, so only one stack may say true.",
    )


class RecoveryConfig(Section):
    """A second region: a VPC like the first one, without machines and ways out, and a peering connection between."""

    region: Region = Field(description="The recovery region; not the stack's own.")
    cidr: Cidr = Field(description="Its VPC's range, /16 to /20; may overlap no other range of the stack.")
    multi_region_key: bool = Field(
        default=True,
        description="The stack's key is a multi-Region key with a replica here; false: this region has a key of its "
        "own. KMS makes no key multi-Region afterwards: on a stack in use, adding this section with true, removing it "
        "or changing this replaces the key and everything that it encrypts. Begin with true, or add it with false.",
    )
    replication: ReplicationConfig | None = Field(
        default=None, description="What is copied there; absent: nothing, and a loss of the region loses its data."
    )


@rule_of(RecoveryConfig)
def _zones(recovery: RecoveryConfig) -> Iterator[Conflict]:
    yield from too_few_zones(recovery.region)


@rule_of(RecoveryConfig)
def _range(recovery: RecoveryConfig) -> Iterator[Conflict]:
    yield from vpc_range(recovery.cidr)
