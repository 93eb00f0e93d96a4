"""Requests through a proxy that is configured as istiod would, on both ways of going on."""

import pytest

import gateway
from conftest import binaries_of
from mesh import Mesh
from traffic import Traffic, chats

VENDORS = ("openai", "anthropic", "gemini", "openai-2")
MODELS = {
    "openai": "gpt-5",
    "anthropic": "claude-opus-4-5",
    "gemini": "gemini-3-pro-preview",
    "openai-2": "gpt-5-mini",
}


def provider(standin):
    ejection = {"consecutive_failures": 3, "interval": "100ms", "ejection": "2s"}
    return gateway.provider(standin, outlier_detection=ejection)


def candidate(name):
    limit = {"defaults": {"max_tokens": 4096}} if name == "anthropic" else {}
    return {"provider": name, "model": MODELS[name], **limit}


def document(standins):
    models = {
        "first": ["openai", "anthropic"],
        "second": ["anthropic", "gemini"],
        "account": ["openai-2", "openai"],
        # Where each order is a cluster, only orders that are there can be changed to.
        "reversed": ["anthropic", "openai"],
        "alone": ["gemini"],
    }
    return {
        "providers": {each.name: provider(each) for each in standins},
        "models": {
            name: {"candidates": [candidate(vendor) for vendor in vendors]}
            for name, vendors in models.items()
        },
        "defaults": {"timeouts": {"per_try": "1500ms", "idle": "2s"}},
        "observe": {"longest_cool_down": "0s"},
    }


@pytest.fixture(scope="module")
def shared(live_envoy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mesh")
    standins = gateway.Standins(live_envoy, folder / "standins", VENDORS)
    mesh = Mesh(live_envoy, folder / "proxy", document(standins), standins)
    yield mesh
    mesh.close()
    standins.close()


@pytest.fixture
def mesh(shared):
    shared.standins.reset()
    return shared


def answer(response):
    assert response.status_code == 200, response.text
    return response.json()["choices"][0]["message"]["content"]


def test_a_request_is_answered_and_logged(mesh):
    response = mesh.chat("first")
    assert answer(response)
    assert response.headers["x-pointsman-answered-by"] == "openai/gpt-5"
    line = mesh.envoy.logged(response)
    assert line["gen_ai.provider.name"] == "openai" and line["status"] == 200


def test_a_stream_is_answered(mesh):
    response = mesh.chat("second", stream=True)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.text.endswith("data: [DONE]\n\n")


def test_a_failing_provider_leads_to_the_next_and_keys_do_not_cross(mesh):
    mesh.standins["openai"].fail({"kind": "status", "status": 429})
    response = mesh.chat("first")
    assert answer(response)
    assert response.headers["x-pointsman-answered-by"] == "anthropic/claude-opus-4-5"
    for name in ("openai", "anthropic"):
        record, header = mesh.standins[name].only_record(), gateway.KEY_HEADERS[name]
        mine = [value.removeprefix("Bearer ") for value in record.values(header)]
        assert mine == [f"secret-of-{name}"]
        others = [f"secret-of-{other}" for other in VENDORS if other != name]
        said = [value for _, value in record.headers]
        assert not any(value.endswith(other) for value in said for other in others)
        assert not any(key.startswith(("x-pointsman-", "x-envoy-")) for key, _ in record.headers)


def test_two_accounts_of_one_host_have_clusters_and_keys_of_their_own(mesh):
    mesh.standins["openai-2"].fail({"kind": "status", "status": 500})
    assert answer(mesh.chat("account"))
    (first,) = mesh.standins["openai-2"].records()
    (second,) = mesh.standins["openai"].records()
    assert first.values("authorization") == ["Bearer secret-of-openai-2"]
    assert second.values("authorization") == ["Bearer secret-of-openai"]


def test_an_ejected_provider_is_passed_over_and_comes_back(mesh):
    mesh.standins["openai"].fail({"kind": "status", "status": 500})
    for _ in range(4):
        assert answer(mesh.chat("first"))
    gateway.poll(
        "ejected",
        lambda: any(mesh.envoy.stats("outlier_detection.ejections_active").values()),
    )
    asked = len(mesh.standins["openai"].records())
    for _ in range(3):
        assert answer(mesh.chat("first"))
    assert len(mesh.standins["openai"].records()) == asked
    mesh.standins["openai"].reset()
    gateway.poll(
        "back",
        lambda: mesh.chat("first").headers["x-pointsman-answered-by"].startswith("openai/"),
    )


def test_what_is_not_served_is_said_in_json(mesh):
    response = mesh.http.get("/v1/nothing")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"
    models = mesh.http.get("/v1/models")
    assert {"first", "second"} <= {each["id"] for each in models.json()["data"]}


def test_a_key_is_rotated_without_a_restart(mesh):
    """The stand-in takes the old key only: once the new one arrives there, the next answers."""
    keys = {gateway.key_variable(each): each.key for each in mesh.standins}
    mesh.supply(keys | {"KEY_OPENAI": "another"})

    def rotated():
        mesh.chat("first")
        return mesh.standins["openai"].records()[-1].values("authorization") == ["Bearer another"]

    gateway.poll("rotated", rotated)
    mesh.supply(keys)
    gateway.poll(
        "rotated back",
        lambda: mesh.chat("first").headers["x-pointsman-answered-by"].startswith("openai/"),
    )


def test_a_new_configuration_is_taken_under_load(mesh):
    with Traffic(chats(mesh, "first"), senders=2) as load:
        changed = document(mesh.standins)
        changed["models"]["first"]["candidates"].reverse()
        changed["models"]["new"] = {"candidates": [candidate("gemini")]}
        mesh.configure(changed)
        gateway.poll("new model", lambda: mesh.chat("new").status_code == 200)
        gateway.poll("other order", lambda: answered_by(mesh) == "anthropic/claude-opus-4-5")
        mesh.configure(document(mesh.standins))
        gateway.poll("old order", lambda: answered_by(mesh) == "openai/gpt-5")
        load.goes_on(10)
    load.assert_flawless()


def answered_by(mesh):
    return mesh.chat("first").headers["x-pointsman-answered-by"]


def test_its_own_dump_has_no_mistakes_and_a_planted_one_is_found(mesh):
    dump = mesh.envoy.dump()
    assert gateway.lint(mesh.binaries, dump) == set()
    spoilt = dump.replace('"allow_on_headers_stop_iteration": true', '"fail_open": true')
    assert spoilt != dump
    assert {"fails-open", "no-stop-iteration"} <= gateway.lint(mesh.binaries, spoilt)


def without(tree, name):
    """The tree without any field of this name."""
    if isinstance(tree, dict):
        return {key: without(value, name) for key, value in tree.items() if key != name}
    return [without(each, name) for each in tree] if isinstance(tree, list) else tree


@pytest.mark.parametrize(
    "dropped, misfit",
    [("refresh_cluster_on_retry", "no_refresh"), ("metadata", "unknown_host")],
)
def test_what_a_control_plane_drops_is_told_and_nothing_goes_to_the_wrong_provider(
    dropped, misfit, tmp_path
):
    binaries = binaries_of("1.40.0")
    standins = gateway.Standins(binaries, tmp_path / "standins", VENDORS)
    served = document(standins)
    mesh = Mesh(binaries, tmp_path / "proxy", served, standins, edit=lambda b: without(b, dropped))
    try:
        standins["openai"].fail({"kind": "status", "status": 429})
        response = mesh.chat("first")
        assert response.status_code == 503
        assert response.json()["error"]["code"] == "gateway_misconfigured"
        assert standins["anthropic"].records() == []
        assert any(misfit in name for name in mesh.envoy.stats("pointsman_misconfigured_total"))
        gateway.poll("told in the log", lambda: "misconfigured" in mesh.envoy.log())
    finally:
        mesh.close(excused="misconfigured")
        standins.close()
