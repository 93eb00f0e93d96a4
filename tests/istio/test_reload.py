"""Everything that a control plane changes while a proxy serves: nothing fails, nothing is cut."""

import httpx
import pytest

import gateway
from ads import EXTENSION
from istiod import Istiod
from mesh import StreamedMesh
from test_live import VENDORS, candidate, document
from traffic import Traffic, chats, streams


@pytest.fixture(scope="module")
def shared(live_envoy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reload")
    standins = gateway.Standins(live_envoy, folder / "standins", VENDORS)
    mesh = StreamedMesh(live_envoy, folder / "proxy", document(standins), standins)
    # Envoy's main thread is busy while it compiles.
    mesh.envoy.admin.timeout = httpx.Timeout(60)
    yield mesh
    mesh.close(excused="Wasm VM failed|nobody|Configure failed|failed to load")
    standins.close()


@pytest.fixture
def mesh(shared):
    """Under load, and with streams that are open whenever something changes."""
    shared.standins.reset()
    shared.standins["anthropic"].fail({"kind": "slow_stream", "ms": 50})
    whole = Traffic(chats(shared, "first"), senders=2)
    with whole, Traffic(streams(shared, "second"), senders=2) as streamed:
        whole.goes_on(10)
        yield shared
        whole.goes_on(10)
        streamed.goes_on(2)
    whole.assert_flawless()
    streamed.assert_flawless()


def test_a_provider_is_added(mesh):
    changed = document(mesh.standins)
    changed["providers"]["added"] = changed["providers"]["openai-2"]
    changed["models"]["new"] = {"candidates": [candidate("openai-2") | {"provider": "added"}]}
    mesh.configure(changed)

    def answered_by():
        return mesh.chat("new").headers.get("x-pointsman-answered-by")

    assert gateway.poll("the new model", answered_by, 60) == "added/gpt-5-mini"
    mesh.configure(document(mesh.standins))
    gateway.poll("is gone", lambda: mesh.chat("new").status_code == 404, 60)


def test_a_key_is_rotated(mesh):
    keys = {gateway.key_variable(each): each.key for each in mesh.standins}
    mesh.supply(keys | {"KEY_OPENAI": "another"})

    def arrived():
        records = mesh.standins["openai"].records()
        return ["Bearer another"] in [each.values("authorization") for each in records]

    gateway.poll("rotated", arrived, 30)
    mesh.supply(keys)


def test_the_module_is_swapped(mesh):
    """Another file, with other bytes; its roles come one after the other."""
    module = mesh.binaries.module
    other = mesh.folder / "another.wasm"
    other.write_bytes(module.read_bytes() + b"\x00\x05\x04swap")

    def dumped(path):
        return mesh.envoy.admin.get("/config_dump").text.count(str(path))

    for path in (other, module):
        mesh.mounts["/opt/pointsman/pointsman.wasm"] = path
        mesh.configure(document(mesh.standins))
        gateway.poll("in both roles", lambda path=path: dumped(path) >= 2, 60)
        assert mesh.chat("first").status_code == 200


def test_a_broken_configuration_is_refused_and_the_old_one_serves(mesh):
    """The filter itself refuses it; the control plane hears of it, with the reason."""
    objects = mesh.render(document(mesh.standins))
    istiod = Istiod(objects, mesh.version)
    _, _, extensions = istiod.resources(mesh.port, mesh.mounts)
    for each in extensions:
        value = each["typed_config"]["config"]["configuration"]
        value["value"] = value["value"].replace('"anthropic"', '"nobody"')
    mesh.ads.refused.clear()
    mesh.ads.push(EXTENSION, extensions)
    type_url, reason = gateway.poll("refused", lambda: mesh.ads.refused, 60)[0]
    assert type_url == EXTENSION and reason
    assert mesh.chat("first").status_code == 200
    mesh.configure(document(mesh.standins))
    gateway.poll("taken", lambda: EXTENSION in [kind for kind, _ in mesh.ads.taken[-3:]], 60)
