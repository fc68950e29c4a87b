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
