"""How a configuration comes in: whole, or not at all."""

import copy
import json
import os

import pytest
import yaml
from conftest import document
from gateway import Gateway, free_ports, key_variable, poll, run, start_envoy
from replies import error
from traffic import Traffic, chats

WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"


def wasm_filters(value):
    """Every wasm filter of a bootstrap, wherever it is."""
    if isinstance(value, dict):
        if value.get("@type") == WASM:
            yield value["config"]
        for each in value.values():
            yield from wasm_filters(each)
    elif isinstance(value, list):
        for each in value:
            yield from wasm_filters(each)


def change_documents(value, change):
    """Applies `change` to the document in every plugin configuration."""
    for config in wasm_filters(value):
        plugin = json.loads(config["configuration"]["value"])
        change(plugin["document"])
        config["configuration"]["value"] = json.dumps(plugin)


def spoil(given):
    """Three mistakes in places of their own."""
    given["models"]["three"]["candidates"][0]["provider"] = "opanai"
    given["models"]["three"]["polizy"] = "priority"
    given["providers"]["gemini"]["connect_timeout"] = "soon"


MISTAKES = ("models.three.candidates[0].provider", "polizy", "providers.gemini.connect_timeout")


# === at the start ===


class Unstarted:
    """What is needed to render a bootstrap, without an Envoy."""

    complete = Gateway.complete
    render = Gateway.render

    def __init__(self, binaries, folder):
        self.binaries = binaries
        self.folder = folder
        self.chains = False
        self.port, self.admin_port = free_ports(2)


@pytest.fixture
def bootstrap(binaries, shared_standins, tmp_path):
    unstarted = Unstarted(binaries, tmp_path)
    return yaml.safe_load(unstarted.render(unstarted.complete(document(shared_standins))))


def refusal(binaries, bootstrap, standins, folder):
    """What Envoy logs when it refuses to start."""
    environment = {key_variable(s): s.key for s in standins}
    process = start_envoy(binaries, yaml.safe_dump(bootstrap), folder, environment)
    try:
        poll("Envoy has ended", lambda: process.poll() is not None, 30)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert process.returncode != 0
    return (folder / "envoy.log").read_text()


def test_envoy_refuses_to_start_and_names_every_mistake(
    binaries, shared_standins, bootstrap, tmp_path
):
    change_documents(bootstrap, spoil)
    log = refusal(binaries, bootstrap, shared_standins, tmp_path)
    for mistake in MISTAKES:
        assert mistake in log, log[-3000:]
    assert "panicked" not in log


@pytest.mark.parametrize("text", ["", "{}", "not JSON", '{"role":"upstream"}'])
def test_envoy_refuses_to_start_without_a_plugin_configuration_of_ours(
    binaries, shared_standins, bootstrap, tmp_path, text
):
    for config in wasm_filters(bootstrap):
        config["configuration"]["value"] = text
    log = refusal(binaries, bootstrap, shared_standins, tmp_path)
    assert "pointsman render" in log, log[-3000:]
    assert "panicked" not in log


# === while it serves ===


class Discovery:
    """Listeners and clusters in files that Envoy watches."""

    def __init__(self, folder):
        self.folder = folder
        self.revision = 0

    def take_over(self, bootstrap):
        """Moves listeners and clusters out of a bootstrap into files."""
        bootstrap = yaml.safe_load(bootstrap)
        self.push(bootstrap)
        del bootstrap["static_resources"]["listeners"]
        del bootstrap["static_resources"]["clusters"]
        bootstrap["dynamic_resources"] = {
            f"{kind}_config": {
                "path_config_source": {
                    "path": str(self.folder / f"{kind}.json"),
                    "watched_directory": {"path": str(self.folder)},
                }
            }
            for kind in ("lds", "cds")
        }
        return yaml.safe_dump(bootstrap)

    def push(self, bootstrap, kinds=("cds", "lds")):
        """Writes both files, each by a rename: clusters first."""
        self.revision += 1
        resources = bootstrap["static_resources"]
        types = {
            "cds": ("envoy.config.cluster.v3.Cluster", resources["clusters"]),
            "lds": ("envoy.config.listener.v3.Listener", resources["listeners"]),
        }
        for kind in kinds:
            name, each = types[kind]
            self._write(kind, [{"@type": f"type.googleapis.com/{name}", **r} for r in each])

    def _write(self, kind, resources):
        content = {"version_info": str(self.revision), "resources": resources}
        unfinished = self.folder.parent / f"{kind}.unfinished"
        unfinished.write_text(json.dumps(content))
        os.replace(unfinished, self.folder / f"{kind}.json")


@pytest.fixture
def discovery(tmp_path):
    folder = tmp_path / "xds"
    folder.mkdir()
    return Discovery(folder)


@pytest.fixture
def served(binaries, shared_standins, tmp_path, discovery):
    shared_standins.reset()
    gateway = Gateway(
        binaries,
        tmp_path / "gateway",
        document(shared_standins),
        shared_standins,
        edit=discovery.take_over,
    )
    yield gateway
    gateway.close(excused="failed to load|Failed to configure")


def test_a_listener_update_is_taken_whole_or_not_at_all(served, discovery):
    envoy = served.envoy
    good = yaml.safe_load(served.render(served.document))
    assert served.chat("three").status_code == 200

    with Traffic(chats(served, "three")) as traffic:
        traffic.goes_on()
        broken = copy.deepcopy(good)
        change_documents(broken, spoil)
        discovery.push(broken)
        for kind in ("listener_manager.lds", "cluster_manager.cds"):
            name = f"{kind}.update_rejected"
            poll(f"{name} counted", lambda: envoy.stats(name)[name] > 0)
        for mistake in MISTAKES:
            poll(f"{mistake} in the log", lambda: mistake in envoy.log())
        traffic.goes_on()
        assert served.chat("three").status_code == 200

        added = copy.deepcopy(served.document)
        added["models"]["added"] = added["models"]["openai-only"]
        error(served.chat("added"), 404)
        discovery.push(yaml.safe_load(served.render(added)), ["cds"])
        traffic.goes_on()
        discovery.push(yaml.safe_load(served.render(added)), ["lds"])
        poll("the new model is served", lambda: served.chat("added").status_code == 200)
        traffic.goes_on()

    traffic.assert_flawless()


def test_a_document_that_is_refused_is_refused_by_the_command_line_too(
    binaries, shared_standins, tmp_path
):
    given = Unstarted(binaries, tmp_path)
    broken = given.complete(document(shared_standins))
    spoil(broken)
    path = tmp_path / "pointsman.yaml"
    path.write_text(json.dumps(broken))
    with pytest.raises(AssertionError) as refused:
        run([binaries.pointsman, "check", path])
    for mistake in MISTAKES:
        assert mistake in str(refused.value)
