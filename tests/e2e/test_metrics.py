"""What Envoy's statistics and the state page tell, and that nothing secret is in either."""

import json
import re

import httpx
import pytest
import yaml
from conftest import MODELS, candidate
from gateway import ROOT, Gateway, free_ports, poll, provider, run
from replies import attempts as tries

PROMPT = "a secret that nobody shall count"

#: USD for a million tokens.
PRICES = {"input": 3, "cached_input": 3, "output": 15}
KEPT = {"input": 3, "cached_input": 1, "cache_write": 4, "output": 15}


@pytest.fixture(scope="module")
def measured(binaries, shared_standins, tmp_path_factory):
    """A gateway that has seen a bit of everything, and its state page's address."""
    for standin in shared_standins:
        standin.reset()
    (port,) = free_ports(1)
    vendors = ["openai", "anthropic"]
    document = {
        "providers": {
            **{v: provider(shared_standins[v]) for v in vendors},
            "keeper": provider(shared_standins["anthropic"]),
            "judged": provider(shared_standins["openai"]),
        },
        "models": {
            "kept": {
                "cache": {"ttl": "10m", "shared": True},
                "candidates": [{"provider": "keeper", "model": MODELS["anthropic"], "prices": KEPT}],
            },
            "smart": {"candidates": [candidate(v) for v in vendors]},
            "gated": {
                "candidates": [candidate("openai", "judged"), candidate("anthropic", "keeper")],
                "quality_gate": {},
            },
            "priced": {"candidates": [candidate("anthropic", prices=PRICES)]},
            "split": {
                "policy": "weighted",
                "candidates": [candidate("openai", variant="trial"), candidate("anthropic", weight=0)],
            },
        },
        "rules": [{"name": "by-day", "when": {"model": "split"}, "policy": "weighted"}],
        "teams": [{"name": "search", "when": {"headers": {"x-team": "search*"}}}],
        "envoy": {"state_port": port},
    }
    folder = tmp_path_factory.mktemp("measured")
    gateway = Gateway(binaries, folder, document, shared_standins)
    for _ in range(3):
        gateway.chat("smart", PROMPT)
        gateway.chat("smart", PROMPT, stream=True)
    # Kept by the provider at first, then out of our own cache, then out of the provider's.
    marked = {"type": "text", "text": PROMPT * 200, "cache_control": {"type": "ephemeral"}}
    for directive in ("max-age=60", "max-age=60", "no-cache"):
        gateway.chat("kept", [marked], headers={"cache-control": directive})
    gateway.chat("gated", PROMPT)
    gateway.chat("no-such-model")
    gateway.chat("split", PROMPT)
    fault = {"kind": "status", "status": 429, "retry_after": 60}
    shared_standins["openai"].fail(fault, times=1)
    gateway.chat("smart", PROMPT)
    shared_standins["anthropic"].fail({"kind": "status", "status": 500}, times=1)
    gateway.chat("smart", PROMPT)
    for team, stream in (("search-web", True), ("search", False), ("undeclared", False)):
        gateway.chat("priced", PROMPT, headers={"x-team": team}, stream=stream)
    yield gateway, f"http://127.0.0.1:{port}/pointsman/state"
    gateway.close()


def scrape(gateway):
    """Every sample by name and labels, once requests are counted and histograms flushed."""
    logged = len(gateway.envoy.access_log())

    def total(text, name):
        return sum(map(int, re.findall(rf"^{name}\}} (\d+)$", text, re.MULTILINE)))

    def read():
        text = gateway.envoy.admin.get("/stats/prometheus").text
        answered = total(text, r"pointsman_attempts_total\{[^}]*\"ok\"[^}]*")
        ended = total(text, r"gen_ai_client_operation_duration_milliseconds_count\{[^}]*")
        counted = total(text, r"pointsman_requests_total\{[^}]*")
        return text if 0 < answered == ended and counted >= logged else None

    text = poll("histograms", read, 15)
    assert PROMPT not in text and "secret-of" not in text
    samples = {}
    for name, labels, value in re.findall(r"^(\w+)\{(.*)\} (\S+)$", text, re.MULTILINE):
        labels = {n: v for n, v in re.findall(r'(\w+)="(.*?)"', labels) if v}
        labels.pop("envoy_cluster_name", None)
        samples[name, frozenset(labels.items())] = float(value)
    return samples


def value(samples, name, **labels):
    return samples.get((name, frozenset(labels.items())))


def test_requests_attempts_and_tokens_are_counted(measured):
    gateway, _ = measured
    samples = scrape(gateway)

    def of(vendor):
        return {"gen_ai_provider_name": vendor, "gen_ai_response_model": MODELS[vendor]}

    def requests(model, status, **assigned):
        labels = {"gen_ai_request_model": model, "http_response_status_code": status, **assigned}
        return value(samples, "pointsman_requests_total", **labels)

    def attempts(vendor, name):
        return value(samples, "pointsman_attempts_total", **of(vendor), pointsman_class=name)

    assert requests("smart", "200") == 8
    assert requests("unknown", "404") == 1
    assigned = {"pointsman_rule": "by-day", "pointsman_variant": "trial"}
    assert requests("split", "200", **assigned) == 1
    assert attempts("openai", "ok") == 8
    assert attempts("openai", "rate_limited") == 1
    assert attempts("anthropic", "ok") == 4
    assert attempts("anthropic", "server_error") == 1
    assert value(samples, "pointsman_failovers_total", **of("anthropic")) == 1
    paused = value(
        samples, "pointsman_cool_downs_total", **of("openai"), pointsman_class="rate_limited"
    )
    assert paused == 1
    for kind in ("input", "output"):
        tokens = value(
            samples,
            "gen_ai_client_token_usage_total",
            **of("openai"),
            gen_ai_token_type=kind,
            gen_ai_request_model="smart",
        )
        assert tokens > 0
    chunk = "gen_ai_client_operation_time_to_first_chunk_milliseconds"
    assert value(samples, f"{chunk}_count", **of("openai")) == 3
    assert value(samples, f"{chunk}_bucket", **of("openai"), le="81920") == 3
    duration = "gen_ai_client_operation_duration_milliseconds"
    assert value(samples, f"{duration}_count", **of("openai")) == 8


def test_who_spent_what_on_which_model_is_counted_to_the_nano_usd(measured):
    gateway, _ = measured
    samples = scrape(gateway)
    of = {
        "gen_ai_provider_name": "anthropic",
        "gen_ai_response_model": MODELS["anthropic"],
        "gen_ai_request_model": "priced",
    }
    lines = [l for l in gateway.envoy.access_log() if l["gen_ai.request.model"] == "priced"]
    logged = {"search": 0, None: 0}
    for line in lines:
        logged[line["pointsman.team"]] += int(line["pointsman.cost_nano_usd"])
    cost = "pointsman_cost_nano_usd_total"
    assert 0 < value(samples, cost, **of, pointsman_team="search") == logged["search"]
    assert 0 < value(samples, cost, **of) == logged[None]

    def tokens(kind):
        name = "gen_ai_client_token_usage_total"
        return value(samples, name, **of, gen_ai_token_type=kind)

    # The cached ones cost as much: the effective price is between that of input and of output.
    spent = tokens("input") * 3_000 + tokens("output") * 15_000
    assert spent == sum(logged.values())
    requests = {"gen_ai_request_model": "priced", "http_response_status_code": "200"}
    assert value(samples, "pointsman_requests_total", **requests, pointsman_team="search") == 2


def test_alerts_and_dashboard_name_what_there_is(measured):
    gateway, _ = measured
    samples = scrape(gateway)
    known = {name for name, _ in samples} | {label for _, each in samples for label, _ in each}
    folder = ROOT / "examples/monitoring"
    dashboard = json.loads((folder / "dashboard.json").read_text())
    texts = [t["expr"] for panel in dashboard["panels"] for t in panel["targets"]]
    rules = (folder / "alerts.yaml").read_text()
    texts.append(rules)
    groups = yaml.safe_load(rules)["groups"]
    recorded = [rule["record"] for group in groups for rule in group["rules"] if "record" in rule]
    # The names of recorded series have three parts: labels, metric, operations.
    known |= {name.split(":")[1] for name in recorded}
    # What did not happen here is documented, and a unit test holds that to what is counted.
    documented = (ROOT / "docs/state.md").read_text()
    known |= set(re.findall(r"`((?:pointsman|gen_ai)_\w+)`", documented))
    named = {name for text in texts for name in re.findall(r"\b(?:pointsman|gen_ai)_\w+", text)}
    assert len(named) > 8
    assert named <= known, named - known


def test_the_state_page_shows_every_target_and_no_secret(measured):
    gateway, url = measured
    reply = httpx.get(url)
    assert reply.status_code == 200
    assert PROMPT not in reply.text and "secret-of" not in reply.text
    targets = {t["provider"]: t for t in reply.json()["targets"]}
    openai, anthropic = targets["openai"], targets["anthropic"]
    assert openai["attempts"] == 9 and openai["failures"] == 1
    assert openai["total_ms"]["p50"] is not None and openai["ttft_ms"]["p95"] is not None
    assert openai["cool_down"]["class"] == "rate_limited"
    assert 0 < openai["cool_down"]["for_ms"] <= 60_000
    assert openai["in_flight"] == {"requests": 0, "tokens": 0}
    assert 0 < anthropic["failed"]["server_error"] <= 1
    assert anthropic["cool_down"] is None


def test_the_ordinary_listener_serves_no_state(measured):
    gateway, url = measured
    assert gateway.http.get("/pointsman/state").status_code == 404
    assert httpx.get(url.replace("state", "other")).status_code == 404
    assert "0.0.0.0" not in json.dumps(gateway.envoy.admin.get("/listeners").text)


def test_explain_decides_by_the_page_as_the_gateway_did(measured, tmp_path):
    gateway, url = measured
    state, request = tmp_path / "state.json", tmp_path / "request.json"
    state.write_text(httpx.get(url).text)
    live = [each.provider for each in tries(gateway.chat("smart"))]
    assert live == ["openai", "anthropic"], "openai is left alone, so it is only named"
    body = {"model": "smart", "messages": [{"role": "user", "content": PROMPT}]}
    request.write_text(json.dumps(body))
    explain = [gateway.binaries.pointsman, "explain", gateway.folder / "pointsman.yaml"]
    told = run([*explain, "--request", request, "--state", state, "--format", "json"])
    order = [each["candidate"] for each in json.loads(told)["candidates"] if "place" in each]
    assert order == [f"{vendor}/{MODELS[vendor]}" for vendor in ("anthropic", "openai")]
