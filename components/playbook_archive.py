"""The playbooks as one archive: the same bytes from the same files, on every machine. No pulumi import."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

NODES_PLAYBOOK, MONITORING_PLAYBOOK = "nodes.yml", "monitoring.yml"
"""What is applied to nodes, and to the machine that watches them."""
_ROLE_FOLDERS = ("defaults", "files", "handlers", "meta", "tasks", "templates", "vars")
_SUFFIXES = (".yml", ".j2")
_PROGRAM = ("files", ".py")  # a role's own, for the machines
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the oldest time that the format can say
_UNIX, _PLAIN_FILE = 3, 0o100644


def pack(folder: Path) -> bytes:
    """The playbooks and their roles as a zip, which is what ``AWS-ApplyAnsiblePlaybooks`` unpacks.

    Only what is listed here goes in: caches, editors' files and this project's Python do not. Stored, not compressed,
    for two builds of zlib may compress differently.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in files(folder):
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.create_system, entry.external_attr = _UNIX, _PLAIN_FILE << 16
            archive.writestr(entry, (folder / name).read_bytes())
    return buffer.getvalue()


def files(folder: Path) -> list[str]:
    """The names of what is packed, in their order."""
    return sorted(path.relative_to(folder).as_posix() for path in _chosen(folder))


def _chosen(folder: Path) -> Iterator[Path]:
    yield from (folder / NODES_PLAYBOOK, folder / MONITORING_PLAYBOOK)
    for role in (folder / "roles").iterdir():
        for kind in _ROLE_FOLDERS:
            for path in (role / kind).rglob("*"):
                is_ours = path.suffix in _SUFFIXES or (kind, path.suffix) == _PROGRAM
                if path.is_file() and is_ours and not path.name.startswith("."):
                    yield path
