"""A cheap candidate first: an answer that looks poor goes on to the next, unseen by the client.

The stand-ins repeat what the user says: who says a refusal gets one.
"""

import pytest
from conftest import candidate
from gateway import Gateway, provider
from replies import attempts, content, verdicts

REFUSAL = "I'm sorry, but I can't help with that."
DOUBT = "I'm not sure about it."
ANSWER = "Rain is water that falls."

POOR_FIRST = [("openai", "low_quality"), ("anthropic", "ok")]
GOOD_FIRST = [("openai", "ok")]


@pytest.fixture(scope="module")
def gated(binaries, shared_standins, tmp_path_factory):
    both = [candidate("openai"), candidate("anthropic")]
    document = {
        "providers": {
            s.name: provider(s, outlier_detection={"consecutive_failures": 2}) for s in shared_standins
        },
        "models": {
            "gated": {"candidates": both, "quality_gate": {}},
            "lenient": {"candidates": both, "quality_gate": {"threshold": 0.5}},
            "alone": {"candidates": both[:1], "quality_gate": {}},
        },
        "observe": {"longest_cool_down": "0s"},
    }
    gateway = Gateway(binaries, tmp_path_factory.mktemp("gated"), document, shared_standins)
    yield gateway
    gateway.close()


@pytest.fixture
def gateway(gated):
    gated.standins.reset()
    return gated


BUFFERED_AND_STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])


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
