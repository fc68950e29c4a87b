"""The engine's store: a local file backend of the Pulumi CLI, in the CLI's own layout and format.

    secrets = SecretsManager.of_environment(root.passphrase, salt=<encryptionsalt of the stack file, or "">)
    store = StateStore(root.state, project, stack, secrets, notify=print)
    with store.lock("up"):                       # StateLocked when somebody alive holds it
        base = store.open()                      # Snapshot; an unfinished journal has been replayed (store.recovery)
        with store.journal(base) as journal:
            operation = journal.begin("creating", state)                     # durable when it returns
            journal.end(operation, put=[new], remove=[old])                  # durable; `put` replaces by state.key
            journal.failed(operation)                                        # nothing happened: no longer pending
            journal.record(put=[same])                                       # outside an operation, not awaited
            store.commit(journal.snapshot())     # the checkpoint; then the journal is removed

A replacement that creates first ends with ``put=[new, dataclasses.replace(old, delete=True)]``. The journal may be
called from many threads. ``store.open()`` without a lock is fine for a preview.
"""

from local.engine.store.cli import environment_for_cli
from local.engine.store.errors import PassphraseError, StateDamaged, StateError, StateLocked, StateUnwritable
from local.engine.store.journal import Journal
from local.engine.store.lock import lock_every_stack
from local.engine.store.model import (
    ARCHIVE_SIGNATURE,
    ASSET_SIGNATURE,
    RESOURCE_REFERENCE_SIGNATURE,
    SECRET_SIGNATURE,
    SIGNATURE_KEY,
    Operation,
    OperationType,
    ResourceState,
    Secret,
    Snapshot,
    StateKey,
)
from local.engine.store.secrets import SecretsManager
from local.engine.store.store import Recovery, StateStore

__all__ = [
    "ARCHIVE_SIGNATURE",
    "ASSET_SIGNATURE",
    "RESOURCE_REFERENCE_SIGNATURE",
    "SECRET_SIGNATURE",
    "SIGNATURE_KEY",
    "Journal",
    "Operation",
    "OperationType",
    "PassphraseError",
    "Recovery",
    "ResourceState",
    "Secret",
    "SecretsManager",
    "Snapshot",
    "StateDamaged",
    "StateError",
    "StateKey",
    "StateLocked",
    "StateStore",
    "StateUnwritable",
    "environment_for_cli",
    "lock_every_stack",
]
