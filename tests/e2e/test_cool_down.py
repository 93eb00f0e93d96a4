"""A provider that asks to be left alone is left alone, until then and no longer."""

import time

import pytest
from conftest import candidate
from gateway import STEADFAST, VENDORS, Gateway, poll, provider
from replies import content, error, verdicts

#: Long enough for three requests on a machine that is busy.
QUOTA_MS = 2000


@pytest.fixture(scope="module")
def cooling(binaries, shared_standins, tmp_path_factory):
    """Each test has providers of its own, because a cool-down outlasts its test."""
    folder = tmp_path_factory.mktemp("cooling")
    providers, models = {}, {}
    for test in ("said", "quota", "key", "all", "rate", "gone", "last"):
        for vendor in VENDORS[:2]:
            providers[f"{vendor}-{test}"] = provider(
                shared_standins[vendor], **STEADFAST
            )
        models[test] = {"candidates": [candidate(v, f"{v}-{test}") for v in VENDORS[:2]]}
    models["other"] = {
        "candidates": [
            {"provider": "openai-quota", "model": "gpt-5-mini"},
            {"provider": "openai-said", "model": "gpt-5-mini"},
            candidate("anthropic", "anthropic-key"),
        ]
    }
    document = {
        "providers": providers,
        "models": models,
        "observe": {"quota_cool_down": f"{QUOTA_MS}ms"},
    }
    gateway = Gateway(binaries, folder, document, shared_standins)
    yield gateway
    gateway.close()


@pytest.fixture
def gateway(cooling):
    cooling.standins.reset()
    return cooling


def who(response):
    """Provider and class of each entry of the trail, without the test's name."""
    return [(name.split("-")[0], verdict) for name, verdict in verdicts(response)]


def test_a_provider_is_left_alone_as_long_as_it_asks(gateway):
    openai = gateway.standins["openai"]
    openai.fail({"kind": "status", "status": 429, "retry_after": 2}, times=1)
    asked = time.monotonic()
    assert who(gateway.chat("said")) == [("openai", "rate_limited"), ("anthropic", "ok")]
    while time.monotonic() - asked < 1:
        response = gateway.chat("said")
        assert who(response) == [("openai", "cooling_down"), ("anthropic", "ok")]
        assert "openai" in gateway.envoy.logged(response)["pointsman.attempts"]
        time.sleep(0.1)
    assert len(openai.records()) == 1, "the next requests do not repeat what failed"
    poll("asked again", lambda: who(gateway.chat("said")) == [("openai", "ok")])
    assert time.monotonic() - asked >= 2


def test_an_exhausted_quota_concerns_every_model_of_the_provider(gateway):
    openai = gateway.standins["openai"]
    openai.fail({"kind": "quota"}, times=1)
    gateway.chat("quota")
    assert who(gateway.chat("quota"))[0] == ("openai", "cooling_down")
    assert verdicts(gateway.chat("other"))[0] == ("openai-quota", "cooling_down")
    assert len(openai.records()) == 2, "the second provider of `other` answered"
    back = lambda: verdicts(gateway.chat("other")) == [("openai-quota", "ok")]  # noqa: E731
    poll("asked again", back)


def test_a_refused_key_is_not_tried_with_every_request(gateway):
    gateway.standins["openai"].fail({"kind": "status", "status": 401}, times=1)
    gateway.chat("key")
    assert who(gateway.chat("key")) == [("openai", "cooling_down"), ("anthropic", "ok")]


def test_a_limit_without_a_word_of_when_leads_to_no_pause(gateway):
    gateway.standins["openai"].fail({"kind": "status", "status": 429}, times=1)
    assert who(gateway.chat("rate"))[0] == ("openai", "rate_limited")
    assert who(gateway.chat("rate")) == [("openai", "ok")]


def test_all_are_asked_when_all_want_to_be_left_alone(gateway):
    for vendor in VENDORS[:2]:
        gateway.standins[vendor].fail({"kind": "status", "status": 429, "retry_after": 30}, times=1)
    error(gateway.chat("all"), 429)
    response = gateway.chat("all")
    assert who(response) == [("openai", "ok")]
    assert content(response, False)


def test_who_wants_to_be_left_alone_is_asked_when_all_others_fail(gateway):
    openai, anthropic = (gateway.standins[vendor] for vendor in VENDORS[:2])
    openai.fail({"kind": "status", "status": 429, "retry_after": 30}, times=1)
    gateway.chat("last")
    anthropic.fail({"kind": "status", "status": 500}, times=1)
    response = gateway.chat("last")
    trail = [("openai", "cooling_down"), ("anthropic", "server_error"), ("openai", "ok")]
    assert who(response) == trail
    assert who(gateway.chat("last")) == [("openai", "cooling_down"), ("anthropic", "ok")]


def test_a_client_that_leaves_is_nobodys_failure(gateway):
    """What it left behind is told in the log, and by no class of a provider's."""
    openai = gateway.standins["openai"]
    openai.fail({"kind": "stall", "ms": 1000}, times=1)
    mark = gateway.envoy.mark()
    with pytest.raises(Exception, match="timed out"):
        body = {"model": "gone", "messages": [{"role": "user", "content": "hi"}]}
        gateway.http.post("/v1/chat/completions", json=body, timeout=0.2)
    line = gateway.envoy.logged_where(lambda line: "DC" in (line["flags"] or ""), mark)
    assert line["pointsman.attempts"] is None
