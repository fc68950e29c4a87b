"""The passphrase that encrypts a state's secrets, as the Pulumi CLI's ``passphrase`` secrets provider does it.

The key is PBKDF2-SHA256 of passphrase and salt, 1,000,000 rounds; a value is AES-256-GCM, written
``v1:<nonce>:<ciphertext>``; a salt is written ``v1:<salt>:<the word "pulumi", encrypted>`` so that a wrong passphrase
is noticed (``pkg/secrets/passphrase/manager.go``, ``sdk/go/common/resource/config/crypt.go``).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets as random
import threading
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from local.engine.store.errors import PassphraseError, StateDamaged, unwritable
from local.engine.store.files import write_once

ROUNDS = 1_000_000
_NONCE_BYTES = 12
_SALT_BYTES = 8
_PROOF = "pulumi"


class Cipher:
    """Encrypts and decrypts under one key."""

    def __init__(self, passphrase: str, salt: bytes) -> None:
        key = hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, ROUNDS, 32)
        self._aead = AESGCM(key)

    def encrypt(self, plaintext: str) -> str:
        """``v1:<nonce>:<ciphertext>``, another one at each call."""
        nonce = os.urandom(_NONCE_BYTES)
        return f"v1:{_text(nonce)}:{_text(self._aead.encrypt(nonce, plaintext.encode(), None))}"

    def decrypt(self, ciphertext: str) -> str:
        """The plaintext.

        Raises:
            ValueError: the text is no ciphertext, or was made under another key.
        """
        parts = ciphertext.split(":")
        if len(parts) != 3 or parts[0] != "v1":
            raise ValueError("not of the form v1:<nonce>:<ciphertext>")
        try:
            nonce, sealed = (base64.b64decode(part, validate=True) for part in parts[1:])
            return self._aead.decrypt(nonce, sealed, None).decode()
        except (binascii.Error, InvalidTag) as problem:
            raise ValueError("not encrypted under this passphrase") from problem


class SecretsManager:
    """One passphrase, and the salts that it is used with. May be called from many threads.

    Keys are derived at their first use (about 0.2 s each) and kept. An unchanged secret of a resource keeps its
    ciphertext, so that a state in which nothing changed does not change.
    """

    def __init__(
        self, passphrase: str | None, salt: str = "", *, source: str = "the passphrase", file: Path | None = None
    ):
        """``file`` is where a passphrase is made up when ``passphrase`` is None and there is nothing to decrypt."""
        self._passphrase = passphrase
        self._salt = salt
        self.source = source  # where the passphrase came from, for messages
        self._file = file
        self._ciphers: dict[str, Cipher] = {}
        self._known: dict[tuple[str, str, str], str] = {}
        self._lock = threading.RLock()

    @classmethod
    def of_environment(cls, file: Path, salt: str = "") -> SecretsManager:
        """The passphrase from where the CLI takes it, else from ``file``.

        ``PULUMI_CONFIG_PASSPHRASE`` (which may be empty), then ``PULUMI_CONFIG_PASSPHRASE_FILE``, then ``file``, which
        is made with a random passphrase and mode 0600 once there is something to encrypt.
        ``salt`` is the stack file's ``encryptionsalt``, if it has one; otherwise the state's is used, or a new one.

        Raises:
            PassphraseError: ``PULUMI_CONFIG_PASSPHRASE_FILE`` names a file that cannot be read.
        """
        if "PULUMI_CONFIG_PASSPHRASE" in os.environ:
            return cls(os.environ["PULUMI_CONFIG_PASSPHRASE"], salt, source="PULUMI_CONFIG_PASSPHRASE")
        named = os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")
        chosen = Path(named) if named else file
        try:
            return cls(chosen.read_text().strip(), salt, source=str(chosen), file=file)
        except FileNotFoundError:
            if named:
                raise PassphraseError(
                    f"PULUMI_CONFIG_PASSPHRASE_FILE names {named}, which is not there. "
                    "Unset it, or write the passphrase into that file."
                ) from None
            return cls(None, salt, source=str(file), file=file)
        except (OSError, UnicodeDecodeError) as problem:
            raise PassphraseError(f"The passphrase cannot be read from {chosen}: {problem}.") from None

    @property
    def salt(self) -> str:
        """The salt that new secrets are encrypted with, made at the first call when none was given."""
        with self._lock:
            if not self._salt:
                self._salt = self._new_salt()
            return self._salt

    def adopt(self, salt: str) -> None:
        """Go on with the salt of a state, unless a stack file has given one."""
        with self._lock:
            self._salt = self._salt or salt

    def unlock(self) -> None:
        """Derive the key, so that a wrong passphrase is told before anything is done.

        Raises:
            PassphraseError: there is no passphrase, or it is not the one that the salt was made with.
        """
        self._cipher(self.salt)

    def encrypt(self, plaintext: str, scope: str = "") -> str:
        """The ciphertext, the same as before if this ``scope`` (a resource's URN) held this plaintext before."""
        salt = self.salt
        known = (salt, scope, plaintext)
        with self._lock:
            if known in self._known:
                return self._known[known]
        ciphertext = self._cipher(salt).encrypt(plaintext)
        with self._lock:
            return self._known.setdefault(known, ciphertext)

    def decrypt(self, ciphertext: str, scope: str = "", salt: str = "") -> str:
        """The plaintext of what was encrypted with ``salt`` (default: this manager's own).

        Raises:
            PassphraseError: the passphrase is not the salt's.
            StateDamaged: the ciphertext is not one of this passphrase.
        """
        salt = salt or self.salt
        try:
            plaintext = self._cipher(salt).decrypt(ciphertext)
        except ValueError as problem:
            place = f" of {scope}" if scope else ""
            raise StateDamaged(
                f"A secret{place} cannot be decrypted: it is {problem}. Was it copied from another stack?"
            ) from None
        with self._lock:
            self._known.setdefault((salt, scope, plaintext), ciphertext)
        return plaintext

    def _cipher(self, salt: str) -> Cipher:
        with self._lock:
            if salt not in self._ciphers:
                self._ciphers[salt] = self._checked_cipher(salt)
            return self._ciphers[salt]

    def _checked_cipher(self, salt: str) -> Cipher:
        if self._passphrase is None:
            raise PassphraseError(
                f"The stack's secrets were encrypted with a passphrase, and there is none: {self.source} is not there. "
                "Set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE to the one that they were made with."
            )
        version, _, rest = salt.partition(":")
        text, _, proof = rest.partition(":")
        try:
            if version != "v1":
                raise ValueError(f"version {version!r}")
            cipher = Cipher(self._passphrase, base64.b64decode(text, validate=True))
        except (ValueError, binascii.Error) as problem:
            raise StateDamaged(
                f"The encryption salt {salt!r} is not of the form v1:<salt>:<proof>: {problem}."
            ) from None
        try:
            is_right = cipher.decrypt(proof) == _PROOF
        except ValueError:
            is_right = False
        if not is_right:
            raise PassphraseError(
                f"The passphrase from {self.source} is not the one that the stack's secrets were encrypted with. "
                "Set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE to the right one."
            )
        return cipher

    def _new_salt(self) -> str:
        if self._passphrase is None:
            if self._file is None:
                raise PassphraseError("There is no passphrase to encrypt secrets with. Set PULUMI_CONFIG_PASSPHRASE.")
            try:
                self._passphrase = write_once(self._file, random.token_urlsafe(32) + "\n").strip()
            except OSError as problem:
                raise unwritable(self._file, problem, kept="Nothing was changed.") from None
        salt = os.urandom(_SALT_BYTES)
        cipher = Cipher(self._passphrase, salt)
        written = f"v1:{_text(salt)}:{cipher.encrypt(_PROOF)}"
        self._ciphers[written] = cipher
        return written


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
