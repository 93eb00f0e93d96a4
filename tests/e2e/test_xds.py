"""Configuration in files that Envoy watches: it changes under load, and nothing is lost."""

import json
import subprocess
import threading
import time

import pytest

import gateway
from conftest import TIMEOUTS, candidate


class WatchedGateway(gateway.Gateway):
    """A gateway whose configuration can be replaced while it runs."""

    def render(self, document):
        path = self.folder / "pointsman.yaml"
        path.write_text(json.dumps(document, indent=2))
        self.xds = self.folder / "xds"
        command = [self.binaries.pointsman, "render", "envoy", path, "--xds", self.xds]
        return gateway.run([*command, "--envoy", self.binaries.minor])

    def configure(self, document):
        self.render(self.complete(document))


def document(standins, keys, *models):
    """Each model with the providers that serve it, in order."""
    providers = {
        name: gateway.provider(standins[name], key={"file": str(keys / name)})
        for name in {name for _, names in models for name in names}
    }
    return {
        "providers": dict(sorted(providers.items())),
        "models": {
            model: {"candidates": [candidate(name) for name in names]} for model, names in models
        },
        "defaults": {"timeouts": TIMEOUTS},
        "observe": {"longest_cool_down": "0s"},
    }


FIRST = ("first", ["openai", "anthropic"])


@pytest.fixture(scope="module")
def shared(binaries, shared_standins, tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("xds")
    keys = tmp_path / "keys"
    keys.mkdir()
    for each in shared_standins:
        (keys / each.name).write_text(each.key)
    started = WatchedGateway(
        binaries, tmp_path / "gateway", document(shared_standins, keys, FIRST), shared_standins
    )
    started.keys = keys
    yield started
    started.close()


@pytest.fixture
def running(shared):
    """The gateway, its stand-ins healthy, the first configuration."""
    shared.standins.reset()
    shared.configure(document(shared.standins, shared.keys, FIRST))
    return shared


def under_load(running, change):
    """The answers of two clients that ask all the time while `change` is carried out."""
    answers, over = [], threading.Event()

    def ask():
        end = time.monotonic() + 30
        while not over.is_set() and time.monotonic() < end:
            answers.append(running.chat("first").status_code)

    clients = [threading.Thread(target=ask) for _ in range(2)]
    for each in clients:
        each.start()
    try:
        gateway.poll("under load", lambda: answers)
        change()
    finally:
        over.set()
        for each in clients:
            each.join()
    assert set(answers) == {200}, answers


def test_a_provider_and_a_model_are_added_under_load(running, shared_standins):
    def add():
        wanted = [FIRST, ("new", ["gemini", "openai"])]
        running.configure(document(shared_standins, running.keys, *wanted))
        gateway.poll("new model", lambda: running.chat("new").status_code == 200)

    under_load(running, add)
    assert running.chat("new").headers["x-pointsman-answered-by"].startswith("gemini/")
    # The listener stood where it was.
    assert running.envoy.stats("listener_manager.listener_(modified|removed)")[
        "listener_manager.listener_modified"
    ] == 0


def test_a_key_is_rotated_under_load(running):
    def rotate():
        aside = running.keys / ".openai"
        aside.write_text("another")
        aside.rename(running.keys / "openai")

        def arrived():
            records = running.standins["openai"].records()
            return records[-1].values("authorization") == ["Bearer another"]

        gateway.poll("rotated", arrived)
        aside.write_text(running.standins["openai"].key)
        aside.rename(running.keys / "openai")

    under_load(running, rotate)


def test_a_broken_configuration_is_refused_and_the_old_one_serves(running):
    wrong = running.folder / "wrong.yaml"
    wrong.write_text("version: 1\nproviders: {openai: {keys: 1}}\n")
    before = {path.name: path.read_text() for path in running.xds.iterdir()}
    command = [running.binaries.pointsman, "render", "envoy", wrong, "--xds", running.xds]
    assert subprocess.run(command, capture_output=True).returncode == 1
    assert {path.name: path.read_text() for path in running.xds.iterdir()} == before

    def spoil():
        for name in ("rds.yaml", "cds.yaml", "ecds.pointsman.downstream.yaml"):
            aside = running.xds / ".aside"
            aside.write_text(before[name].replace("name:", "nmae:"))
            aside.rename(running.xds / name)
        gateway.poll(
            "refused",
            lambda: sum(running.envoy.stats("update_(rejected|failure)|config_fail").values()) >= 3,
        )

    under_load(running, spoil)
    assert running.chat("first").status_code == 200


def test_rendering_again_writes_nothing(running):
    stamps = {path.name: path.stat().st_mtime_ns for path in running.xds.glob("*ds*.yaml")}
    running.configure(document(running.standins, running.keys, FIRST))
    assert {p.name: p.stat().st_mtime_ns for p in running.xds.glob("*ds*.yaml")} == stamps
    assert len(stamps) == 5
