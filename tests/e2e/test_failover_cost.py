"""What a failed attempt costs the client, besides the provider's own time."""

import statistics
import time

ROUNDS = 40

#: Generous: the bound is for mistakes such as a back-off of 25 ms, on a machine that is busy.
BOUND_MS = 20


def test_a_failed_attempt_costs_milliseconds(gateway, standins):
    """The stand-in answers 500 as fast as it answers well, so the rest is ours and Envoy's."""

    def ask(count):
        began = time.monotonic()
        assert gateway.chat("three").headers["x-pointsman-attempts"].count("class=") == count
        return (time.monotonic() - began) * 1000

    healthy, failing = [], []
    for _ in range(ROUNDS):
        standins.reset()
        healthy.append(ask(1))
        for vendor in ("openai", "anthropic"):
            standins[vendor].fail({"kind": "status", "status": 500})
        failing.append(ask(3))
    added = (statistics.median(failing) - statistics.median(healthy)) / 2
    print(f"{added:.2f} ms added for each failed attempt")
    assert added < BOUND_MS
