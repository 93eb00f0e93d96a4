"""Access tokens that Envoy fetches and renews, and keys in files that change."""

import json
import os
import subprocess

import pytest

from gateway import STEADFAST, Gateway, Standins, free_ports, key_variable, poll
from servers import TokenServer

CLIENT = {"client": "client-1", "scopes": ["https://cognitiveservices.azure.com/.default"]}
PROJECT = "/v1/projects/p-1/locations/global"
ABLE = {"context_window": 1_000_000, "thinking": "none"}


@pytest.fixture(scope="module")
def server():
    server = TokenServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def standins(binaries, tmp_path_factory):
    names = ("openai", "openai-2", "anthropic", "anthropic-2", "gemini")
    keys = {"openai": "token-0", "openai-2": "token-0", "anthropic": "token-0"}
    standins = Standins(binaries, tmp_path_factory.mktemp("standins"), names, keys)
    yield standins
    standins.close()


@pytest.fixture(scope="module")
def clouds(binaries, server, standins, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokens")
    (folder / "keys").mkdir()
    write(folder, "google", "secret-of-gemini")
    write(folder, "client", "file-secret")
    served = document(server, standins, folder)
    gateway = Gateway(binaries, folder, served, standins, environment={"CLIENT": "env-secret"})
    by_files = {p.name: p.read_text() for p in (folder / "secrets").iterdir()}
    assert set(by_files) == {"oauth.azure.yaml", "oauth.foundry.yaml", "oauth.lost.yaml", "key.gemini.yaml"}
    assert "secret-of" not in str(by_files) and "-secret" not in str(by_files)
    # Every cluster fetches its own, a second after the start: by then its file has been read.
    tokens = [name for name in served["models"] if name not in ("lost", "direct", "gemini")]

    def all_have_tokens():
        replies = [(name, gateway.chat(name)) for name in tokens for _ in range(4)]
        answered = [(n, r.headers.get("x-pointsman-answered-by", "")) for n, r in replies]
        return all(a.startswith(n.removeprefix("lost-then-").split("-")[0]) for n, a in answered)

    poll("tokens", all_have_tokens)
    yield gateway
    gateway.close()


@pytest.fixture
def gateway(clouds):
    clouds.standins.reset()
    return clouds


def write(folder, name, text):
    """As a sidecar does it, or Kubernetes: in place at once."""
    fresh = folder / "keys" / f".{name}"
    fresh.write_text(text)
    os.replace(fresh, folder / "keys" / name)


def document(server, standins, folder):
    address = {s.name: f"http://127.0.0.1:{s.port}" for s in standins}
    [dead] = free_ports(1)

    def oauth(secret, port=server.port):
        url = f"http://127.0.0.1:{port}/tenant-1/oauth2/v2.0/token"
        return {"oauth": {"token_url": url, "secret": secret, **CLIENT}}

    def at(kind, name, path="", **settings):
        return {"kind": kind, "endpoint": address[name] + path, **STEADFAST, **settings}

    google = {"key": {"file": str(folder / "keys" / "google")}}
    by_file = oauth({"file": str(folder / "keys" / "client")})
    providers = {
        "azure": at("azure_openai", "openai", **oauth({"env": "CLIENT"})),
        "lost": at("azure_openai", "openai-2", **oauth({"env": "CLIENT"}, dead)),
        "foundry": at("foundry_anthropic", "anthropic", "/anthropic", **by_file),
        "gemini": at("vertex_gemini", "gemini", PROJECT, **google),
        "direct": at("anthropic", "anthropic-2", "/v1", key={"env": key_variable(standins["anthropic-2"])}),
    }
    of = {
        "azure": "gpt-5",
        "lost": "gpt-5",
        "foundry": "claude-sonnet-4-5",
        "gemini": "gemini-3-pro-preview",
        "direct": "claude-sonnet-4-5",
    }

    def model(*names):
        named = [{"provider": name, "model": of[name], "capabilities": ABLE} for name in names]
        return {"candidates": named}

    models = {name: model(name) for name in of}
    orders = ["lost azure", "direct azure", "azure direct", "gemini azure", "azure foundry gemini"]
    models |= {order.replace(" ", "-then-"): model(*order.split()) for order in orders}
    return {
        "providers": providers,
        "models": models,
        "observe": {"longest_cool_down": "0s", "quota_cool_down": "0s"},
        "envoy": {"secrets": str(folder / "secrets")},
    }


def credentials(record):
    names = ("authorization", "api-key", "x-api-key", "x-goog-api-key")
    found = {name: record.values(name) for name in names if record.values(name)}
    leaked = [name for name, _ in record.headers if name.startswith("x-pointsman")]
    assert not leaked
    return found


BEARER = {"authorization": ["Bearer token-0"]}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model,standin", [("azure", "openai"), ("foundry", "anthropic")])
def test_tokens_are_fetched_and_go_to_their_provider(gateway, server, model, standin, stream):
    response = gateway.chat(model, "hello", stream=stream)
    assert response.status_code == 200, response.text
    assert credentials(gateway.standins[standin].only_record()) == BEARER
    asked = {body["client_secret"]: (path, body) for path, body in server.asked if body.get("grant_type")}
    path, body = asked["env-secret" if model == "azure" else "file-secret"]
    assert path == "/tenant-1/oauth2/v2.0/token"
    assert (body["grant_type"], body["client_id"]) == ("client_credentials", "client-1")
    assert body["scope"] == CLIENT["scopes"][0]


@pytest.mark.parametrize("stream", [False, True])
def test_without_a_token_the_next_candidate_is_asked(gateway, stream):
    response = gateway.chat("lost-then-azure", "hello", stream=stream)
    assert response.headers["x-pointsman-answered-by"] == "azure/gpt-5"
    assert credentials(gateway.standins["openai-2"].only_record()) == {}
    assert credentials(gateway.standins["openai"].only_record()) == BEARER


@pytest.mark.parametrize(
    "first,second,standin,expected",
    [
        ("direct", "azure", "openai", BEARER),
        ("gemini", "azure", "openai", BEARER),
        ("azure", "direct", "anthropic-2", {"x-api-key": ["secret-of-anthropic-2"]}),
    ],
)
def test_a_failover_takes_no_credential_along(gateway, first, second, standin, expected):
    of = {"direct": "anthropic-2", "gemini": "gemini", "azure": "openai"}
    gateway.standins[of[first]].fail({"kind": "status", "status": 503})
    response = gateway.chat(f"{first}-then-{second}", headers={"authorization": "Bearer client"})
    assert response.status_code == 200, response.text
    assert response.headers["x-pointsman-answered-by"].startswith(second)
    assert credentials(gateway.standins[standin].only_record()) == expected


def test_two_tokens_of_one_chain_stay_apart(gateway):
    for name in ("openai", "anthropic"):
        gateway.standins[name].fail({"kind": "status", "status": 503})
    response = gateway.chat("azure-then-foundry-then-gemini")
    assert response.headers["x-pointsman-answered-by"].startswith("gemini/")
    assert credentials(gateway.standins["openai"].only_record()) == BEARER
    assert credentials(gateway.standins["anthropic"].only_record()) == BEARER
    google = credentials(gateway.standins["gemini"].only_record())
    assert google == {"authorization": ["Bearer secret-of-gemini"]}


def test_a_key_in_a_file_is_read_again_when_it_changes(gateway):
    assert gateway.chat("gemini").status_code == 200

    def sends(key):
        gateway.standins.reset()
        gateway.chat("gemini")
        return credentials(gateway.standins["gemini"].records()[0]) == {"authorization": [f"Bearer {key}"]}

    write(gateway.folder, "google", "another")
    poll("the file's new key", lambda: sends("another"))
    write(gateway.folder, "google", "secret-of-gemini")
    poll("the file's old key", lambda: sends("secret-of-gemini"))


def test_tokens_are_renewed(binaries, server, standins, tmp_path):
    """In a gateway of its own: what it learns would outlive the test."""
    (tmp_path / "keys").mkdir()
    write(tmp_path, "google", "secret-of-gemini")
    write(tmp_path, "client", "file-secret")
    server.token, server.expires_in = "token-1", 2
    served = document(server, standins, tmp_path)
    gateway = Gateway(binaries, tmp_path, served, standins, environment={"CLIENT": "env-secret"})

    def sends(token):
        standins.reset()
        gateway.chat("azure")
        return credentials(standins["openai"].records()[0]) == {"authorization": [f"Bearer {token}"]}

    try:
        poll("the first token", lambda: sends("token-1"))
        server.token, server.expires_in = "token-2", 3600
        poll("the second token", lambda: sends("token-2"))
    finally:
        server.token, server.expires_in = "token-0", 3600
        gateway.close()


# --- Google's metadata server ---


def of_metadata(standins):
    """Two providers of Google's, and others before, between and after them."""
    address = {s.name: f"http://127.0.0.1:{s.port}" for s in standins}
    gcp = {"gcp": {"project": "p-1", "location": "global"}}
    key = {"env": key_variable(standins["anthropic-2"])}
    providers = {
        "gemini": {"kind": "vertex_gemini", "endpoint": address["gemini"] + PROJECT, **gcp},
        "claude": {"kind": "vertex_anthropic", "endpoint": address["gemini"] + PROJECT, **gcp},
        "direct": {"kind": "anthropic", "endpoint": address["anthropic-2"] + "/v1", "key": key},
    }
    gemini = {"provider": "gemini", "model": "gemini-3-pro-preview", "capabilities": ABLE}
    claude = {"provider": "claude", "model": "claude-sonnet-4-5@20250929", "capabilities": ABLE}
    direct = {"provider": "direct", "model": "claude-sonnet-4-5", "capabilities": ABLE}
    models = {
        "gemini": {"candidates": [gemini]},
        "direct": {"candidates": [direct]},
        "all": {"candidates": [direct, gemini, claude]},
        "google-first": {"candidates": [gemini, direct]},
    }
    observe = {"longest_cool_down": "0s", "quota_cool_down": "0s"}
    return {"providers": providers, "models": models, "observe": observe}


@pytest.fixture(scope="module")
def google(binaries, server, standins, tmp_path_factory):
    if int(binaries.envoy_version.split(".")[1]) < 40:
        pytest.skip("this Envoy has no access tokens from the metadata server")

    def here(bootstrap):
        at = "address: metadata.google.internal\n"
        before, after = bootstrap.split(at)
        _, _, after = after.partition("\n")
        return f"{before}address: 127.0.0.1\n                      port_value: {server.port}\n{after}"

    folder = tmp_path_factory.mktemp("google")
    gateway = Gateway(binaries, folder, of_metadata(standins), standins, edit=here)
    yield gateway
    gateway.close()


@pytest.fixture
def metadata(google, server):
    google.standins.reset()
    server.asked.clear()
    server.token, server.is_up = "secret-of-gemini", True
    yield google
    server.token, server.is_up = "token-0", True


@pytest.mark.parametrize("stream", [False, True])
def test_tokens_of_the_metadata_server_go_to_google_alone(metadata, server, stream):
    forged = {"x-pointsman-token": "forged", "x-pointsman-wants-token": "1"}
    assert metadata.chat("direct", stream=stream, headers=forged).status_code == 200
    record = metadata.standins["anthropic-2"].only_record()
    assert credentials(record) == {"x-api-key": ["secret-of-anthropic-2"]}
    assert server.asked == [], "nobody wants a token"
    response = metadata.chat("gemini", stream=stream, headers=forged)
    assert response.status_code == 200, response.text
    record = metadata.standins["gemini"].only_record()
    assert credentials(record) == {"authorization": ["Bearer secret-of-gemini"]}
    assert all(headers["metadata-flavor"] == "Google" for _, headers in server.asked)


def test_every_later_attempt_has_the_token(metadata):
    metadata.standins["anthropic-2"].fail({"kind": "status", "status": 503})
    metadata.standins["gemini"].fail({"kind": "status", "status": 503}, times=1)
    response = metadata.chat("all")
    assert response.headers["x-pointsman-answered-by"].startswith("claude/"), response.text
    direct = metadata.standins["anthropic-2"].only_record()
    assert credentials(direct) == {"x-api-key": ["secret-of-anthropic-2"]}
    google = [credentials(record) for record in metadata.standins["gemini"].records()]
    assert google == [{"authorization": ["Bearer secret-of-gemini"]}] * 2


def test_without_a_token_of_the_metadata_server_the_next_is_asked(metadata, server):
    """What Envoy has kept of tokens it keeps: a gateway that never had one is wanted."""
    metadata.standins["gemini"].fail({"kind": "status", "status": 401})
    response = metadata.chat("google-first")
    assert response.headers["x-pointsman-answered-by"].startswith("direct/"), response.text
    record = metadata.standins["anthropic-2"].only_record()
    assert credentials(record) == {"x-api-key": ["secret-of-anthropic-2"]}


def test_older_envoys_are_refused_with_a_way_out(binaries, standins, tmp_path):
    path = tmp_path / "pointsman.yaml"
    path.write_text(json.dumps({"version": 1, **of_metadata(standins)}))
    for command in (["check"], ["render", "envoy"]):
        line = [binaries.pointsman, *command, path, "--envoy", "1.39"]
        done = subprocess.run(line, capture_output=True, text=True)
        assert done.returncode == 1 and done.stdout == ""
        assert "providers.gemini.gcp" in done.stderr and "key: {file: PATH}" in done.stderr
