"""A real Kubernetes control plane as ordinary processes of an unprivileged user: what stands behind an EKS cluster.

On process nodes, logs of pods are files under ``nodes/``, read from disk: such nodes serve no kubelet port, so
``kubectl logs`` and ``kubectl exec`` have nothing to connect to. Machines serve both.
"""

from __future__ import annotations

from local.control_plane.cluster import ControlPlane, by_endpoint, clusters, ensure

__all__ = ["ControlPlane", "by_endpoint", "clusters", "ensure"]
