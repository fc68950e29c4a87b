"""``python -m local.moto.server HOST PORT``: moto, with two of its faults mended, until it is told to stop."""

from __future__ import annotations

import sys
from threading import Thread

from moto.backends import get_backend
from moto.eks.models import EKSBackend
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket
from moto.server import main as moto_main  # pyright: ignore[reportUnknownVariableType]

_PRELOADED = ("ec2", "iam", "sts", "s3", "kms", "logs", "eks", "ecr")


def serve(host: str, port: str) -> None:
    """Run moto in this process; its services are loaded while the first requests are still on their way."""

    def preload() -> None:
        for service in _PRELOADED:
            get_backend(service)  # pyright: ignore[reportArgumentType]

    _judge_no_bucket_policies()
    _tag_node_groups_too()
    Thread(target=preload, daemon=True).start()
    moto_main(["-H", host, "-p", port])


def _judge_no_bucket_policies() -> None:
    """Keep bucket policies without acting on them.

    moto 5.2.5 takes a condition that it cannot judge for a refusal: the usual policy that denies plain HTTP would
    lock everybody out of the bucket. IAM is not enforced here either.
    """

    def neutral(bucket: object, action: str, resource: str) -> PermissionResult:
        return PermissionResult.NEUTRAL

    FakeBucket.get_permission = neutral  # pyright: ignore[reportAttributeAccessIssue]


def _tag_node_groups_too() -> None:
    """Let EKS tag node groups: moto 5.2.5 finds clusters only, and says of a node group that it does not exist."""
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


if __name__ == "__main__":
    serve(*sys.argv[1:])
