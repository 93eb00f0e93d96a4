"""A trap in the module ends one worker's requests at most, and soon nothing of it is left."""

import json
import socket
import threading
import time
from dataclasses import replace
from http.client import HTTPConnection

import httpx
import pytest
import yaml
from conftest import document
from gateway import Gateway, free_ports, poll
from replies import content, read_stream
from trap import with_trap

STREAMS = 16

#: From the trap on, until every request is answered again; half a second where nothing else
#: wants the processors.
RECOVERY_S = 2.0

#: What Envoy logs of it.
EXPECTED = "unreachable|Wasm VM failed|Function: proxy_on|wasm"


def take_trailers(bootstrap):
    """HTTP/1 requests may have trailers, whose callback is the one that traps."""
    bootstrap = yaml.safe_load(bootstrap)
    for listener in bootstrap["static_resources"]["listeners"]:
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        manager.setdefault("http_protocol_options", {})["enable_trailers"] = True
    return yaml.safe_dump(bootstrap)


@pytest.fixture
def fragile(binaries, shared_standins, tmp_path):
    shared_standins.reset()
    module = tmp_path / "trap.wasm"
    module.write_bytes(with_trap(binaries.module.read_bytes(), "proxy_on_request_trailers"))
    (state_port,) = free_ports(1)
    budget = {"name": "all", "tokens": 1_000_000_000_000, "per": "month", "lapse": "6s"}
    served = document(shared_standins) | {
        "budgets": [budget],
        "envoy": {"state_port": state_port},
    }
    gateway = Gateway(
        replace(binaries, module=module),
        tmp_path / "gateway",
        served,
        shared_standins,
        edit=take_trailers,
    )
    gateway.state_url = f"http://127.0.0.1:{state_port}/pointsman/state"
    yield gateway
    gateway.close(excused=EXPECTED, reloads=True)


def spring(gateway):
    """One request whose trailers trap; what its client hears."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as connection:
        connection.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
            b"content-type: application/json\r\ntrailer: x-end\r\n\r\n"
            b"2\r\n{}\r\n0\r\nx-end: 1\r\n\r\n"
        )
        return connection.recv(4096)


def reserved(gateway):
    """By the page, which a worker that is dying cannot show."""
    try:
        (budget,) = httpx.get(gateway.state_url).json()["budgets"]
    except (httpx.TransportError, ValueError, KeyError):
        return None
    return sum(account["reserved"] for account in budget["most_used"])


class OpenStream:
    """A slow stream on a connection of its own."""

    def __init__(self, gateway):
        self._whole = None
        self.started = threading.Event()
        self._thread = threading.Thread(target=self._read, args=[gateway.envoy.url])
        self._thread.start()

    def _read(self, url):
        body = {
            "model": "openai-only",
            "messages": [{"role": "user", "content": "marco"}],
            "stream": True,
        }
        text = ""
        try:
            with httpx.Client(base_url=url, timeout=10) as client:
                with client.stream("POST", "/v1/chat/completions", json=body) as reply:
                    for piece in reply.iter_text():
                        text += piece
                        self.started.set()
        except httpx.TransportError:
            pass
        self.started.set()
        self._whole = "[DONE]" in text and "marco" in read_stream(text).text

    def ended_whole(self):
        self._thread.join()
        return self._whole


def status_on_a_new_connection(gateway):
    body = json.dumps({"model": "three", "messages": [{"role": "user", "content": "marco"}]})
    connection = HTTPConnection("127.0.0.1", gateway.port, timeout=5)
    try:
        connection.request("POST", "/v1/chat/completions", body)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_dead_vm_is_replaced_and_others_go_on(fragile):
    fragile.standins["openai"].fail({"kind": "slow_stream", "ms": 60})
    streams = [OpenStream(fragile) for _ in range(STREAMS)]
    for stream in streams:
        assert stream.started.wait(10)

    answer = spring(fragile)
    died = time.monotonic()
    assert answer == b"" or answer.startswith(b"HTTP/1.1 503")
    survived = [stream.ended_whole() for stream in streams]
    # Connections are spread over two workers; the trap was on one of them.
    assert any(survived), "streams of the other worker were cut"
    assert not all(survived), "nothing died: the trap was not sprung"
    assert time.monotonic() - died < 10


def test_what_a_dead_worker_had_reserved_lapses(fragile):
    fragile.standins["openai"].fail({"kind": "slow_stream", "ms": 60})
    streams = [OpenStream(fragile) for _ in range(STREAMS)]
    for stream in streams:
        assert stream.started.wait(10)
    spring(fragile)
    assert poll("the page", lambda: reserved(fragile)) > 0
    survived = [stream.ended_whole() for stream in streams]
    assert not all(survived), "nothing died: the trap was not sprung"
    # Whoever lives has settled.
    poll("nothing reserved", lambda: reserved(fragile) == 0, 20)
    fragile.standins.reset()
    assert fragile.chat("openai-only").status_code == 200


def test_every_request_is_answered_again_soon_after(fragile):
    def all_answered():
        # New connections, so that both workers are asked.
        return all(status_on_a_new_connection(fragile) == 200 for _ in range(8))

    assert all_answered()
    slowest = 0.0
    for _ in range(5):
        spring(fragile)
        died = time.monotonic()
        poll("all answered again", all_answered, RECOVERY_S + 2)
        slowest = max(slowest, time.monotonic() - died)
    print(f"recovered within {slowest * 1000:.0f} ms")
    assert slowest < RECOVERY_S
    reloads = fragile.envoy.stats("wasm.*vm_reload_success")
    assert sum(reloads.values()) >= 1, reloads
    assert "marco" in content(fragile.chat("three", "marco"), False)
