"""``aidc status``: what of the data centre runs now, asked of the processes and API servers, not of the state."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from local import control_plane, moto
from operations import nodes
from operations.outputs import last_verdict
from operations.session import open_store
from operations.summary import verdict_lines
from operations.workplace import Workplace


def status(place: Workplace) -> bool:
    """Show the state of things; False when something that should run does not."""
    found = collect(place)
    if (found["aws"] or found["control_planes"]) and not open_store(place).exists():
        place.tell(f"The stack `{place.stack}` is not on this machine: what follows is of another one.")
    place.give(found, as_text(found))
    return all(not plane["missing"] for plane in found["control_planes"]) and all(n["ready"] for n in found["nodes"])


def collect(place: Workplace) -> dict[str, Any]:
    """Everything that runs here, as plain values."""
    server = moto.running(place.root)
    return {
        "stack": place.stack,
        "aws": {"endpoint": server.endpoint_url, "pid": server.pid} if server else None,
        "control_planes": [
            {"name": plane.name, "region": plane.region, "endpoint": plane.endpoint, "missing": plane.missing()}
            for plane in control_plane.clusters(place.root)
        ],
        "nodes": [asdict(node) for node in nodes.nodes(place.root)],
        "pods": [asdict(pod) for pod in nodes.pods(place.root)],
        "verdict": last_verdict(place),
        "logs": str(place.root.path),
    }


def as_text(found: dict[str, Any]) -> str:
    """One screen."""
    if found["aws"] is None and not found["control_planes"]:
        return "Nothing is up. `make up` starts a data centre."
    aws = found["aws"]
    lines = [f"aws        {aws['endpoint']} (process {aws['pid']})" if aws else "aws        not running"]
    for plane in found["control_planes"]:
        state = f"lost {', '.join(plane['missing'])}" if plane["missing"] else "running"
        lines.append(f"cluster    {plane['name']} in {plane['region']}: {state}, {plane['endpoint']}")
    lines += [f"node       {nodes.NodeState(**node).line()}" for node in found["nodes"]]
    lines += [f"pod        {p['namespace']}/{p['name']}  {p['phase']} on {p['node'] or '-'}" for p in found["pods"]]
    return "\n".join([*lines, *verdict_lines(found["verdict"], is_new=False), f"logs       {found['logs']}"])
