"""The cache of answers: equal requests get one answer, whoever may still have it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import MODELS
from gateway import Gateway, poll, provider
from replies import read_stream

TENANT = "x-team"

PRICES = {"input": 3, "output": 15}


@pytest.fixture(scope="module")
def caching(binaries, shared_standins, tmp_path_factory):
    for standin in shared_standins:
        standin.reset()

    def serves(vendor, **more):
        candidate = {"provider": vendor, "model": MODELS[vendor], "prices": PRICES}
        return {"candidates": [candidate], **more}

    apart = {"ttl": "10m", "by": {"header": TENANT}}
    document = {
        "providers": {v: provider(shared_standins[v]) for v in ("openai", "anthropic")},
        "models": {
            "smart": serves("openai", cache=apart),
            "claude": serves("anthropic", cache=apart),
            "brief": serves("openai", cache={"ttl": "1s", "shared": True}),
            "calling": serves("openai", cache={"ttl": "10m", "shared": True, "tool_calls": True}),
            "plain": serves("openai"),
            "vectors": {"cache": apart, "candidates": [
                {"provider": "openai", "model": "text-embedding-3-small"}]},
        },
        "rules": [{"name": "fresh", "when": {"headers": {"x-fresh": "1"}},
                   "cache": {"ttl": "0s"}}],
        "admit": [{"headers": {"x-out": "0"}}],
        "budgets": [{"name": "teams", "by": {"header": TENANT}, "tokens": 100_000, "per": "day",
                     "when": {"headers": {"x-budget": "1"}}}],
    }
    gateway = Gateway(binaries, tmp_path_factory.mktemp("cache"), document, shared_standins)
    yield gateway
    gateway.close()


@pytest.fixture(autouse=True)
def well(shared_standins):
    for standin in shared_standins:
        standin.reset()


def ask(gateway, model, text, team="a", headers=None, **body):
    body = {"messages": [{"role": "user", "content": text}], **body}
    headers = {"x-out": "0", **({TENANT: team} if team else {}), **(headers or {})}
    return gateway.chat(model, headers=headers, **body)


def asked(standins):
    return sum(len(standin.records()) for standin in standins)


def calls_of(streamed):
    """Names and arguments of all calls of a stream."""
    deltas = [choice["delta"] for chunk in read_stream(streamed.text).chunks
              for choice in chunk["choices"]]
    functions = [call["function"] for delta in deltas for call in delta.get("tool_calls") or []]
    return ["".join(each.get(part) or "" for each in functions) for part in ("name", "arguments")]


def status(response):
    return response.headers.get("cache-status", "").removeprefix("pointsman; ")


@pytest.mark.parametrize("model", ["smart", "claude"])
def test_an_equal_request_gets_the_same_answer_and_costs_nothing(caching, shared_standins, model):
    first = ask(caching, model, "Once?", temperature=1.0, user="one")
    assert status(first) == "fwd=miss", first.text
    second = ask(caching, model, "Once?", temperature=1, metadata={"a": "b"}, user="two")
    assert status(second).startswith("hit; ttl="), second.headers
    assert second.json() == first.json()
    assert asked(shared_standins) == 1
    assert second.headers["age"] in ("0", "1", "2")
    assert second.headers["x-pointsman-cost"] == "0.000000000"
    assert second.headers["x-pointsman-answered-by"] == first.headers["x-pointsman-answered-by"]
    assert second.headers["x-request-id"] != first.headers["x-request-id"]
    line = caching.envoy.logged(second)
    assert line["pointsman.cache"] == "hit" and line["pointsman.cost_nano_usd"] == "0"
    cost = round(float(first.headers["x-pointsman-cost"]) * 1e9)
    assert int(line["pointsman.saved_nano_usd"]) == cost > 0
    assert line["gen_ai.usage.input_tokens"] in (None, "-")
    assert caching.envoy.logged(first)["pointsman.cache"] == "miss"


def test_buffered_and_streamed_answers_serve_each_other_in_every_api(caching, shared_standins):
    whole = ask(caching, "smart", "Each other?").json()
    usage = {"stream_options": {"include_usage": True}}
    streamed = ask(caching, "smart", "Each other?", stream=True, **usage)
    assert status(streamed).startswith("hit"), streamed.headers
    assert streamed.headers["content-type"] == "text/event-stream"
    stream = read_stream(streamed.text)
    assert stream.text == whole["choices"][0]["message"]["content"]
    assert stream.usage == [whole["usage"]]
    assert "usage" not in ask(caching, "smart", "Each other?", stream=True).text

    first = ask(caching, "claude", "The other way?", stream=True)
    assert status(first) == "fwd=miss"
    poll("a kept answer", lambda: status(ask(caching, "claude", "The other way?")).startswith("hit"))
    second = ask(caching, "claude", "The other way?").json()
    assert second["choices"][0]["message"]["content"] == read_stream(first.text).text
    assert second["usage"]["total_tokens"] > 0
    before = asked(shared_standins)

    headers = {"x-out": "0", TENANT: "a"}
    body = {"model": "smart", "input": "Over responses?"}
    one, two = (caching.http.post("/v1/responses", json=body, headers=headers) for _ in "12")
    assert status(two).startswith("hit"), two.headers
    assert one.json()["output"][0]["content"] == two.json()["output"][0]["content"]
    again = caching.http.post("/v1/responses", json={**body, "stream": True}, headers=headers)
    assert status(again).startswith("hit") and "response.completed" in again.text

    body = {"model": "smart", "max_tokens": 50,
            "messages": [{"role": "user", "content": "Over messages?"}]}
    one, two = (caching.http.post("/v1/messages", json=body, headers=headers) for _ in "12")
    assert status(two).startswith("hit"), two.headers
    assert one.json()["content"] == two.json()["content"]
    again = caching.http.post("/v1/messages", json={**body, "stream": True}, headers=headers)
    assert status(again).startswith("hit") and "message_stop" in again.text

    body = {"model": "smart", "prompt": "Over completions?"}
    one, two = (caching.http.post("/v1/completions", json=body, headers=headers) for _ in "12")
    assert status(two).startswith("hit"), two.headers
    assert one.json()["choices"] == two.json()["choices"]

    body = {"model": "vectors", "input": ["a text"]}
    one, two = (caching.http.post("/v1/embeddings", json=body, headers=headers) for _ in "12")
    assert status(two).startswith("hit"), two.text
    assert one.json() == two.json()
    assert asked(shared_standins) == before + 4


def test_tenants_never_share_and_who_says_none_passes_by(caching, shared_standins):
    assert status(ask(caching, "smart", "Whose?", team="a")) == "fwd=miss"
    assert status(ask(caching, "smart", "Whose?", team="b")) == "fwd=miss"
    assert status(ask(caching, "smart", "Whose?", team="a")).startswith("hit")
    nobody = ask(caching, "smart", "Whose?", team=None)
    assert status(nobody) == "fwd=bypass; detail=tenant"
    assert caching.envoy.logged(nobody)["pointsman.cache"] == "bypass"
    assert status(ask(caching, "smart", "Whose?", team=None)) == "fwd=bypass; detail=tenant"
    assert asked(shared_standins) == 4
    assert "cache-status" not in ask(caching, "plain", "Whose?").headers


def test_who_may_no_longer_ask_gets_no_kept_answer(caching):
    ask(caching, "smart", "Still allowed?")
    refused = ask(caching, "smart", "Still allowed?", headers={"x-out": "1"})
    assert refused.status_code == 401
    fresh = ask(caching, "smart", "Still allowed?", headers={"x-fresh": "1"})
    assert "cache-status" not in fresh.headers


def test_clients_say_what_they_want_of_the_cache(caching, shared_standins):
    def said(text, directive):
        return ask(caching, "smart", text, headers={"cache-control": directive})

    missing = said("Said?", "only-if-cached")
    assert missing.status_code == 504 and missing.json()["error"]["code"] == "not_cached"
    assert asked(shared_standins) == 0
    assert status(said("Said?", "no-store")) == "fwd=bypass; detail=client"
    assert status(said("Said?", "only-if-cached, max-age=5")) == ""
    assert status(said("Said?", "no-cache")) == "fwd=request"
    assert status(said("Said?", "only-if-cached, max-age=5")).startswith("hit")
    assert status(said("Said?", "no-cache")) == "fwd=request"
    assert asked(shared_standins) == 3
    assert said("Said?", "no-store, only-if-cached").status_code == 504
    assert ask(caching, "plain", "x", headers={"cache-control": "only-if-cached"}).status_code == 504


def test_what_is_not_worth_keeping_is_not_kept(caching, shared_standins):
    shared_standins["openai"].fail({"kind": "error_event_after", "events": 3}, times=1)
    ask(caching, "smart", "Broken?", stream=True)
    assert status(ask(caching, "smart", "Broken?")) == "fwd=miss"
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    calls = {"tools": [tool], "tool_choice": "required"}
    for _ in "12":
        reply = ask(caching, "smart", "Call!", **calls)
        assert reply.json()["choices"][0]["finish_reason"] == "tool_calls", reply.text
        assert status(reply) == "fwd=miss"
    first = ask(caching, "calling", "Call!", stream=True, **calls)
    poll("a kept call", lambda: status(ask(caching, "calling", "Call!", **calls)).startswith("hit"))
    replayed = ask(caching, "calling", "Call!", stream=True, **calls)
    assert status(replayed).startswith("hit")
    assert calls_of(replayed) == calls_of(first) != []
    stored = ask(caching, "smart", "Store!", store=True)
    assert status(stored) == "fwd=bypass; detail=store"
    image = [{"role": "user", "content": [{"type": "text", "text": "What?"}, {
        "type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}]
    assert status(ask(caching, "smart", "", messages=image)) == "fwd=bypass; detail=live"


def test_an_answer_is_given_for_its_time_only(caching):
    ask(caching, "brief", "For how long?", team=None)
    assert status(ask(caching, "brief", "For how long?", team="x")) in ("hit; ttl=0", "hit; ttl=1")
    poll("a stale answer", lambda: status(ask(caching, "brief", "For how long?")) == "fwd=miss")


def test_budgets_are_not_charged_for_kept_answers(caching):
    def tokens():
        headers = {"x-budget": "1"}
        told = ask(caching, "plain", "x", headers=headers, max_tokens=100_000_000)
        return told.json()["error"]["message"].split("per day, ")[1].split(" tokens are used")[0]

    before = tokens()
    ask(caching, "smart", "Charged?", headers={"x-budget": "1"})
    after = tokens()
    assert int(after) > int(before)
    for _ in range(5):
        hit = ask(caching, "smart", "Charged?", headers={"x-budget": "1"})
        assert status(hit).startswith("hit")
    assert tokens() == after


def test_many_at_once_get_whole_answers_and_metrics_count_them(caching):
    texts = [f"Number {i}?" for i in range(8)]

    def once(i):
        reply = ask(caching, "smart", texts[i % 8], stream=i % 3 == 0)
        return i % 8, read_stream(reply.text).text if i % 3 == 0 else \
            reply.json()["choices"][0]["message"]["content"]

    with ThreadPoolExecutor(16) as pool:
        told = set(pool.map(once, range(160)))
    assert len(told) == 8, "one answer to each"
    for outcome in ("hit", "miss", "store"):
        assert caching.counts("pointsman_cache_total", "smart", outcome), outcome
    assert caching.counts("pointsman_cache_saved_nano_usd_total", "smart")
