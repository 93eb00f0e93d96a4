"""Rules, labels and policies on a real Envoy: who is asked, and who never is."""

import copy
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from conftest import candidate
from gateway import STEADFAST, Gateway, Standins, provider
from replies import attempts, error
from test_config_load import Discovery
from traffic import Traffic, chats

NAMES = ("openai", "anthropic", "gemini")

PRICES = {"openai": (10, 10), "anthropic": (1, 1), "gemini": (5, 5)}

RESIDENCY = {"openai": "us", "anthropic": "eu", "gemini": "eu"}

REQUESTS = 10_000


def priced(vendor, **settings):
    read, written = PRICES[vendor]
    return candidate(vendor, prices={"input": read, "output": written}, **settings)


def rules_document(standins):
    providers = {
        s.name: provider(s, **STEADFAST, labels={"residency": RESIDENCY[s.name]})
        for s in standins
    }
    three = [priced(name) for name in NAMES]
    name_of = {name: f"{name}/{each['model']}" for name, each in zip(NAMES, three)}
    sticky = {"weighted": {"sticky": {"header": "x-user"}}}
    return {
        "providers": providers,
        "models": {
            "three": {"candidates": three},
            "cheapest": {"candidates": three, "policy": "cheapest"},
            "sticky": {"candidates": three, "policy": sticky},
        },
        "rules": [
            {"name": "beta", "when": {"headers": {"x-beta": "on*"}}, "candidates": [name_of["gemini"]]},
            {"name": "tools", "when": {"model": "three", "needs": "tools"}, "candidates": [name_of["anthropic"]]},
            {
                "name": "long",
                "when": {"model": "three", "prompt_tokens": {"over": 2000}},
                "candidates": [name_of["gemini"], name_of["openai"]],
            },
            {
                "name": "gold",
                "when": {"claims": {"tier": "gold", "realm.roles": "admin"}, "headers": {"x-claims": "*"}},
                "candidates": [name_of["anthropic"]],
            },
            {
                "name": "always",
                "when": {
                    "headers": {"x-now": "*"},
                    "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
                    "hours": {"from": "00:00", "to": "23:59"},
                },
                "candidates": [name_of["gemini"]],
            },
        ],
        "requirements": [{"when": {"headers": {"x-eu": "*"}}, "require": {"residency": "eu"}}],
        "routing": {"client_labels": "x-require"},
        "explain": {"header": "x-debug"},
        "defaults": {"timeouts": {"per_try": "1500ms", "idle": "2s"}},
    }


def with_claims(bootstrap):
    """Claims as jwt_authn leaves them, without a token."""
    bootstrap = yaml.safe_load(bootstrap)
    for listener in bootstrap["static_resources"]["listeners"]:
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        claims = {"tier": "gold", "realm": {"roles": ["reader", "admin"]}}
        manager["http_filters"].insert(
            0,
            {
                "name": "claims",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config",
                    "metadata": [
                        {
                            "metadata_namespace": "envoy.filters.http.jwt_authn",
                            "value": {"jwt_payload": claims},
                        }
                    ],
                },
            },
        )
    return yaml.safe_dump(bootstrap)


@pytest.fixture(scope="module")
def routed(binaries, tmp_path_factory):
    standins = Standins(binaries, tmp_path_factory.mktemp("rules-standins"), NAMES)
    folder = tmp_path_factory.mktemp("rules")
    gateway = Gateway(binaries, folder, rules_document(standins), standins, edit=with_claims)
    yield gateway
    gateway.close()
    standins.close()


@pytest.fixture(autouse=True)
def forgotten(routed):
    routed.standins.reset()


def asked(response):
    assert response.status_code == 200, response.text
    return [each.provider for each in attempts(response)]


TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


@pytest.mark.parametrize(
    ("headers", "body", "expected", "rule"),
    [
        ({}, {}, "openai", None),
        ({"x-beta": "once"}, {}, "gemini", "beta"),
        ({"x-beta": "off"}, {}, "openai", None),
        ({}, {"tools": [TOOL]}, "anthropic", "tools"),
        ({}, {"text": "word " * 4000}, "gemini", "long"),
        ({"x-claims": "1"}, {}, "anthropic", "gold"),
        ({"x-now": "1"}, {}, "gemini", "always"),
    ],
)
def test_the_first_rule_that_fits_decides_and_is_logged(routed, headers, body, expected, rule):
    response = routed.chat("three", headers=headers, **body)
    assert asked(response) == [expected]
    assert routed.envoy.logged(response)["pointsman.rule"] == rule


def test_a_rules_candidates_fail_over_among_themselves(routed):
    routed.standins["gemini"].fail({"kind": "status", "status": 503})
    assert asked(routed.chat("three", text="word " * 4000)) == ["gemini", "openai"]


def test_the_cheapest_is_asked_first_then_the_next(routed):
    assert asked(routed.chat("cheapest")) == ["anthropic"]
    routed.standins["anthropic"].fail({"kind": "status", "status": 503})
    assert asked(routed.chat("cheapest")) == ["anthropic", "gemini"]


def test_a_user_stays_and_the_log_names_the_variant(routed):
    seen = {}
    for _ in range(3):
        for user in range(12):
            response = routed.chat("sticky", headers={"x-user": f"user-{user}"})
            (name,) = asked(response)
            assert seen.setdefault(user, name) == name
            variant = routed.envoy.logged(response)["pointsman.variant"]
            assert variant.startswith(name + "/")
    assert len(set(seen.values())) > 1


def test_a_decision_is_explained_in_the_log_for_who_asks(routed):
    response = routed.chat("three", headers={"x-debug": "1", "x-require": "residency=eu"})
    assert asked(response) == ["anthropic"]
    told = json.loads(routed.envoy.logged(response)["pointsman.explanation"])
    assert told["required_labels"] == ["residency=eu"]
    left_out = [each for each in told["candidates"] if "left_out" in each]
    assert [each["left_out"] for each in left_out] == ["label residency is not kept"]
    quiet = routed.envoy.logged(routed.chat("three"))
    assert not quiet["pointsman.explanation"]


def test_a_wish_that_cannot_be_kept_or_read_is_refused(routed):
    assert "residency" in error(routed.chat("three", headers={"x-require": "residency=cn"}), 400)["message"]
    assert "x-require" in error(routed.chat("three", headers={"x-require": "eu"}), 400)["message"]


FAULTS = [
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429},
    {"kind": "status", "status": 401},
    {"kind": "reset"},
    {"kind": "quota"},
    {"kind": "model_gone"},
]


def test_no_fault_leads_to_a_forbidden_provider(routed):
    """10,000 requests that must stay in the EU, while everything in the EU fails often."""
    for i, name in enumerate(("anthropic", "gemini")):
        rules = [{"fault": fault, "rate": 0.12} for fault in FAULTS]
        routed.standins[name].script(*rules, seed=i + 1)
    headers = [{"x-eu": "1"}, {"x-require": "residency=eu"}]

    def ask(i):
        model = ("three", "cheapest", "sticky")[i % 3]
        body = {"tools": [TOOL]} if i % 5 == 0 else {}
        return routed.chat(model, headers=headers[i % 2], stream=i % 7 == 0, **body).status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = set(pool.map(ask, range(REQUESTS)))
    assert 200 in statuses and len(statuses) > 1, statuses
    assert routed.standins["openai"].records() == []
    # Those that cool down after so much failure are named before it.
    assert asked(routed.chat("three"))[-1] == "openai", "it is there for others"
    assert len(routed.standins["openai"].records()) == 1


def test_rules_are_exchanged_under_load_without_a_failed_request(binaries, routed, tmp_path):
    folder = tmp_path / "xds"
    folder.mkdir()
    discovery = Discovery(folder)
    gateway = Gateway(
        binaries,
        tmp_path / "gateway",
        rules_document(routed.standins),
        routed.standins,
        edit=discovery.take_over,
    )
    try:
        with Traffic(chats(gateway, "three")) as traffic:
            traffic.goes_on()
            for i, name in enumerate(("gemini", "anthropic", "openai")):
                changed = copy.deepcopy(gateway.document)
                model = next(c["model"] for c in changed["models"]["three"]["candidates"] if c["provider"] == name)
                changed["rules"] = [{"name": f"all-{i}", "candidates": [f"{name}/{model}"]}]
                discovery.push(yaml.safe_load(gateway.render(changed)))
                for _ in range(200):
                    if asked(gateway.chat("three")) == [name]:
                        break
                    traffic.goes_on()
                else:
                    pytest.fail("the new rule never counted")
                traffic.goes_on()
        assert not traffic.failed, traffic.failed[:5]
    finally:
        gateway.close()
