"""The same verbs by the Pulumi CLI on the same state: ``aidc up --engine cli``."""

from __future__ import annotations

import os
import shutil
import subprocess

from local import moto
from local.engine.store import environment_for_cli
from operations import verdicts
from operations.exits import OperationFailed
from operations.session import check_configuration, open_store, require_local_account
from operations.workplace import Output, Workplace


def run(place: Workplace, verb: str) -> None:
    """Run ``pulumi -C local <verb>``; the CLI shows its own progress.

    Raises:
        OperationFailed: there is no CLI, or it failed.
    """
    if place.output is Output.JSON:
        raise OperationFailed(
            "`--engine cli` shows what the Pulumi CLI shows, which is no JSON of ours: leave `--output json` out, "
            f"or run `pulumi -C local {verb} --json` by hand."
        )
    program = shutil.which("pulumi")
    if program is None:
        raise OperationFailed("The Pulumi CLI is not on PATH: install it, or leave `--engine cli` out.")
    check_configuration(place)
    require_local_account(place, verb)
    moto.ensure(place.root)
    copy = place.root.path / place.stack_file.name
    given = environment_for_cli(open_store(place), place.root.passphrase, place.stack, place.stack_file, copy)
    command = [program, "-C", str(place.checkout / "local"), verb, "--stack", place.stack, "--yes", "--skip-preview"]
    if verb == "preview":
        command = command[:-2]
    code = subprocess.run(command, env={**os.environ, **given}, check=False).returncode
    if code != 0:
        if verb == "up":  # the other verbs run no job: one that failed has failed before
            verdicts.tell_failed(place)
        raise OperationFailed(f"`pulumi {verb}` ended with status {code}; its own words are above.")
