"""The gateway's certificate: Google's client insists on https, so one is made for each run, for 127.0.0.1 alone.

An authority signs it whose key is never written anywhere and is gone once it has signed; and whoever trusts it trusts it
for this machine's own names only (RFC 5280, name constraints). Clients find it in a bundle that also holds everything
they trusted before, by SSL_CERT_FILE: nothing goes into a system's store.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import re
import ssl
from dataclasses import dataclass
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALID = datetime.timedelta(days=365)  # longer than any gateway runs
_CLOCKS_DIFFER = datetime.timedelta(days=1)
_LOCALHOST = "localhost"
_LOOPBACK = ipaddress.ip_address("127.0.0.1")
_OURS = "# lkcook's own, for 127.0.0.1: all above is what this computer trusts anyway"
_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Files:
    """Where they are. key: the certificate and its private key, 0600, needed for a moment only. bundle: no secret."""

    key: Path
    bundle: Path


def issue(folder: Path) -> Files:
    """Make a certificate and a bundle of authorities that verifies it, in `folder` (private to this user)."""
    files = Files(folder / f"gateway-key.{os.getpid()}.pem", folder / "gateway-ca.pem")
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _authority(authority_key)
    certificate = _certificate(key, authority, authority_key)
    pem = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(files.key, pem + certificate.public_bytes(_PEM))
    _write(files.bundle, f"{_trusted_anyway()}\n{_OURS}\n{authority.public_bytes(_PEM).decode()}".encode())
    return files


def server_context(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """For a server, and the bundle that verifies it. The key's file is gone when this returns."""
    files = issue(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(files.key)
    finally:
        files.key.unlink()
    return context, files.bundle


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lkcook's embedded gateway")])
    only_here = x509.NameConstraints(
        [x509.IPAddress(ipaddress.ip_network(_LOOPBACK)), x509.DNSName(_LOCALHOST)], excluded_subtrees=None
    )
    return (
        _builder(name, name, key.public_key(), key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
        .add_extension(only_here, critical=True)
        .sign(key, hashes.SHA256())
    )


def _certificate(
    key: ec.EllipticCurvePrivateKey, authority: x509.Certificate, authority_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _LOCALHOST)])
    names = x509.SubjectAlternativeName([x509.IPAddress(_LOOPBACK), x509.DNSName(_LOCALHOST)])
    return (
        _builder(name, authority.subject, key.public_key(), authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(names, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, signer: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    """With the key identifiers that Python 3.13 asks for (ssl.VERIFY_X509_STRICT)."""
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
    )


def _usage(**usages: bool) -> x509.KeyUsage:
    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
        "encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: usages.get(name, False) for name in names.split()})


def _trusted_anyway() -> str:
    """certifi's authorities, the system's file of them, and those of the reader's own SSL_CERT_FILE (a company's proxy).

    A kernel may start a gateway while SSL_CERT_FILE names the last one's bundle: what that added is left out.
    """
    files = [certifi.where(), ssl.get_default_verify_paths().openssl_cafile, os.environ.get("SSL_CERT_FILE")]
    texts = [Path(file).read_text(errors="replace").partition(_OURS)[0] for file in files if file and Path(file).is_file()]
    return "\n".join(dict.fromkeys(_CERTIFICATE.findall("\n".join(texts))))


def _write(file: Path, content: bytes) -> None:
    """Readable by this user alone from its first byte on, and never seen half written."""
    part = file.with_suffix(f".{os.getpid()}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
    os.replace(part, file)
