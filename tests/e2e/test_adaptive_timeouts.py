"""A candidate that is known to be quick is not waited for long when it hangs."""

import time

import pytest
from conftest import candidate
from gateway import STEADFAST, Gateway, provider
from replies import content, verdicts

#: What a client would wait for without the adaptive time.
PER_TRY_S = 20

#: What a client may lose to a provider that hangs: `at_least`, and room for a busy machine.
LOST_S = 4


@pytest.fixture(scope="module")
def adaptive(binaries, shared_standins, tmp_path_factory):
    both = [candidate("openai"), candidate("anthropic")]
    times = {"per_try": f"{PER_TRY_S}s", "adaptive": {"times": 5, "at_least": "500ms"}}
    document = {
        "providers": {
            s.name: provider(s, **STEADFAST) for s in shared_standins
        },
        "models": {"quick": {"candidates": both, "timeouts": times}},
        "observe": {"longest_cool_down": "0s"},
    }
    gateway = Gateway(binaries, tmp_path_factory.mktemp("adaptive"), document, shared_standins)
    yield gateway
    gateway.close()


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
def test_a_hang_costs_no_more_than_the_adaptive_time(adaptive, stream):
    adaptive.standins.reset()
    for _ in range(20):
        assert verdicts(adaptive.chat("quick", stream=stream)) == [("openai", "ok")]
    adaptive.standins["openai"].fail({"kind": "stall"})
    began = time.monotonic()
    response = adaptive.chat("quick", stream=stream)
    waited = time.monotonic() - began
    assert verdicts(response) == [("openai", "timeout"), ("anthropic", "ok")]
    assert content(response, stream)
    assert 0.5 <= waited < LOST_S
