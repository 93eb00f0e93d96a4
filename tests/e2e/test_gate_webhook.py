"""A quality gate that asks the operator's own endpoint, while the answer is held.

The stand-ins repeat what the user says. Both topologies, because the call is made by an attempt.
"""

import random
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from conftest import BUFFERED_AND_STREAMED, MODELS, candidate
from gateway import STEADFAST, Gateway, free_ports, poll, provider
from replies import content, verdicts
from servers import Hook

ANSWER = "Rain is water that falls."
REFUSAL = "I'm sorry, but I can't help with that."
LONG = ANSWER + " word" * 30

POOR_FIRST = [("openai", "low_quality"), ("anthropic", "ok")]
GOOD_FIRST = [("openai", "ok")]

GOOD, POOR = {"score": 0.9}, {"score": 0.2}

DEADLINE_S = 0.3

#: How much later than its deadline an answer may go on, on a busy machine.
SLACK_S = 1.0

#: USD for a million tokens of the cheap candidate, and of the one whose answers always pass.
CHEAP = {"input": 1, "cached_input": 1, "output": 4}
DEAR = {"input": 3, "cached_input": 3, "output": 15}


def document(standins, hook, dead):
    both = [candidate("openai", prices=CHEAP), candidate("anthropic", prices=DEAR)]
    url = {"url": f"http://127.0.0.1:{hook.port}/score"}
    asks = {"deadline": f"{int(DEADLINE_S * 1000)}ms"}

    def gated(webhook, **settings):
        gate = {"webhook": webhook, **asks, **settings.pop("gate", {})}
        return {"candidates": both, "quality_gate": gate, **settings}

    return {
        "providers": {
            s.name: provider(s, **STEADFAST) for s in standins
        },
        "models": {
            "gated": gated(url | {"send_text": True}, gate={"excerpt": 20}),
            "blind": gated(url),
            "keyed": gated(url | {"key": {"env": "HOOK_KEY"}}),
            "strict": gated(url, require={"residency": "eu"}),
            "promised": gated(url | {"labels": {"residency": "eu"}}, require={"residency": "eu"}),
            "dead": gated({"url": f"http://127.0.0.1:{dead}/"}),
            "hasty": gated(url, gate={"deadline": "5s"}, timeouts={"per_try": "600ms"}),
            "plain": {"candidates": both, "quality_gate": {}},
            "openai": {"candidates": both[:1]},
            "anthropic": {"candidates": both[1:]},
        },
        "observe": {"longest_cool_down": "0s"},
    }


@pytest.fixture(scope="module", params=[False, True], ids=["per-attempt", "chains"])
def scene(request, binaries, shared_standins, tmp_path_factory):
    if request.param and binaries.has_static_chains:
        pytest.skip("all that this Envoy can")
    hook, (dead,) = Hook(GOOD), free_ports(1)
    served = document(shared_standins, hook, dead)
    for name in served["providers"]:
        served["providers"][name]["labels"] = {"residency": "eu"}
    gateway = Gateway(
        binaries,
        tmp_path_factory.mktemp("gate-webhook"),
        served,
        shared_standins,
        environment={"HOOK_KEY": "hook-secret"},
        chains=request.param,
    )
    gateway.hook = hook
    yield gateway
    gateway.close(excused="cannot be called")
    hook.close()


@pytest.fixture
def gateway(scene):
    scene.standins.reset()
    scene.hook.reset()
    # Failures of one test do not leave the webhook at rest in the next one.
    scene.chat("blind", ANSWER)
    scene.hook.reset()
    return scene


def said(vendor, text):
    """What a stand-in answers."""
    return f"Hello from {vendor} ({MODELS[vendor]}). You said: {text}"


def scorer(response):
    """What became of asking, as the trail's first entry tells it."""
    first = response.headers["x-pointsman-attempts"].split(", ")[0]
    return dict(field.split("=") for field in first.split(";")[1:])


@BUFFERED_AND_STREAMED
def test_the_webhook_decides_about_what_looks_good_enough(gateway, stream):
    response = gateway.chat("gated", ANSWER, stream=stream)
    assert verdicts(response) == GOOD_FIRST and content(response, stream) == said("openai", ANSWER)
    assert scorer(response)["scorer"] == "answered" and "gate" not in scorer(response)
    gateway.hook.answer = POOR
    response = gateway.chat("gated", ANSWER, stream=stream)
    assert verdicts(response) == POOR_FIRST and ANSWER in content(response, stream)
    assert scorer(response)["gate"] == "webhook"
    assert len(gateway.hook.asked) == 2, "the last candidate's answer is for nobody to judge"


@BUFFERED_AND_STREAMED
def test_it_is_told_what_it_needs_and_no_text_unless_that_is_wanted(gateway, stream):
    for model in ("gated", "blind"):
        gateway.chat(model, ANSWER, stream=stream)
    (_, told), (_, blind) = gateway.hook.asked
    text = said("openai", ANSWER)
    # Of a stream it is told what has come.
    sizes = {told.pop("answer_bytes"), blind.pop("answer_bytes")}
    assert max(sizes) <= len(text) if stream else sizes == {len(text)}
    features = {
        "version": 1,
        "model": "gated",
        "candidate": f"openai/{MODELS['openai']}",
        "stream": stream,
        "whole": not stream,
        "score": 1.0,
        "threshold": 0.7,
    }
    assert told == features | {"prompt": ANSWER[:20], "answer": text[:20]}
    assert blind == features | {"model": "blind"}


def test_what_looks_poor_already_is_passed_on_without_asking(gateway):
    response = gateway.chat("gated", REFUSAL)
    assert verdicts(response) == POOR_FIRST and scorer(response)["gate"] == "refusal"
    assert gateway.hook.asked == []


def test_the_key_goes_as_a_bearer_token(gateway):
    assert verdicts(gateway.chat("keyed", ANSWER)) == GOOD_FIRST
    ((headers, _),) = gateway.hook.asked
    assert {name.lower(): value for name, value in headers.items()}["authorization"] == "Bearer hook-secret"


def test_it_sees_no_answer_to_a_request_whose_labels_it_does_not_keep(gateway):
    response = gateway.chat("strict", ANSWER)
    assert verdicts(response) == GOOD_FIRST and scorer(response)["scorer"] == "excluded"
    assert gateway.hook.asked == []
    assert scorer(gateway.chat("promised", ANSWER))["scorer"] == "answered"


@BUFFERED_AND_STREAMED
@pytest.mark.parametrize(
    ("answer", "status"),
    [(b"no JSON", 200), ({"score": 7}, 200), ({}, 200), (POOR, 500), ({"score": None}, 200)],
    ids=["garbage", "out of range", "nothing", "500", "null"],
)
def test_an_answer_passes_when_there_is_no_score(gateway, answer, status, stream):
    gateway.hook.answer, gateway.hook.status = answer, status
    response = gateway.chat("blind", ANSWER, stream=stream)
    assert verdicts(response) == GOOD_FIRST and ANSWER in content(response, stream)
    assert scorer(response)["scorer"] == "failed"


@BUFFERED_AND_STREAMED
def test_an_answer_waits_no_longer_than_the_deadline(gateway, stream):
    gateway.hook.delay_s = 3
    began = time.monotonic()
    response = gateway.chat("gated", ANSWER, stream=stream)
    waited = time.monotonic() - began
    assert verdicts(response) == GOOD_FIRST and scorer(response)["scorer"] == "timeout"
    assert DEADLINE_S - 0.05 <= waited < DEADLINE_S + SLACK_S


@BUFFERED_AND_STREAMED
def test_no_attempt_ends_because_its_answer_is_judged(gateway, stream):
    gateway.hook.delay_s = 2
    response = gateway.chat("hasty", ANSWER, stream=stream)
    assert verdicts(response) == GOOD_FIRST and scorer(response)["scorer"] == "timeout"


def test_a_dead_webhook_is_left_alone(gateway):
    outcomes = [scorer(gateway.chat("dead", ANSWER))["scorer"] for _ in range(8)]
    assert outcomes[0] == "failed" and outcomes[-1] == "resting", outcomes


@pytest.mark.parametrize("fault", [{"kind": "big_reply", "bytes": 20_000}, {"kind": "slow_stream", "ms": 15}], ids=["long", "slow"])
@pytest.mark.parametrize("score", [GOOD, POOR], ids=["good", "poor"])
def test_what_comes_while_the_webhook_is_asked_is_not_lost(gateway, score, fault):
    for vendor in ("openai", "anthropic"):
        gateway.standins[vendor].fail(fault)
    whole = content(gateway.chat("anthropic" if score is POOR else "openai", LONG, stream=True), True)
    gateway.hook.delay_s, gateway.hook.answer = 0.15, score
    response = gateway.chat("gated", LONG, stream=True)
    assert verdicts(response) == (GOOD_FIRST if score is GOOD else POOR_FIRST)
    assert content(response, True) == whole
    ((_, asked),) = gateway.hook.asked
    assert not asked["whole"]


def test_what_the_gate_did_and_what_it_saved_are_counted(gateway):
    of = {"gen_ai_provider_name": "openai", "gen_ai_response_model": MODELS["openai"]}

    def count(name, **labels):
        page = gateway.envoy.admin.get("/stats/prometheus").text
        wanted = [f'{label}="{value}"' for label, value in (of | labels).items()]
        lines = (line for line in page.splitlines() if line.startswith(name + "{"))
        return sum(float(line.split()[-1]) for line in lines if all(w in line for w in wanted))

    answers, saved = "pointsman_gate_answers_total", "pointsman_gate_saved_nano_usd_total"
    rejected = "pointsman_rejected_cost_nano_usd_total"
    signals = ("kept", "refusal", "webhook")
    before = [count(answers, pointsman_gate=signal) for signal in signals]
    money = count(saved), count(rejected, pointsman_class="low_quality")
    asked = count("pointsman_gate_webhook_total", pointsman_scorer="answered")
    usage = gateway.chat("plain", ANSWER).json()["usage"]
    gateway.chat("gated", ANSWER, stream=True)
    gateway.hook.answer = POOR
    gateway.chat("gated", ANSWER)
    gateway.chat("plain", REFUSAL)
    after = [count(answers, pointsman_gate=signal) for signal in signals]
    assert [b - a for a, b in zip(before, after, strict=True)] == [2, 1, 1]
    assert count("pointsman_gate_webhook_total", pointsman_scorer="answered") - asked == 2
    # 2 USD more for a million tokens in, and 11 for a million out, twice.
    gain = 2 * (2_000 * usage["prompt_tokens"] + 11_000 * usage["completion_tokens"])
    poll("what was saved", lambda: count(saved) - money[0] == gain)
    assert count(rejected, pointsman_class="low_quality") > money[1]
    poll(
        "the time that the gate takes",
        lambda: count("pointsman_gate_added_milliseconds_count", pointsman_gate="kept") >= 2,
        15,
    )


def test_envoy_lives_whatever_the_webhook_and_clients_do(gateway):
    """Answers are held and let go, passed on and left by their clients; nobody stays behind."""
    draw = random.Random(7)

    def ask(number):
        model = draw.choice(["gated", "blind", "hasty", "dead", "keyed"])
        body = {
            "model": model,
            "messages": [{"role": "user", "content": draw.choice([ANSWER, REFUSAL, LONG])}],
            "stream": draw.random() < 0.5,
        }
        leaves = number % 5 == 0
        try:
            reply = gateway.http.post("/v1/chat/completions", json=body, timeout=0.1 if leaves else 15)
        except httpx.TimeoutException:
            return None if leaves else "late"
        return reply.status_code

    moods = [(GOOD, 200, 0.0), (POOR, 200, 0.02), (b"", 200, 0.0), (POOR, 500, 0.0), (GOOD, 200, 0.25)]
    counted = []
    for answer, status, delay_s in moods * 2:
        gateway.hook.answer, gateway.hook.status, gateway.hook.delay_s = answer, status, delay_s
        with ThreadPoolExecutor(16) as pool:
            counted += list(pool.map(ask, range(60)))
    assert set(counted) <= {200, None}, sorted({str(each) for each in counted})
    assert counted.count(200) > 400
