"""What proxies of a mesh ask besides candidates, in a gateway and in a sidecar: classifiers, and
servers of tokens. And the page that tells what has been observed."""

import json

import httpx
import pytest

import gateway
from conftest import binaries_of
from mesh import Mesh
from replies import attempts
from servers import Hook, TokenServer, completion
from test_live import candidate

NAMES = ("openai", "anthropic", "gemini", "openai-2")

VARIANTS = {
    "gateway": ("--tls", "plain"),
    "sidecar": ("--variant", "sidecar", "--namespace", "team-a"),
}

SECRETS = {"HOOK_KEY": "hook-secret", "CLIENT": "client-secret"}

PROJECT = "/v1/projects/p-1/locations/global"

def document(standins, hook, model, tokens, state_port, folder):
    plain = {s.name: gateway.provider(s, **gateway.STEADFAST) for s in standins if s.name != "openai-2"}
    at = {s.name: f"http://127.0.0.1:{s.port}" for s in standins}
    oauth = {
        "token_url": f"http://127.0.0.1:{tokens.port}/tenant/token",
        "client": "client-1",
        "secret": {"env": "CLIENT"},
    }
    azure = {"kind": "azure_openai", "endpoint": at["openai-2"], "oauth": oauth, **gateway.STEADFAST}
    google = {"file": str(folder / "google" / "token")}
    vertex = {
        "kind": "vertex_gemini",
        "endpoint": at["gemini"] + PROJECT,
        "key": google,
        **gateway.STEADFAST,
    }
    small = {
        "kind": "openai_compatible",
        "endpoint": f"http://127.0.0.1:{model.port}/v1",
        **gateway.STEADFAST,
    }
    webhook = {"url": f"http://127.0.0.1:{hook.port}/classify", "key": {"env": "HOOK_KEY"}}
    rest = {"classes": ["code", "other"], "cache": "0s", "deadline": "2s"}
    able = {"capabilities": {"context_window": 1_000_000, "thinking": "none"}}
    of_azure = {"provider": "azure", "model": "gpt-5", **able}
    of_vertex = {"provider": "vertex", "model": "gemini-3-pro-preview", **able}
    judge = {"model": "judge", "instruction": "Is it about programs?"}
    return {
        "providers": {**plain, "azure": azure, "vertex": vertex, "small": small},
        "models": {
            "smart": {"candidates": [candidate(name) for name in ("openai", "anthropic")]},
            "judge": {"candidates": [{"provider": "small", "model": "tiny"}, candidate("gemini")]},
            "azure": {"candidates": [of_azure, candidate("anthropic")]},
            "vertex": {"candidates": [of_vertex]},
        },
        "classifiers": {"risk": {"webhook": webhook, **rest}, "kind": {**judge, **rest}},
        "rules": [
            {
                "name": name,
                "when": {"headers": {"x-rule": name}, "class": {name: "code"}},
                "candidates": [f"anthropic/{candidate('anthropic')['model']}"],
            }
            for name in ("risk", "kind")
        ],
        "observe": {"longest_cool_down": "0s", "quota_cool_down": "0s"},
        # Where plain Envoys find secrets; in a mesh the rendering says where.
        "envoy": {"state_port": state_port, "secrets": "secrets"},
    }


@pytest.fixture(scope="module", params=VARIANTS)
def shared(request, live_envoy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("servers")
    (folder / "google").mkdir()
    (folder / "google" / "token").write_text("secret-of-gemini")
    keys = {"openai-2": "token-0"}
    standins = gateway.Standins(live_envoy, folder / "standins", NAMES, keys)
    hook, model, tokens = Hook(), Hook(), TokenServer()
    (state_port,) = gateway.free_ports(1)
    served = document(standins, hook, model, tokens, state_port, folder)
    flags = VARIANTS[request.param]
    mesh = Mesh(live_envoy, folder / "proxy", served, standins, flags, secrets=SECRETS)
    mesh.hook, mesh.model, mesh.tokens, mesh.state_port = hook, model, tokens, state_port
    yield mesh
    mesh.close()
    for each in (hook, model, tokens, standins):
        each.close()


@pytest.fixture
def mesh(shared):
    shared.standins.reset()
    shared.hook.reset()
    shared.model.reset()
    shared.model.answer = completion("1")
    return shared


def ask(mesh, rule, text="hello"):
    body = {"model": "smart", "messages": [{"role": "user", "content": text}]}
    return mesh.http.post("/v1/chat/completions", json=body, headers={"x-rule": rule})


def served_by(response):
    assert response.status_code == 200, response.text
    return attempts(response)[-1].provider


def classes(mesh, response):
    return mesh.envoy.logged(response)["pointsman.classes"]


def test_a_failover_leads_to_the_next_with_its_own_key_alone(mesh):
    mesh.standins["openai"].fail({"kind": "status", "status": 503})
    assert served_by(mesh.chat("smart")) == "anthropic"
    record = mesh.standins["anthropic"].only_record()
    assert record.values("x-api-key") == ["secret-of-anthropic"]
    assert not record.values("authorization")


def test_a_webhook_tells_the_class_and_gets_its_key(mesh):
    response = ask(mesh, "risk")
    assert served_by(response) == "anthropic", classes(mesh, response)
    ((headers, question),) = mesh.hook.asked
    assert headers["authorization"] == "Bearer hook-secret"
    assert question["classifier"] == "risk"
    mesh.hook.answer = {"class": "other"}
    assert served_by(ask(mesh, "risk", text="another")) == "openai"


def test_a_model_tells_the_class_through_a_listener_inside_of_the_proxy(mesh):
    response = ask(mesh, "kind")
    assert served_by(response) == "anthropic", classes(mesh, response)
    ((_, question),) = mesh.model.asked
    assert question["model"] == "tiny"
    mesh.model.answer = completion("2")
    assert served_by(ask(mesh, "kind", text="another")) == "openai"


def test_a_question_goes_on_to_the_next_candidate_of_its_model(mesh):
    mesh.model.status = 503
    said = {"candidates": [{"content": {"role": "model", "parts": [{"text": "1"}]}, "finishReason": "STOP"}]}
    mesh.standins["gemini"].fail({"kind": "status", "status": 200, "body": said})
    response = ask(mesh, "kind")
    assert served_by(response) == "anthropic", classes(mesh, response)
    record = mesh.standins["gemini"].only_record()
    assert record.values("x-goog-api-key") == ["secret-of-gemini"]
    assert not [name for name, _ in record.headers if name.startswith("x-pointsman")]


def test_a_token_is_fetched_with_the_mounted_secret_and_goes_to_its_provider(mesh):
    def answered():
        return served_by(mesh.chat("azure")) == "azure"

    gateway.poll("a token", answered)
    record = mesh.standins["openai-2"].records()[-1]
    assert record.values("authorization") == ["Bearer token-0"]
    path, form = mesh.tokens.asked[0]
    assert path == "/tenant/token"
    assert (form["client_id"], form["client_secret"]) == ("client-1", "client-secret")
    mesh.standins.reset()
    mesh.standins["openai-2"].fail({"kind": "status", "status": 503})
    assert served_by(mesh.chat("azure")) == "anthropic"
    record = mesh.standins["anthropic"].only_record()
    assert not record.values("authorization"), "no token to anybody else"


def test_a_token_in_a_file_goes_to_google_and_a_new_one_is_taken(mesh):
    file = mesh.folder.parent / "google" / "token"

    def sends(token):
        mesh.standins.reset()
        mesh.chat("vertex")
        return mesh.standins["gemini"].records()[0].values("authorization") == [f"Bearer {token}"]

    assert sends("secret-of-gemini")
    for token in ("another", "secret-of-gemini"):
        aside = file.with_name("aside")
        aside.write_text(token)
        aside.rename(file)
        gateway.poll(f"the file's token {token}", lambda token=token: sends(token))


def test_the_page_tells_what_has_been_observed_on_its_own_port_alone(mesh):
    assert mesh.chat("smart").status_code == 200
    page = httpx.get(f"http://127.0.0.1:{mesh.state_port}/pointsman/state").json()
    targets = {each["provider"]: each for each in page["targets"]}
    assert targets["openai"]["attempts"] > 0
    assert mesh.http.get("/pointsman/state").status_code == 404


def test_its_own_dump_has_no_mistakes(mesh):
    dump = mesh.envoy.dump()
    assert all(name in dump for name in ("pointsman.inner", "pointsman.state"))
    assert gateway.lint(mesh.binaries, dump) == set()


# --- Google's metadata server ---


def of_metadata(standins):
    google = {
        "kind": "vertex_gemini",
        "endpoint": f"http://127.0.0.1:{standins['gemini'].port}{PROJECT}",
        "gcp": {"project": "p-1", "location": "global"},
    }
    able = {"capabilities": {"context_window": 1_000_000, "thinking": "none"}}
    gemini = {"provider": "google", "model": "gemini-3-pro-preview", **able}
    return {
        "providers": {"google": google, "anthropic": gateway.provider(standins["anthropic"])},
        "models": {
            "gemini": {"candidates": [gemini]},
            "direct": {"candidates": [candidate("anthropic")]},
        },
        "observe": {"longest_cool_down": "0s", "quota_cool_down": "0s"},
    }


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_token_of_the_metadata_server_is_fetched_only_for_who_wants_it(variant, tmp_path):
    binaries = binaries_of("1.40.0")
    standins = gateway.Standins(binaries, tmp_path / "standins", NAMES)
    tokens = TokenServer()
    tokens.token = "secret-of-gemini"

    def here(bootstrap):
        at = {"address": "metadata.google.internal", "port_value": 80}
        text = json.dumps(bootstrap)
        assert json.dumps(at) in text
        here = {"address": "127.0.0.1", "port_value": tokens.port}
        return json.loads(text.replace(json.dumps(at), json.dumps(here)))

    mesh = Mesh(
        binaries,
        tmp_path / "proxy",
        of_metadata(standins),
        standins,
        VARIANTS[variant],
        edit=here,
        versions="1.32",
    )
    try:
        assert mesh.chat("direct").status_code == 200
        forged = {"x-pointsman-wants-token": "1", "x-pointsman-token": "forged"}
        assert mesh.http.get("/v1/models", headers=forged).status_code == 200
        assert mesh.http.get("/v1/nothing", headers=forged).status_code == 404
        assert tokens.asked == [], "nobody wants one"
        assert mesh.chat("gemini").status_code == 200
        record = standins["gemini"].only_record()
        assert record.values("authorization") == ["Bearer secret-of-gemini"]
        assert tokens.asked
    finally:
        mesh.close()
        standins.close()
        tokens.close()
