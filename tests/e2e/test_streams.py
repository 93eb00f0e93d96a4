"""What becomes of a stream once the client has begun to see it."""

import json
import socket
import time

import httpx
import pytest
from conftest import MODELS, document
from gateway import VENDORS, Gateway, poll
from replies import content, error, read_stream, trail, verdicts

#: Silence that ends a stream.
IDLE_MS = 1000

EVERY_VENDOR = pytest.mark.parametrize("vendor", VENDORS)


def read_to_the_end(stream):
    """Everything that comes, whether or not the stream ends in order."""
    body = b""
    try:
        for part in stream.iter_raw():
            body += part
    except httpx.RemoteProtocolError:
        return body.decode(), False
    return body.decode(), True


# === failures after the commit ===


@EVERY_VENDOR
def test_an_error_in_mid_stream_is_told_once_and_not_hidden(gateway, standins, vendor):
    standins[vendor].fail({"kind": "error_event_after", "events": 4})
    response = gateway.chat(f"{vendor}-first", stream=True)

    assert response.status_code == 200
    stream = read_stream(response.text)
    assert stream.chunks and not stream.done
    (told,) = stream.errors
    assert set(told) == {"message", "type", "param", "code"}
    assert told["message"]
    line = gateway.envoy.logged(response)
    (attempt,) = trail(line["pointsman.attempts"])
    assert attempt.verdict == "ok"
    assert attempt.broken in ("overloaded", "server_error")


@EVERY_VENDOR
def test_a_stream_that_is_cut_never_says_that_it_is_complete(gateway, standins, vendor):
    standins[vendor].fail({"kind": "cut", "after_events": 4})
    with gateway.open_stream(f"{vendor}-first") as response:
        body, orderly = read_to_the_end(response)

    assert f"{vendor}" in response.headers["x-pointsman-answered-by"]
    assert '"delta"' in body
    assert "[DONE]" not in body
    assert not orderly or "error" in body, body
    (attempt,) = trail(gateway.envoy.logged(response)["pointsman.attempts"])
    assert (attempt.verdict, attempt.broken) == ("ok", "reset")


@EVERY_VENDOR
def test_a_pause_in_mid_stream_does_no_harm(gateway, standins, vendor):
    standins[vendor].fail({"kind": "stall_stream", "after_events": 4, "ms": 300})
    assert f"Hello from {vendor}" in content(gateway.chat(f"{vendor}-only", stream=True), True)


@pytest.mark.parametrize("per_try_ms", [3 * IDLE_MS, IDLE_MS // 2], ids=["shorter", "longer"])
def test_silence_in_mid_stream_ends_it(binaries, shared_standins, tmp_path, per_try_ms):
    """Whether the idle time is shorter or longer than the time for an attempt."""
    standins, given = shared_standins, document(shared_standins)
    given["models"] = {"openai-only": given["models"]["openai-only"]}
    timeouts = {"per_try": f"{per_try_ms}ms", "idle": f"{IDLE_MS}ms", "wait_up_to": "0s"}
    given["defaults"]["timeouts"] = timeouts
    standins.reset()
    standins["openai"].fail({"kind": "stall_stream", "after_events": 3})
    gateway = Gateway(binaries, tmp_path, given, standins)
    try:
        elapsed_ms = time_until_cut(gateway)
    finally:
        gateway.close()

    # Envoy ends it after one attempt's time more at worst, and closes the connection within
    # another second.
    assert IDLE_MS - 200 <= elapsed_ms < IDLE_MS + 2500
    outcome = poll("known to the provider", lambda: standins["openai"].only_record().outcome)
    assert outcome == "cancelled_by_client"


def time_until_cut(gateway):
    with gateway.open_stream("openai-only") as response:
        parts = response.iter_raw()
        next(parts)
        started = time.monotonic()
        with pytest.raises(httpx.RemoteProtocolError):
            for part in parts:
                assert b"[DONE]" not in part
    return (time.monotonic() - started) * 1000


def test_silence_before_the_first_event_is_a_timeout_even_when_the_idle_time_ends_it(
    binaries, shared_standins, tmp_path
):
    standins, given = shared_standins, document(shared_standins)
    given["defaults"]["timeouts"] = {"per_try": "5s", "idle": f"{IDLE_MS}ms"}
    standins.reset()
    standins["openai"].fail({"kind": "stall"})
    gateway = Gateway(binaries, tmp_path, given, standins)
    try:
        response = gateway.chat("openai-first", stream=True)
    finally:
        gateway.close()
    assert verdicts(response) == [("openai", "timeout"), ("anthropic", "ok")]


@EVERY_VENDOR
def test_a_malformed_event_in_mid_stream_is_not_passed_on(gateway, standins, vendor):
    standins[vendor].fail({"kind": "malformed_event", "after_events": 3})
    response = gateway.chat(f"{vendor}-only", "marco", stream=True)

    stream = read_stream(response.text)
    if stream.errors:
        assert not stream.done
    else:
        assert stream.done
        assert f"Hello from {vendor}" in stream.text and "marco" in stream.text


# === clients that leave ===


class RawClient:
    """A client that can leave at any moment."""

    def __init__(self, gateway, model, stream):
        body = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
        body = json.dumps({**body, "stream": stream}).encode()
        head = (
            "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self._socket = socket.create_connection(("127.0.0.1", gateway.port))
        self._socket.settimeout(10)
        self._socket.sendall(head.encode() + body)

    def read_until(self, text):
        read = b""
        while text.encode() not in read:
            part = self._socket.recv(65536)
            assert part, f"ended before {text!r}: {read!r}"
            read += part

    def leave(self):
        self._socket.close()


def assert_cancelled_within_a_second(standin):
    def outcome():
        return standin.only_record().outcome

    poll("cancelled at the provider", outcome, 1.0)
    assert outcome() == "cancelled_by_client"


@EVERY_VENDOR
def test_a_client_that_leaves_in_mid_stream_costs_no_more_tokens(gateway, standins, vendor):
    since = gateway.envoy.mark()
    standins[vendor].fail({"kind": "slow_stream", "ms": 150})
    client = RawClient(gateway, f"{vendor}-first", stream=True)
    client.read_until('"delta"')
    client.leave()

    assert_cancelled_within_a_second(standins[vendor])
    line = gateway.envoy.logged_where(lambda line: "DC" in line["flags"], since)
    assert line["gen_ai.provider.name"] == vendor


@EVERY_VENDOR
@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
def test_a_client_that_leaves_before_any_answer_cancels_the_attempt(
    gateway, standins, vendor, stream
):
    standins[vendor].fail({"kind": "stall"})
    client = RawClient(gateway, f"{vendor}-only", stream)
    poll("request at the provider", standins[vendor].records)
    client.leave()

    assert_cancelled_within_a_second(standins[vendor])


def test_a_client_that_leaves_while_a_buffered_reply_is_coming_cancels_it(gateway, standins):
    standins["openai"].fail({"kind": "slow_stream", "ms": 600})
    client = RawClient(gateway, "openai-first", stream=False)
    poll("request at the provider", standins["openai"].records)
    client.leave()

    assert_cancelled_within_a_second(standins["openai"])
    assert not standins["anthropic"].records()


# === pace, size, usage ===


@EVERY_VENDOR
def test_chunks_arrive_as_they_come(gateway, standins, vendor):
    pause_s = 0.1
    standins[vendor].fail({"kind": "slow_stream", "ms": int(pause_s * 1000)})
    arrivals = []
    with gateway.open_stream(f"{vendor}-only", "marco") as response:
        for part in response.iter_raw():
            arrivals.append((time.monotonic(), part))

    assert len(arrivals) >= 4
    assert arrivals[-1][0] - arrivals[0][0] >= 3 * pause_s
    text = b"".join(part for _, part in arrivals).decode()
    assert "marco" in read_stream(text).text


def test_a_stream_may_take_longer_than_an_attempt(gateway, standins):
    standins["openai"].fail({"kind": "slow_stream", "ms": 300})
    response = gateway.chat("openai-first", stream=True)
    assert "Hello from openai" in content(response, True)
    assert verdicts(response) == [("openai", "ok")]


@EVERY_VENDOR
@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
def test_a_big_reply_arrives_whole(gateway, standins, vendor, stream):
    size = 1024 * 1024
    standins[vendor].fail({"kind": "big_reply", "bytes": size})
    response = gateway.chat(f"{vendor}-only", stream=stream)
    assert len(content(response, stream)) == size


def test_a_reply_beyond_the_limit_is_an_error_and_not_a_crash(gateway, standins):
    standins["openai"].fail({"kind": "big_reply", "bytes": 3 * 1024 * 1024})
    response = gateway.chat("openai-only")
    assert error(response, 502)["code"] == "reply_too_large"
    assert verdicts(response) == [("openai", "reply_too_large")]


@EVERY_VENDOR
def test_only_who_asks_gets_a_usage_chunk(gateway, vendor):
    response = gateway.chat(f"{vendor}-only", stream=True)
    assert read_stream(response.text).usage == []
    assert_usage_logged(gateway, response)

    response = gateway.chat(
        f"{vendor}-only", stream=True, stream_options={"include_usage": True}
    )
    stream = read_stream(response.text)
    (usage,) = stream.usage
    assert stream.chunks[-1]["choices"] == []
    line = assert_usage_logged(gateway, response)
    assert usage["prompt_tokens"] == int(line["gen_ai.usage.input_tokens"])
    assert usage["completion_tokens"] == int(line["gen_ai.usage.output_tokens"])
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def assert_usage_logged(gateway, response):
    line = gateway.envoy.logged(response)
    assert int(line["gen_ai.usage.input_tokens"]) > 0
    assert int(line["gen_ai.usage.output_tokens"]) > 0
    return line


@EVERY_VENDOR
def test_all_chunks_of_a_stream_belong_together(gateway, vendor):
    stream = read_stream(gateway.chat(f"{vendor}-only", stream=True).text)
    assert len({chunk["id"] for chunk in stream.chunks}) == 1
    assert {chunk["model"] for chunk in stream.chunks} == {MODELS[vendor]}
    assert stream.chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    reasons = [c["finish_reason"] for chunk in stream.chunks for c in chunk["choices"]]
    assert reasons[-1] == "stop" and set(reasons[:-1]) == {None}
