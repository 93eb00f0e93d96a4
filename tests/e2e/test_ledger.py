"""The books of a busy gateway against what its providers say they delivered, token by token."""

import random
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from conftest import candidate
from gateway import VENDORS, WIDE, Gateway, free_ports, poll, provider

REQUESTS, CLIENTS = 320, 64

TEAMS = ("red", "green", "blue")

#: What an answer may have at most: what is reserved for it besides the prompt.
MOST_OUTPUT = 400

#: Far more than all requests need.
PLENTY = {"tokens": 1_000_000_000_000, "per": "month", "by": {"header": "x-team"}}

#: What goes wrong at each provider, one rule after the other, so that every request has a way out
#: in the end.
TROUBLE = {
    "openai": [
        {"fault": {"kind": "status", "status": 503}, "rate": 0.15},
        {"fault": {"kind": "reset"}, "rate": 0.1},
        {"fault": {"kind": "cut", "after_events": 4}, "match": {"stream": True}, "rate": 0.15},
        {"fault": {"kind": "slow_stream", "ms": 8}, "match": {"stream": True}, "rate": 0.6},
        {"fault": {"kind": "stall", "ms": 40}, "rate": 0.5},
    ],
    "anthropic": [
        {"fault": {"kind": "status", "status": 529}, "rate": 0.2},
        {"fault": {"kind": "error_event_after", "events": 5}, "match": {"stream": True}, "rate": 0.2},
    ],
    "gemini": [{"fault": {"kind": "slow_stream", "ms": 5}, "match": {"stream": True}, "rate": 0.5}],
}


@pytest.fixture(scope="module")
def ledger(binaries, shared_standins, tmp_path_factory):
    for standin in shared_standins:
        standin.reset()
    (state_port,) = free_ports(1)
    prices = {"input": 3, "cached_input": 3, "output": 15}
    document = {
        "providers": {v: provider(shared_standins[v], **WIDE) for v in VENDORS},
        "models": {"smart": {"candidates": [candidate(v, prices=prices) for v in VENDORS]}},
        "budgets": [
            {"name": "tokens", **PLENTY},
            {"name": "requests", "requests": 1_000_000, "per": "month", "by": {"header": "x-team"}},
        ],
        "observe": {"longest_cool_down": "0s"},
        "envoy": {"state_port": state_port},
    }
    gateway = Gateway(binaries, tmp_path_factory.mktemp("ledger"), document, shared_standins)
    gateway.state_url = f"http://127.0.0.1:{state_port}/pointsman/state"
    yield gateway
    gateway.close()


def books(gateway):
    """What each budget's accounts have used and reserved, by the page."""
    page = httpx.get(gateway.state_url).json()
    return {
        budget["name"]: {a["account"]: (a["used"], a["reserved"]) for a in budget["most_used"]}
        for budget in page["budgets"]
    }


class Client:
    """One request: what it asks for, and when it leaves."""

    def __init__(self, number, dice):
        self.number = number
        self.team = TEAMS[number % len(TEAMS)]
        self.stream = dice.random() < 0.6
        self.leaves = dice.random() < 0.3
        self.patience = dice.random()
        self.text = f"request <{number}> of the ledger " + "word " * dice.randrange(60)

    def run(self, url):
        path = f"/v1/chat/completions?n={self.number}"
        message = {"role": "user", "content": self.text}
        body = {"model": "smart", "messages": [message], "stream": self.stream}
        body["max_completion_tokens"] = MOST_OUTPUT
        headers = {"x-team": self.team}
        with httpx.Client(base_url=url, timeout=20) as client:
            try:
                if not self.leaves:
                    return client.post(path, json=body, headers=headers).status_code
                if self.stream:
                    return self._read_some(client, path, body, headers)
                return self._hang_up(url, client.build_request("POST", path, json=body, headers=headers))
            except httpx.TransportError:
                return None

    def _read_some(self, client, path, body, headers):
        with client.stream("POST", path, json=body, headers=headers) as response:
            for seen, _ in enumerate(response.iter_raw()):
                if seen >= self.patience * 8:
                    break
            return response.status_code

    def _hang_up(self, url, request):
        """Before there can be an answer, or just when it comes."""
        head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port)) as connection:
            line = f"POST {request.url.raw_path.decode()} HTTP/1.1\r\n"
            connection.sendall(f"{line}{head}\r\n".encode() + request.content)
            connection.settimeout(0.001 + self.patience * 0.06)
            try:
                connection.recv(1)
            except TimeoutError:
                pass


def line_of(line):
    """What the access log says of one request."""
    number = lambda key: int(line.get(key) or 0)  # noqa: E731
    (name,) = parse_qs(urlsplit(line["path"]).query)["n"]
    return int(name), SimpleNamespace(
        input=number("gen_ai.usage.input_tokens"),
        output=number("gen_ai.usage.output_tokens"),
        rejected=number("pointsman.rejected.tokens"),
        estimated=line["pointsman.usage_estimated"] == "true",
        provider=line["gen_ai.provider.name"],
        attempts=line["pointsman.attempts"],
    )


def delivered(standins):
    """The records of each request, by its number, with whose they are."""
    found = {}
    for standin in standins:
        for record in standin.records():
            text = str(record.body)
            number = int(text[text.index("request <") + 9 : text.index("> of the ledger")])
            found.setdefault(number, []).append((standin.name, record))
    return found


def test_the_books_add_up_to_what_was_delivered(ledger, shared_standins):
    for seed, vendor in enumerate(VENDORS):
        shared_standins[vendor].script(*TROUBLE[vendor], seed=seed + 1)
    dice, mark = random.Random(7), ledger.envoy.mark()
    clients = [Client(number, dice) for number in range(REQUESTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda client: client.run(ledger.envoy.url), clients))

    def all_logged():
        lines = [line for line in ledger.envoy.access_log(mark) if line["method"] == "POST"]
        return lines if len(lines) >= REQUESTS else None

    lines = dict(map(line_of, poll("the log", all_logged)))

    def all_settled():
        return all(reserved == 0 for accounts in books(ledger).values() for _, reserved in accounts.values())

    poll("nothing reserved", all_settled)
    records, fates = delivered(shared_standins), Counter()
    settled, gap = Counter(), [0, 0]
    for client in clients:
        line = lines[client.number]
        settled[client.team] += line.input + line.output + line.rejected
        fates[judge(client, line, records.get(client.number, []), gap)] += 1
    print(dict(fates), f"estimated {gap[0]} tokens where whole answers have {gap[1]}")

    assert {team: used for team, (used, _) in books(ledger)["tokens"].items()} == settled
    assert sum(used for used, _ in books(ledger)["requests"].values()) == REQUESTS - fates["failed"]
    assert fates["exact"] > REQUESTS / 2, fates
    assert fates["left before the answer"] and fates["broken"], fates


def judge(client, line, records, gap):
    """Which fate it was. What an answer's provider has counted is booked to the token; what
    nobody has counted is booked within the prompt and what was allowed."""
    billed = [(name, r.tokens["input"], r.tokens["output"]) for name, r in records if r.tokens]
    # What an attempt had counted before it failed is no more than its whole answer would have been.
    assert line.rejected <= sum(i + o for name, i, o in billed if name != line.provider), line
    if (line.provider, line.input, line.output) in billed:
        return "exact"
    if not line.estimated:
        assert (line.provider, line.input, line.output) == (None, 0, 0), (line, billed)
        return "failed"
    most = max((i + o for _, i, o in billed), default=0)
    gap[0] += line.input + line.output
    gap[1] += most
    assert 0 < line.input <= len(client.text) and line.output <= MOST_OUTPUT, line
    if "broken=" in (line.attempts or ""):
        return "broken"
    assert client.leaves or line.provider, (line, records)
    if line.provider is None:
        assert line.output == 0 or client.stream, line
        return "left before the answer"
    return "left the stream"

