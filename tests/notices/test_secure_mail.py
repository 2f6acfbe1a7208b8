"""Mail over TLS: it goes to the server that the certificate names, or it does not go and the reason is kept."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.store import Store
from tests.notices.office import ASK, Office, PostOffice, by_mail, open_office, post_office

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Self-signed ones by what they say they are: certificate and key in one file."""
    folder = tmp_path_factory.mktemp("certificates")
    return {name: _certificate(folder, name) for name in ("IP:127.0.0.1", "DNS:mail.example.com")}


def _certificate(folder: Path, name: str) -> Path:
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=mail"
    )
    outputs = ["-addext", f"subjectAltName={name}", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *outputs], check=True, capture_output=True, timeout=30)
    both = folder / f"{name.partition(':')[2]}.pem"
    both.write_text(certificate.read_text() + key.read_text())
    return both


@contextmanager
def secured(security: str, certificate: Path) -> Iterator[PostOffice]:
    """A mail server that speaks TLS from the first byte, or once asked, and takes nothing before."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    if security == "tls":
        with post_office(ssl_from_start=context) as server:
            yield server
    else:
        with post_office(tls_context=context, require_starttls=True) as server:
            yield server


def told(memory: Store, folder: Path, server: PostOffice, security: str) -> Office:
    """Two people have been told of a task, as far as the server can be trusted."""
    mail = {"host": "127.0.0.1", "port": server.port, "security": security}
    office = open_office(memory, folder, by_mail(server, mail=mail))
    office.publish(ASK.format(options="flow.due=P3WD"))
    office.start(by="gus")
    office.after(minutes=2)
    return office


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_mail_goes_through_tls_to_a_server_whose_certificate_is_trusted(
    security: str,
    memory: Store,
    tmp_path: Path,
    certificates: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates["IP:127.0.0.1"]))
    with secured(security, certificates["IP:127.0.0.1"]) as server:
        office = told(memory, tmp_path, server, security)
        assert server.to == ["ann@example.com", "bob@example.com"]
    assert office.states() == {"ann": "sent", "bob": "sent"}


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize(
    ("name", "trusted", "reason"),
    [
        ("IP:127.0.0.1", False, "self-signed certificate"),
        ("DNS:mail.example.com", True, "certificate is not valid for '127.0.0.1'"),
    ],
)
def test_a_wrong_certificate_is_a_recorded_failure_and_nothing_is_sent(
    security: str,
    name: str,
    trusted: bool,
    reason: str,
    memory: Store,
    tmp_path: Path,
    certificates: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates[name]))
    with secured(security, certificates[name]) as server:
        office = told(memory, tmp_path, server, security)
        assert server.letters == []
    assert {each.status for each in office.messages()} == {"new"}
    for each in office.messages():
        assert "127.0.0.1: its certificate is not trusted" in each.error
        assert reason in each.error


def test_a_server_that_does_not_offer_starttls_is_sent_nothing_in_clear_text(
    memory: Store, tmp_path: Path
) -> None:
    with post_office() as server:
        office = told(memory, tmp_path, server, "starttls")
        assert server.letters == []
    assert all("STARTTLS" in each.error for each in office.messages())
