"""The gateway's certificate is trusted by whoever is given the bundle, and by nobody else."""

from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path

import aiohttp
import certifi
import pytest
from cryptography import x509

from lkcook.gateway import certificate, variables
from lkcook.gateway.address import Address
from tests.gateway.conftest import token


def _authorities(bundle: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(bundle.read_bytes())


async def _status(address: Address, url: str, trust: ssl.SSLContext) -> int:
    headers = {"Authorization": f"Bearer {token(address)}"}
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session, session.get(url) as answer:
        return answer.status


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_the_bundle_verifies_the_gateway_even_strictly(address: Address, host: str) -> None:
    trust = ssl.create_default_context(cafile=address.authorities)
    trust.verify_flags |= ssl.VERIFY_X509_STRICT  # Python 3.13's default
    url = address.secure_url.replace("127.0.0.1", host)
    assert await _status(address, f"{url}/v1/models", trust) == 200


async def test_a_client_without_the_bundle_refuses_the_gateway(address: Address) -> None:
    trust = ssl.create_default_context(cafile=certifi.where())
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await _status(address, f"{address.secure_url}/v1/models", trust)


def test_the_bundle_holds_everything_that_is_trusted_anyway(address: Address) -> None:
    ours = {authority.fingerprint(authority.signature_hash_algorithm) for authority in _authorities(Path(address.authorities))}
    theirs = {authority.fingerprint(authority.signature_hash_algorithm) for authority in _authorities(Path(certifi.where()))}
    assert theirs < ours


def test_no_key_is_left_once_the_gateway_runs(address: Address) -> None:
    folder = Path(os.environ["LKCOOK_RUNTIME"])
    assert Path(address.authorities).parent == folder
    assert not [file for file in folder.glob("*.pem") if b"PRIVATE KEY" in file.read_bytes()]


def test_the_key_can_be_read_by_this_user_alone(tmp_path: Path) -> None:
    files = certificate.issue(tmp_path)
    assert b"PRIVATE KEY" in files.key.read_bytes() and stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert b"PRIVATE KEY" not in files.bundle.read_bytes()
    assert sorted(tmp_path.iterdir()) == sorted([files.key, files.bundle])


def test_the_authority_is_good_for_this_machine_only(tmp_path: Path) -> None:
    authority = _authorities(certificate.issue(tmp_path).bundle)[-1]
    allowed = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert allowed.critical and [str(name.value) for name in allowed.value.permitted_subtrees or ()] == [
        "127.0.0.1/32",
        "localhost",
    ]


def test_what_the_reader_trusts_is_kept_and_our_last_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (proxy := tmp_path / "proxy").mkdir()
    company = certificate.issue(proxy).bundle.read_text().rpartition("# lkcook")[2].partition("\n")[2]
    (tmp_path / "company.pem").write_text(company)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "company.pem"))
    first = certificate.issue(tmp_path)
    before = first.bundle.read_text()
    assert company.strip() in before
    monkeypatch.setenv("SSL_CERT_FILE", str(first.bundle))  # a kernel's, whose gateway has gone
    after = certificate.issue(tmp_path).bundle.read_text()
    assert company.strip() in after and len(_authorities(first.bundle)) == before.count("BEGIN CERTIFICATE")
    assert _authorities(first.bundle)[-1] not in x509.load_pem_x509_certificates(before.encode())


def test_the_variables_lead_googles_clients_here(address: Address) -> None:
    names = variables.environment(address, "me")
    assert names["GOOGLE_GEMINI_BASE_URL"] == address.secure_url and address.secure_url.startswith("https://127.0.0.1:")
    assert names["SSL_CERT_FILE"] == address.authorities
    assert names["GOOGLE_API_KEY"] == names["ELEVEN_API_KEY"]
