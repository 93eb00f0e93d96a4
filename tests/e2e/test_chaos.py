"""Three providers that each fail a fifth of the time: who can be answered is answered.

    CHAOS=20000 pytest -s tests/e2e/test_chaos.py      what `make chaos` does
"""

import asyncio
import os
import time
from collections import Counter

import httpx
import pytest
from conftest import candidate
from faults import seen
from gateway import VENDORS, WIDE, Gateway, poll, provider
from replies import trail
from test_soak import FAULTS as BEFORE_THE_ANSWER

REQUESTS = int(os.environ.get("CHAOS", "3000"))
CONNECTIONS = 48

#: No stall: it costs time and shows nothing else here. What breaks in the middle can be tried
#: elsewhere when it is buffered.
KINDS = [
    *({"fault": fault} for fault in BEFORE_THE_ANSWER if fault["kind"] != "stall"),
    {"fault": {"kind": "close"}},
    {"fault": {"kind": "not_http"}},
    {"fault": {"kind": "keep_alive", "ms": 50}, "match": {"stream": True}},
    {"fault": {"kind": "cut"}, "match": {"stream": False}},
    {"fault": {"kind": "end_early"}, "match": {"stream": False}},
]
RATE = 0.2

#: Of those requests for which some candidate was up.
AVAILABILITY = 0.999


@pytest.fixture
def chaotic(binaries, shared_standins, tmp_path):
    """Nobody is ejected or left alone: what failed a moment ago may answer now."""
    shared_standins.reset()
    document = {
        "providers": {s.name: provider(s, **WIDE) for s in shared_standins},
        "models": {"chaos": {"candidates": [candidate(vendor) for vendor in VENDORS]}},
        "defaults": {"timeouts": {"per_try": "2s", "idle": "10s"}},
        "observe": {"longest_cool_down": "0s"},
    }
    gateway = Gateway(binaries, tmp_path, document, shared_standins)
    yield gateway
    gateway.close()


def rules():
    """Each kind as often as the others, together `RATE`: rules are drawn one after another."""
    left, share = 1.0, RATE / len(KINDS)
    for kind in KINDS:
        yield {**kind, "rate": share / left}
        left -= share


def test_who_can_be_answered_is_answered(chaotic, shared_standins):
    for seed, vendor in enumerate(VENDORS):
        shared_standins[vendor].script(*rules(), seed=seed)
    began = time.monotonic()
    failed, told = asyncio.run(send_all(chaotic.envoy.url))
    seconds = time.monotonic() - began

    hopeless = [each for each in failed if nobody_was_up(each)]
    lost = [each for each in failed if not nobody_was_up(each)]
    possible = REQUESTS - len(hopeless)
    share = (possible - len(lost)) / possible
    explain(failed)
    print(f"{REQUESTS} requests in {seconds:.0f} s; attempts failed: {dict(told)}")
    print(
        f"nobody was up for {len(hopeless)}; of the others {share:.5%} were answered, "
        f"{len(lost)} lost"
    )
    assert share >= AVAILABILITY
    # What the trails call failures of providers is what the stand-ins did, no more and no less.
    for vendor in VENDORS:
        poll(f"{vendor}'s failures told", lambda: told[vendor] == failures(shared_standins[vendor]))
    first = shared_standins["openai"].stats()
    assert abs(told["openai"] / first["received"] - RATE) < 0.05, first


def explain(failed):
    """Every failed request, under its cause; the most common causes first."""
    causes = {}
    for number, reply in failed:
        fate = "nobody was up" if nobody_was_up((number, reply)) else "LOST"
        cause = f"{fate}: {', '.join(tried(reply)) or 'no attempt is known'}"
        causes.setdefault(f"{cause}: {reply.outcome} {reply.status} {reply.note}", []).append(number)
    for cause, numbers in sorted(causes.items(), key=lambda each: -len(each[1])):
        print(f"{len(numbers):4} x {cause}: requests {', '.join(map(str, numbers))}")


def failures(standin):
    """As the stand-in counts them; it may hear late of those whose connection was closed."""
    stats = standin.stats()
    return stats["faults"] + stats["cancelled_by_client"]


def tried(reply):
    return [f"{each.provider} {each.verdict}" for each in attempts(reply)]


def attempts(reply):
    return trail(reply.headers.get("x-pointsman-attempts", ""))


def nobody_was_up(failed):
    """Whether all three were asked and each of them failed by itself."""
    _, reply = failed
    entries = attempts(reply)
    asked = [each.provider for each in entries if each.verdict not in ("ok", "ejected")]
    # The last one may have been asked again, after a second, and have failed again.
    return list(dict.fromkeys(asked)) == list(VENDORS) and reply.note == "told"


async def send_all(url):
    """Sends them all: those that failed, and how many attempts failed by vendor."""
    numbers, failed, told = iter(range(REQUESTS)), [], Counter()
    limits = httpx.Limits(max_connections=CONNECTIONS)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=30) as client:

        async def work():
            for number in numbers:
                reply = await send(client, number)
                told.update(each.provider for each in attempts(reply) if each.verdict != "ok")
                if reply.outcome != seen.ANSWERED:
                    failed.append((number, reply))

        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    return failed, told


async def send(client, number):
    stream, text = number % 2 == 0, f"number <{number}> of the chaos"
    messages = [{"role": "user", "content": text}]
    body = {"model": "chaos", "messages": messages, "stream": stream}
    try:
        reply = await client.post("/v1/chat/completions", json=body)
    except httpx.TransportError as failure:
        return seen.Seen(seen.ERROR, f"cut: {failure!r}")
    return seen.judge(reply, reply.content, stream, text)
