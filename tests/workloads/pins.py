"""The pins of the workload's image: those of the project that the job needs.

``python -m tests.workloads.pins`` writes them.
"""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[2]
FILE = PROJECT / "workloads" / "requirements.txt"
NEEDED = ("boto3", "jax", "optax", "pydantic", "tokenizers", "zstandard")
_HEADER = f"# The project's pins of {', '.join(NEEDED)} and what they need. Written by tests/workloads/pins.py.\n"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==.*(?:\n    --hash=.*)*", re.MULTILINE)


def pins(text: str) -> dict[str, list[str]]:
    """The pins of a requirements file by name, hashes included; several where a marker chooses among them."""
    found: dict[str, list[str]] = {}
    for match in _PIN.finditer(text):
        found.setdefault(canonicalize_name(match[1]), []).append(match[0].removesuffix(" \\"))
    return found


def needed() -> set[str]:
    """The names of all packages that the workload needs, in this environment."""
    todo, done = [Requirement(name) for name in NEEDED], set[str]()
    while todo:
        requirement = todo.pop()
        if str(requirement) in done:
            continue
        done.add(str(requirement))
        for text in requires(requirement.name) or []:
            other = Requirement(text)
            extras = requirement.extras | {""}
            if other.marker is None or any(other.marker.evaluate({"extra": extra}) for extra in extras):
                todo.append(other)
    return {str(canonicalize_name(Requirement(text).name)) for text in done}


def expected() -> str:
    """What the file must hold."""
    project = pins((PROJECT / "requirements.txt").read_text())
    return _HEADER + "".join(f"{pin}\n" for name in sorted(needed()) for pin in project[name])


if __name__ == "__main__":
    FILE.write_text(expected())
