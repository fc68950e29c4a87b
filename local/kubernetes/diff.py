"""What changed in a manifest, and whether the object can be changed in place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from local.kubernetes.manifest import AUTONAMED
from local.kubernetes.tokens import ObjectId, annotations_of, is_set
from local.provider import Change, Changes, Values, compare

REPLACE_UNREADY = "pulumi.com/replaceUnready"

# Fields that the API server refuses to change (`pkg/apis/*/validation` of Kubernetes 1.34), by kind. A field stands
# for everything below it.
_IMMUTABLE: Mapping[str, tuple[str, ...]] = {
    "ClusterRoleBinding": ("roleRef",),
    "CSIDriver": ("spec.attachRequired", "spec.volumeLifecycleModes"),
    "DaemonSet": ("spec.selector",),
    "Deployment": ("spec.selector",),
    "IngressClass": ("spec.controller",),
    "Job": (
        "spec.backoffLimitPerIndex", "spec.completionMode", "spec.completions", "spec.managedBy",
        "spec.podFailurePolicy", "spec.selector", "spec.successPolicy", "spec.template",
    ),
    "PersistentVolumeClaim": ("spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeMode",
                              "spec.volumeName", "spec.dataSource"),
    "PriorityClass": ("value", "preemptionPolicy"),
    "ReplicaSet": ("spec.selector",),
    "RoleBinding": ("roleRef",),
    "RuntimeClass": ("handler",),
    "Secret": ("type",),
    "Service": ("spec.clusterIP", "spec.clusterIPs"),
    "StatefulSet": ("spec.podManagementPolicy", "spec.selector", "spec.serviceName", "spec.volumeClaimTemplates"),
    "StorageClass": ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"),
}  # fmt: skip

# The official provider replaces these where their provider does not say `enable…Mutable`, so that pods see new names.
_CONTENT: Mapping[str, tuple[str, ...]] = {
    "ConfigMap": ("binaryData", "data"),
    "Secret": ("data", "stringData"),
}

_MUTABLE_IN_POD = re.compile(
    r"spec\.((init)?[cC]ontainers\[\d+\]\.image|activeDeadlineSeconds|tolerations|terminationGracePeriodSeconds)\b"
)


def replaces(kind: str, path: str, mutable_content: bool = False) -> bool:
    """Whether a change at a property path needs a new object."""
    if _is_under(path, "kind", "metadata.name", "metadata.namespace"):
        return True
    if kind == "Pod" and _is_under(path, "spec"):
        return not _MUTABLE_IN_POD.match(path)
    content = () if mutable_content else _CONTENT.get(kind, ())
    return _is_under(path, *_IMMUTABLE.get(kind, ()), *content)


def diff(
    old: Values,
    new: Values,
    live: Mapping[str, Any],
    ignore: Iterable[str] = (),
    mutable_content: bool = False,
) -> Changes:
    """What changed between the old and the new inputs of an object last seen as ``live``.

    What the provider or the cluster adds (injected variables, defaults) is in neither and never shows.
    """
    kind = str(new.get("kind"))
    changes = compare(old, new, lambda path: replaces(kind, path, mutable_content), ignore)
    if is_set(new, REPLACE_UNREADY) and is_unready_job(live):
        changes = (*changes, Change("status", "update", replace=True))
    # An object under a name of its own must go before its successor comes; made names differ.
    same_name = ObjectId.of_manifest(old) == ObjectId.of_manifest(new)
    autonamed = annotations_of(new).get(AUTONAMED) == "true"
    return Changes(changes, delete_before_replace=same_name and not autonamed)


def is_unready_job(live: Mapping[str, Any]) -> bool:
    """Whether the object is a Job that was not complete when it was last seen."""
    if live.get("kind") != "Job":
        return False
    status = live.get("status")
    conditions = cast(Values, status).get("conditions") if isinstance(status, dict) else None
    return not any(
        isinstance(one, dict) and one.get("type") == "Complete" and one.get("status") == "True"
        for one in cast(list[Any], conditions or [])
    )


def _is_under(path: str, *fields: str) -> bool:
    return any(path == field or path.startswith((f"{field}.", f"{field}[")) for field in fields)
