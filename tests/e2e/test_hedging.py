"""Hedging: the next candidate is asked while one is silent, and whoever answers first is taken.

It needs static chains, and crashes Envoy where replies are held: both are refused before.
"""

import json
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from conftest import BUFFERED_AND_STREAMED, candidate
from gateway import VENDORS, WIDE, Gateway, poll, provider
from replies import attempts, content, error, read_stream, trail, verdicts

HEDGE_MS = 150

#: USD for a million tokens.
PRICES = {"input": 3, "cached_input": 3, "output": 15}


#: What an attempt can come to whose answer nobody waits for.
SOAK_FAULTS = [
    {"kind": "stall", "ms": 400},
    {"kind": "stall"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 429},
    {"kind": "reset"},
    {"kind": "reset_after_headers"},
    {"kind": "reset_after", "after_events": 3},
    {"kind": "error_event_first"},
    {"kind": "empty_body"},
    {"kind": "garbage"},
    {"kind": "stall_stream", "after_events": 2, "ms": 300},
    {"kind": "slow_stream", "ms": 20},
]


def document(standins):
    return {
        "providers": {
            v: provider(standins[v], **WIDE)
            for v in VENDORS
        },
        "models": {
            "hedged": {
                "candidates": [candidate(v, prices=PRICES) for v in VENDORS],
                "timeouts": {"hedge": f"{HEDGE_MS}ms"},
            },
            "alone": {"candidates": [candidate("openai", prices=PRICES)]},
        },
        # A stream for which everybody is silent ends after all of them.
        "defaults": {"timeouts": {"per_try": "1s", "idle": "1s"}},
        "observe": {"longest_cool_down": "0s"},
    }


@pytest.fixture(scope="module")
def hedging(binaries, shared_standins, tmp_path_factory):
    shared_standins.reset()
    folder = tmp_path_factory.mktemp("hedging")
    gateway = Gateway(binaries, folder, document(shared_standins), shared_standins, chains=True)
    yield gateway
    # Asks whether Envoy has died, reloaded a VM or kept a request.
    gateway.close()


@pytest.fixture
def gateway(hedging):
    hedging.standins.reset()
    return hedging


@BUFFERED_AND_STREAMED
def test_who_answers_in_time_is_the_only_one_asked(gateway, stream):
    response = gateway.chat("hedged", stream=stream)
    assert "Hello from openai" in content(response, stream)
    assert verdicts(response) == [("openai", "ok")]
    assert not gateway.standins["anthropic"].records()


@BUFFERED_AND_STREAMED
def test_the_first_to_answer_wins_and_the_other_is_taken_back(gateway, stream):
    gateway.standins["openai"].fail({"kind": "stall"})
    response = gateway.chat("hedged", stream=stream)
    assert "Hello from anthropic" in content(response, stream)
    assert verdicts(response) == [("openai", "outrun"), ("anthropic", "ok")]
    assert HEDGE_MS <= attempts(response)[0].ms < 4 * HEDGE_MS
    poll("taken back", lambda: gateway.standins["openai"].only_record().outcome == "cancelled_by_client")
    assert not gateway.standins["gemini"].records()


@BUFFERED_AND_STREAMED
def test_the_slower_one_may_still_be_the_first(gateway, stream):
    gateway.standins["openai"].fail({"kind": "stall", "ms": 3 * HEDGE_MS // 2})
    gateway.standins["anthropic"].fail({"kind": "stall"})
    response = gateway.chat("hedged", stream=stream)
    assert "Hello from openai" in content(response, stream)
    assert verdicts(response) == [("anthropic", "outrun"), ("openai", "ok")]
    poll("taken back", lambda: gateway.standins["anthropic"].only_record().outcome == "cancelled_by_client")


@BUFFERED_AND_STREAMED
def test_who_is_taken_back_is_charged_for_the_prompt(gateway, stream):
    usage = gateway.chat("alone", "word " * 400).json()["usage"]
    gateway.standins["openai"].fail({"kind": "stall"})
    response = gateway.chat("hedged", "word " * 400, stream=stream)
    line = gateway.envoy.logged(response)
    outrun, answered = trail(line["pointsman.attempts"])
    assert (outrun.verdict, answered.verdict) == ("outrun", "ok")
    tokens = int(line["pointsman.rejected.tokens"])
    assert 0.7 < tokens / usage["prompt_tokens"] < 1.4
    assert int(line["pointsman.rejected.cost_nano_usd"]) == tokens * 3000
    assert line["pointsman.usage_estimated"] == "true"
    cost = int(line["pointsman.cost_nano_usd"])
    assert cost > tokens * 3000 + int(line["gen_ai.usage.output_tokens"]) * 15_000
    if not stream:
        assert response.headers["x-pointsman-cost"] == f"{cost / 1e9:.9f}"


@BUFFERED_AND_STREAMED
def test_a_status_that_is_no_answer_leads_on_at_once(gateway, stream):
    gateway.standins["openai"].fail({"kind": "status", "status": 429})
    gateway.standins["anthropic"].fail({"kind": "status", "status": 529})
    response = gateway.chat("hedged", stream=stream)
    assert "Hello from gemini" in content(response, stream)
    assert verdicts(response) == [
        ("openai", "rate_limited"), ("anthropic", "overloaded"), ("gemini", "ok"),
    ]


def test_an_answer_that_turns_out_to_be_none_is_told(gateway):
    gateway.standins["openai"].fail({"kind": "garbage"})
    response = gateway.chat("hedged")
    assert error(response, 502)["message"]
    (tried,) = trail(gateway.envoy.logged(response)["pointsman.attempts"])
    assert (tried.verdict, tried.broken) == ("ok", "malformed_reply")
    gateway.standins["openai"].fail({"kind": "error_event_first"})
    stream = read_stream(gateway.chat("hedged", stream=True).text)
    assert stream.errors and not stream.done


@BUFFERED_AND_STREAMED
def test_when_nobody_answers_every_attempt_is_told(gateway, stream):
    for vendor in VENDORS:
        gateway.standins[vendor].fail({"kind": "status", "status": 500})
    response = gateway.chat("hedged", stream=stream)
    assert error(response, 500)["message"].startswith("all 3 attempts for hedged failed")
    for vendor in VENDORS:
        gateway.standins[vendor].fail({"kind": "stall"})
    assert error(gateway.chat("hedged", stream=stream), 504)["message"]


def test_envoy_lives_through_all_that_can_happen_beside_each_other(gateway):
    """Answers, failures, resets, silence and clients that leave, on all three at once."""
    for seed, vendor in enumerate(VENDORS):
        rate = 0.06 if vendor != "gemini" else 0.01
        gateway.standins[vendor].script(
            *({"rate": rate, "fault": fault} for fault in SOAK_FAULTS), seed=seed
        )
    leaving = random.Random(7)
    leaves = [leaving.random() < 0.1 for _ in range(1200)]

    def ask(number):
        stream = number % 2 == 0
        try:
            if leaves[number] and stream:
                with gateway.open_stream("hedged") as response:
                    next(response.iter_raw(), None)
                return None
            response = gateway.chat("hedged", stream=stream)
        except httpx.RemoteProtocolError:  # A stream that its provider has left.
            return None
        return response.status_code, bool(response.headers.get("x-pointsman-attempts"))

    with ThreadPoolExecutor(24) as pool:
        seen = [each for each in pool.map(ask, range(1200)) if each]
    answered = [told for status, told in seen if status == 200]
    assert all(answered) and len(answered) > 900, len(answered)
    outrun = gateway.envoy.stats("pointsman_attempts_total.*outrun")
    assert sum(outrun.values()) > 50, outrun
    assert gateway.envoy.process.poll() is None


# === what is refused ===


def refusal(binaries, folder, document, *command):
    path = folder / "pointsman.yaml"
    path.write_text(json.dumps({"version": 1, **document}))
    done = subprocess.run(
        [binaries.pointsman, *command, path], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0, done.stdout
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "judged", [{"quality_gate": {}}, {"fallback_on_refusal": True}], ids=lambda judged: next(iter(judged))
)
def test_hedging_with_replies_that_are_held_is_refused(binaries, shared_standins, tmp_path, judged):
    served = document(shared_standins)
    served["models"]["hedged"] |= judged
    told = refusal(binaries, tmp_path, served, "check")
    assert f"models.hedged.{next(iter(judged))}" in told and "Envoy crashes" in told


def test_hedging_where_each_attempt_chooses_its_cluster_is_refused(
    binaries, shared_standins, tmp_path
):
    served = document(shared_standins)
    told = refusal(binaries, tmp_path, served, "render", "envoy", "--envoy", "1.40")
    assert "models.hedged: timeouts.hedge" in told and "--chains" in told
