"""How real each kind is on one machine."""

from __future__ import annotations

# The API server keeps these like any other; what acts on them in a cloud (a volume, load balancer or network driver,
# a metrics server) is not there.
_WITHOUT_CONTROLLER = frozenset(
    {"CSIDriver", "CSINode", "HorizontalPodAutoscaler", "Ingress", "IngressClass", "NetworkPolicy", "PersistentVolume",
     "PersistentVolumeClaim", "RuntimeClass", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"}
)  # fmt: skip
# Agents of devices that no node here has: no node has their images either, so that their pods wait.
_WITHOUT_IMAGES = frozenset({"DaemonSet"})


def fidelity(type_token: str) -> str:
    """``realised`` where a real control plane acts on the type, ``recorded`` where it, or its pods, are only kept."""
    _, version, kind = [*type_token.split(":", 2), "", ""][:3]
    group = version.partition("/")[0]
    custom = "." in group and not group.endswith(".k8s.io")
    return "recorded" if custom or kind in _WITHOUT_CONTROLLER | _WITHOUT_IMAGES else "realised"
