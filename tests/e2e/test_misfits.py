"""What Envoy was not told: the filter notices, tells it once with its cure, and fails closed."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import yaml
from conftest import candidate
from gateway import STEADFAST, Gateway, lint, poll, provider
from replies import error
from test_config_load import Discovery, wasm_filters

WATCHED_FOR_S = 30

#: How long Envoy may have bytes of a body without passing them on.
HELD_FOR_S = 2

#: What Envoy has as workers; each watches for itself.
WORKERS = 2


def filters_in(bootstrap, role):
    return [each for each in wasm_filters(bootstrap) if each["root_id"] == f"pointsman.{role}"]


def manager(bootstrap):
    (listener,) = bootstrap["static_resources"]["listeners"]
    return listener["filter_chains"][0]["filters"][0]["typed_config"]


def models_routes(bootstrap):
    (host,) = manager(bootstrap)["route_config"]["virtual_hosts"]
    return [each["route"] for each in host["routes"] if each.get("name") == "models"]


def without_stop_iteration(role):
    def edit(bootstrap):
        for each in filters_in(bootstrap, role):
            del each["allow_on_headers_stop_iteration"]
            # Before 1.39, what is configured alike is taken for what is there already.
            each["configuration"]["value"] += " "

    return edit


def without_refresh(bootstrap):
    for route in models_routes(bootstrap):
        del route["retry_policy"]["refresh_cluster_on_retry"]


def without_metadata(bootstrap):
    for cluster in bootstrap["static_resources"]["clusters"]:
        for locality in cluster.get("load_assignment", {}).get("endpoints", []):
            for endpoint in locality["lb_endpoints"]:
                endpoint.pop("metadata", None)


def without_downstream(bootstrap):
    """The route leads to the first provider by itself."""
    filters = manager(bootstrap)["http_filters"]
    filters[:] = filters[-1:]
    names = [each["name"] for each in bootstrap["static_resources"]["clusters"]]
    cluster = next(name for name in names if name in ("via-openai", "chain.openai"))
    for route in models_routes(bootstrap):
        for field in ("inline_cluster_specifier_plugin", "cluster_header"):
            route.pop(field, None)
        route["cluster"] = cluster


def with_another_map(bootstrap):
    text = yaml.safe_dump(bootstrap)
    swapped = text.replace("cluster: via-openai", "cluster: via-anthropic")
    assert swapped != text
    bootstrap.update(yaml.safe_load(swapped))


def with_another_document(bootstrap):
    """Attempts have a document without the plan's provider, and a machine of their own."""
    for each in filters_in(bootstrap, "upstream"):
        each["vm_config"]["vm_id"] = "another"
        given = json.loads(each["configuration"]["value"])
        providers = given["document"]["providers"]
        providers["other_ai"] = providers.pop("openai")
        for each_candidate in given["document"]["models"]["smart"]["candidates"]:
            if each_candidate["provider"] == "openai":
                each_candidate["provider"] = "other_ai"
        each["configuration"]["value"] = json.dumps(given)


#: What is missing, what the filter calls it, and the word of the cure that names it.
MISFITS = {
    "stop iteration downstream": (
        without_stop_iteration("downstream"),
        "no_stop_iteration",
        "allow_on_headers_stop_iteration: true",
    ),
    "stop iteration upstream": (
        without_stop_iteration("upstream"),
        "no_stop_iteration",
        "allow_on_headers_stop_iteration: true",
    ),
    "refresh": (without_refresh, "no_refresh", "refresh_cluster_on_retry: true"),
    "metadata": (without_metadata, "unknown_host", "pointsman.cluster"),
    "downstream": (without_downstream, "no_plan", "turn it on for the route"),
    "candidate map": (with_another_map, "other_cluster", "candidate map"),
    "document": (with_another_document, "other_plan", "same document"),
}


#: Those that can be told by the configuration alone, and what lint calls them.
LINTED = {
    "stop iteration downstream": "no-stop-iteration",
    "stop iteration upstream": "no-stop-iteration",
    "refresh": "no-refresh",
    "metadata": "nameless-cluster",
    "downstream": "role-missing",
    "document": "machines-differ",
}


def document(standins):
    names = ("openai", "anthropic")
    return {
        "providers": {n: provider(standins[n], **STEADFAST) for n in names},
        "models": {"smart": {"candidates": [candidate(name) for name in names]}},
        "observe": {"longest_cool_down": "0s"},
    }


@pytest.fixture(scope="module")
def shared(binaries, shared_standins, tmp_path_factory):
    """One gateway, whose listener and clusters are replaced by others."""
    folder = tmp_path_factory.mktemp("misfits")
    (folder / "xds").mkdir()
    discovery = Discovery(folder / "xds")
    given = document(shared_standins)
    gateway = Gateway(binaries, folder, given, shared_standins, edit=discovery.take_over)
    gateway.http.timeout = httpx.Timeout(WATCHED_FOR_S)
    gateway.discovery = discovery
    yield gateway
    gateway.close(excused="misconfigured")


@pytest.fixture
def gateway(shared):
    shared.standins.reset()
    return shared


def ask(gateway):
    return gateway.chat("smart", headers={"connection": "close"})


def counted(gateway, kind):
    stats = gateway.envoy.stats("pointsman_misconfigured_total")
    return sum(value for name, value in stats.items() if kind in name)


def told_in_log(gateway, cure):
    lines = gateway.envoy.log().splitlines()
    return [line for line in lines if "misconfigured" in line and cure in line]


def test_a_client_that_takes_its_time_is_no_misfit(gateway):
    """Before the first byte of the first body that a worker ever sees, it takes longer than Envoy
    may hold back a body that it has."""
    body = {"model": "smart", "messages": [{"role": "user", "content": "hello"}]}

    def slowly():
        time.sleep(HELD_FOR_S + 1)
        yield json.dumps(body).encode()

    headers = {"content-type": "application/json"}
    before = counted(gateway, "no_stop_iteration")
    with ThreadPoolExecutor(2 * WORKERS) as pool:
        sent = [pool.submit(send, gateway, slowly(), headers) for _ in range(2 * WORKERS)]
        replies = [each.result() for each in sent]
    assert [reply.status_code for reply in replies] == [200] * len(replies), replies[0].text
    assert counted(gateway, "no_stop_iteration") == before


def send(gateway, content, headers):
    return gateway.http.post("/v1/chat/completions", content=content, headers=headers)


@pytest.mark.parametrize("missing", MISFITS)
def test_what_is_missing_is_told_once_and_nothing_is_sent(missing, gateway):
    if missing in ("refresh", "candidate map") and gateway.binaries.has_static_chains:
        pytest.skip("nothing chooses a cluster for each attempt here")
    spoil, kind, cure = MISFITS[missing]
    spoilt = yaml.safe_load(gateway.render(gateway.document))
    spoil(spoilt)
    gateway.standins["openai"].fail({"kind": "status", "status": 429})
    gateway.discovery.push(spoilt)
    poll("noticed", lambda: cure in ask(gateway).text, WATCHED_FOR_S)

    gateway.standins["anthropic"].reset()
    before = counted(gateway, kind)
    for _ in range(2):
        told = error(ask(gateway), 503)
        assert told["code"] == "gateway_misconfigured" and cure in told["message"], told
    assert counted(gateway, kind) == before + 2
    assert gateway.standins["anthropic"].records() == []
    lines = poll("told in the log", lambda: told_in_log(gateway, cure))
    assert len(lines) == 1, lines
    if missing in LINTED:
        assert LINTED[missing] in lint(gateway.binaries, gateway.envoy.dump())


def test_what_is_mended_serves_again(gateway):
    gateway.discovery.push(yaml.safe_load(gateway.render(gateway.document)))
    poll("served", lambda: ask(gateway).status_code == 200)
    assert lint(gateway.binaries, gateway.envoy.dump()) == set()
