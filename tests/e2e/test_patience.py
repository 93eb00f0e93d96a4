"""How long a request is worth waiting for: short waits, all attempts together, who comes back."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import candidate
from gateway import VENDORS, Gateway, poll, provider
from replies import content, error, verdicts

#: All attempts together, and one of them.
TOTAL_MS, TRY_MS = 900, 600

#: What a busy machine may add.
SLACK_S = 1.5

STALL = {"kind": "stall"}

#: What Envoy has as workers.
WORKERS = 2

#: A provider that may serve eight requests at a time, and when it answers none, one.
SPIKE = {
    "concurrency": {"most": 8, "least": 1},
    "preconnect": 50,
}


def limited(seconds):
    return {"kind": "status", "status": 429, "retry_after": seconds}


@pytest.fixture(scope="module")
def patient(binaries, shared_standins, tmp_path_factory):
    """Each test has providers of its own, because a cool-down outlasts its test."""
    waits, bounded = {"wait_up_to": "2s"}, {"per_try": f"{TRY_MS}ms", "total": f"{TOTAL_MS}ms"}
    tests = {
        "sole": {"timeouts": waits},
        "reset": {"timeouts": waits},
        "pair": {"timeouts": waits},
        "total": {"timeouts": bounded},
        "cut": {"timeouts": bounded | {"cut_streams": True}},
        "stored": {"timeouts": {"per_try": f"{TRY_MS}ms"}},
        "repeats": {"timeouts": {"per_try": f"{TRY_MS}ms"}, "repeat_stored": True},
        "herd": {},
        "ejected": {},
        # So long that a burst is all there before the first attempt of it is over.
        "spike": {"timeouts": {"per_try": "2s"}},
        "spikes": {"timeouts": {"per_try": "2s"}},
    }
    if not binaries.has_static_chains:
        tests["any"] = {"timeouts": waits | {"wait_for": "any"}}
        tests["warm"] = {"timeouts": waits | {"wait_for": "warm"}}
    providers, models = {}, {}
    for test, settings in tests.items():
        vendors = VENDORS[:1] if test in ("sole", "reset") else VENDORS[:2]
        outliers = {"consecutive_failures": 3 if test == "ejected" else 1000}
        outliers |= {"interval": "50ms", "ejection": "1500ms"}
        for vendor in vendors:
            # The other one may serve any number, or hardly more than a burst needs.
            limits = SPIKE if (test, vendor) == ("spike", "openai") or test == "spikes" else {}
            entry = provider(shared_standins[vendor], outlier_detection=outliers, **limits)
            providers[f"{vendor}-{test}"] = entry
        models[test] = {"candidates": [candidate(v, f"{v}-{test}") for v in vendors], **settings}
    document = {"providers": providers, "models": models}
    gateway = Gateway(binaries, tmp_path_factory.mktemp("patient"), document, shared_standins)
    yield gateway
    gateway.close()


@pytest.fixture
def gateway(patient):
    patient.standins.reset()
    return patient


def who(response):
    """Provider and class of each entry of the trail, without the test's name."""
    return [(name.split("-")[0], verdict) for name, verdict in verdicts(response)]


def timed(ask):
    began = time.monotonic()
    response = ask()
    return response, time.monotonic() - began


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
def test_a_short_wait_is_worth_it_where_nobody_else_is_left(gateway, stream):
    gateway.standins["openai"].fail(limited(1), times=1)
    response, waited = timed(lambda: gateway.chat("sole", stream=stream))
    assert content(response, stream)
    assert who(response) == [("openai", "rate_limited"), ("openai", "ok")]
    assert ";wait_s=1" in response.headers["x-pointsman-attempts"]
    assert 1 <= waited < 1.5 + SLACK_S, "Envoy adds up to half of it"
    assert "x-pointsman-wait" not in response.headers


def test_a_request_waits_once_and_not_for_long(gateway):
    openai = gateway.standins["openai"]
    openai.fail(limited(1))
    response = gateway.chat("sole")
    error(response, 429)
    assert response.headers["retry-after"] == "1"
    assert len(openai.records()) == 2
    openai.reset()
    openai.fail(limited(3))
    response, waited = timed(lambda: gateway.chat("sole"))
    error(response, 429)
    assert waited < SLACK_S and len(openai.records()) == 1


def test_nobody_is_asked_twice_for_another_failure(gateway):
    openai = gateway.standins["openai"]
    for fault in ({"kind": "status", "status": 500}, {"kind": "reset"}):
        openai.reset()
        openai.fail(fault)
        assert gateway.chat("reset").status_code >= 500
        assert len(openai.records()) == 1, fault


def test_another_candidate_is_better_than_a_wait(gateway):
    gateway.standins["openai"].fail(limited(1), times=1)
    response, waited = timed(lambda: gateway.chat("pair"))
    assert who(response) == [("openai", "rate_limited"), ("anthropic", "ok")]
    assert waited < 1


def test_any_candidate_is_waited_for_where_that_is_wanted(gateway):
    if gateway.binaries.has_static_chains:
        pytest.skip("a static chain goes on; see docs/failover.md")
    gateway.standins["openai"].fail(limited(1), times=1)
    response = gateway.chat("any")
    assert who(response) == [("openai", "rate_limited"), ("openai", "ok")]


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
def test_who_has_the_prompt_in_its_cache_is_waited_for_where_that_is_wanted(gateway, stream):
    if gateway.binaries.has_static_chains:
        pytest.skip("refused by render; see docs/failover.md")

    def ask(system):
        messages = [
            {"role": "system", "content": f"{system} {stream} " * 400},
            {"role": "user", "content": "hello"},
        ]
        return gateway.post({"model": "warm", "messages": messages, "stream": stream})

    def is_well():
        """The pause that a 429 has asked for is over, and one request has shown it."""
        return who(ask("Something else.")) == [("openai", "ok")]

    gateway.standins["openai"].fail(limited(1), times=1)
    assert who(ask("Be brief.")) == [("openai", "rate_limited"), ("anthropic", "ok")], "it is cold"
    poll("well again", is_well)
    assert who(ask("Be brief.")) == [("openai", "ok")]
    gateway.standins["openai"].fail(limited(1), times=1)
    response, waited = timed(lambda: ask("Be brief."))
    assert who(response) == [("openai", "rate_limited"), ("openai", "ok")]
    assert 1 <= waited < 1.5 + SLACK_S


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
def test_all_attempts_together_end_in_time(gateway, stream):
    for vendor in VENDORS[:2]:
        gateway.standins[vendor].fail(STALL)
    response, waited = timed(lambda: gateway.chat("total", stream=stream))
    told = error(response, 504)
    assert told["code"] == "total_timeout" and "timeouts.total" in told["message"]
    assert "openai-total" in told["message"], "what was tried is told"
    assert TOTAL_MS - 20 <= waited * 1000 < TOTAL_MS + TRY_MS, "clocks differ by a little"


def test_a_stream_that_has_begun_is_not_cut_unless_that_is_wanted(gateway):
    slow = {"kind": "stall_stream", "after_events": 3, "ms": TOTAL_MS * 3 // 2}
    gateway.standins["openai"].fail(slow)
    assert content(gateway.chat("total", stream=True), True)
    with pytest.raises(Exception, match="(incomplete|closed|peer|DONE)"):
        content(gateway.chat("cut", stream=True), True)


@pytest.mark.parametrize("fault", [STALL, {"kind": "reset"}], ids=["hang", "reset"])
def test_what_may_have_been_stored_is_not_asked_for_again(gateway, fault):
    openai, anthropic = (gateway.standins[vendor] for vendor in VENDORS[:2])
    openai.fail(fault)
    told = error(gateway.chat("stored", store=True), 504 if fault is STALL else 502)
    assert "not repeated" in told["message"]
    assert not anthropic.records()
    assert who(gateway.chat("stored"))[-1] == ("anthropic", "ok"), "nothing is stored"
    assert who(gateway.chat("repeats", store=True))[-1] == ("anthropic", "ok"), "as allowed"


def test_what_was_refused_at_once_cannot_have_been_stored(gateway):
    gateway.standins["openai"].fail({"kind": "status", "status": 429}, times=1)
    response = gateway.chat("stored", store=True)
    assert who(response) == [("openai", "rate_limited"), ("anthropic", "ok")]


def test_one_request_shows_whether_a_provider_is_well_before_all_come_back(gateway):
    openai = gateway.standins["openai"]
    openai.fail(limited(1), times=1)
    gateway.chat("herd")
    time.sleep(1.1)
    openai.fail({"kind": "stall", "ms": 700})
    with ThreadPoolExecutor(12) as pool:
        trails = [who(each) for each in pool.map(lambda _: gateway.chat("herd"), range(12))]
    tried = [trail for trail in trails if trail[0] == ("openai", "ok")]
    assert len(tried) == 1, trails
    assert trails.count([("openai", "cooling_down"), ("anthropic", "ok")]) == 11
    openai.reset()
    with ThreadPoolExecutor(12) as pool:
        trails = [who(each) for each in pool.map(lambda _: gateway.chat("herd"), range(12))]
    assert trails == [[("openai", "ok")]] * 12, "it is well"


def test_an_ejected_provider_is_tried_by_one_request_at_a_time(gateway):
    if gateway.binaries.has_static_chains:
        pytest.skip("Envoy passes over it by itself, and tells nobody")
    openai = gateway.standins["openai"]
    openai.fail({"kind": "status", "status": 500}, times=3)
    for _ in range(3):
        gateway.chat("ejected")
    name = "cluster.openai-ejected.outlier_detection.ejections_active"
    poll("ejected", lambda: gateway.envoy.stats(name)[name])
    trails = [who(gateway.chat("ejected")) for _ in range(8)]
    assert trails.count([("openai", "ejected"), ("anthropic", "ok")]) <= 2, trails
    assert trails.count([("openai", "cooling_down"), ("anthropic", "ok")]) >= 6, trails
    poll("back", lambda: who(gateway.chat("ejected")) == [("openai", "ok")])


# Where both are full, each gets its share of what is too much: half of it, then one for every eight.
@pytest.mark.parametrize(("model", "first", "then"), [("spike", 8, 1), ("spikes", 12, 3)])
def test_a_provider_that_hangs_delays_no_more_requests_than_it_may_serve(gateway, model, first, then):
    gateway.standins["openai"].fail(STALL)

    def burst():
        with ThreadPoolExecutor(24) as pool:
            asked = list(pool.map(lambda _: gateway.chat(model), range(24)))
        assert {each.status_code for each in asked} == {200}
        trails = [who(each) for each in asked]
        # Envoy's clock and ours differ by a little: a timeout can look like a reset.
        in_vain = [[("openai", each), ("anthropic", "ok")] for each in ("timeout", "reset")]
        delayed = sum(trail in in_vain for trail in trails)
        spared = trails.count([("openai", "at_capacity"), ("anthropic", "ok")])
        assert delayed + spared == 24, trails
        return delayed

    # Of two workers that decide at the same moment, one does not see what the other does.
    others = WORKERS - 1
    assert 1 <= burst() <= first + others
    assert burst() <= then + others, "who answers none may serve one"
