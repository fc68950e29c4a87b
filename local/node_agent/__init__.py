"""Process nodes: an agent registers a node and runs the containers of its pods as processes of this machine.

What such a node is not: it has no kubelet port (``kubectl logs`` and ``exec`` find nobody; logs are files under
``nodes/<node>/pods/``), no images but the workload's, no mounts (what a volume projects are
files elsewhere), no probes, no resource limits and no pod network.
"""

from __future__ import annotations

from local.node_agent.lifecycle import list_nodes, provide, running, start, stop
from local.node_spec import NodeSpec, Taint

__all__ = ["NodeSpec", "Taint", "list_nodes", "provide", "running", "start", "stop"]
