"""Runs the one of the programs beside it that the stack's configuration names."""

from __future__ import annotations

import difflib
import runpy
import sys
from pathlib import Path

import pulumi

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
"""The folder that ``components/`` is in. A program elsewhere finds it by ``PYTHONPATH``: see README.md."""


def program(named: str) -> Path:
    """The file of that name.

    Raises:
        pulumi.RunError: there is none.
    """
    known = sorted(file.stem for file in HERE.glob("*.py") if file.stem != "__main__")
    if named in known:
        return HERE / f"{named}.py"
    near = difflib.get_close_matches(named, known, n=1)
    hint = f' Did you mean "{near[0]}"?' if near else ""
    raise pulumi.RunError(
        f'own-program:component is "{named}", and there is no such program.{hint} There are: {", ".join(known)}. '
        "`pulumi config set component <name>` chooses."
    )


sys.path.insert(0, str(CHECKOUT))
runpy.run_path(str(program(pulumi.Config().require("component"))), run_name="__main__")
