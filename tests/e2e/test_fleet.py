"""Budgets of the fleet: two Envoys, one rate limit service, one Redis."""

import re
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from conftest import MODELS
from gateway import Gateway, free_ports, poll, provider
from ratelimits import RateLimits, Redis

TEAM, CASE = "x-team", "x-case"

#: Each is for the test of its name.
BUDGETS = {
    "refused": {"tokens": 400, "per": "day", "by": {"header": TEAM}},
    "money": {"usd": 0.002, "per": "day"},
    "refunded": {"tokens": 5_000, "per": "hour", "by": {"header": TEAM}},
    "crowded": {"tokens": 1_000_000, "per": "day"},
    "narrow": {"tokens": 3_000, "per": "day", "reserve_output": 100},
    "nearly": {"tokens": 1_001, "per": "day", "soft": 0.05, "downgrade_to": "cheap"},
    "down": {"tokens": 10_000, "per": "day"},
    "classified": {"tokens": 10_000, "per": "day"},
}


class FleetOfTwo:
    """Two gateways of one document, and what keeps their budgets."""

    def __init__(self, binaries, folder, standins, **service):
        [port] = free_ports(1)
        self.redis = Redis(folder / "redis")
        counts_refused = service.get("counts_refused", True)
        self.limits = RateLimits(binaries, folder, self.redis, port, counts_refused)
        # No test is about a service that is slow.
        service = {"endpoint": f"http://127.0.0.1:{port}", "timeout": "5s", **service}
        document = self.document(standins) | {"rate_limit_service": service}
        self.gateways = [
            Gateway(binaries, folder / name, document, standins) for name in ("one", "other")
        ]
        self.limits.start(self.gateways[0].folder / "pointsman.yaml")

    def document(self, standins):
        prices = {"input": 3, "cached_input": 3, "output": 15}

        def serves(vendor):
            return {"candidates": [{"provider": vendor, "model": MODELS[vendor], "prices": prices}]}

        budgets = [
            {"name": name, "scope": "fleet", "when": {"headers": {CASE: name}}, **budget}
            for name, budget in BUDGETS.items()
        ]
        return {
            "providers": {v: provider(standins[v]) for v in ("openai", "anthropic")},
            "models": {"smart": serves("openai"), "cheap": serves("anthropic")},
            "budgets": budgets,
            "classifiers": {
                "kind": {
                    "model": "cheap",
                    "instruction": "Which?",
                    "classes": ["code", "talk"],
                    "cache": "0s",
                    "deadline": "10s",
                },
            },
            "rules": [
                {
                    "name": "asks",
                    "when": {"headers": {CASE: "classified"}, "class": {"kind": "code"}},
                    "policy": "priority",
                },
            ],
        }

    def ask(self, n, case, team="a", **body):
        return self.gateways[n % 2].chat("smart", headers={CASE: case, TEAM: team}, **body)

    def settled(self, case, expected, account=""):
        """Waits for the service to have been told of the ends of all streams."""
        poll(f"{case}: {expected}", lambda: self.limits.used(case, account) == expected)

    def close(self):
        try:
            for gateway in self.gateways:
                gateway.close()
        finally:
            self.limits.close()
            self.redis.close()


@pytest.fixture(scope="module")
def fleet(binaries, shared_standins, tmp_path_factory):
    fleet = FleetOfTwo(binaries, tmp_path_factory.mktemp("fleet"), shared_standins)
    yield fleet
    fleet.close()


@pytest.fixture(scope="module")
def lenient(binaries, shared_standins, tmp_path_factory):
    """With a service that does not count what it refuses, and may be down."""
    service = {"counts_refused": False, "failure_mode_deny": False}
    folder = tmp_path_factory.mktemp("lenient")
    fleet = FleetOfTwo(binaries, folder, shared_standins, **service)
    yield fleet
    fleet.close()


@pytest.fixture(autouse=True)
def well(shared_standins):
    for standin in shared_standins:
        standin.reset()


@pytest.mark.parametrize("which", ["fleet", "lenient"])
def test_a_limit_holds_for_both_envoys_together(which, request, shared_standins):
    fleet, spent = request.getfixturevalue(which), 0
    for n in range(100):
        response = fleet.ask(n, "refused", max_tokens=50)
        if response.status_code != 200:
            break
        spent += response.json()["usage"]["total_tokens"]
        fleet.settled("refused", spent, "a")
    asked = len(shared_standins["openai"].records())
    assert response.status_code == 429
    assert 300 < spent <= 400
    for n in range(2):
        response = fleet.ask(n, "refused", max_tokens=50)
        assert response.status_code == 429
        assert 0 < int(response.headers["retry-after"]) <= 86_400
        error = response.json()["error"]
        assert error["code"] == "budget_exceeded"
        assert "budget refused is used up: of 400 tokens per day" in error["message"]
    fleet.settled("refused", spent, "a")
    assert fleet.ask(0, "refused", "b", max_tokens=50).status_code == 200
    assert len(shared_standins["openai"].records()) == asked + 1


def test_money_is_limited_by_what_answers_cost(fleet):
    costs = []
    while (response := fleet.ask(len(costs), "money", max_tokens=40)).status_code == 200:
        costs.append(float(response.headers["x-pointsman-cost"]))
        # In micro-USD, of which begun ones count in full.
        fleet.settled("money", sum(-int(-cost * 1e9 // 1000) for cost in costs))
        assert len(costs) < 100
    assert response.status_code == 429
    assert 0.001 < sum(costs) <= 0.002
    assert "of 0.002000000 USD per day" in response.json()["error"]["message"]


def test_what_comes_to_nothing_is_given_back(fleet, shared_standins):
    shared_standins["openai"].fail({"kind": "status", "status": 500})
    for n in range(20):
        assert fleet.ask(n, "refunded", max_tokens=1_000).status_code >= 500
    fleet.settled("refunded", 0, "a")


def test_a_limit_holds_for_64_clients_of_both_within_one_reservation(fleet):
    def one(n):
        response = fleet.ask(n, "narrow", text=f"hello {n}", max_tokens=100)
        assert response.status_code in (200, 429), response.text
        return response.json()["usage"]["total_tokens"] if response.status_code == 200 else 0

    with ThreadPoolExecutor(64) as pool:
        told = list(pool.map(one, range(256)))
    # A refused client leaves room that one that is alone would have had.
    while (more := one(len(told))) > 0:
        told.append(more)
    fleet.settled("narrow", sum(told))
    assert 3_000 - 200 < sum(told) <= 3_000


def test_64_clients_of_whom_some_leave_are_counted_to_the_token(fleet):
    marks = [gateway.envoy.mark() for gateway in fleet.gateways]

    def one(n):
        gateway = fleet.gateways[n % 2]
        if n % 5 == 0:
            body = {"model": "smart", "stream": True, "messages": [{"role": "user", "content": "x"}]}
            with httpx.Client(base_url=gateway.envoy.url, timeout=20) as client:
                path, headers = "/v1/chat/completions", {CASE: "crowded"}
                with client.stream("POST", path, json=body, headers=headers) as response:
                    next(response.iter_raw())
            return 0
        request = {"text": f"hello {n}", "stream": n % 3 == 0}
        if request["stream"]:
            request["stream_options"] = {"include_usage": True}
        response = fleet.ask(n, "crowded", **request)
        assert response.status_code == 200, response.text
        return int(re.findall(r'"total_tokens": ?(\d+)', response.text)[-1])

    with ThreadPoolExecutor(64) as pool:
        told = list(pool.map(one, range(192)))

    def all_logged():
        logs = zip(fleet.gateways, marks)
        lines = [line for gateway, mark in logs for line in gateway.envoy.access_log(mark)]
        return lines if len(lines) >= 192 else None

    counts = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    lines = poll("the logs", all_logged)
    logged = sum(int(line.get(key) or 0) for line in lines for key in counts)
    assert logged >= sum(told)
    fleet.settled("crowded", logged)


def test_requests_without_a_budget_of_the_fleet_do_not_ask_the_service(fleet):
    pattern = "cluster.pointsman.ratelimit.upstream_rq_total"
    before = fleet.gateways[0].envoy.stats(pattern)
    assert fleet.ask(0, "none").status_code == 200
    assert fleet.gateways[0].envoy.stats(pattern) == before


def test_asking_a_classifier_is_counted_with_the_request(fleet, shared_standins):
    for n in range(4):
        assert fleet.ask(n, "classified", text=f"hello {n}").status_code == 200
    records = [r for v in ("openai", "anthropic") for r in shared_standins[v].records()]
    assert len(records) == 8, "each has asked"
    fleet.settled("classified", sum(r.tokens["input"] + r.tokens["output"] for r in records))


def test_near_its_end_a_budget_sends_requests_to_another_model(fleet):
    answered = []
    for n in range(12):
        response = fleet.ask(0, "nearly", max_tokens=30)
        assert response.status_code == 200, response.text
        answered.append(response.headers["x-pointsman-answered-by"].split("/")[0])
    assert answered[0] == "openai" and answered[-1] == "anthropic"
    assert sorted(answered, reverse=True) == answered


def test_without_the_service_requests_are_refused_and_others_pass(fleet):
    fleet.limits.close()
    try:
        for n in range(2):
            response = fleet.ask(n, "down")
            assert response.status_code == 503
            assert "rate limit service" in response.json()["error"]["message"]
            assert fleet.ask(n, "none").status_code == 200
    finally:
        fleet.limits.resume()
    poll("it is back", lambda: fleet.ask(0, "down").status_code == 200)


def test_what_passes_without_the_service_is_not_given_back(lenient):
    before = lenient.ask(0, "down").json()["usage"]["total_tokens"]
    lenient.settled("down", before)
    lenient.limits.close()
    try:
        assert [lenient.ask(n, "down").status_code for n in range(2)] == [200, 200]
    finally:
        lenient.limits.resume()
    after = lenient.ask(0, "down").json()["usage"]["total_tokens"]
    lenient.settled("down", before + after)
