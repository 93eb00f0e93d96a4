"""What wraps the rendered manifests says the same as they do: kustomize, Helm, OCI images."""

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from helm_python.chart import Chart

from gateway import ROOT
import manifests

FOLDER = ROOT / "examples/istio"


def shipped(variant):
    return manifests.read((FOLDER / variant / "manifests.yaml").read_text())


def kustomize(folder):
    kubectl = Path(sys.executable).parent / "kubectl"
    command = [kubectl, "kustomize", FOLDER / folder]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return manifests.read(done.stdout)


def helm(chart=FOLDER / "helm", **values):
    with Chart.load(str(chart)) as chart:
        rendered = chart.render(values=values, name="llm", namespace="llm-gateway")
    text = rendered if isinstance(rendered, str) else "\n---\n".join(
        each if isinstance(each, str) else each["content"] for each in listed(rendered)
    )
    return manifests.read(text)


def listed(rendered):
    return rendered.values() if isinstance(rendered, dict) else rendered


def by_name(objects):
    return {(each["kind"], each["metadata"]["name"]): each for each in objects}


@pytest.mark.parametrize("variant", ["gateway", "sidecar"])
def test_kustomize_builds_what_was_rendered(variant):
    assert by_name(kustomize(variant)) == by_name(shipped(variant))


def test_an_overlay_changes_what_is_its_own():
    built, base = by_name(kustomize("production")), by_name(shipped("gateway"))
    assert manifests.problems(built.values()) == []
    changed = {name for name, each in built.items() if each != base[name]}
    assert changed == {("Deployment", "pointsman"), ("VirtualService", "pointsman")}
    assert built["Deployment", "pointsman"]["spec"]["replicas"] == 3


APPLICATION = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, labels: {pointsman: enabled}}
spec: {template: {metadata: {labels: {app: app}}, spec: {containers: [{name: app}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: other}
spec: {template: {metadata: {labels: {app: other}}, spec: {containers: [{name: app}]}}}
"""


def pods(deployment):
    return deployment["spec"]["template"]["metadata"]


def test_an_applications_pods_get_what_the_gateways_pods_have(tmp_path):
    shutil.copytree(FOLDER / "sidecar/workload", tmp_path / "workload")
    (tmp_path / "app.yaml").write_text(APPLICATION)
    parts = {"resources": ["app.yaml"], "components": ["workload"]}
    (tmp_path / "kustomization.yaml").write_text(json.dumps(parts))
    built = by_name(kustomize(tmp_path))
    app = pods(built["Deployment", "app"])
    assert app["labels"] == {"app": "app", "pointsman": "enabled"}
    of_gateway = pods(by_name(shipped("gateway"))["Deployment", "pointsman"])["annotations"]
    for name in ("proxy.istio.io/config", "sidecar.istio.io/statsHistogramBuckets"):
        assert app["annotations"][name] == of_gateway[name]
    mounts = json.loads(app["annotations"]["sidecar.istio.io/userVolumeMount"])
    volumes = json.loads(app["annotations"]["sidecar.istio.io/userVolume"])
    spec = by_name(shipped("gateway"))["Deployment", "pointsman"]["spec"]["template"]["spec"]
    assert mounts == spec["containers"][0]["volumeMounts"] and volumes == spec["volumes"]
    assert "annotations" not in pods(built["Deployment", "other"])


PARENT = {
    "Chart.yaml": "{apiVersion: v2, name: app, version: 0.1.0}",
    "templates/app.yaml": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata:
      labels:
        app: app
        {{- include "pointsman.pod.labels" .Subcharts.pointsman | nindent 8 }}
      annotations:
        {{- include "pointsman.pod.annotations" .Subcharts.pointsman | nindent 8 }}
    spec: {containers: [{name: app, image: app}]}
""",
}


@pytest.mark.parametrize("image", ["", "registry.example.com/other:1"])
def test_a_chart_of_an_application_gives_its_pods_the_same_as_kustomize(image, tmp_path):
    for name, text in PARENT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    shutil.copytree(FOLDER / "helm", tmp_path / "charts/pointsman")
    values = {"variant": "sidecar", "sidecar": {"moduleImage": image}}
    built = by_name(helm(tmp_path, pointsman=values))
    assert by_name(shipped("sidecar")).keys() < built.keys()
    app = pods(built["Deployment", "app"])
    (patch,) = manifests.read((FOLDER / "sidecar/workload/pods.yaml").read_text())
    expected = pods(patch)
    assert app["labels"] == {"app": "app", **expected["labels"]}
    volumes = json.loads(expected["annotations"].pop("sidecar.istio.io/userVolume"))
    if image:
        volumes[0]["image"]["reference"] = image
    assert json.loads(app["annotations"].pop("sidecar.istio.io/userVolume")) == volumes
    assert app["annotations"] == expected["annotations"]


def test_the_chart_refuses_a_variant_that_there_is_not():
    with pytest.raises(Exception, match="expected gateway or sidecar"):
        helm(variant="pods")


@pytest.mark.parametrize("variant", ["gateway", "sidecar"])
def test_the_chart_gives_what_was_rendered(variant):
    built, base = by_name(helm(variant=variant)), by_name(shipped(variant))
    assert manifests.problems(built.values()) == []
    assert built.keys() == base.keys()
    for name, each in built.items():
        assert each["metadata"]["labels"].pop("app.kubernetes.io/managed-by") == "Helm"
        if name[0] != "Deployment":
            assert each == base[name], name


def test_the_charts_values_reach_the_pods():
    gateway = {"replicas": 5, "moduleImage": "registry.example.com/other:1"}
    spec = by_name(helm(gateway=gateway, labels={"team": "ai"}))["Deployment", "pointsman"]
    assert spec["metadata"]["labels"]["team"] == "ai"
    assert spec["spec"]["replicas"] == 5
    images = [v["image"] for v in spec["spec"]["template"]["spec"]["volumes"] if "image" in v]
    assert images == [{"reference": "registry.example.com/other:1"}]


def test_images_are_the_same_each_time_and_hold_the_module(tmp_path):
    module = tmp_path / "pointsman.wasm"
    module.write_bytes(b"\0asm a module")
    sums = [build(module, tmp_path / name) for name in ("one", "two")]
    assert sums[0] == sums[1]
    for kind, name in (("volume", "pointsman.wasm"), ("fetch", "plugin.wasm")):
        folder = tmp_path / "one" / kind
        manifest = blob(folder, json.loads((folder / "index.json").read_text())["manifests"][0])
        (layer,) = json.loads(manifest)["layers"]
        blob(folder, json.loads(manifest)["config"])
        with tarfile.open(folder / "blobs/sha256" / layer["digest"].split(":")[1]) as tar:
            assert tar.getnames() == [name]
            assert tar.extractfile(name).read() == module.read_bytes()


def build(module, folder):
    subprocess.run(
        [sys.executable, FOLDER / "oci.py", module, folder], check=True, capture_output=True
    )
    return (folder / "SHA256SUMS").read_text()


def blob(folder, described):
    """A blob's content, which must be what its digest and size say."""
    content = (folder / "blobs/sha256" / described["digest"].split(":")[1]).read_bytes()
    assert f"sha256:{hashlib.sha256(content).hexdigest()}" == described["digest"]
    assert len(content) == described["size"]
    return content
