"""Every manifest that is rendered is one that Istio takes, and whose patches Envoy takes."""

import copy
import json
import subprocess

import pytest
from conftest import ISTIO, binaries_of

from gateway import ROOT, run
from istiod import Istiod, of_kind
import manifests

EXAMPLES = sorted((ROOT / "examples").glob("*/pointsman.yaml"))
SUM = "0" * 64

#: Every option that changes the shape of something.
WAYS = {
    "gateway": ["--tls", "plain"],
    "mutual": ["--workload", "registry.example.com/pointsman:0.1.0"],
    "credential": ["--tls", "llm-certificate", "--port", "8443"],
    "environment": ["--keys", "env", "--workload", "registry.example.com/pointsman:0.1.0"],
    "remote": ["--istio", "1.31", "--module", f"oci://registry.example.com/p@sha256:{SUM}"],
    "fetched": ["--istio", "1.31", "--module", f"https://example.com/p.wasm@sha256:{SUM}"],
    "telemetry": ["--names", "legacy", "--otlp", "http://otel.observability.svc:4317"],
    "sidecar": ["--variant", "sidecar", "--namespace", "team-a"],
}


def render(document, *flags):
    binaries = binaries_of("1.40.0")
    return run([binaries.pointsman, "render", "istio", document, *flags])


@pytest.fixture(scope="module", params=WAYS)
def way(request):
    return WAYS[request.param]


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda p: p.parent.name)
def objects(request, way):
    return manifests.read(render(request.param, *way))


def test_istio_and_envoy_know_every_field(objects):
    assert manifests.problems(objects) == []
    names = [(each["kind"], each["metadata"]["name"]) for each in objects]
    assert len(set(names)) == len(names)


def test_every_patch_finds_what_it_patches(objects):
    for version in ("1.30.4", "1.31.0"):
        istiod = Istiod(objects, version, services=SERVICES)
        assert istiod.missed == [], version


#: Services of the cluster that examples ask.
SERVICES = {("vllm.models.svc.cluster.local", 8000): ("127.0.0.1", 8000)}


def planted(objects, kind, change):
    """The objects with one mistake."""
    wrong = copy.deepcopy(objects)
    change(next(each for each in wrong if each["kind"] == kind)["spec"])
    return manifests.problems(wrong)


def first_value(spec):
    return spec["configPatches"][0]["patch"]["value"]


MISTAKES = {
    "a field of Istio's": ("DestinationRule", lambda s: s["trafficPolicy"].update(outlierDetections={})),
    "a word of Istio's": ("ServiceEntry", lambda s: s.update(resolution="DSN")),
    "a status that the webhook refuses": (
        "VirtualService",
        lambda s: s["http"][0]["retries"].update(retryOn="reset,529"),
    ),
    "a space in the list of conditions": (
        "VirtualService",
        lambda s: s["http"][0]["retries"].update(retryOn="reset, 503"),
    ),
    "a field of the filter's": (
        "EnvoyFilter",
        lambda s: first_value(s)["typed_config"]["config"].update(allow_on_header_stop_iteration=True),
    ),
    "a type of Envoy's": (
        "EnvoyFilter",
        lambda s: first_value(s)["typed_config"].update({"@type": "type.googleapis.com/envoy.Wasm"}),
    ),
    "a kind of patch": ("EnvoyFilter", lambda s: s["configPatches"][0].update(applyTo="HTTP_FILTERS")),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_found(mistake):
    objects = manifests.read(render(EXAMPLES[0]))
    assert manifests.problems(objects) == []
    try:
        found = planted(objects, *MISTAKES[mistake])
    except KeyError as error:
        found = [str(error)]
    assert found


def test_rendering_again_changes_nothing():
    once, again = (render(EXAMPLES[0], "--workload", "r/i:1") for _ in range(2))
    assert once == again


def test_a_remote_module_is_refused_for_proxies_that_cannot_do_without_it():
    binaries = binaries_of("1.40.0")
    flags = ["--istio", "1.30,1.31", "--module", f"oci://r.example.com/p@sha256:{SUM}"]
    command = [binaries.pointsman, "render", "istio", EXAMPLES[0], *flags]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and not done.stdout
    assert "--module: found a remote module for Istio 1.30, expected a path" in done.stderr


def test_a_proxy_that_is_too_old_is_left_with_a_dead_end():
    objects = manifests.read(render(EXAMPLES[0]))
    istiod = Istiod(objects, "1.28.3", services=SERVICES)
    text = istiod.bootstrap("/tmp")
    assert "pointsman.downstream" not in text
    dead_end = of_kind(objects, "VirtualService")[0]["spec"]["http"][0]["route"]
    assert dead_end == [
        {"destination": {"host": "dead-end.pointsman.internal", "port": {"number": 80}}}
    ]


def test_no_key_is_in_any_object():
    for example in EXAMPLES:
        text = render(example)
        assert "secret-of" not in text and "sk-" not in text


@pytest.mark.parametrize("variant", ["gateway", "sidecar"])
def test_envoy_takes_the_clusters_and_the_listener(every_envoy, variant, tmp_path):
    take(every_envoy, ROOT / "examples/istio/pointsman.yaml", variant, tmp_path, discovered=True)


def test_envoy_takes_the_filter_as_it_is_configured(every_envoy, tmp_path):
    """What is discovered is not validated where it stands; here it stands whole."""
    take(every_envoy, EXAMPLES[-1], "gateway", tmp_path, discovered=False)


def take(binaries, example, variant, folder, discovered):
    objects = manifests.read(render(example, "--variant", variant, "--istio", "1.29,1.30,1.31"))
    istiod = Istiod(objects, ISTIO[binaries.envoy_version], services=SERVICES)
    assert istiod.missed == []
    mounts = {
        "/opt/pointsman/pointsman.wasm": binaries.module,
        "/etc/pointsman/sds": write_secrets(objects, folder),
        "/etc/pointsman/keys": folder,
        "/etc/ssl/private-ca.pem": "/etc/ssl/certs/ca-certificates.crt",
    }
    text = istiod.bootstrap(folder, mounts=mounts, discovered=discovered)
    validate(binaries, text, folder)


def write_secrets(objects, folder):
    for name, text in of_kind(objects, "ConfigMap")[0]["data"].items():
        (folder / name).write_text(text)
    return folder


def validate(binaries, bootstrap, folder):
    path = folder / "bootstrap.json"
    path.write_text(json.dumps(json.loads(bootstrap), indent=1))
    command = [str(binaries.envoy), "--mode", "validate", "-c", str(path), "--log-level", "error"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
