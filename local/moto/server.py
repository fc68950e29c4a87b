"""``python -m local.moto.server HOST PORT``: moto, with six faults of 5.2.5 mended, until it is told to stop."""

from __future__ import annotations

import sys
from threading import Thread

from moto.backends import get_backend
from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.eks.models import EKSBackend
from moto.eks.responses import EKSResponse
from moto.iam.access_control import PermissionResult
from moto.kms.models import Key, KmsBackend
from moto.s3.models import FakeBucket, FakeDeleteMarker
from moto.server import main as moto_main  # pyright: ignore[reportUnknownVariableType]

_PRELOADED = ("ec2", "iam", "sts", "s3", "kms", "logs", "eks", "ecr")


def serve(host: str, port: str) -> None:
    """Run moto in this process; its services are loaded while the first requests are still on their way."""

    def preload() -> None:
        for service in _PRELOADED:
            get_backend(service)  # pyright: ignore[reportArgumentType]

    _judge_no_bucket_policies()
    _tag_node_groups_too()
    _untag_by_every_key()
    _show_the_tags_that_a_template_has_now()
    _let_marks_of_deletion_go()
    _give_replicas_aliases_of_their_own()
    Thread(target=preload, daemon=True).start()
    moto_main(["-H", host, "-p", port])


def _judge_no_bucket_policies() -> None:
    """Keep bucket policies without acting on them.

    moto takes a condition that it cannot judge for a refusal: the usual policy that denies plain HTTP would
    lock everybody out of the bucket. IAM is not enforced here either.
    """

    def neutral(bucket: object, action: str, resource: str) -> PermissionResult:
        return PermissionResult.NEUTRAL

    FakeBucket.get_permission = neutral  # pyright: ignore[reportAttributeAccessIssue]


def _tag_node_groups_too() -> None:
    """Let EKS tag node groups: moto finds clusters only, and says of a node group that it does not exist."""
    tag_cluster, untag_cluster = EKSBackend.tag_resource, EKSBackend.untag_resource

    def tags_of(backend: EKSBackend, arn: str) -> dict[str, str] | None:
        groups = (group for cluster in backend.clusters.values() for group in cluster.nodegroups.values())
        return next((group.tags for group in groups if group.arn == arn), None)

    def tag(self: EKSBackend, resource_arn: str, tags: dict[str, str]) -> None:
        found = tags_of(self, resource_arn)
        if found is None:
            tag_cluster(self, resource_arn, tags)
        else:
            found.update(tags)

    def untag(self: EKSBackend, resource_arn: str, tag_keys: list[str]) -> None:
        found = tags_of(self, resource_arn)
        if found is None:
            untag_cluster(self, resource_arn, tag_keys)
        else:
            for key in tag_keys:
                found.pop(key, None)

    EKSBackend.tag_resource, EKSBackend.untag_resource = tag, untag


def _let_marks_of_deletion_go() -> None:
    """Let a bucket that is no longer versioned lose its delete markers: moto closes the file that they do not have."""

    def dispose(marker: FakeDeleteMarker, garbage: bool = False) -> None:
        """There is nothing to close."""

    FakeDeleteMarker.dispose = dispose  # pyright: ignore[reportAttributeAccessIssue]


def _give_replicas_aliases_of_their_own() -> None:
    """Let KMS have aliases by region: moto's replica of a key shares its table, and what one is called both are."""
    replicate = KmsBackend.replicate_key

    def replicate_without_aliases(self: KmsBackend, key_id: str, replica_region: str) -> Key:
        replica = replicate(self, key_id, replica_region)
        replica.aliases = {}
        return replica

    KmsBackend.replicate_key = replicate_without_aliases


def _untag_by_every_key() -> None:
    """Let EKS remove all the tags that a request names: moto reads the first key only."""

    def untag(self: EKSResponse) -> ActionResult:
        keys: list[str] = self.querystring.get("tagKeys", [])
        self.eks_backend.untag_resource(self._extract_arn_from_path(), keys)
        return EmptyResult()

    EKSResponse.untag_resource = untag


def _show_the_tags_that_a_template_has_now() -> None:
    """Let EC2 describe a launch template with its tags: moto keeps showing those that it was created with."""

    def ignore(self: LaunchTemplate, tags: object) -> None:
        """Its constructor sets them; they are asked for each time instead."""

    LaunchTemplate.tags = property(LaunchTemplate.get_tags, ignore)  # pyright: ignore[reportAttributeAccessIssue]


if __name__ == "__main__":
    serve(*sys.argv[1:])
