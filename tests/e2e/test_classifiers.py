"""Classifiers outside: models and webhooks that are asked for a class before the plan is made."""

import json
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from conftest import candidate
from gateway import STEADFAST, Gateway, Standins, free_ports, poll, provider
from replies import attempts
from servers import Hook, completion

NAMES = ("openai", "anthropic", "gemini")

#: What Envoy has as workers; each asks for itself.
WORKERS = 2

DEADLINE_MS = 300

#: How much later than its deadline a request may go on, on a busy machine.
SLACK_MS = 150

INSTRUCTION = "Is this about programs, or about anything else?"


def document(standins, hook, model, dead):
    residency = {"openai": "us", "anthropic": "eu", "gemini": "eu"}
    providers = {
        s.name: provider(s, **STEADFAST, labels={"residency": residency[s.name]})
        for s in standins
    }
    providers["small"] = {
        "kind": "openai_compatible",
        "endpoint": f"http://127.0.0.1:{model.port}/v1",
        **STEADFAST,
        "labels": {"residency": "us"},
    }
    three = [candidate(name) for name in NAMES]
    rest = {"classes": ["code", "other"], "deadline": f"{DEADLINE_MS}ms"}
    # For many requests at once.
    patient = {"deadline": "2s", "cache": "0s"}
    asks = {"instruction": INSTRUCTION, **rest}
    hooked = {"url": f"http://127.0.0.1:{hook.port}/classify"}
    gemini = f"gemini/{three[2]['model']}"
    names = ("hook", "texted", "fallback", "keyed", "dead", "model", "translated", "second")
    return {
        "providers": providers,
        "models": {
            "three": {"candidates": three},
            "eu": {"candidates": three, "require": {"residency": "eu"}},
            "small": {"candidates": [{"provider": "small", "model": "tiny"}]},
            "judge": {"candidates": [candidate("anthropic")]},
        },
        "classifiers": {
            "hook": {"webhook": hooked, **rest},
            "texted": {"webhook": hooked | {"send_text": True}, "excerpt": 20, "cache": "1s", **rest},
            "fallback": {"webhook": hooked, "default": "code", **rest, **patient},
            "keyed": {"webhook": hooked | {"key": {"env": "HOOK_KEY"}}, "cache": "0s", **rest},
            "dead": {"webhook": {"url": f"http://127.0.0.1:{dead}/"}, **rest},
            "model": {"model": "small", **asks},
            "translated": {"model": "judge", **asks},
            "second": {"model": "small/tiny", **asks, **patient},
        },
        "rules": [
            {
                "name": f"by-{name}",
                "when": {"headers": {"x-rule": name}, "class": {name: "code"}},
                "candidates": [gemini],
            }
            for name in names
        ]
        + [
            {
                "name": "both",
                "when": {"headers": {"x-rule": "both"}, "class": {"texted": "code", "second": "code"}},
                "candidates": [gemini],
            }
        ],
        "explain": {"header": "x-debug"},
        "defaults": {"timeouts": {"per_try": "1500ms", "idle": "2s"}},
    }


@pytest.fixture(scope="module")
def scene(binaries, tmp_path_factory):
    standins = Standins(binaries, tmp_path_factory.mktemp("classifier-standins"), NAMES)
    hook, model, (dead,) = Hook(), Hook(), free_ports(1)
    gateway = Gateway(
        binaries,
        tmp_path_factory.mktemp("classifiers"),
        document(standins, hook, model, dead),
        standins,
        environment={"HOOK_KEY": "hook-secret"},
    )
    gateway.hook, gateway.model = hook, model
    yield gateway
    gateway.close(excused="cannot be called")
    standins.close()
    hook.close()
    model.close()


#: No two tests have the same prompts, so that no test is served by another one's cache.
_prompts = iter(range(1_000_000))


@pytest.fixture
def gateway(scene):
    # Failures of one test must not leave classifiers at rest in the next one.
    scene.standins.reset()
    scene.hook.reset()
    scene.model.reset()
    scene.model.answer = completion("1")
    return scene


def prompt():
    """Of a length of its own: a webhook that gets no text tells prompts apart by features."""
    number = next(_prompts)
    return f"prompt {number} of this test" + " y" * number


def ask(gateway, rule, text=None, model="three", **body):
    return gateway.chat(model, text or prompt(), headers={"x-rule": rule}, **body)


def asked(response):
    assert response.status_code == 200, response.text
    return attempts(response)[0].provider


def classes(gateway, response):
    """What the access log tells of classifiers: name, outcome, class."""
    told = gateway.envoy.logged(response)["pointsman.classes"]
    entries = [dict(pair.split("=", 1) for pair in each.split(";")[1:]) for each in (told or "").split(", ") if each]
    return [(each["outcome"], each["class"]) for each in entries]


def rested(gateway):
    """Waits until no classifier is left alone any more, whatever earlier tests did to it."""
    time.sleep(5.1)


def test_a_webhook_tells_the_class(gateway):
    response = ask(gateway, "hook")
    assert asked(response) == "gemini"
    assert classes(gateway, response) == [("answered", "code")]
    ((headers, question),) = gateway.hook.asked
    assert question["classifier"] == "hook" and question["classes"] == ["code", "other"]
    assert question["features"]["model"] == "three" and "text" not in question
    assert "prompt" not in json.dumps(question).replace("prompt_tokens", "")
    gateway.hook.answer = {"class": "other"}
    response = ask(gateway, "hook", text="another one, of another length")
    assert asked(response) == "openai"
    assert classes(gateway, response) == [("answered", "other")]


def test_a_model_tells_the_class_by_its_number(gateway):
    text = prompt()
    response = ask(gateway, "model", text)
    assert asked(response) == "gemini", gateway.envoy.logged(response)
    assert classes(gateway, response) == [("answered", "code")]
    ((_, question),) = gateway.model.asked
    assert question["model"] == "tiny"
    assert question["messages"][-1] == {"role": "user", "content": text}
    assert INSTRUCTION in question["messages"][0]["content"]


def test_a_model_of_another_schema_is_translated_and_gets_its_key(gateway):
    body = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [{"type": "text", "text": "1"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 1},
    }
    gateway.standins["anthropic"].fail({"kind": "status", "status": 200, "body": body})
    response = ask(gateway, "translated")
    assert asked(response) == "gemini", gateway.envoy.logged(response)
    record = gateway.standins["anthropic"].only_record()
    assert record.values("x-api-key") == ["secret-of-anthropic"]
    assert record.body["messages"][0]["role"] == "user"
    assert not [name for name, _ in record.headers if name.startswith("x-pointsman")]


def test_other_requests_ask_nobody(gateway):
    assert asked(gateway.chat("three", prompt())) == "openai"
    assert asked(ask(gateway, "none")) == "openai"
    assert gateway.hook.asked == [] and gateway.model.asked == []


def test_an_answer_is_remembered_for_equal_questions(gateway):
    text = prompt()
    first, second = ask(gateway, "model", text), ask(gateway, "model", text)
    assert classes(gateway, first) == [("answered", "code")]
    assert classes(gateway, second) == [("cached", "code")]
    assert asked(second) == "gemini"
    assert len(gateway.model.asked) == 1
    ask(gateway, "texted", "the same twenty bytes, then this")
    again = ask(gateway, "texted", "the same twenty bytes, then this")
    assert classes(gateway, again) == [("cached", "code")]
    time.sleep(1.1)
    late = ask(gateway, "texted", "the same twenty bytes, then this")
    assert classes(gateway, late) == [("answered", "code")], "no longer than was said"


@pytest.mark.parametrize("rule", ["second", "fallback"])
def test_equal_requests_at_once_ask_once(gateway, rule):
    """Without a cache: 64 requests, and one call for each worker."""
    server = gateway.model if rule == "second" else gateway.hook
    server.delay_s = 0.2
    text = prompt()
    with ThreadPoolExecutor(64) as pool, httpx.Client(
        base_url=gateway.envoy.url, limits=httpx.Limits(max_connections=64), timeout=10
    ) as client:
        body = {"model": "three", "messages": [{"role": "user", "content": text}]}
        send = lambda _: client.post("/v1/chat/completions", json=body, headers={"x-rule": rule})
        responses = list(pool.map(send, range(64)))
    assert {asked(each) for each in responses} == {"gemini"}
    # A request that came after the answer had been given asks again.
    assert len(server.asked) <= WORKERS + 2, len(server.asked)


def elapsed_ms(gateway, rule, **body):
    before = time.monotonic()
    response = ask(gateway, rule, **body)
    return response, (time.monotonic() - before) * 1000


@pytest.mark.parametrize(
    ("rule", "trouble", "outcome"),
    [
        ("hook", {"delay_s": 3.0}, "timeout"),
        ("model", {"delay_s": 3.0}, "timeout"),
        ("hook", {"status": 503}, "failed"),
        ("model", {"status": 503}, "failed"),
        ("hook", {"answer": b"\xff\x00 no JSON"}, "failed"),
        ("model", {"answer": b"\xff\x00 no JSON"}, "failed"),
        ("hook", {"answer": {"class": "unheard-of"}}, "failed"),
        ("model", {"answer": completion("I think it could be 1 or 2.")}, "failed"),
        ("hook", {"answer": {"class": "code", "x": "y" * 300_000}}, "failed"),
        ("model", {"answer": completion("1" * 300_000)}, "failed"),
        ("hook", {"answer": b"[" * 5_000_000}, "failed"),
        ("model", {"answer": b"[" * 5_000_000}, "failed"),
        ("dead", {}, "failed"),
    ],
)
def test_trouble_costs_the_class_and_nothing_else(gateway, rule, trouble, outcome):
    # So that failures do not add up: a classifier that keeps failing is for another test.
    ask(gateway, rule)
    for server in (gateway.hook, gateway.model):
        for name, value in trouble.items():
            setattr(server, name, value)
    response, ms = elapsed_ms(gateway, rule)
    assert asked(response) == "openai"
    assert classes(gateway, response) == [(outcome, "-")]
    assert ms < DEADLINE_MS + SLACK_MS, ms
    if outcome == "timeout":
        assert ms >= DEADLINE_MS


def test_the_default_class_counts_when_none_is_told(gateway):
    gateway.hook.status = 500
    response = ask(gateway, "fallback")
    assert asked(response) == "gemini"
    assert classes(gateway, response) == [("failed", "code")]


def test_a_classifier_that_keeps_failing_is_left_alone_and_asked_again(gateway):
    rested(gateway)
    gateway.hook.delay_s = 3.0
    outcomes = [classes(gateway, ask(gateway, "texted", f"{i:020} x"))[0][0] for i in range(8)]
    assert outcomes == ["timeout"] * 5 + ["resting"] * 3
    gateway.hook.delay_s = 0.0
    rested(gateway)
    assert classes(gateway, ask(gateway, "texted")) == [("answered", "code")]
    assert classes(gateway, ask(gateway, "texted")) == [("answered", "code")]


def test_several_classes_are_asked_for_one_after_the_other(gateway):
    response = ask(gateway, "both")
    assert asked(response) == "gemini"
    assert classes(gateway, response) == [("answered", "code"), ("answered", "code")]
    gateway.hook.answer = {"class": "other"}
    response = ask(gateway, "both")
    assert asked(response) == "openai"


def test_a_webhook_gets_its_key_and_only_as_much_text_as_was_said(gateway):
    ask(gateway, "keyed")
    ask(gateway, "texted", "0123456789012345678901234567890")
    (keyed, _), (_, texted) = gateway.hook.asked
    assert {k.lower(): v for k, v in keyed.items()}["authorization"] == "Bearer hook-secret"
    assert texted["text"] == "01234567890123456789"


@pytest.mark.parametrize("rule", ["hook", "model"])
def test_nobody_is_asked_who_does_not_keep_the_required_labels(gateway, rule):
    """The planted model is in the US, and the webhook promises nothing."""
    for _ in range(20):
        response = ask(gateway, rule, model="eu")
        assert asked(response) == "anthropic"
        assert classes(gateway, response) == [("excluded", "-")]
    assert gateway.hook.asked == [] and gateway.model.asked == []
    record = ask(gateway, "translated", model="eu")
    assert classes(gateway, record)[0][0] != "excluded", "one that keeps them is asked"


def test_bodies_larger_than_buffers_wait_and_go_on_whole(gateway):
    gateway.model.delay_s = 0.1
    text = "word " * 1_000_000
    response = ask(gateway, "model", text)
    assert asked(response) == "gemini"
    said = gateway.standins["gemini"].only_record().body["contents"][0]["parts"][0]["text"]
    assert len(said) == len(text)


def test_a_translated_client_waits_too(gateway):
    """The request of another API is only written when the class is known."""
    gateway.model.delay_s = 0.1
    body = {"model": "three", "max_tokens": 50, "messages": [{"role": "user", "content": prompt()}]}
    response = gateway.http.post("/v1/messages", json=body, headers={"x-rule": "model"})
    assert response.status_code == 200, response.text
    assert response.json()["type"] == "message"
    assert asked(response) == "gemini"


def test_streams_are_classified_too(gateway):
    response = ask(gateway, "model", stream=True)
    assert response.status_code == 200 and response.text.rstrip().endswith("[DONE]")
    assert asked(response) == "gemini"


def leave(gateway, rule, text, after_s):
    """Asks and hangs up."""
    body = json.dumps({"model": "three", "messages": [{"role": "user", "content": text}]})
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-rule: {rule}\r\ncontent-length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", gateway.port)) as client:
        client.sendall((head + body).encode())
        time.sleep(after_s)


@pytest.mark.parametrize("rule", ["second", "fallback"])
def test_clients_that_leave_harm_nobody(gateway, rule):
    """Whoever asked first leaves; those who wait for the same answer get it."""
    server = gateway.model if rule == "second" else gateway.hook
    server.delay_s = 0.15
    for _ in range(5):
        text = prompt()
        with ThreadPoolExecutor(32) as pool:
            left = [pool.submit(leave, gateway, rule, text, 0.01) for _ in range(8)]
            time.sleep(0.005)
            stay = [pool.submit(ask, gateway, rule, text) for _ in range(8)]
            more = [pool.submit(leave, gateway, rule, text, 0.02) for _ in range(8)]
            for each in left + more:
                each.result()
            assert {asked(each.result()) for each in stay} == {"gemini"}
    poll("nothing left over", lambda: not gateway.envoy._active())


def test_a_decision_tells_of_its_classes(gateway):
    response = gateway.chat("three", prompt(), headers={"x-rule": "model", "x-debug": "1"})
    told = json.loads(gateway.envoy.logged(response)["pointsman.explanation"])
    (entry,) = told["request"]["classes"]
    assert entry.startswith("model;outcome=answered;class=code;ms=")
    assert told["rule"] == "by-model"


def impatient(bootstrap):
    """Envoy itself answers what nothing happens to for a while."""
    return re.sub(r"(?<!per_try_)\bidle_timeout: .*", "idle_timeout: 0.4s", bootstrap)


def test_whoever_envoy_answers_while_it_waits_keeps_nobody_waiting(scene, binaries, tmp_path):
    hook = scene.hook
    hook.reset()
    document = scene.document | {"envoy": {}}
    environment = {"HOOK_KEY": "hook-secret"}
    gateway = Gateway(binaries, tmp_path, document, scene.standins, impatient, environment)
    try:
        text = prompt()
        hook.delay_s = 1.0
        given_up = ask(gateway, "fallback", text)
        assert given_up.status_code == 504, given_up.text
        hook.delay_s = 0.0
        # Both workers, and so the one that has asked.
        for _ in range(8):
            with httpx.Client(base_url=gateway.envoy.url, timeout=10) as client:
                body = {"model": "three", "messages": [{"role": "user", "content": text}]}
                headers = {"x-rule": "fallback"}
                response = client.post("/v1/chat/completions", json=body, headers=headers)
            assert asked(response) == "gemini"
            assert classes(gateway, response) == [("answered", "code")]
    finally:
        gateway.close()
