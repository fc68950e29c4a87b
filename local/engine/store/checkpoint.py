"""The checkpoint: a ``Snapshot`` on one side, the CLI's version 3 JSON on the other.

Layout and fields: ``pkg/backend/diy`` and ``sdk/go/common/apitype/core.go`` of pulumi/pulumi.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any, cast

from local.engine.store.errors import StateDamaged, StateError
from local.engine.store.model import Operation, Snapshot
from local.engine.store.resources import decode_resource, encode_resource
from local.engine.store.secrets import SecretsManager
from local.engine.store.values import to_json

_KNOWN_PARTS = frozenset({"manifest", "secrets_providers", "resources", "pending_operations", "metadata"})


def write_checkpoint(snapshot: Snapshot, stack: str, secrets: SecretsManager) -> bytes:
    """The bytes of a checkpoint of ``organization/<project>/<stack>``.

    Raises:
        StateError: a property is nothing that JSON can hold.
        PassphraseError: there is a secret and no passphrase to encrypt it with.
    """
    deployment: dict[str, Any] = {
        # The CLI holds the magic to be the version's digest; this engine is no version of the CLI, so both are empty.
        "manifest": {"time": utc_now(), "magic": "", "version": ""},
        "secrets_providers": {"type": "passphrase", "state": {"salt": secrets.salt}},
        "resources": [encode_resource(state, secrets.encrypt) for state in snapshot.resources],
    }
    if snapshot.pending_operations:
        deployment["pending_operations"] = [
            {"resource": encode_resource(pending.resource, secrets.encrypt), "type": pending.type}
            for pending in snapshot.pending_operations
        ]
    deployment |= {"metadata": {}, **snapshot.extra}
    # Version 4 is version 3 and a list of features without which a reader must refuse it.
    head = {"version": 4, "features": list(snapshot.features)} if snapshot.features else {"version": 3}
    return (to_json({**head, "checkpoint": {"stack": stack, "latest": deployment}}) + "\n").encode()


def read_checkpoint(data: bytes, path: Path, secrets: SecretsManager) -> Snapshot:
    """The snapshot in the bytes of the checkpoint ``path``; an empty one where the stack was never deployed.

    Raises:
        StateDamaged: the bytes are no checkpoint, or a secret in it was encrypted with another key.
        StateError: the checkpoint uses what this engine does not know.
        PassphraseError: the passphrase is missing or wrong.
    """
    document = _parsed(data, path)
    try:
        _check_version(document, path)
        deployment: dict[str, Any] = document["checkpoint"].get("latest") or {}
        salt = _salt(deployment, path)

        def decrypt(ciphertext: str, urn: str) -> str:
            return secrets.decrypt(ciphertext, urn, salt)

        return Snapshot(
            resources=tuple(decode_resource(entry, decrypt) for entry in deployment.get("resources") or ()),
            pending_operations=tuple(
                Operation(entry["type"], decode_resource(entry["resource"], decrypt))
                for entry in deployment.get("pending_operations") or ()
            ),
            salt=salt,
            features=tuple(document.get("features") or ()),
            extra={key: part for key, part in deployment.items() if key not in _KNOWN_PARTS},
        )
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise damaged(path, f"it is not a checkpoint of version 3 ({type(problem).__name__}: {problem})") from None


def damaged(path: Path, what: str) -> StateDamaged:
    """Say what is wrong with the checkpoint, and how to go back to the one before it."""
    backup = path.with_name(path.name + ".bak")
    remedy = (
        f"The state before the last change is in {backup.name} beside it: `cp {backup} {path}` brings it back; "
        "then `refresh` finds what has changed since."
        if backup.is_file()
        else "There is no .bak file beside it; restore it from your own backup, or remove it to begin anew."
    )
    return StateDamaged(f"The state {path} is damaged: {what}. {remedy}")


def utc_now() -> str:
    """The time as the CLI writes it."""
    return timestamp(datetime.datetime.now(datetime.UTC))


def timestamp(moment: datetime.datetime) -> str:
    """RFC 3339 without zeros at the end of a second's fraction, as Go writes it: the CLI would take them off."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".") + "Z"


def _parsed(data: bytes, path: Path) -> dict[str, Any]:
    if not data.strip(b"\0 \n"):
        raise damaged(path, "it is empty")
    try:
        document = json.loads(data)
    except UnicodeDecodeError as problem:
        raise damaged(path, f"it is not text (byte {problem.start})") from None
    except ValueError as problem:
        raise damaged(path, f"it is not JSON ({problem})") from None
    if not isinstance(document, dict):
        raise damaged(path, "it is not a JSON object")
    return cast("dict[str, Any]", document)


def _check_version(document: dict[str, Any], path: Path) -> None:
    version = document.get("version")
    if version not in (3, 4):
        raise StateError(
            f"The state {path} has version {version!r}; this engine reads 3 and 4. "
            "`pulumi stack export` and `pulumi stack import` with a current Pulumi CLI rewrite it."
        )


def _salt(deployment: dict[str, Any], path: Path) -> str:
    provider: dict[str, Any] = deployment.get("secrets_providers") or {}
    kind = provider.get("type", "")
    if kind not in ("", "passphrase"):
        raise StateError(
            f"The secrets of {path} are kept by {kind!r}; this engine knows passphrases only. Use the Pulumi CLI "
            "on this stack, or change it with `pulumi stack change-secrets-provider passphrase`."
        )
    return (provider.get("state") or {}).get("salt", "")
