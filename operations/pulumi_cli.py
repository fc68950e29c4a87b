"""The same verbs by the Pulumi CLI on the same state: ``aidc up --engine cli``."""

from __future__ import annotations

import os
import shutil
import subprocess

from local import moto
from operations.exits import OperationFailed
from operations.session import check_configuration, require_local_account
from operations.workplace import Workplace


def run(place: Workplace, verb: str) -> None:
    """Run ``pulumi -C local <verb>``; the CLI shows its own progress.

    Raises:
        OperationFailed: there is no CLI, or it failed.
    """
    program = shutil.which("pulumi")
    if program is None:
        raise OperationFailed("The Pulumi CLI is not on PATH: install it, or leave `--engine cli` out.")
    check_configuration(place)
    require_local_account(place, verb)
    moto.ensure(place.root)
    copy = place.root.path / place.stack_file.name  # the CLI writes into the stack file that it is given
    copy.write_bytes(place.stack_file.read_bytes())
    command = [program, "-C", str(place.checkout / "local"), verb, "--stack", place.stack, "--yes", "--skip-preview"]
    if verb == "preview":
        command = command[:-2]
    environment = cli_environment(place) | {"PULUMI_OPTION_CONFIG_FILE": str(copy)}
    code = subprocess.run(command, env=environment, check=False).returncode
    if code != 0:
        raise OperationFailed(f"`pulumi {verb}` ended with status {code}; its own words are above.")


def cli_environment(place: Workplace) -> dict[str, str]:
    """The environment in which the CLI works on the state of the embedded engine."""
    from local.engine.store import SecretsManager

    chosen = {"PULUMI_BACKEND_URL": place.root.state.as_uri(), "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "1"}
    own = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
    if not any(name in os.environ for name in own):
        if not place.root.passphrase.exists():
            place.root.state.mkdir(parents=True, exist_ok=True)
            SecretsManager.of_environment(place.root.passphrase).unlock()
        chosen["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(place.root.passphrase)
    return {**os.environ, **chosen}
