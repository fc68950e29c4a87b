"""``python -m reference``: writes every file that is made from the code; ``--check`` only names the stale ones."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from components.accelerators import EC2_TYPES
from components.google_sdk import why_missing

from . import catalogue, components, job_fields, offers, schema, stack_file

ROOT = Path(__file__).resolve().parents[1]
MADE: dict[str, Callable[[], str]] = {
    "components/accelerators/offers.py": lambda: offers.render(EC2_TYPES),
    "docs/catalogue.md": catalogue.render,
    "docs/components.md": components.render,
    "docs/job-fields.md": job_fields.render,
    "docs/stack-file.md": stack_file.render,
    "schemas/stack.schema.json": schema.render,
}


def stale() -> list[str]:
    """The files that are not what would be written."""
    return [name for name, render in MADE.items() if not _same(ROOT / name, render())]


def _same(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text(encoding="utf-8") == text


def main(arguments: list[str]) -> int:
    """Write what is stale, or with ``--check`` name it; the exit status is 1 where there is any.

    Raises:
        SystemExit: a package is not installed; it says which.
    """
    if why := why_missing("The page of the components"):
        sys.exit(f"error: {why}")
    found = stale()
    for name in found:
        if "--check" not in arguments:
            (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / name).write_text(MADE[name](), encoding="utf-8")
        print(name)
    return 1 if found and "--check" in arguments else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except components.Undocumented as problem:
        sys.exit(f"error: {problem}")
