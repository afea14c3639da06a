"""``python -m tests.deploying.validated``: what deploy/ holds for containers, against its schemas. Part of `make check`, without network.

* `deploy/compose` against the JSON Schema of the Compose specification;
* `deploy/kubernetes` against the schemas of the Kubernetes API, strictly: a field that nobody knows is an error;
* `deploy/image/Dockerfile` by hadolint;
* versions: every image of others by all three numbers of its own, Kafka's by that of `deploy/kafka/pom.xml`, which is the one that is
  tested, and what compose and Kubernetes both use by the same.

Grafana, Caddy, Keycloak and the OpenTelemetry Collector have no schema that could be had; `test_deployed.py` looks at what is known.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema.validators
import kubernetes_validate
import yaml

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
COMPOSE: Final = DEPLOY / "compose/compose.yaml"
KUBERNETES: Final = DEPLOY / "kubernetes"
DOCKERFILE: Final = DEPLOY / "image/Dockerfile"
POM: Final = DEPLOY / "kafka/pom.xml"
OWN_IMAGE: Final = "wegenetz"
_WHOLE_VERSION: Final = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+(-[a-z]+)?").fullmatch
API: Final = "1.34"
_SCHEMA: Final = Path(__file__).parent / "schemas/compose-spec.json"
_NOT_OF_THE_API: Final = ("kustomization.yaml", "prometheus-adapter.yaml")
_KUSTOMIZATION: Final = {"apiVersion", "kind", "namespace", "resources", "patches", "images"}


def documents(file: Path) -> list[dict[str, Any]]:
    return [*yaml.safe_load_all(file.read_text(encoding="utf-8"))]


def manifests() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every object of the Kubernetes API under deploy/kubernetes."""
    for file in sorted(KUBERNETES.rglob("*.yaml")):
        if file.name not in _NOT_OF_THE_API:
            yield from ((file, one) for one in documents(file))


def of_compose(compose: dict[str, Any]) -> Iterator[str]:
    schema = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    for error in jsonschema.validators.validator_for(schema)(schema).iter_errors(compose):
        yield f"{'/'.join(map(str, error.absolute_path))}: {error.message}"


def of_kubernetes(manifest: dict[str, Any]) -> Iterator[str]:
    try:
        kubernetes_validate.validate(manifest, API, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{'/'.join(map(str, error.path))}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError as error:
        yield str(error)


def of_kustomize(file: Path) -> Iterator[str]:
    """Fields that we use, and that every file it names is there and every file that is there is named."""
    (said,) = documents(file)
    yield from (f"has an unknown field {field}" for field in said.keys() - _KUSTOMIZATION)
    named = {*said["resources"], *(patch["path"] for patch in said.get("patches", ()))}
    yield from (f"names {one}, which is not there" for one in named if not (file.parent / one).exists())
    there = {one.name for one in file.parent.glob("*.yaml")} - {file.name}
    yield from (f"does not name {one}" for one in there - named)


def of_image(file: Path) -> Iterator[str]:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, "--no-color", file], capture_output=True, text=True, check=False)
    if done.returncode:
        yield from (done.stdout + done.stderr).splitlines()


def of_versions(compose: dict[str, Any], images: list[dict[str, str]], pom: str) -> Iterator[str]:
    """`images` are those of Kubernetes, by name and tag; `pom` is Maven's file of the tested Kafka."""
    kafka = re.search(r"<artifactId>kafka_[0-9.]+</artifactId>\s*<version>([^<]+)</version>", pom)
    tags: dict[str, str] = {"apache/kafka": kafka[1]} if kafka else {}
    named = [service["image"] for service in compose["services"].values() if "image" in service]
    for image in (*named, *(f"{one['name']}:{one['newTag']}" for one in images)):
        name, _, tag = image.partition(":")
        if name == OWN_IMAGE:
            continue
        if not _WHOLE_VERSION(tag):
            yield f"{image} has no version of three numbers: what runs would depend on when it was fetched"
        if tags.setdefault(name, tag) != tag:
            yield f"{image} has to be {name}:{tags[name]}, as elsewhere"


def problems() -> Iterator[str]:
    yield from (f"{COMPOSE.relative_to(ROOT)}: {one}" for one in of_compose(documents(COMPOSE)[0]))
    (compose,), (kustomization,) = documents(COMPOSE), documents(KUBERNETES / "base/kustomization.yaml")
    yield from of_versions(compose, kustomization["images"], POM.read_text(encoding="utf-8"))
    for file, manifest in manifests():
        name = f"{file.relative_to(ROOT)}: {manifest.get('kind')}"
        yield from (f"{name}: {one}" for one in of_kubernetes(manifest))
    for file in KUBERNETES.rglob("kustomization.yaml"):
        yield from (f"{file.relative_to(ROOT)} {one}" for one in of_kustomize(file))
    yield from of_image(DOCKERFILE)


if __name__ == "__main__":
    found = [*problems()]
    print("\n".join(found))
    sys.exit(1 if found else 0)
