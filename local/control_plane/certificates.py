"""The control plane's certificates: one authority a cluster, and what it signs."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local.files import write_atomically

VALIDITY = datetime.timedelta(days=3650)
"""Longer than any local data centre lives: nothing has to rotate."""

SERVER_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
SERVER_ADDRESSES = ("127.0.0.1", "10.96.0.1")  # and the one that it listens on
"""10.96.0.1 is the first address of the services' range, the API server's own."""


@dataclass(frozen=True)
class KeyPair:
    """A certificate and its key as PEM files; the key is readable by its owner only."""

    certificate: Path
    key: Path

    @classmethod
    def named(cls, folder: Path, name: str) -> KeyPair:
        """Where the pair ``name`` lies in a folder."""
        return cls(folder / f"{name}.crt", folder / f"{name}.key")

    def is_whole(self) -> bool:
        """Whether both files are there and belong together; a run killed between them left only the key."""
        try:
            public = x509.load_pem_x509_certificate(self.certificate.read_bytes()).public_key()
            return _public_bytes(public) == _public_bytes(_load_key(self.key).public_key())
        except (OSError, ValueError):
            return False


def ensure_authority(folder: Path) -> KeyPair:
    """The cluster's authority ``ca``, made if it is not whole."""
    pair = KeyPair.named(folder, "ca")
    if not pair.is_whole():
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("ai-datacenter", ())
        builder = _builder(name, name, key).add_extension(x509.BasicConstraints(True, 0), critical=True)
        builder = builder.add_extension(_key_usage(signs=True), critical=True)
        # Python 3.13 and later check what RFC 5280 asks for: an authority that names its key, and leaves that name it.
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        _write(pair, key, builder.sign(key, hashes.SHA256()))
    return pair


def ensure_server(folder: Path, authority: KeyPair, address: str) -> KeyPair:
    """The API server's certificate, for all its names and addresses and the one that it listens on."""
    names = [x509.DNSName(name) for name in SERVER_NAMES]
    addresses = [x509.IPAddress(ipaddress.ip_address(one)) for one in sorted({*SERVER_ADDRESSES, address})]
    alternative = x509.SubjectAlternativeName([*names, *addresses])
    return _ensure(folder, "apiserver", authority, _name("kube-apiserver", ()), alternative)


def ensure_client(folder: Path, authority: KeyPair, file: str, user: str, groups: Sequence[str] = ()) -> KeyPair:
    """A client's certificate: the API server reads the user from its common name, the groups from its organisation."""
    return _ensure(folder, file, authority, _name(user, groups), None)


def ensure_signing_key(folder: Path) -> Path:
    """The key that signs service account tokens."""
    path = folder / "service-accounts.key"
    try:
        _load_key(path)
    except (OSError, ValueError):
        write_atomically(path, _private_bytes(ec.generate_private_key(ec.SECP256R1())), 0o600)
    return path


def _ensure(
    folder: Path, file: str, authority: KeyPair, subject: x509.Name, alternative: x509.SubjectAlternativeName | None
) -> KeyPair:
    pair = KeyPair.named(folder, file)
    signer = x509.load_pem_x509_certificate(authority.certificate.read_bytes())
    if pair.is_whole() and _signed_by(pair, signer):
        return pair
    key = ec.generate_private_key(ec.SECP256R1())
    usage = ExtendedKeyUsageOID.SERVER_AUTH if alternative else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = _builder(subject, signer.subject, key).add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    builder = builder.add_extension(_key_usage(signs=False), critical=True)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(_load_key(authority.key).public_key())
    builder = builder.add_extension(identifier, critical=False)
    if alternative:
        builder = builder.add_extension(alternative, critical=False)
    _write(pair, key, builder.sign(_load_key(authority.key), hashes.SHA256()))
    return pair


def _signed_by(pair: KeyPair, signer: x509.Certificate) -> bool:
    try:
        x509.load_pem_x509_certificate(pair.certificate.read_bytes()).verify_directly_issued_by(signer)
    except Exception:
        return False
    return True


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # a clock that is set back a little does no harm
        .not_valid_after(now + VALIDITY)
    )


def _name(common: str, groups: Sequence[str]) -> x509.Name:
    organisations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organisations, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _key_usage(signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(pair: KeyPair, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    write_atomically(pair.key, _private_bytes(key), 0o600)
    write_atomically(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM))


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path} does not hold an elliptic curve key")
    return key


def _private_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    # Not PKCS 8: Kubernetes takes the public half of a key file for service accounts only from this form.
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _public_bytes(key: object) -> bytes:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("not an elliptic curve key")
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
