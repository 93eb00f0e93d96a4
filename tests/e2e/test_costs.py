"""What answers cost: told to clients and to the access log, exact when the provider has counted,
estimated and marked as such when a stream has no end."""

import pytest
from conftest import MODELS
from gateway import VENDORS
from replies import read_stream

#: USD for a million tokens, in nano-USD for one.
PRICES = {"input": 3, "output": 15}


@pytest.fixture(scope="module")
def priced(binaries, shared_standins, tmp_path_factory):
    from gateway import Gateway, provider

    prices = {**PRICES, "cached_input": 3}
    document = {
        "providers": {v: provider(shared_standins[v]) for v in VENDORS},
        "models": {
            v: {"candidates": [{"provider": v, "model": MODELS[v], "prices": prices}]}
            for v in VENDORS
        },
    }
    for standin in shared_standins:
        standin.reset()
    gateway = Gateway(binaries, tmp_path_factory.mktemp("priced"), document, shared_standins)
    yield gateway
    gateway.close()


def nano_usd(usage):
    return (usage["prompt_tokens"] * 3 + usage["completion_tokens"] * 15) * 1000


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_reply_says_what_it_cost(priced, vendor):
    response = priced.chat(vendor)
    usage = response.json()["usage"]
    cost = nano_usd(usage)
    assert response.headers["x-pointsman-cost"] == f"{cost / 1e9:.9f}"
    assert int(priced.envoy.logged(response)["pointsman.cost_nano_usd"]) == cost


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_stream_costs_what_its_last_chunk_says_and_hides_it_from_others(priced, vendor):
    told = priced.chat(vendor, stream=True, stream_options={"include_usage": True})
    untold = priced.chat(vendor, stream=True)
    (usage,) = read_stream(told.text).usage
    assert not read_stream(untold.text).usage
    for response in (told, untold):
        line = priced.envoy.logged(response)
        assert int(line["pointsman.cost_nano_usd"]) == nano_usd(usage)
        assert line["pointsman.usage_estimated"] in (None, "-", "false")


@pytest.mark.parametrize("vendor", ["openai", "anthropic"])
def test_a_stream_that_breaks_is_settled_by_what_was_seen(priced, shared_standins, vendor):
    shared_standins[vendor].fail({"kind": "error_event_after", "events": 4}, times=1)
    response = priced.chat(vendor, stream=True)
    line = priced.envoy.logged(response)
    assert line["pointsman.usage_estimated"] == "true"
    assert int(line["gen_ai.usage.input_tokens"]) > 0
    assert int(line["gen_ai.usage.output_tokens"]) > 0
    assert int(line["pointsman.cost_nano_usd"]) > 0
