"""What is known to crash Envoy, or to leak or lose requests, does neither with what we render."""

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from conftest import document
from gateway import VENDORS, Gateway
from replies import (
    CLIENT_SECRETS,
    assert_carries_only_its_own_key,
    content,
    error,
    read_stream,
    verdicts,
)

LIMIT = 256 * 1024


@pytest.fixture(scope="module")
def small(binaries, shared_standins, tmp_path_factory):
    """A gateway whose limits are within reach; breakers and retries are as rendered."""
    served = document(shared_standins)
    served["limits"] = {"request_body": "256KiB", "reply": "256KiB"}
    folder = tmp_path_factory.mktemp("crashes")
    gateway = Gateway(binaries, folder, served, shared_standins)
    yield gateway
    # Asks whether Envoy has died, reloaded a VM or kept a request.
    gateway.close()


@pytest.fixture
def gateway(small):
    small.standins.reset()
    return small


def at_once(count, ask, workers=24):
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(ask, range(count)))


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
@pytest.mark.parametrize("kind", ["error_event_first", "empty_stream", "garbage"])
def test_a_held_reply_may_be_retried_from_its_body(gateway, kind, stream):
    gateway.standins["openai"].fail({"kind": kind})
    gateway.standins["anthropic"].fail({"kind": kind})
    for response in at_once(60, lambda _: gateway.chat("three", "marco", stream=stream)):
        assert "Hello from gemini" in content(response, stream)


def test_nobody_can_switch_hedging_on(gateway):
    """It crashes Envoy where replies are held."""
    rendered = yaml.safe_load(gateway.render(gateway.document))
    assert "hedge" not in json.dumps(rendered)
    gateway.standins["openai"].fail({"kind": "stall", "ms": 60})
    hedging = {
        "x-envoy-hedge-on-per-try-timeout": "true",
        "x-envoy-upstream-rq-per-try-timeout-ms": "20",
        "x-envoy-retry-on": "5xx",
        "x-envoy-max-retries": "7",
    }
    for response in at_once(24, lambda _: gateway.chat("openai-first", headers=hedging)):
        assert verdicts(response) == [("openai", "ok")]
    assert len(gateway.standins["openai"].records()) == 24


@pytest.mark.parametrize("vendor", VENDORS)
def test_replies_around_the_limit_are_whole_or_told(gateway, vendor):
    """A held body must not be replaced by one that is larger than Envoy's buffer."""
    sizes = range(LIMIT - 2000, LIMIT + 2001, 500)
    for size in (*sizes, 5 * LIMIT, 8 * LIMIT):
        gateway.standins[vendor].fail({"kind": "big_reply", "bytes": size})
        response = gateway.chat(f"{vendor}-only")
        if response.status_code == 200:
            assert len(content(response, False)) == size < LIMIT
        else:
            assert error(response, 502)["code"] == "reply_too_large", size
        streamed = gateway.chat(f"{vendor}-only", stream=True)
        assert len(read_stream(streamed.text).text) == size


@pytest.mark.parametrize("vendor", VENDORS)
def test_long_errors_fit_where_they_are_held(gateway, vendor):
    long = {"error": {"message": "x" * 3 * LIMIT, "type": "api_error"}}
    gateway.standins[vendor].fail({"kind": "status", "status": 500, "body": long})
    for response in at_once(12, lambda _: gateway.chat(f"{vendor}-only")):
        assert len(error(response, 500)["message"]) < LIMIT


def test_every_attempt_has_the_key_of_its_provider_alone(gateway):
    for vendor in VENDORS[:2]:
        gateway.standins[vendor].fail({"kind": "status", "status": 500})
    gateway.chat("three", headers=CLIENT_SECRETS)
    for vendor in VENDORS:
        standin = gateway.standins[vendor]
        assert_carries_only_its_own_key(standin.only_record(), standin, gateway.standins)


def test_no_candidate_is_lost_because_many_are_retried(gateway):
    """Envoy's own limit is three retries at a time, counted where the failure was."""
    gateway.standins["openai"].fail({"kind": "status", "status": 503})
    gateway.standins["anthropic"].fail({"kind": "slow_stream", "ms": 5})
    responses = at_once(300, lambda _: gateway.chat("openai-first"))
    assert all(response.status_code == 200 for response in responses)


def test_an_upgrade_does_not_hang(gateway):
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as connection:
        connection.sendall(
            b"GET /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\n"
            b"upgrade: websocket\r\nsec-websocket-version: 13\r\n"
            b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert connection.recv(64).startswith(b"HTTP/1.1 4")


def test_clients_that_leave_while_replies_are_held_leave_nothing_behind(gateway):
    gateway.standins["openai"].fail({"kind": "stall_stream", "after_events": 1, "ms": 200})

    def leave(number):
        body = json.dumps({
            "model": "openai-first", "stream": True,
            "messages": [{"role": "user", "content": "bye"}],
        }).encode()
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as connection:
            connection.sendall(
                b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n"
                b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
            )
            threading.Event().wait(0.01 * (number % 8))

    at_once(48, leave)
    assert content(gateway.chat("gemini-first"), False)


def test_what_is_rendered_reloads_a_vm_and_never_bypasses_it(gateway):
    rendered = json.dumps(yaml.safe_load(gateway.render(gateway.document)))
    assert rendered.count('"FAIL_RELOAD"') == rendered.count("filters.http.wasm.v3.Wasm")
    assert "FAIL_OPEN" not in rendered and "fail_open" not in rendered
