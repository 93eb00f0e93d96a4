"""Connections that are kept open while nobody asks anything: by one request a period, of nobody."""

import time

import pytest
from conftest import candidate
from gateway import Gateway, poll, provider
from replies import content
from traffic import Traffic

EVERY_S = 0.5
#: Envoys of these tests have two.
WORKERS = 2
COOL_DOWN_MS = 4 * int(EVERY_S * 1000)


@pytest.fixture(scope="module")
def proxy(binaries, shared_standins, tmp_path_factory):
    shared_standins.reset()
    every = {"every": f"{int(EVERY_S * 1000)}ms"}
    settings = {
        "openai": {"keep_warm": every, "outlier_detection": {"consecutive_failures": 1}},
        "anthropic": {"keep_warm": every | {"path": "/v1/models?limit=1"}},
        "gemini": {"keep_warm": {"every": "1h"}},
        "mistral": {},
    }
    document = {
        "providers": {
            vendor: provider(shared_standins[vendor]) | own for vendor, own in settings.items()
        },
        "models": {vendor: {"candidates": [candidate(vendor)]} for vendor in settings},
        "observe": {"quota_cool_down": f"{COOL_DOWN_MS}ms"},
    }
    folder = tmp_path_factory.mktemp("warm")
    gateway = Gateway(binaries, folder, document, shared_standins)
    poll("first requests", lambda: len(asked(gateway, "gemini")) == 1, 30)
    yield gateway
    gateway.close()


@pytest.fixture
def warm(proxy):
    proxy.standins.reset()
    return proxy


def asked(gateway, vendor="openai"):
    """The requests that kept connections open."""
    records = gateway.standins[vendor].records()
    return [each for each in records if each.raw["method"] == "GET"]


def wait_for(gateway, count, vendor="openai"):
    poll(f"{count} requests", lambda: len(asked(gateway, vendor)) >= count, 30)


def connections(gateway):
    return gateway.envoy.stats("^cluster.openai.upstream_cx_total$").popitem()[1]


def test_one_worker_of_all_asks_once_a_period(warm):
    wait_for(warm, 2)
    began, before = time.monotonic(), len(asked(warm))
    wait_for(warm, before + 6)
    assert time.monotonic() - began > 4.5 * EVERY_S, "more than one a period"
    assert not asked(warm, "gemini"), "its period is longer"
    assert not asked(warm, "mistral"), "nobody has asked for that"


def test_a_provider_gets_its_own_key_and_nothing_of_ours(warm):
    for vendor, path, query, header in (
        ("openai", "/v1/models", None, "authorization"),
        ("anthropic", "/v1/models", "limit=1", "x-api-key"),
    ):
        wait_for(warm, 1, vendor)
        record = asked(warm, vendor)[0]
        assert (record.path, record.query) == (path, query)
        key = warm.standins[vendor].key
        assert record.values(header) == [f"Bearer {key}" if header == "authorization" else key]
        names = [name for name, _ in record.headers]
        assert not [name for name in names if name.startswith(("x-pointsman-", "x-envoy-"))]


def test_the_first_client_pays_for_no_connection(warm):
    """Each worker has one of its own, and no client has come yet."""
    poll("connections", lambda: connections(warm) == WORKERS, 30)
    assert content(warm.chat("openai"), False)
    assert connections(warm) == WORKERS


def test_it_is_no_clients_request(warm):
    def told():
        stats = warm.envoy.stats("pointsman_(requests|attempts)_total")
        return sum(stats.values()), len(warm.envoy.access_log())

    poll("counted", lambda: warm.counts("pointsman_keep_warm_total", "openai", "200"))
    before = told()
    wait_for(warm, 2 * WORKERS)
    assert told() == before


def test_what_it_is_told_ejects_nobody(warm):
    warm.standins["openai"].fail({"kind": "status", "status": 500}, match={"model": ""})
    poll("told", lambda: warm.counts("pointsman_keep_warm_total", "openai", "500"))
    wait_for(warm, len(asked(warm)) + 2)
    assert warm.envoy.stats("openai.outlier_detection.ejections_active").popitem()[1] == 0
    assert content(warm.chat("openai"), False)


def test_who_asks_to_be_left_alone_is_not_asked(warm):
    warm.standins["anthropic"].fail({"kind": "quota"}, times=1, match={"stream": True})
    asked_for = time.monotonic()
    assert warm.chat("anthropic", stream=True).status_code == 429
    before = len(asked(warm, "anthropic"))
    wait_for(warm, before + 1, "anthropic")
    assert time.monotonic() - asked_for > COOL_DOWN_MS / 1000 - EVERY_S


def test_traffic_keeps_connections_open_by_itself(warm):
    def once():
        """On a new connection of the client's, so that all workers have something to do."""
        reply = warm.chat("openai", headers={"connection": "close"})
        return None if reply.status_code == 200 else reply.text

    with Traffic(once, senders=16, rate=150) as traffic:
        traffic.goes_on(150)
        before = len(asked(warm))
        traffic.goes_on(300)
        assert len(asked(warm)) <= before + 1, "a worker may have gone without for once"
    traffic.assert_flawless()
    wait_for(warm, before + 3)
