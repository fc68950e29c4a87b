"""The package stands alone and stays readable."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
LESSONS = PROJECT / "workloads" / "lessons"
ROOMS = {path.name for path in (*PROJECT.iterdir(), *(PROJECT / "workloads").iterdir()) if path.is_dir()} - {"lessons"}
FILES = sorted(LESSONS.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The first names of all modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(LESSONS)))
def test_a_lesson_imports_nothing_of_the_project_around_it(path: Path) -> None:
    assert "train" in ROOMS
    assert not imported(path) & ROOMS
    assert len(path.read_text().splitlines()) <= 250
