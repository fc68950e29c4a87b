"""A Pulumi provider for the objects of this machine's clusters: applied on the server side, awaited, adopted.

``provider`` (what the engine asks) → ``objects`` (make, change, find, remove) → ``api`` (HTTP); decisions without any
cluster are in ``manifest``, ``diff``, ``injection``, ``readiness``, ``failures`` and ``conflicts``.
"""

from local.kubernetes.fidelity import fidelity
from local.kubernetes.provider import KubernetesProvider

__all__ = ["KubernetesProvider", "fidelity"]
