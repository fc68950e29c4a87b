"""The keys of ssh: one to enter all machines of a cluster, and one a machine by which it is known."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from local.files import write_atomically
from local.processes import lock


def ensure_key(path: Path) -> str:
    """A private key in a file (mode 0600), made if there is none; the public half as one line."""
    with lock(path.with_name(f"{path.name}.lock")):
        return _ensure(path)


def _ensure(path: Path) -> str:
    try:
        key = serialization.load_ssh_private_key(path.read_bytes(), None)
    except (OSError, ValueError):
        key = Ed25519PrivateKey.generate()
        form = serialization.PrivateFormat.OpenSSH
        text = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        write_atomically(path, text, 0o600)
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    write_atomically(path.with_name(f"{path.name}.pub"), f"{public}\n")
    return public
