"""What the Pulumi CLI has to be told so that it works on the same state, and leaves the checkout as it is."""

from __future__ import annotations

from pathlib import Path

from local.engine.store.errors import unwritable
from local.engine.store.model import Snapshot
from local.engine.store.store import StateStore
from local.files import write_atomically


def environment_for_cli(
    store: StateStore, passphrase: Path, stack: str, stack_file: Path, copy: Path
) -> dict[str, str]:
    """Make the stack ready for the CLI; the variables to run ``pulumi -C local <verb>`` with, beside one's own.

    A run that was killed is recovered first, since the CLI knows nothing of the journal. ``copy`` becomes a copy of
    ``stack_file``: the CLI writes the salt into the file that it is given. ``passphrase`` is what ``store.secrets``
    falls back to; the user's own variables are left to speak for themselves.

    Raises:
        StateLocked, StateDamaged, PassphraseError, StateUnwritable: as for any run on the state.
    """
    with store.lock("handing the state over to the Pulumi CLI"):
        store.open()
        if not store.checkpoint_path.exists():
            store.commit(Snapshot())  # so that the CLI finds a stack and its salt, and need not make them
    try:
        write_atomically(copy, stack_file.read_bytes(), 0o600)
    except OSError as problem:
        raise unwritable(copy, problem, kept="Nothing was changed.") from None
    settings = {
        "PULUMI_BACKEND_URL": f"file://{store.backend}",
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "1",
        "PULUMI_STACK": stack,
        "PULUMI_OPTION_CONFIG_FILE": str(copy),
    }
    if store.secrets.source == str(passphrase):
        settings["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(passphrase)
    return settings
