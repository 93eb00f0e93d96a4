"""Budgets: reserved before, settled after, given back when nothing came of it."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest
from conftest import MODELS
from gateway import Gateway, free_ports, poll, provider

TEAM, CASE = "x-team", "x-case"

#: Each is for the test of its name.
BUDGETS = {
    "refused": {"tokens": 400, "per": "day", "by": {"header": TEAM}},
    "money": {"usd": 0.002, "per": "month"},
    "refunded": {"tokens": 5_000, "per": "hour", "by": {"header": TEAM}},
    "nearly": {"tokens": 1_000, "per": "day", "soft": 0.05, "downgrade_to": "cheap"},
    "crowded": {"tokens": 120_000, "per": "day"},
    "left": {"tokens": 100_000, "per": "day"},
    "key": {"requests": 2, "per": "day", "by": {"key": True}},
    "session": {"requests": 2, "per": "hour", "by": {"metadata": "session_id"}},
    "team": {"requests": 2, "per": "minute", "by": {"team": True}},
    "user": {"requests": 2, "per": "month", "by": {"user": True}},
}


@pytest.fixture(scope="module")
def budgeted(binaries, shared_standins, tmp_path_factory):
    for standin in shared_standins:
        standin.reset()
    prices = {"input": 3, "cached_input": 3, "output": 15}
    (state_port,) = free_ports(1)

    def serves(vendor):
        return {"candidates": [{"provider": vendor, "model": MODELS[vendor], "prices": prices}]}

    document = {
        "providers": {v: provider(shared_standins[v]) for v in ("openai", "anthropic")},
        "models": {
            "smart": serves("openai"),
            "cheap": serves("anthropic"),
            "dear": serves("openai")
            | {"under_load": {"in_flight_requests": 3, "back_at": 0.5, "downgrade_to": "cheap"}},
        },
        "teams": [
            {"name": "both", "when": {"headers": {TEAM: ["ann", "bob"]}}},
            {"name": "other", "when": {"headers": {TEAM: "cid"}}},
        ],
        "envoy": {"state_port": state_port},
        "budgets": [
            {"name": name, "when": {"headers": {CASE: name}}, **budget}
            for name, budget in BUDGETS.items()
        ],
    }
    folder = tmp_path_factory.mktemp("budgeted")
    gateway = Gateway(binaries, folder, document, shared_standins)
    gateway.state_url = f"http://127.0.0.1:{state_port}/pointsman/state"
    yield gateway
    gateway.close()


@pytest.fixture(autouse=True)
def well(shared_standins):
    for standin in shared_standins:
        standin.reset()


def ask(gateway, case, team="a", **body):
    return gateway.chat("smart", headers={CASE: case, TEAM: team}, **body)


def books(gateway, case):
    """Settled and reserved, as a request is told that is too large for any budget."""
    response = ask(gateway, case, max_tokens=100_000_000)
    assert response.status_code == 429, response.text
    found = re.search(
        r"(\d+) tokens are used and (\d+) tokens reserved", response.json()["error"]["message"]
    )
    return int(found[1]), int(found[2])


def test_a_used_up_budget_refuses_by_name_until_the_next_window(budgeted, shared_standins):
    spent = 0
    for _ in range(100):
        response = ask(budgeted, "refused", max_tokens=50)
        if response.status_code != 200:
            break
        spent += response.json()["usage"]["total_tokens"]
    asked = len(shared_standins["openai"].records())
    assert response.status_code == 429
    assert 0 < int(response.headers["retry-after"]) <= 86_400
    error = response.json()["error"]
    assert error["code"] == "budget_exceeded"
    assert "budget refused is used up: of 400 tokens per day" in error["message"]
    assert 300 < spent <= 400
    assert books(budgeted, "refused") == (spent, 0)
    assert ask(budgeted, "refused", "b", max_tokens=50).status_code == 200
    assert len(shared_standins["openai"].records()) == asked + 1


def test_money_is_limited_by_what_answers_cost(budgeted):
    costs = []
    while (response := ask(budgeted, "money", max_tokens=40)).status_code == 200:
        costs.append(float(response.headers["x-pointsman-cost"]))
        assert len(costs) < 100
    assert 0.001 < sum(costs) <= 0.002
    found = re.search(r"([\d.]+) USD are used", response.json()["error"]["message"])
    assert abs(float(found[1]) - sum(costs)) < 1e-9


def test_what_comes_to_nothing_is_given_back(budgeted, shared_standins):
    shared_standins["openai"].fail({"kind": "status", "status": 500})
    for _ in range(20):
        assert ask(budgeted, "refunded", max_tokens=1_000).status_code >= 500
    assert books(budgeted, "refunded") == (0, 0)


def test_near_its_end_a_budget_sends_requests_to_another_model(budgeted):
    answered = []
    for _ in range(12):
        response = ask(budgeted, "nearly", max_tokens=30)
        assert response.status_code == 200, response.text
        answered.append(response.headers["x-pointsman-answered-by"].split("/")[0])
    assert answered[0] == "openai" and answered[-1] == "anthropic"
    assert sorted(answered, reverse=True) == answered
    trail = response.headers["x-pointsman-attempts"]
    assert trail.startswith("smart/nearly;class=budget_downgrade;ms=0, anthropic/")


#: Who asks, twice as the same and once as another.
ACCOUNTS = {
    "key": ({"authorization": "Bearer a"}, {"x-api-key": "b"}),
    "session": ({"metadata": {"session_id": "a"}}, {"metadata": {"session_id": "b"}}),
    "team": ({TEAM: "ann"}, {TEAM: "cid"}),
    "user": ({"user": "a"}, {"user": "b"}),
}


@pytest.mark.parametrize("case", ACCOUNTS)
def test_each_has_an_account_of_its_own(budgeted, case):
    def send(said):
        in_body = case in ("session", "user")
        headers = {CASE: case} | ({} if in_body else said)
        return budgeted.chat("smart", headers=headers, **(said if in_body else {}))

    same, other = ACCOUNTS[case]
    answered = [send(same).status_code for _ in range(3)]
    assert answered == [200, 200, 429]
    assert send(other).status_code == 200
    per = BUDGETS[case]["per"]
    message = send(same).json()["error"]["message"]
    assert f"budget {case} is used up: of 2 requests per {per}, 2 requests are used" in message
    assert "Bearer" not in httpx.get(budgeted.state_url).text


def test_the_page_and_the_metrics_tell_who_is_out_of_money(budgeted):
    while ask(budgeted, "refused", "broke", max_tokens=50).status_code == 200:
        pass
    (told,) = [b for b in httpx.get(budgeted.state_url).json()["budgets"] if b["name"] == "refused"]
    (account,) = [a for a in told["most_used"] if a["account"] == "broke"]
    assert (told["unit"], told["per"], told["limit"]) == ("tokens", "day", 400)
    assert 300 < account["used"] <= 400 and account["reserved"] == 0
    poll("refusals", lambda: budgeted.counts("pointsman_budget_refusals_total", "refused"))
    poll("what was used", lambda: budgeted.counts("pointsman_budget_used_total", "tokens"))


def test_under_load_another_model_serves_and_back(budgeted, shared_standins):
    """Three slow streams fill it; the fourth is served by another; when two have ended it is back."""
    openai = shared_standins["openai"]
    openai.fail({"kind": "stall_stream", "after_events": 2, "ms": 700})

    def served():
        response = budgeted.chat("dear")
        assert response.status_code == 200, response.text
        return response.headers["x-pointsman-answered-by"].split("/")[0], response

    with ExitStack() as open_streams:
        slow = [open_streams.enter_context(budgeted.open_stream("dear", f"slow {n}")) for n in range(4)]
        pieces = [response.iter_raw() for response in slow]
        assert all(next(each) for each in pieces)
        openai.reset()
        answered, response = served()
        assert answered == "anthropic"
        trail = response.headers["x-pointsman-attempts"]
        assert trail.startswith("dear;class=load_downgrade;ms=0, anthropic/")
        (load,) = httpx.get(budgeted.state_url).json()["loads"]
        assert load["passed"] and load["in_flight"]["requests"] == 4
        for each in pieces:
            assert b"[DONE]" in b"".join(each)
    assert poll("back again", lambda: served()[0] == "openai")
    poll("downgrades", lambda: budgeted.counts("pointsman_downgrades_total", "dear"))
    poll("the log", lambda: "model dear serves again" in budgeted.envoy.log())
    assert "model dear has too much to do: cheap serves instead" in budgeted.envoy.log()


@pytest.mark.parametrize("stream", [False, True])
def test_who_leaves_before_any_answer_pays_for_the_prompt(budgeted, shared_standins, stream):
    shared_standins["openai"].fail({"kind": "stall"})
    before, mark = books(budgeted, "left"), budgeted.envoy.mark()
    message = {"role": "user", "content": "some words that are read and never answered " * 20}
    body = {"model": "smart", "stream": stream, "messages": [message]}
    with pytest.raises(httpx.TimeoutException), httpx.Client(timeout=0.4) as client:
        url = f"{budgeted.envoy.url}/v1/chat/completions"
        client.post(url, json=body, headers={CASE: "left"})
    line = budgeted.envoy.logged_where(lambda line: line["pointsman.usage_estimated"], mark)
    assert line["pointsman.usage_estimated"] == "true"
    tokens = int(line["gen_ai.usage.input_tokens"])
    assert 100 < tokens < 250
    poll("settling", lambda: books(budgeted, "left")[1] == 0)
    assert books(budgeted, "left")[0] - before[0] == tokens


def test_64_clients_of_whom_some_leave_are_booked_to_the_token(budgeted):
    mark = budgeted.envoy.mark()

    def one(n):
        request = {"text": f"hello {n}", "stream": n % 2 == 0}
        if n % 4 == 0:
            body = {"model": "smart", "stream": True, "messages": [{"role": "user", "content": "x"}]}
            with httpx.Client(base_url=budgeted.envoy.url, timeout=20) as client:
                path, headers = "/v1/chat/completions", {CASE: "crowded"}
                with client.stream("POST", path, json=body, headers=headers) as response:
                    next(response.iter_raw())
            return 0
        if request["stream"]:
            request["stream_options"] = {"include_usage": True}
        response = ask(budgeted, "crowded", **request)
        return int(re.findall(r'"total_tokens": ?(\d+)', response.text)[-1])

    with ThreadPoolExecutor(64) as pool:
        told = list(pool.map(one, range(192)))

    def all_logged():
        lines = [line for line in budgeted.envoy.access_log(mark) if line["method"] == "POST"]
        return lines if len(lines) >= 192 else None

    lines = poll("the log", all_logged)
    poll("settling", lambda: books(budgeted, "crowded")[1] == 0)
    counts = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    logged = sum(int(line.get(key) or 0) for line in lines for key in counts)
    settled, reserved = books(budgeted, "crowded")
    assert (settled, reserved) == (logged, 0)
    assert settled >= sum(told)
