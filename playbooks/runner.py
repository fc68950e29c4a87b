"""Runs the playbooks: the only caller of ansible-runner.

:func:`converge` is what the rest of the project calls. Ansible itself runs in a child (``python -m playbooks.runner``)
that is supervised, so that a caller that is killed leaves no Ansible behind.
"""

from __future__ import annotations

import base64
import io
import os
import re
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

from . import PLAYBOOKS
from .inventory import Inventory, ssh_arguments
from .lock import Lock
from .results import ConvergeError, Convergence, Progress, Record
from .settings import Settings
from .supervision import Event, Supervised, events_of

__all__ = ["ConvergeError", "Convergence", "converge"]

_KINDS = {
    "runner_on_start": "started",
    "runner_on_ok": "ok",
    "runner_on_skipped": "skipped",
    "runner_on_failed": "failed",
    "runner_on_unreachable": "unreachable",
    "playbook_on_stats": "stats",
}
_PREAMBLE = re.compile(r"^Task failed: |EOF on stream; last \d+ lines received:\s*")
_VALIDATING = "Validating arguments"
"""How Ansible begins the name of the task that it puts before a role; the role's whole description follows."""
_LINES = 15
"""How much of what a failed command wrote belongs to its message."""


def converge(
    inventory: Inventory,
    *,
    check: bool = False,
    limit: tuple[str, ...] = (),
    project: Path | bytes = PLAYBOOKS,
    playbook: str = "site.yml",
    lock: Lock | None = None,
    say: Callable[[Progress | str], None] = lambda _: None,
    settings: Settings | None = None,
) -> Convergence:
    """Configure the machines of an inventory; what fails on one does not stop the others.

    Args:
        check: only look, and tell what would change.
        limit: the names of the hosts to configure; empty: all. The others stay in the inventory, where roles find them.
        project: the folder of the playbook and its roles, or a zip of it.
        lock: whose holder alone may converge; ``None`` where nobody else can be at it.
        say: told each host's new line, and sentences about waiting.

    Raises:
        ConvergeError: nothing could be run: a name of ``limit`` is not in the inventory, another run holds the lock,
            or Ansible did not start.
    """
    _require_known(limit, inventory)
    wanted = inventory.limited_to(limit)
    if not wanted.hosts:
        return Convergence(hosts=(), seconds=0.0, check=check)
    request = {
        "inventory": inventory.for_ansible(),
        "limit": list(limit),
        "check": check,
        "host_keys": wanted.host_keys,
        "project": str(project) if isinstance(project, Path) else None,
        "archive": base64.b64encode(project).decode() if isinstance(project, bytes) else None,
        "playbook": playbook,
        "fast": (settings or Settings()).fast,
    }
    with lock.held(say) if lock else nullcontext(None) as held:
        began = time.monotonic()
        record = _follow(request, wanted, () if held is None else (held,), say)
        seconds = time.monotonic() - began
    hosts = tuple(record.result(name) for name in wanted.names)
    return Convergence(hosts=hosts, seconds=seconds, check=check)


def _require_known(limit: tuple[str, ...], inventory: Inventory) -> None:
    if unknown := [name for name in limit if name not in inventory.names]:
        known = ", ".join(inventory.names) or "none"
        raise ConvergeError(f"There is no host {', '.join(unknown)} to configure. The hosts are: {known}.")


def _follow(
    request: Mapping[str, Any], inventory: Inventory, keep: tuple[int, ...], say: Callable[[Progress | str], None]
) -> Record:
    record = Record(inventory.names)
    ended: Event = {}
    with closing(events_of("playbooks.runner", request, keep)) as events:
        for event in events:
            ended = {**ended, **event} if event["event"] in ("said", "ended") else ended
            if (progress := record.take(event)) is not None:
                say(progress)
    if not record.ended:
        raise ConvergeError(_did_not_start(ended))
    for name in inventory.names:
        result = record.result(name)
        say(
            Progress(
                host=name, tasks=result.tasks, changes=len(result.changes), doing=_outcome(result.failure), ended=True
            )
        )
    return record


def _outcome(failure: Any) -> str:
    return f"failed: {failure.task}: {failure.message}" if failure else "done"


def _did_not_start(ended: Event) -> str:
    said = str(ended.get("message") or ended.get("errors") or "it said nothing").strip()
    return f"Ansible ended before it had configured anything (status {ended.get('status', 'unknown')}):\n{said}"


# -- in the child -----------------------------------------------------------------------------------------------------


def _main() -> int:
    """Run one request under supervision; ansible-runner and Ansible are imported here and nowhere else."""
    supervised = Supervised()
    with supervised as (request, private):
        return _perform(request, private, supervised.emit)


def _perform(request: Mapping[str, Any], private: Path, emit: Callable[..., None]) -> int:
    import ansible_runner

    # It looks for `ansible-playbook` on PATH: this environment's own comes first.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    for folder in ("tmp", "cp", "home"):
        (private / folder).mkdir(mode=0o700)
    run: Any = ansible_runner.run(
        private_data_dir=str(private),
        project_dir=_project(request, private),
        playbook=request["playbook"],
        inventory=_inventory(request, private),
        envvars=Settings(fast=request["fast"]).environment(private),
        limit=",".join(request["limit"]) or None,
        cmdline="--check --diff" if request["check"] else None,
        event_handler=lambda event: _tell(event, emit),
        quiet=True,
    )
    said = run.stdout.read() if run.stdout else ""
    emit(event="said", message="\n".join(said.strip().splitlines()[-_LINES:]))
    return 0


def _project(request: Mapping[str, Any], private: Path) -> str:
    if request["archive"] is None:
        return request["project"]
    folder = private / "project"
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(request["archive"]))) as archive:
        archive.extractall(folder)
    return str(folder)


def _inventory(request: Mapping[str, Any], private: Path) -> dict[str, Any]:
    """The inventory, with the keys that are known in a file beside it."""
    inventory, keys = request["inventory"], request["host_keys"]
    known_hosts = private / "known_hosts"
    known_hosts.write_text("".join(f"{line}\n" for line in keys.values()))
    for name in keys:
        inventory["all"]["hosts"][name]["ansible_ssh_common_args"] = ssh_arguments(known_hosts)
    return inventory


def _tell(event: Mapping[str, Any], emit: Callable[..., None]) -> bool:
    """Pass on what a line or a result is made of; nothing is kept on disk."""
    kind, data = _KINDS.get(event["event"]), event.get("event_data", {})
    if kind == "stats":
        emit(event="stats", **{name: data.get(name, {}) for name in ("failures", "dark")})
    elif kind and not data.get("ignore_errors"):
        result = data.get("res") or {}
        emit(
            event=kind,
            host=data.get("host", ""),
            task=_task_name(data),
            changed=bool(result.get("changed")),
            message=_message(result) if kind in ("failed", "unreachable") else "",
        )
    return False


def _task_name(data: Mapping[str, Any]) -> str:
    """The task with its role: what the event says of the role is, for a task outside roles, that of the task before."""
    task, path = str(data.get("task", "")), re.search(r"/roles/([^/]+)/", str(data.get("task_path", "")))
    if task.startswith(_VALIDATING):
        return f"{data.get('role')}: {_VALIDATING}"
    return f"{path[1]}: {task}" if path else task


def _message(result: Mapping[str, Any]) -> str:
    """What failed, as the module says it, and what its command wrote."""
    failed = next((item for item in _items(result) if item.get("failed")), None)
    if failed is not None:
        return _message(failed)
    said = [_PREAMBLE.sub("", str(result.get("msg") or "it gave no reason")).strip()]
    for name in ("stderr", "stdout"):
        lines = [line for line in str(result.get(name) or "").splitlines() if line.strip()]
        if lines and lines[-1] not in said[0]:
            said.append("\n".join(lines[-_LINES:]))
    return "\n".join(said)


def _items(result: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The results of a loop's items."""
    for item in result.get("results") or ():
        if isinstance(item, Mapping):
            yield item


if __name__ == "__main__":
    raise SystemExit(_main())
