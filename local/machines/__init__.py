"""Nodes that are machines: containers that boot systemd, with containerd and a kubelet, on a network of their cluster.

What such a machine is not: it has no kernel of its own, and so neither clock, modules nor devices that the host does
not share. What its kubelet sets of the kernel (memory overcommit, what happens after a panic) stays in files of the
machine, and does not happen. Of the declared size the scheduler and the pods' control groups know, and `free` and
`nproc` do not.
"""

from __future__ import annotations

from local.machines.lifecycle import list_nodes, running, start, stop
from local.machines.listing import Machine, list_machines
from local.machines.removal import purge
from local.machines.stock import provide

__all__ = ["Machine", "list_machines", "list_nodes", "provide", "purge", "running", "start", "stop"]
