"""Many requests at once, a third of the attempts failing: no request is lost."""

import asyncio
import json

import httpx
import pytest
from conftest import candidate
from gateway import VENDORS, WIDE, Gateway, provider
from replies import read_stream

REQUESTS = 2000
CONNECTIONS = 64

#: Every way to fail before an answer begins; together they make up about 30 %.
FAULTS = [
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 429, "retry_after": 1},
    {"kind": "status", "status": 529},
    {"kind": "status", "status": 401},
    {"kind": "reset"},
    {"kind": "reset_after_headers"},
    {"kind": "empty_body"},
    {"kind": "error_event_first"},
    {"kind": "garbage"},
    {"kind": "model_gone"},
    {"kind": "context_overflow"},
    {"kind": "quota"},
    {"kind": "stall"},
]
RATE = 0.027


@pytest.fixture
def soaked(binaries, shared_standins, tmp_path):
    """Nobody is ejected and no limit is reached: what is lost, the gateway has lost."""
    shared_standins.reset()
    document = {
        "providers": {s.name: provider(s, **WIDE) for s in shared_standins},
        "models": {"soaked": {"candidates": [candidate(vendor) for vendor in VENDORS]}},
        "defaults": {"timeouts": {"per_try": "3s", "idle": "10s"}},
    }
    gateway = Gateway(binaries, tmp_path, document, shared_standins)
    yield gateway
    gateway.close()


def test_no_request_is_lost(soaked, shared_standins):
    for seed, vendor in enumerate(("openai", "anthropic")):
        rules = [{"rate": RATE, "fault": fault} for fault in FAULTS]
        shared_standins[vendor].script(*rules, seed=seed)

    lost = asyncio.run(send_all(soaked.envoy.url))

    assert not lost, f"{len(lost)} lost, such as {lost[:3]}"
    for vendor in ("openai", "anthropic"):
        stats = shared_standins[vendor].stats()
        assert 0.22 < stats["faults"] / stats["received"] < 0.38, stats
    assert shared_standins["gemini"].stats()["completed"] > REQUESTS * 0.04


async def send_all(url):
    """Sends them all; what was wrong with those that were lost."""
    limits = httpx.Limits(max_connections=CONNECTIONS)
    numbers = iter(range(REQUESTS))
    lost = []

    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=30) as client:

        async def work():
            for number in numbers:
                if wrong := await send(client, number):
                    lost.append(wrong)

        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    return lost


async def send(client, number):
    """Sends one request; what is wrong with its reply, if anything."""
    stream, echo = number % 2 == 0, f"number <{number}> of the soak"
    body = {
        "model": "soaked",
        "messages": [{"role": "user", "content": echo}],
        "stream": stream,
    }
    try:
        response = await client.post("/v1/chat/completions", json=body)
    except httpx.TransportError as failure:
        return f"{number}: {failure!r}"
    if response.status_code != 200:
        return f"{number}: {response.status_code} {response.text}"
    if stream:
        whole = read_stream(response.text)
        text = whole.text if whole.done and not whole.errors else ""
    else:
        text = json.loads(response.text)["choices"][0]["message"]["content"]
    return None if text.endswith(echo) else f"{number}: {response.text}"
