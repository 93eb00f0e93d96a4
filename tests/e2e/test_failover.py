"""The promise: whatever way a candidate fails before its answer has begun, the next one answers."""

from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from conftest import BUFFERED_AND_STREAMED, MODELS, PER_TRY_MS
from replies import (
    CLIENT_SECRETS,
    assert_addressed_to,
    assert_carries_only_its_own_key,
    attempts,
    content,
    error,
    trail,
    verdicts,
)


@dataclass(frozen=True)
class Failing:
    """A way to fail: what the stand-in does, and what the gateway is to make of it."""

    name: str
    #: None: it does not listen.
    fault: dict | None
    #: The class; by vendor where their bodies for the same status say different things.
    verdict: str | dict
    #: The provider's own status in the trail.
    told: int | dict | None = None
    #: What the client hears when all fail: the most useful failure's status and type.
    status: int = 502
    error_type: str = "server_error"
    retry_after: str | None = None

    def verdict_of(self, vendor, stream):
        if self.name == "garbage" and stream:
            # What is no event at all is skipped, as comments are.
            return "empty_reply"
        return self.verdict[vendor] if isinstance(self.verdict, dict) else self.verdict

    def told_by(self, vendor):
        return self.told[vendor] if isinstance(self.told, dict) else self.told


def status(code, **more):
    return {"kind": "status", "status": code, **more}


def by_vendor(openai, anthropic, gemini):
    return {"openai": openai, "anthropic": anthropic, "gemini": gemini}


OVERLOADED, BROKEN = "overloaded", "server_error"

FAILURES = [
    Failing("500", status(500), BROKEN, 500, 500),
    Failing("503", status(503), by_vendor(OVERLOADED, BROKEN, OVERLOADED), 503, 503),
    Failing("529", status(529), by_vendor(OVERLOADED, OVERLOADED, BROKEN), 529, 529),
    Failing(
        "429", status(429, retry_after=7), "rate_limited", 429, 429, "rate_limit_error", "7"
    ),
    Failing("refused", None, "connect_failure"),
    Failing("reset", {"kind": "reset"}, "reset"),
    Failing("reset_after_headers", {"kind": "reset_after_headers"}, "reset"),
    Failing("stall", {"kind": "stall"}, "timeout", None, 504),
    Failing("empty_body", {"kind": "empty_body"}, "empty_reply", 200),
    Failing("empty_stream", {"kind": "empty_stream"}, "empty_reply", 200),
    Failing(
        "error_event",
        {"kind": "error_event_first"},
        by_vendor(BROKEN, OVERLOADED, OVERLOADED),
        200,
        503,
    ),
    Failing("garbage", {"kind": "garbage"}, "malformed_reply", 200),
    Failing("gzip", {"kind": "gzip"}, "malformed_reply", 200),
    Failing(
        "quota",
        {"kind": "quota"},
        "quota_exhausted",
        by_vendor(429, 400, 429),
        429,
        "insufficient_quota",
    ),
    Failing(
        "model_gone", {"kind": "model_gone"}, "model_not_found", 404, 404, "invalid_request_error"
    ),
    Failing(
        "context_overflow",
        {"kind": "context_overflow"},
        "context_length_exceeded",
        400,
        400,
        "invalid_request_error",
    ),
    # The client's own key is not at fault, so it hears no 401.
    Failing("bad_key", status(401), "authentication", 401, 502, "authentication_error"),
    Failing("forbidden", status(403), "authentication", 403, 502, "authentication_error"),
]

EVERY_FAILURE = pytest.mark.parametrize("failing", FAILURES, ids=lambda f: f.name)

ORDERS = [("openai", "anthropic"), ("anthropic", "gemini"), ("gemini", "openai")]


@contextmanager
def failures(pairs):
    """Makes stand-ins fail for the time of a test."""
    deaf = [standin for standin, failing in pairs if failing.fault is None]
    for standin, failing in pairs:
        if failing.fault is not None:
            standin.fail(failing.fault)
    for standin in deaf:
        standin.listen(False)
    try:
        yield
    finally:
        for standin in deaf:
            standin.listen(True)


def assert_failed(attempt, failing, vendor, stream):
    assert (attempt.provider, attempt.model) == (vendor, MODELS[vendor])
    assert attempt.verdict == failing.verdict_of(vendor, stream)
    assert attempt.status == failing.told_by(vendor)
    if failing.verdict == "timeout":
        assert PER_TRY_MS - 50 <= attempt.ms < PER_TRY_MS + 1000


def assert_answered(attempt, vendor):
    assert (attempt.provider, attempt.model) == (vendor, MODELS[vendor])
    assert (attempt.verdict, attempt.status) == ("ok", 200)


# === two candidates ===


@EVERY_FAILURE
@pytest.mark.parametrize("first, second", ORDERS)
@BUFFERED_AND_STREAMED
def test_the_next_candidate_answers(gateway, standins, failing, first, second, stream):
    with failures([(standins[first], failing)]):
        response = gateway.chat(f"{first}-first", "marco", stream=stream, headers=CLIENT_SECRETS)

    assert f"Hello from {second}" in content(response, stream)
    assert "marco" in content(response, stream)
    failed, answered = attempts(response)
    assert_failed(failed, failing, first, stream)
    assert_answered(answered, second)
    assert response.headers["x-pointsman-answered-by"] == f"{second}/{MODELS[second]}"

    if failing.fault is not None:
        assert_clean_attempt(standins, first, stream)
    assert_clean_attempt(standins, second, stream)
    assert_logged(gateway, response, f"{first}-first", second, 2)


def assert_clean_attempt(standins, vendor, stream):
    standin = standins[vendor]
    record = standin.only_record()
    assert_carries_only_its_own_key(record, standin, standins)
    assert_addressed_to(record, standin, MODELS[vendor], stream)


def assert_logged(gateway, response, model, answered_by, count):
    line = gateway.envoy.logged(response)
    assert line["status"] == 200
    assert line["gen_ai.operation.name"] == "chat"
    assert line["gen_ai.request.model"] == model
    assert line["gen_ai.provider.name"] == answered_by
    assert line["gen_ai.response.model"] == MODELS[answered_by]
    assert int(line["gen_ai.usage.input_tokens"]) > 0
    assert int(line["gen_ai.usage.output_tokens"]) > 0
    assert line["attempt_count"] == count
    assert line["pointsman.attempts"] == response.headers["x-pointsman-attempts"]
    assert "marco" not in str(line)


@BUFFERED_AND_STREAMED
@pytest.mark.parametrize("vendor", ["openai", "anthropic", "gemini"])
def test_a_healthy_candidate_answers_at_once(gateway, standins, vendor, stream):
    response = gateway.chat(f"{vendor}-first", "marco", stream=stream, headers=CLIENT_SECRETS)

    assert f"Hello from {vendor}" in content(response, stream)
    (answered,) = attempts(response)
    assert_answered(answered, vendor)
    assert_clean_attempt(standins, vendor, stream)
    assert sum(len(each.records()) for each in standins) == 1
    assert_logged(gateway, response, f"{vendor}-first", vendor, 1)


def test_an_answer_cut_before_its_end_is_tried_elsewhere_when_it_is_buffered(gateway, standins):
    standins["openai"].fail({"kind": "cut"})
    response = gateway.chat("openai-first")
    assert "Hello from anthropic" in content(response, False)
    assert verdicts(response) == [("openai", "reset"), ("anthropic", "ok")]


def test_a_candidate_is_tried_again_before_the_next_one(gateway, standins):
    standins["openai"].fail(status(500), times=1)
    response = gateway.chat("twice")
    expected = [("openai", "server_error"), ("openai", "ok")]
    assert verdicts(response) == expected
    assert "Hello from openai" in content(response, False)


def test_a_candidate_that_fails_all_its_tries_gives_way(gateway, standins):
    standins["openai"].fail(status(500))
    response = gateway.chat("twice")
    assert verdicts(response) == [("openai", "server_error")] * 2 + [("gemini", "ok")]


@BUFFERED_AND_STREAMED
def test_a_second_model_of_the_same_provider_is_the_next_candidate(gateway, standins, stream):
    standins["openai"].fail({"kind": "model_gone"}, match={"model": "gpt-5"})
    response = gateway.chat("two-of-one", stream=stream)
    assert "Hello from openai (gpt-5-mini)" in content(response, stream)
    tried = [(each.model, each.verdict) for each in attempts(response)]
    assert tried == [("gpt-5", "model_not_found"), ("gpt-5-mini", "ok")]


@BUFFERED_AND_STREAMED
def test_a_refusal_falls_back_where_the_model_says_so(gateway, standins, stream):
    standins["anthropic"].fail({"kind": "content_filter"})
    response = gateway.chat("refusals-fall-back", stream=stream)
    assert "Hello from openai" in content(response, stream)
    assert verdicts(response) == [("anthropic", "content_filter"), ("openai", "ok")]


@BUFFERED_AND_STREAMED
def test_a_refusal_is_the_answer_where_the_model_says_nothing(gateway, standins, stream):
    standins["anthropic"].fail({"kind": "content_filter"})
    response = gateway.chat("anthropic-first", stream=stream)
    assert response.status_code == 200
    assert "content_filter" in response.text
    assert not standins["gemini"].records()


@BUFFERED_AND_STREAMED
def test_what_the_provider_calls_invalid_is_tried_nowhere_else(gateway, standins, stream):
    body = {"error": {"message": "temperature is too high", "type": "invalid_request_error",
                      "param": "temperature", "code": None}}
    standins["openai"].fail(status(400, body=body))
    response = gateway.chat("openai-first", stream=stream)
    assert "temperature is too high" in error(response, 400)["message"]
    assert error(response)["param"] == "temperature"
    assert verdicts(response) == [("openai", "invalid_request")]
    assert not standins["anthropic"].records()


# === three candidates ===


SECOND_FAILURES = [*FAILURES[1:], FAILURES[0]]


@pytest.mark.parametrize(
    "failing, second",
    list(zip(FAILURES, SECOND_FAILURES)),
    ids=lambda f: f.name,
)
@BUFFERED_AND_STREAMED
def test_the_third_candidate_answers_when_two_fail(gateway, standins, failing, second, stream):
    with failures([(standins["openai"], failing), (standins["anthropic"], second)]):
        response = gateway.chat("three", "marco", stream=stream, headers=CLIENT_SECRETS)

    assert "Hello from gemini" in content(response, stream)
    one, two, three = attempts(response)
    assert_failed(one, failing, "openai", stream)
    assert_failed(two, second, "anthropic", stream)
    assert_answered(three, "gemini")
    for vendor, how in (("openai", failing), ("anthropic", second)):
        if how.fault is not None:
            assert_clean_attempt(standins, vendor, stream)
    assert_clean_attempt(standins, "gemini", stream)
    assert_logged(gateway, response, "three", "gemini", 3)


@EVERY_FAILURE
@BUFFERED_AND_STREAMED
def test_the_client_hears_one_error_when_all_fail(gateway, standins, failing, stream):
    with failures([(standin, failing) for standin in standins]):
        response = gateway.chat("three", "marco", stream=stream)

    told = error(response)
    names = ["openai", "anthropic", "gemini"]
    tried = attempts(response)
    assert [each.provider for each in tried] == names
    for attempt, vendor in zip(tried, names):
        assert_failed(attempt, failing, vendor, stream)
    assert response.status_code == failing.status
    assert told["type"] == failing.error_type
    assert told["code"]
    assert response.headers.get("retry-after") == failing.retry_after
    assert "all 3 attempts for three failed" in told["message"]
    for attempt in tried:
        assert f"{attempt.provider}/{attempt.model}: {attempt.verdict}" in told["message"]
    assert "marco" not in response.text

    line = gateway.envoy.logged(response)
    assert line["status"] == response.status_code
    assert line["gen_ai.provider.name"] is None
    assert trail(line["pointsman.attempts"]) == tried


@EVERY_FAILURE
@BUFFERED_AND_STREAMED
def test_the_client_hears_who_failed_when_there_is_only_one(gateway, standins, failing, stream):
    with failures([(standins["anthropic"], failing)]):
        response = gateway.chat("anthropic-only", stream=stream)

    (attempt,) = attempts(response)
    assert_failed(attempt, failing, "anthropic", stream)
    message = error(response)["message"]
    assert message.startswith(f"anthropic/{MODELS['anthropic']}: ")
    assert message.endswith(f"({attempt.verdict})")


def test_the_most_useful_error_is_told_and_not_the_last(gateway, standins):
    standins["openai"].fail({"kind": "context_overflow"})
    standins["anthropic"].fail(status(429, retry_after=9))
    standins["gemini"].fail(status(401))
    response = gateway.chat("three")
    assert error(response, 400)["code"] == "context_length_exceeded"

    standins["openai"].fail(status(500))
    response = gateway.chat("three")
    assert error(response, 429)["type"] == "rate_limit_error"
    assert response.headers["retry-after"] == "9"
