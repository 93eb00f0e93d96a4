"""A cheap candidate first: an answer that looks poor goes on to the next, unseen by the client.

The stand-ins repeat what the user says: who says a refusal gets one.
"""

import re

import pytest
from conftest import BUFFERED_AND_STREAMED, candidate
from gateway import Gateway, poll, provider
from replies import attempts, content, verdicts

#: USD for a million tokens: what it costs tells how much was charged for each.
PRICES = {"input": 3, "cached_input": 3, "output": 15}

CASE = "x-case"

REFUSAL = "I'm sorry, but I can't help with that."
DOUBT = "I'm not sure about it."
ANSWER = "Rain is water that falls."

POOR_FIRST = [("openai", "low_quality"), ("anthropic", "ok")]
GOOD_FIRST = [("openai", "ok")]


@pytest.fixture(scope="module")
def gated(binaries, shared_standins, tmp_path_factory):
    both = [candidate(vendor, prices=PRICES) for vendor in ("openai", "anthropic")]
    document = {
        "providers": {
            s.name: provider(s, outlier_detection={"consecutive_failures": 2}) for s in shared_standins
        },
        "models": {
            "gated": {"candidates": both, "quality_gate": {}},
            "lenient": {"candidates": both, "quality_gate": {"threshold": 0.5}},
            "alone": {"candidates": both[:1], "quality_gate": {}},
        },
        "budgets": [
            {"name": "spent", "tokens": 100_000, "per": "day", "when": {"headers": {CASE: "spent"}}}
        ],
        "observe": {"longest_cool_down": "0s"},
    }
    gateway = Gateway(binaries, tmp_path_factory.mktemp("gated"), document, shared_standins)
    yield gateway
    gateway.close()


@pytest.fixture
def gateway(gated):
    gated.standins.reset()
    return gated


@BUFFERED_AND_STREAMED
@pytest.mark.parametrize(
    ("model", "text", "expected"),
    [
        ("gated", ANSWER, GOOD_FIRST),
        ("gated", REFUSAL, POOR_FIRST),
        ("gated", DOUBT, POOR_FIRST),
        ("lenient", DOUBT, GOOD_FIRST),
        ("lenient", REFUSAL, POOR_FIRST),
        ("alone", REFUSAL, GOOD_FIRST),
    ],
)
def test_only_what_looks_good_enough_passes(gateway, model, text, expected, stream):
    response = gateway.chat(model, text, stream=stream)
    assert verdicts(response) == expected
    assert text in content(response, stream)


@BUFFERED_AND_STREAMED
def test_a_long_stream_is_scored_by_its_beginning(gateway, stream):
    text = REFUSAL + " word" * 2000
    response = gateway.chat("gated", text, stream=stream)
    assert verdicts(response) == POOR_FIRST
    assert REFUSAL in content(response, stream)


def test_nobody_is_ejected_for_poor_answers(gateway):
    asked = [attempts(gateway.chat("gated", REFUSAL))[0].provider for _ in range(6)]
    assert asked == ["openai"] * 6


def test_when_nobody_else_answers_the_error_says_why_the_first_did_not_do(gateway):
    gateway.standins["anthropic"].fail({"kind": "status", "status": 500})
    response = gateway.chat("gated", REFUSAL)
    assert response.status_code >= 500
    assert verdicts(response) == [("openai", "low_quality"), ("anthropic", "server_error")]
    assert "low_quality" in response.json()["error"]["message"]
    assert "can't help" not in response.text


def spent(usage):
    """Nano-USD."""
    return (usage["prompt_tokens"] * 3 + usage["completion_tokens"] * 15) * 1000


def booked(gateway):
    """Tokens that the budget knows of, as a request is told that is too large for it."""
    response = gateway.chat("gated", headers={CASE: "spent"}, max_tokens=100_000_000)
    return int(re.search(r"(\d+) tokens are used", response.json()["error"]["message"])[1])


@BUFFERED_AND_STREAMED
def test_what_is_thrown_away_is_charged_all_the_same(gateway, stream):
    usage = gateway.chat("alone", REFUSAL).json()["usage"]
    before = booked(gateway)
    response = gateway.chat("gated", REFUSAL, stream=stream, headers={CASE: "spent"})
    assert verdicts(response) == POOR_FIRST
    line = gateway.envoy.logged(response)
    answer = {
        "prompt_tokens": int(line["gen_ai.usage.input_tokens"]),
        "completion_tokens": int(line["gen_ai.usage.output_tokens"]),
    }
    assert int(line["pointsman.rejected.tokens"]) == usage["total_tokens"]
    assert int(line["pointsman.rejected.cost_nano_usd"]) == spent(usage)
    cost = spent(usage) + spent(answer)
    assert int(line["pointsman.cost_nano_usd"]) == cost
    if not stream:  # A stream's headers come before its last token.
        assert response.headers["x-pointsman-cost"] == f"{cost / 1e9:.9f}"
    poll(
        "the budget",
        lambda: booked(gateway) - before == usage["total_tokens"] + sum(answer.values()),
    )


def test_an_error_says_what_was_spent_in_vain(gateway):
    usage = gateway.chat("alone", REFUSAL).json()["usage"]
    gateway.standins["anthropic"].fail({"kind": "status", "status": 500})
    response = gateway.chat("gated", REFUSAL)
    assert response.headers["x-pointsman-cost"] == f"{spent(usage) / 1e9:.9f}"
    line = gateway.envoy.logged(response)
    assert int(line["pointsman.cost_nano_usd"]) == spent(usage)
    assert line["gen_ai.usage.output_tokens"] is None
