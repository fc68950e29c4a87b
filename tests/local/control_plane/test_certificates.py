"""The control plane's certificates and its port."""

from __future__ import annotations

import contextlib
import socket
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509

from local.addresses import LOOPBACK
from local.control_plane import certificates, ports
from local.paths import LocalCloudError


def test_a_client_certificate_is_signed_by_the_authority_and_names_user_and_group(tmp_path: Path) -> None:
    authority = certificates.ensure_authority(tmp_path)
    pair = certificates.ensure_client(tmp_path, authority, "node", "system:node:a", ["system:nodes"])
    signed = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    signed.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate.read_bytes()))
    assert "O=system:nodes" in signed.subject.rfc4514_string()
    assert stat.S_IMODE(pair.key.stat().st_mode) == 0o600


def test_the_server_certificate_is_valid_for_the_loopback_address(tmp_path: Path) -> None:
    pair = certificates.ensure_server(tmp_path, certificates.ensure_authority(tmp_path), LOOPBACK)
    extension = x509.load_pem_x509_certificate(pair.certificate.read_bytes()).extensions
    names = extension.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "127.0.0.1" in {str(address) for address in names.get_values_for_type(x509.IPAddress)}


def test_server_and_client_trust_each_other_as_strictly_as_the_newest_python_does(tmp_path: Path) -> None:
    authority = certificates.ensure_authority(tmp_path)
    pairs = (
        certificates.ensure_client(tmp_path, authority, "a", "a"),
        certificates.ensure_server(tmp_path, authority, LOOPBACK),
    )
    contexts = [ssl.SSLContext(protocol) for protocol in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER)]
    for context, pair in zip(contexts, pairs, strict=True):
        context.load_verify_locations(authority.certificate)
        context.load_cert_chain(pair.certificate, pair.key)
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = contexts[0].wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    server = contexts[1].wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    assert server.getpeercert()


def test_whole_certificates_are_kept(tmp_path: Path) -> None:
    first = certificates.ensure_authority(tmp_path).certificate.read_bytes()
    assert certificates.ensure_authority(tmp_path).certificate.read_bytes() == first


def test_a_pair_that_a_kill_left_half_made_is_made_anew_with_all_that_it_signs(tmp_path: Path) -> None:
    authority = certificates.ensure_authority(tmp_path)
    before = certificates.ensure_server(tmp_path, authority, LOOPBACK).certificate.read_bytes()
    authority.certificate.unlink()
    authority = certificates.ensure_authority(tmp_path)
    server = certificates.ensure_server(tmp_path, authority, LOOPBACK)
    assert authority.is_whole()
    assert server.certificate.read_bytes() != before


def test_a_cluster_keeps_its_port_and_two_clusters_differ(tmp_path: Path) -> None:
    first, second = tmp_path / "eu-west-1.a", tmp_path / "eu-west-1.b"
    first.mkdir()
    second.mkdir()
    assert ports.ensure(first, LOOPBACK) == ports.ensure(first, LOOPBACK)
    assert ports.ensure(first, LOOPBACK) != ports.ensure(second, LOOPBACK)


def test_a_half_written_port_record_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "eu-west-1.a"
    folder.mkdir()
    (folder / ports.FILE).write_text('{"kube-')
    assert ports.ensure(folder, LOOPBACK) == ports.recorded(folder)


def test_a_port_held_by_a_stranger_is_refused_with_its_pid_and_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(LocalCloudError, match=rf"Port {port} .*process \d+.*`kill \d+`"):
            ports.require_free(tmp_path, ports.Place(LOOPBACK, port))
