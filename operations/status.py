"""``aidc status``: what runs now, asked of the processes, the API servers and Prometheus, not of the state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from local import control_plane, moto
from operations import metrics, nodes
from operations.metrics import Watch
from operations.outputs import last_slice_verdicts, last_verdict, own_clusters
from operations.session import open_store
from operations.summary import SliceVerdict, is_passed, slice_lines, verdict_lines
from operations.workplace import Workplace


def status(place: Workplace) -> bool:
    """Show the state of things; False when something that should run does not, or a smoke test failed last.

    Raises:
        OperationFailed: nobody knows the stack: it has neither a file nor a state.
    """
    is_known = open_store(place).exists()
    if not is_known:
        place.require_stack_file()
    found = collect(place)
    if found["aws"] and not is_known:
        place.tell(f"The stack `{place.stack}` is not on this machine: what runs here is of another one.")
    place.give(found, as_text(found))
    return (
        all(not plane["missing"] for plane in found["control_planes"])
        and all(node.ready and not node.failed_checks for node in map(_state, found["nodes"]))
        and not any(watch["url"] and (watch["reason"] or not watch["watched"]) for watch in found["monitoring"])
        and not (_is_up(found) and any(map(_failed, (found["verdict"], *found["slice_verdicts"]))))
    )


def _failed(verdict: Mapping[str, Any] | None) -> bool:
    """Whether a smoke test failed; one that has told nothing may still be to come."""
    return verdict is not None and not is_passed(verdict)


def _is_up(found: dict[str, Any]) -> bool:
    return bool(found["aws"] or found["control_planes"] or found["other_control_planes"])


def collect(place: Workplace) -> dict[str, Any]:
    """Everything of the stack that runs here, as plain values; the local AWS is of all stacks."""
    planes = own_clusters(place)
    server, watches = moto.running(place.root), metrics.watches(place.root, planes)
    return {
        "stack": place.stack,
        "aws": {"endpoint": server.endpoint_url, "pid": server.pid} if server else None,
        "control_planes": [
            {"name": plane.name, "region": plane.region, "endpoint": plane.endpoint, "missing": plane.missing()}
            for plane in planes
        ],
        "other_control_planes": [plane.name for plane in control_plane.clusters(place.root) if plane not in planes],
        "nodes": [{**asdict(node), "metrics": _metrics(node, watches)} for node in nodes.nodes(place.root, planes)],
        "monitoring": [{name: value for name, value in asdict(one).items() if name != "nodes"} for one in watches],
        "pods": [asdict(pod) for pod in nodes.pods(planes)],
        "verdict": last_verdict(place),
        "slice_verdicts": last_slice_verdicts(place),
        "logs": str(place.root.path),
    }


def _metrics(node: nodes.NodeState, watches: tuple[Watch, ...]) -> dict[str, Any] | None:
    """How busy the node is; None where nobody knows."""
    known = [watch.nodes[node.name] for watch in watches if watch.cluster == node.cluster and node.name in watch.nodes]
    return asdict(known[0]) if known else None


def as_text(found: dict[str, Any]) -> str:
    """One screen."""
    others = found["other_control_planes"]
    if not _is_up(found):
        return "Nothing is up. `make up` starts a data centre."
    aws = found["aws"]
    lines = [f"aws        {aws['endpoint']} (process {aws['pid']})" if aws else "aws        not running"]
    for plane in found["control_planes"]:
        state = f"lost {', '.join(plane['missing'])}" if plane["missing"] else "running"
        lines.append(f"cluster    {plane['name']} in {plane['region']}: {state}, {plane['endpoint']}")
    if others:
        whose = "of other stacks, or of an `up` that did not end; `make down` removes all"
        lines.append(f"           not in this stack's state: {', '.join(others)} ({whose})")
    lines += [line for node in found["nodes"] for line in _node_lines(node)]
    lines += [line for watch in found["monitoring"] for line in _watch_lines(watch)]
    lines += [_pod_line(pod) for pod in found["pods"]]
    lines += verdict_lines(found["verdict"], is_new=False)
    lines += slice_lines(SliceVerdict(verdict, is_new=False) for verdict in found["slice_verdicts"])
    return "\n".join([*lines, f"logs       {found['logs']}"])


def _state(node: dict[str, Any]) -> nodes.NodeState:
    return nodes.NodeState(**{name: value for name, value in node.items() if name != "metrics"})


def _node_lines(node: dict[str, Any]) -> list[str]:
    state = _state(node)
    busy = [f"           {metrics.NodeMetrics(**node['metrics']).line()}"] if node["metrics"] else []
    return [f"node       {state.line()}", *busy]


def _pod_line(pod: dict[str, Any]) -> str:
    why = f": {pod['waits_for']}" if pod["waits_for"] else ""
    return f"pod        {pod['namespace']}/{pod['name']}  {pod['phase']} on {pod['node'] or '-'}{why}"


def _watch_lines(watch: dict[str, Any]) -> list[str]:
    """Who watches the nodes and what is wrong with them, or why nobody can tell."""
    if watch["reason"]:
        return [f"monitoring – ({watch['reason']})"]
    alerts = [metrics.Alert(**one).line() for one in watch["alerts"]]
    firing = f"{len(alerts)} alert{'s' * (len(alerts) > 1)}" if alerts else "no alert"
    count = watch["watched"]
    watched = f"{count} node{'s' * (count > 1)} watched" if count else "no node is watched"
    return [f"monitoring {watch['url']}, {watched}, {firing}", *(f"           {line}" for line in alerts)]
