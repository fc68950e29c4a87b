"""Why pods failed, on one screen: pod, container, exit code, termination message and the end of the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.control_plane import ControlPlane
from local.kubernetes.readiness import container_statuses, stuck_pods
from local.processes import tail

LOG_LINES = 20
_LINE_LENGTH = 300
_OTHERS = 3

PodLog = Callable[[str, str, str], str]
"""The end of a log, of (namespace, pod, container)."""


@dataclass(frozen=True)
class Ended:
    """A container that ended with an error; ``at`` is when, as the API server writes times."""

    namespace: str
    pod: str
    uid: str
    node: str
    container: str
    exit_code: int
    reason: str
    message: str
    at: str


def ended_badly(pods: Sequence[Mapping[str, Any]]) -> list[Ended]:
    """The containers that ended with an error, the first one first: the others often fell because it did."""
    found: list[Ended] = []
    for pod in pods:
        metadata, node = pod["metadata"], str((pod.get("spec") or {}).get("nodeName") or "")
        for status in container_statuses(pod):
            for state in ("state", "lastState"):
                end = (status.get(state) or {}).get("terminated") or {}
                if end.get("exitCode"):
                    found.append(
                        Ended(
                            str(metadata.get("namespace") or ""), metadata["name"], str(metadata.get("uid") or ""),
                            node,
                            status["name"], int(end["exitCode"]), str(end.get("reason") or "Error"),
                            str(end.get("message") or "").strip(), str(end.get("finishedAt") or "9"),
                        )
                    )  # fmt: skip
                    break
    return sorted(found, key=lambda end: (end.at, end.pod))


def explain(pods: Sequence[Mapping[str, Any]], log_of: Callable[[Ended], str]) -> list[str]:
    """The reasons that pods give for a failure, with the log of the container that fell first."""
    ended = ended_badly(pods)
    lines = [line for one in ended[: 1 + _OTHERS] for line in [_sentence(one)]]
    if len(ended) > 1 + _OTHERS:
        lines.append(f"… and {len(ended) - 1 - _OTHERS} more containers")
    lines += stuck_pods(pods)[:_OTHERS]
    if ended:
        log = [line[:_LINE_LENGTH] for line in log_of(ended[0]).splitlines()[-LOG_LINES:]]
        if log:
            lines.append(f"the end of the log of {ended[0].pod}:\n" + "\n".join(f"    {line}" for line in log))
    return lines


def log_reader(plane: ControlPlane, served: PodLog) -> Callable[[Ended], str]:
    """Reads logs where process nodes write them, else asks the API server, whose nodes may serve them."""

    def read(end: Ended) -> str:
        folder = plane.nodes_folder / end.node / "pods" / f"{end.namespace}_{end.pod}_{end.uid}"
        path = folder / f"{end.container}.log"
        return tail(path, LOG_LINES, 64 * 1024) if path.exists() else served(end.namespace, end.pod, end.container)

    return read


def _sentence(end: Ended) -> str:
    where = f" on node {end.node}" if end.node else ""
    said = f": {_last_lines(end.message)}" if end.message else ""
    return f"pod {end.pod}{where}: container {end.container} ended with exit code {end.exit_code} ({end.reason}){said}"


def _last_lines(message: str) -> str:
    return "\n    ".join(line[:_LINE_LENGTH] for line in message.splitlines()[-5:])
