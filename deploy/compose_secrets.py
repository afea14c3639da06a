"""``python -m deploy.compose_secrets FOLDER``: makes what deploy/compose needs and no repository holds: passwords, keys and certificates.

Writes a file for each, and leaves one that is there as it is, so that nothing is lost by running it again. The folder is for its owner
alone; the files in it are readable, since the processes in the containers are other users.
"""

from __future__ import annotations

import base64
import secrets
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SERVICES: Final = ("intake", "profiling", "referral", "reporting")
COUNTY: Final = "03459"
NAMES: Final = ("*.wegenetz.internal", "*.wegenetz.localhost", "localhost")
_GOOD_FOR: Final = timedelta(days=397)


def make(folder: Path) -> list[str]:
    """Make what is missing. Gives the names of what was made."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    made: list[str] = []

    def once(name: str, content: Callable[[], str]) -> str:
        file = folder / name
        if not file.exists():
            file.write_text(content(), encoding="ascii")
            file.chmod(0o444)
            made.append(name)
        return file.read_text(encoding="ascii")

    password = once("mongo_password", lambda: secrets.token_urlsafe(32))
    address = f"mongodb://wegenetz:{password}@mongo:27017/?replicaSet=rs0&authSource=admin"
    once("wegenetz_database_url", lambda: address)
    once("mongo_replica_key", lambda: base64.b64encode(secrets.token_bytes(48)).decode())
    for name in ("wegenetz_person_key", "wegenetz_sealing_key"):
        once(name, lambda: base64.b64encode(secrets.token_bytes(32)).decode())
    admin = once("keycloak_admin_password", lambda: secrets.token_urlsafe(24))
    once("grafana_admin_password", lambda: secrets.token_urlsafe(24))
    clients = {service: once(f"client_{service}_{COUNTY}", lambda: secrets.token_urlsafe(32)) for service in SERVICES}
    once(
        "keycloak.env",
        lambda: "".join(
            [
                f"KC_BOOTSTRAP_ADMIN_PASSWORD={admin}\n",
                *(f"WEGENETZ_KEYCLOAK_SECRET_{name.upper()}_{COUNTY}={secret}\n" for name, secret in clients.items()),
            ]
        ),
    )
    if not (folder / "tls.crt").exists():
        for name, text in zip(("ca.crt", "tls.crt", "tls.key"), _certificates(), strict=True):
            (folder / name).unlink(missing_ok=True)
            once(name, lambda text=text: text)
    return made


def _certificates() -> tuple[str, str, str]:
    """An authority of its own, whose key is forgotten at once, and one certificate for the ways between the containers."""
    now = datetime.now(UTC)
    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Wegenetz compose")])
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "wegenetz.internal")])

    def begun(name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + _GOOD_FOR)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )

    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    root = (
        begun(issuer, authority)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(authority, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.DNSName(name) for name in NAMES])
    leaf = begun(subject, own).add_extension(names, critical=False).sign(authority, hashes.SHA256())
    key = own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem = serialization.Encoding.PEM
    return root.public_bytes(pem).decode(), leaf.public_bytes(pem).decode(), key.decode()


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("Usage: python -m deploy.compose_secrets FOLDER", file=sys.stderr)
        return 2
    made = make(Path(arguments[0]))
    print(f"Made: {', '.join(made)}." if made else "Everything is there already.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
