"""Refusals that fall back to another provider: in every vendor's words, and only to whom labels allow.

Both topologies; buffered and streamed.
"""

import pytest
from conftest import BUFFERED_AND_STREAMED, MODELS, candidate
from gateway import SPEAKERS, Gateway, poll, provider
from replies import content, error, verdicts

#: Who speaks a language in which something is refused.
REFUSERS = [speaker for speaker in SPEAKERS if speaker not in ("openai", "deepseek")]

TOPIC = "x-topic"


def document(standins):
    # What they allow, as their operator reads their terms.
    policies = {"openai": "general", "anthropic": "general", "gemini": "medical"}
    providers = {
        s.name: provider(
            s,
            outlier_detection={"consecutive_failures": 2},
            labels={"content_policy": policies.get(s.name, "general")},
        )
        for s in standins
    }
    falls = {"fallback_on_refusal": True}
    three = [candidate(vendor) for vendor in ("openai", "anthropic", "gemini")]
    return {
        "providers": providers,
        "models": {
            **{
                f"{speaker}-refuses": {"candidates": [candidate(speaker), candidate("openai")], **falls}
                for speaker in REFUSERS
            },
            "three": {"candidates": three, **falls},
            "by-rule": {"candidates": three},
        },
        "rules": [
            {
                "name": "medical",
                "when": {"headers": {TOPIC: "medical"}},
                "require": {"content_policy": "medical"},
            },
            {
                "name": "tolerant",
                "when": {"headers": {TOPIC: "novel"}},
                "fallback_on_refusal": True,
            },
        ],
        "observe": {"longest_cool_down": "0s"},
    }


@pytest.fixture(scope="module", params=[False, True], ids=["per-attempt", "chains"])
def refusing(request, binaries, shared_standins, tmp_path_factory):
    if request.param and binaries.has_static_chains:
        pytest.skip("all that this Envoy can")
    served = document(shared_standins)
    folder = tmp_path_factory.mktemp("refusals")
    gateway = Gateway(binaries, folder, served, shared_standins, chains=request.param)
    yield gateway
    gateway.close()


@pytest.fixture
def gateway(refusing):
    refusing.standins.reset()
    return refusing


def refuse(gateway, *vendors):
    for vendor in vendors:
        gateway.standins[vendor].fail({"kind": "content_filter"})


@BUFFERED_AND_STREAMED
@pytest.mark.parametrize("vendor", REFUSERS)
def test_every_vendors_refusal_leads_on_and_blames_nobody(gateway, vendor, stream):
    refuse(gateway, vendor)
    for _ in range(3):
        response = gateway.chat(f"{vendor}-refuses", stream=stream)
        assert verdicts(response) == [(vendor, "content_filter"), ("openai", "ok")]
        assert "Hello from openai" in content(response, stream)
    name = f"cluster.{vendor}.outlier_detection.ejections_active"
    assert not gateway.envoy.stats(name).get(name)


@BUFFERED_AND_STREAMED
def test_a_refusal_leads_past_several_to_who_serves(gateway, stream):
    refuse(gateway, "openai", "anthropic")
    response = gateway.chat("three", stream=stream)
    tried = [("openai", "content_filter"), ("anthropic", "content_filter"), ("gemini", "ok")]
    assert verdicts(response) == tried
    assert "Hello from gemini" in content(response, stream)


@BUFFERED_AND_STREAMED
def test_when_all_refuse_the_last_refusal_is_the_answer(gateway, stream):
    refuse(gateway, "openai", "anthropic", "gemini")
    response = gateway.chat("three", stream=stream)
    assert [verdict for _, verdict in verdicts(response)] == ["content_filter"] * 3
    assert "x-pointsman-escalate" not in response.headers
    assert "content_filter" in response.text


@BUFFERED_AND_STREAMED
def test_a_topic_goes_only_to_whose_policy_allows_it_and_no_refusal_leads_elsewhere(gateway, stream):
    medical = {TOPIC: "medical"}
    response = gateway.chat("three", stream=stream, headers=medical)
    assert verdicts(response) == [("gemini", "ok")]
    refuse(gateway, "gemini")
    response = gateway.chat("three", stream=stream, headers=medical)
    assert [who for who, _ in verdicts(response)] == ["gemini"]
    assert not gateway.standins["openai"].records() and not gateway.standins["anthropic"].records()


@BUFFERED_AND_STREAMED
def test_a_rule_says_for_whom_refusals_fall_back(gateway, stream):
    refuse(gateway, "openai")
    strict = gateway.chat("by-rule", stream=stream)
    assert [who for who, _ in verdicts(strict)] == ["openai"] or error(strict)
    tolerant = gateway.chat("by-rule", stream=stream, headers={TOPIC: "novel"})
    assert verdicts(tolerant) == [("openai", "content_filter"), ("anthropic", "ok")]


def test_what_a_refused_answer_cost_is_told(gateway):
    refuse(gateway, "anthropic")
    response = gateway.chat("anthropic-refuses")
    line = gateway.envoy.logged(response)
    assert int(line["pointsman.rejected.tokens"]) > 0
    of = ("anthropic", MODELS["anthropic"], "content_filter")
    poll("counted", lambda: gateway.counts("pointsman_rejected_tokens_total", *of))
