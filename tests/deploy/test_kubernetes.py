"""The manifests: valid by Kubernetes' own schemas, what they refer to exists, pods are confined and bounded."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import click
import kubernetes_validate
import pytest
import yaml

from search.settings import load_settings
from web.cli import main

from .conftest import LIKEWISE_IMAGES, Document, manifests, pods, shared_settings
from .test_image import IMAGE

VERSIONS = ("1.29", "1.32", "1.35")
OVERLAYS = ("cpu", "gpu", "monitoring")
BUILDERS = ["kubectl", "kustomize"]


@pytest.fixture(scope="session", params=OVERLAYS)
def overlay(request: pytest.FixtureRequest, deploy: Path) -> list[Document]:
    """What is applied with ``kubectl apply -k``, as written."""
    return list(manifests(deploy / "kubernetes" / "overlays" / request.param))


@pytest.fixture(scope="session")
def gpu(deploy: Path) -> list[Document]:
    """The overlay that holds everything but the CPU workers."""
    return list(manifests(deploy / "kubernetes" / "overlays" / "gpu"))


def kustomizations(deploy: Path) -> list[Path]:
    return sorted(deploy.rglob("kustomization.yaml"))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_valid(overlay: list[Document], version: str) -> None:
    checked = 0
    for document in overlay:
        if document["kind"] == "ScaledObject":  # KEDA's, looked at below
            continue
        kubernetes_validate.validate(document, version, strict=True)
        checked += 1
    assert checked >= 6


def test_an_unknown_field_would_be_found(gpu: list[Document]) -> None:
    service = next(document for document in gpu if document["kind"] == "Service")
    wrong = service | {"spec": service["spec"] | {"clusterIp": "None"}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


def test_kustomizations_name_files_that_exist(deploy: Path, ready: Path) -> None:
    assert len(kustomizations(deploy)) == 7
    for path in kustomizations(ready):
        kustomization = yaml.safe_load(path.read_text("utf-8"))
        generators = [*kustomization.get("configMapGenerator", ()), *kustomization.get("secretGenerator", ())]
        for name in [
            *kustomization.get("resources", ()),
            *(name for generator in generators for name in generator.get("files", ())),
        ]:
            assert (path.parent / name).exists(), f"{path}: {name}"


def test_no_manifest_is_forgotten(deploy: Path) -> None:
    for path in kustomizations(deploy / "kubernetes"):
        named = yaml.safe_load(path.read_text("utf-8"))["resources"]
        beside = {file.name for file in path.parent.glob("*.yaml")} - {"kustomization.yaml"}
        assert beside <= set(named), path


@pytest.mark.parametrize("name", OVERLAYS)
def test_kustomize_builds_what_is_written(ready: Path, deploy: Path, name: str) -> None:
    """With kubectl's or kustomize's own builder, where this machine has one."""
    programs = [program for program in BUILDERS if shutil.which(program)]
    for program in programs:
        arguments = ["kustomize"] if program == "kubectl" else ["build"]
        folder = ready / "kubernetes" / "overlays" / name
        built = subprocess.run([program, *arguments, folder], capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stderr
        documents = [document for document in yaml.safe_load_all(built.stdout) if document]
        written = {(entry["kind"], entry["metadata"]["name"]) for entry in manifests(folder)}
        found = {(entry["kind"], entry["metadata"]["name"]) for entry in documents}
        assert written <= found
        assert {kind for kind, _ in found - written} <= {"ConfigMap", "Secret"}
        for entry in documents:
            assert entry["kind"] == "Namespace" or entry["metadata"]["namespace"] == "likewise"
            if entry["kind"] != "ScaledObject":
                kubernetes_validate.validate(entry, VERSIONS[-1], strict=True)
        images = [container["image"] for pod in pods(documents).values() for container in pod["spec"]["containers"]]
        assert not [image for image in images if image.startswith(LIKEWISE_IMAGES)], "not replaced by a pushed image"


def test_images_of_others_are_pinned_as_in_compose(gpu: list[Document], compose: Document) -> None:
    theirs = {
        container["image"]
        for pod in pods(gpu).values()
        for container in pod["spec"]["containers"]
        if not container["image"].startswith(LIKEWISE_IMAGES)
    }
    assert theirs == {service["image"] for service in compose["services"].values() if "build" not in service}
    assert all(IMAGE.fullmatch(image) for image in theirs)


def test_pods_are_confined_bounded_and_watched(overlay: list[Document]) -> None:
    for name, pod in pods(overlay).items():
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] > 0, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert {"cpu", "memory"} <= set(container["resources"]["limits"]), name
            assert {"cpu", "memory"} <= set(container["resources"]["requests"]), name
            assert {"readinessProbe", "livenessProbe"} <= set(container), name


def test_what_pods_mount_and_ask_exists(overlay: list[Document], gpu: list[Document], deploy: Path) -> None:
    secrets = yaml.safe_load((deploy / "secrets" / "kustomization.yaml").read_text("utf-8"))["secretGenerator"][0]
    claims = {entry["metadata"]["name"] for entry in gpu if entry["kind"] == "PersistentVolumeClaim"}
    for name, pod in pods(overlay).items():
        volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
        own = {
            template["metadata"]["name"]
            for entry in overlay
            if entry["kind"] == "StatefulSet" and entry["metadata"]["name"] == name
            for template in entry["spec"]["volumeClaimTemplates"]
        }
        for container in pod["spec"]["containers"]:
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            assert mounted == set(volumes) | own, name
            ports = {port["name"] for port in container["ports"]}
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                asked = container.get(probe, {}).get("httpGet", {"port": next(iter(ports))})
                assert asked["port"] in ports, name
        for volume in volumes.values():
            if "secret" in volume:
                assert volume["secret"]["secretName"] == secrets["name"]
                assert {item["key"] for item in volume["secret"]["items"]} <= set(secrets["files"]), name
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in claims, name


def test_every_service_leads_to_a_pod_that_listens(overlay: list[Document]) -> None:
    for service in (entry for entry in overlay if entry["kind"] == "Service"):
        selected = service["spec"]["selector"].items()
        matching = [pod for pod in pods(overlay).values() if selected <= pod["metadata"]["labels"].items()]
        assert len(matching) == 1, service["metadata"]["name"]
        listened = {
            value
            for container in matching[0]["spec"]["containers"]
            for port in container["ports"]
            for value in (port["name"], port["containerPort"])
        }
        for port in service["spec"]["ports"]:
            assert port.get("targetPort", port["port"]) in listened, service["metadata"]["name"]


def test_addresses_in_settings_are_services(gpu: list[Document], deploy: Path, ready: Path) -> None:
    services = {entry["metadata"]["name"] for entry in gpu if entry["kind"] == "Service"}
    addresses = [shared_settings(deploy)["LIKEWISE_QDRANT_URL"]]
    addresses += [(ready / "secrets" / name).read_text("utf-8") for name in ("broker_url", "database_url")]
    for address in addresses:
        host = address.split("//")[1].split("@")[-1].split(":")[0]
        assert host in services


def test_replicated_pods_survive_a_node_that_is_drained(gpu: list[Document], deploy: Path) -> None:
    budgets = {entry["metadata"]["name"] for entry in gpu if entry["kind"] == "PodDisruptionBudget"}
    assert {"web", "qdrant", "worker-query"} <= budgets
    replicas = {entry["metadata"]["name"]: entry["spec"].get("replicas") for entry in gpu if "Set" in entry["kind"]}
    assert int(shared_settings(deploy)["LIKEWISE_QDRANT_REPLICAS"]) <= replicas["qdrant"]


def test_keda_scales_the_gpu_workers_as_far_as_batches_are_sent(gpu: list[Document]) -> None:
    (scaled,) = [entry for entry in gpu if entry["kind"] == "ScaledObject"]
    assert scaled["apiVersion"] == "keda.sh/v1alpha1"
    target = scaled["spec"]["scaleTargetRef"]
    (workers,) = [
        entry for entry in gpu if (entry["kind"], entry["metadata"]["name"]) == (target["kind"], target["name"])
    ]
    assert "replicas" not in workers["spec"], "kubectl apply would undo what KEDA has decided"
    web = pods(gpu)["web"]["spec"]["containers"][0]
    in_flight = next(int(entry["value"]) for entry in web["env"] if entry["name"] == "LIKEWISE_IN_FLIGHT")
    services = {
        f"http://{entry['metadata']['name']}.likewise.svc:{entry['spec']['ports'][0]['port']}"
        for entry in gpu
        if entry["kind"] == "Service"
    }
    for trigger in scaled["spec"]["triggers"]:
        assert trigger["type"] == "prometheus"
        assert trigger["metadata"]["serverAddress"] in services
        assert in_flight >= int(trigger["metadata"]["threshold"]) * scaled["spec"]["maxReplicaCount"]


def test_every_night_a_backup_is_made_and_restored(gpu: list[Document], deploy: Path, ready: Path) -> None:
    (cron,) = [entry for entry in gpu if entry["kind"] == "CronJob"]
    assert cron["spec"]["concurrencyPolicy"] == "Forbid"
    spec = cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert spec["restartPolicy"] == "Never"
    assert spec["automountServiceAccountToken"] is False
    (web,) = [pod for name, pod in pods(gpu).items() if name == "web"]
    assert spec["securityContext"] == web["spec"]["securityContext"]
    (made,), (tried,) = spec["initContainers"], spec["containers"]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    mounted = {mount["name"]: mount for mount in made["volumeMounts"]}
    assert mounted.keys() == volumes.keys()
    place = mounted["backup"]["mountPath"]
    for container, options in ((made, {"keep": 14}), (tried, {"test_restore": True})):
        name, *arguments = container["args"]
        with click.Context(main) as context:
            command = main.get_command(context, name)
            assert command is not None
            asked = command.make_context(name, list(arguments), parent=context).params
        assert (str(asked["folder"]), options) == (place, {key: asked[key] for key in options})
        assert container["securityContext"] == web["spec"]["containers"][0]["securityContext"]
        assert {"cpu", "memory"} <= set(container["resources"]["limits"])
    # Whoever tries the backup can neither change it nor reach what it was made of.
    assert {mount["name"]: mount.get("readOnly", False) for mount in tried["volumeMounts"]} == {
        "home": False,
        "tmp": False,
        "backup": True,
    }
    assert not tried.get("env")
    assert not tried.get("envFrom")
    held = {item["key"] for item in volumes["secrets"]["secret"]["items"]}
    assert "token" not in held
    variables = shared_settings(deploy) | {entry["name"]: entry["value"] for entry in made["env"]}
    files = {name: str(ready / "secrets" / Path(at).name) for name, at in variables.items() if name.endswith("_FILE")}
    assert {Path(at).name for at in files.values()} <= held
    settings = load_settings(environ=variables | files)
    assert settings.database_url is not None
    assert settings.backup_folders == (place,)
    claims = {entry["metadata"]["name"] for entry in gpu if entry["kind"] == "PersistentVolumeClaim"}
    assert {volumes[name]["persistentVolumeClaim"]["claimName"] for name in ("shared", "backup")} <= claims


def test_a_gpu_worker_gets_one_gpu(gpu: list[Document]) -> None:
    (container,) = pods(gpu)["worker-gpu"]["spec"]["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert container["resources"]["requests"]["nvidia.com/gpu"] == "1"
