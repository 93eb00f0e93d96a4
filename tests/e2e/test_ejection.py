"""Providers that Envoy's outlier detection has taken out of service are passed over."""

import pytest
from conftest import DEFAULTS, MODELS
from gateway import VENDORS, Gateway, poll, provider
from replies import assert_carries_only_its_own_key, content, error, verdicts

#: Each scenario has providers of its own, because an ejection outlasts its test.
SCENARIOS = ("first", "two", "all", "returns")

FAILURES_IN_A_ROW = 3


@pytest.fixture(scope="module")
def ejecting(binaries, shared_standins, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ejecting")
    gateway = Gateway(binaries, folder, document(shared_standins), shared_standins)
    yield gateway
    gateway.close()


def document(standins):
    providers, models = {}, {}
    for scenario in SCENARIOS:
        settings = {
            "consecutive_failures": FAILURES_IN_A_ROW,
            "interval": "50ms",
            "ejection": "200ms" if scenario == "returns" else "1h",
        }
        candidates = []
        for vendor in VENDORS:
            name = f"{vendor}-{scenario}"
            providers[name] = provider(standins[vendor], outlier_detection=settings)
            candidate = {"provider": name, "model": MODELS[vendor]}
            if vendor in DEFAULTS:
                candidate["defaults"] = DEFAULTS[vendor]
            candidates.append(candidate)
            models[f"only-{name}"] = {"candidates": [candidate]}
        models[scenario] = {"candidates": candidates}
    # How the filter spares an ejected provider requests is another test.
    never = {"longest_cool_down": "0s"}
    return {"providers": providers, "models": models, "observe": never}


@pytest.fixture
def gateway(ejecting):
    ejecting.standins.reset()
    return ejecting


@pytest.fixture
def trip(gateway):
    """Makes a provider fail until Envoy takes it out of service, unless it is out already."""

    def trip(vendor, scenario):
        cluster = f"{vendor}-{scenario}"
        name = f"cluster.{cluster}.outlier_detection.ejections_active"
        if gateway.envoy.stats(name)[name]:
            return
        gateway.standins[vendor].fail({"kind": "status", "status": 500})
        for _ in range(FAILURES_IN_A_ROW):
            gateway.chat(f"only-{cluster}")
        poll(f"{cluster} ejected", lambda: gateway.envoy.stats(name)[name])
        gateway.standins[vendor].reset()

    return trip


def seen(gateway, response, expected):
    """Asserts the trail, in which a static chain tells nothing of members it passes over."""
    if gateway.binaries.has_static_chains:
        expected = [each for each in expected if each[1] != "ejected"]
    assert verdicts(response) == expected


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
def test_an_ejected_first_candidate_is_passed_over(gateway, trip, stream):
    trip("openai", "first")
    response = gateway.chat("first", stream=stream)

    assert "Hello from anthropic" in content(response, stream)
    seen(gateway, response, [("openai-first", "ejected"), ("anthropic-first", "ok")])
    assert not gateway.standins["openai"].records()
    record = gateway.standins["anthropic"].only_record()
    assert_carries_only_its_own_key(record, gateway.standins["anthropic"], gateway.standins)


def test_two_ejected_candidates_are_passed_over(gateway, trip):
    trip("openai", "two")
    trip("anthropic", "two")
    response = gateway.chat("two")

    assert "Hello from gemini" in content(response, False)
    expected = [("openai-two", "ejected"), ("anthropic-two", "ejected"), ("gemini-two", "ok")]
    seen(gateway, response, expected)
    assert not gateway.standins["openai"].records()
    assert not gateway.standins["anthropic"].records()


def test_somebody_is_still_tried_when_all_are_ejected(gateway, trip):
    for vendor in VENDORS:
        trip(vendor, "all")
    response = gateway.chat("all")

    assert response.status_code == 200, response.text
    assert verdicts(response)[-1][1] == "ok"
    if not gateway.binaries.has_static_chains:
        expected = [("openai-all", "ejected"), ("anthropic-all", "ejected"), ("gemini-all", "ok")]
        assert verdicts(response) == expected


def test_the_client_hears_of_ejections_when_all_fail(gateway, trip):
    for vendor in VENDORS:
        trip(vendor, "all")
    for standin in gateway.standins:
        standin.fail({"kind": "status", "status": 500})
    response = gateway.chat("all")
    assert error(response, 500)["type"] == "server_error"
    assert verdicts(response)[-1][1] == "server_error"


def test_an_ejected_candidate_returns_when_its_time_is_over(gateway, trip):
    trip("openai", "returns")

    def answers_again():
        return "Hello from openai" in content(gateway.chat("returns"), False)

    poll("openai back in service", answers_again)


def test_a_model_that_is_gone_does_not_take_its_provider_out_of_service(gateway):
    gateway.standins["openai"].fail({"kind": "model_gone"}, times=FAILURES_IN_A_ROW + 1)
    for _ in range(FAILURES_IN_A_ROW + 1):
        assert verdicts(gateway.chat("returns"))[-1] == ("anthropic-returns", "ok")
    assert verdicts(gateway.chat("returns")) == [("openai-returns", "ok")]
