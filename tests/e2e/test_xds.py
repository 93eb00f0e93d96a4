"""Configuration in files that Envoy watches: it changes under load, and nothing is lost."""

import json
import subprocess

import httpx
import pytest

import gateway
from conftest import TIMEOUTS, candidate
from ratelimits import RateLimits, Redis
from traffic import Traffic, chats, streams


class WatchedGateway(gateway.Gateway):
    """A gateway whose configuration can be replaced while it runs."""

    def render(self, document):
        path = self.folder / "pointsman.yaml"
        path.write_text(json.dumps(document, indent=2))
        self.xds = self.folder / "xds"
        command = [self.binaries.pointsman, "render", "envoy", path, "--xds", self.xds]
        return gateway.run([*command, "--envoy", self.binaries.minor])

    def configure(self, document):
        self.render(self.complete(document))


def document(standins, keys, *models):
    """Each model with the providers that serve it, in order."""
    providers = {
        name: gateway.provider(standins[name], key={"file": str(keys / name)})
        for name in {name for _, names in models for name in names}
    }
    return {
        "providers": dict(sorted(providers.items())),
        "models": {
            model: {"candidates": [candidate(name) for name in names]} for model, names in models
        },
        "defaults": {"timeouts": TIMEOUTS},
        "observe": {"longest_cool_down": "0s"},
    }


FIRST = ("first", ["openai", "anthropic"])


@pytest.fixture(scope="module")
def shared(binaries, shared_standins, tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("xds")
    keys = tmp_path / "keys"
    keys.mkdir()
    for each in shared_standins:
        (keys / each.name).write_text(each.key)
    started = WatchedGateway(
        binaries, tmp_path / "gateway", document(shared_standins, keys, FIRST), shared_standins
    )
    started.keys = keys
    yield started
    started.close()


@pytest.fixture
def running(shared):
    """The gateway, its stand-ins healthy, the first configuration."""
    shared.standins.reset()
    shared.configure(document(shared.standins, shared.keys, FIRST))
    return shared


@pytest.fixture
def load(running):
    """Clients that ask all the time, some of them for streams; none may notice anything."""
    whole = Traffic(chats(running, "first"), senders=2)
    with whole, Traffic(streams(running, "first"), senders=1) as streamed:
        whole.goes_on(10)
        yield whole
        whole.goes_on(10)
    whole.assert_flawless()
    streamed.assert_flawless()


def test_a_provider_and_a_model_are_added_under_load(running, shared_standins, load):
    wanted = [FIRST, ("new", ["gemini", "openai"])]
    running.configure(document(shared_standins, running.keys, *wanted))
    gateway.poll("new model", lambda: running.chat("new").status_code == 200)
    assert running.chat("new").headers["x-pointsman-answered-by"].startswith("gemini/")
    # The listener stood where it was.
    assert running.envoy.stats("listener_manager.listener_(modified|removed)")[
        "listener_manager.listener_modified"
    ] == 0


def test_prices_change_under_load(running, shared_standins, load):
    def price(output):
        wanted = document(shared_standins, running.keys, FIRST)
        for each in wanted["models"]["first"]["candidates"]:
            each["prices"] = {"input": 0, "output": output}
        running.configure(wanted)
        gateway.poll(f"a price of {output}", lambda: costs(output))

    def costs(output):
        response = running.chat("first")
        tokens = response.json()["usage"]["completion_tokens"]
        return response.headers.get("x-pointsman-cost") == f"{tokens * output / 1e6:.9f}"

    def counted(metric, *labels):
        page = running.envoy.admin.get("/stats/prometheus").text
        lines = [line for line in page.splitlines() if line.startswith(metric + "{")]
        of_route = [line for line in lines if all(f'="{label}"' in line for label in labels)]
        return sum(int(line.rsplit(" ", 1)[1]) for line in of_route)

    def effective():
        """Nano-USD for each token that the route has written meanwhile."""
        metrics = [
            ("pointsman_cost_nano_usd_total", "first"),
            ("gen_ai_client_token_usage_total", "first", "output"),
        ]
        before = [counted(*metric) for metric in metrics]
        load.goes_on(10)
        cost, tokens = [counted(*metric) - b for metric, b in zip(metrics, before)]
        return tokens and cost / tokens

    price(15)
    gateway.poll("the effective price", lambda: effective() == 15_000)
    price(30)
    assert all(costs(30) for _ in range(4)), "every worker has it"
    gateway.poll("the effective price", lambda: effective() == 30_000)


@pytest.fixture
def limits(running, binaries, tmp_path):
    """A rate limit service that knows no limit yet."""
    [port] = gateway.free_ports(1)
    redis = Redis(tmp_path / "redis")
    limits = RateLimits(binaries, tmp_path, redis, port, counts_refused=True)
    yield limits
    limits.close()
    redis.close()


def test_budgets_of_the_fleet_come_and_go_under_load(running, limits, load):
    first = document(running.standins, running.keys, FIRST)
    when, by = {"headers": {"x-case": "small"}}, {"header": "x-team"}
    small = {"name": "small", "scope": "fleet", "tokens": 300, "per": "day", "when": when, "by": by}
    service = {"endpoint": f"http://127.0.0.1:{limits.port}", "timeout": "5s"}

    def ask():
        headers = {"x-case": "small", "x-team": "red"}
        return running.chat("first", headers=headers, max_tokens=50)

    running.configure(first | {"rate_limit_service": service, "budgets": [small]})
    limits.start(running.folder / "pointsman.yaml")
    refused = gateway.poll("a budget", lambda: (reply := ask()).status_code == 429 and reply)
    assert refused.json()["error"]["code"] == "budget_exceeded"
    gateway.poll("settled", lambda: 200 < limits.used("small", "red") <= 300)
    running.configure(first)
    gateway.poll("no budget", lambda: ask().status_code == 200)


def test_a_key_is_rotated_under_load(running, load):
    openai = running.standins["openai"]
    aside = running.keys / ".openai"
    aside.write_text("another")
    aside.rename(running.keys / "openai")
    gateway.poll(
        "rotated",
        lambda: ["Bearer another"] in [each.values("authorization") for each in openai.records()],
    )
    aside.write_text(openai.key)
    aside.rename(running.keys / "openai")


def test_the_module_is_swapped_under_load(running, load):
    """Another file, with other bytes: roles get it one after the other."""
    # Envoy's main thread is busy while it compiles.
    running.envoy.admin.timeout = httpx.Timeout(60)
    before, other = machines(running), another_module(running.binaries.module, running.folder)
    running.configure(document(running.standins, running.keys, FIRST) | {"envoy": other})
    gateway.poll("a second machine", lambda: machines(running) > before, 60)
    gateway.poll("in both roles", lambda: dumped(running).count(other["module"]) >= 2, 60)
    load.goes_on(30)


def another_module(module, folder):
    """The same module with an empty section of its own at the end."""
    path = folder / "another.wasm"
    path.write_bytes(module.read_bytes() + b"\x00\x05\x04swap")
    return {"module": str(path)}


def machines(running):
    """Machines that were made so far."""
    return sum(running.envoy.stats("wasm.*created$").values())


def dumped(running):
    return running.envoy.admin.get("/config_dump?include_eds").text


def test_a_broken_configuration_is_refused_and_the_old_one_serves(running, load):
    wrong = running.folder / "wrong.yaml"
    wrong.write_text("version: 1\nproviders: {openai: {keys: 1}}\n")
    before = {path.name: path.read_text() for path in running.xds.iterdir()}
    command = [running.binaries.pointsman, "render", "envoy", wrong, "--xds", running.xds]
    assert subprocess.run(command, capture_output=True).returncode == 1
    assert {path.name: path.read_text() for path in running.xds.iterdir()} == before

    for name in ("rds.yaml", "cds.yaml", "ecds.pointsman.downstream.yaml"):
        aside = running.xds / ".aside"
        aside.write_text(before[name].replace("name:", "nmae:"))
        aside.rename(running.xds / name)
    gateway.poll(
        "refused",
        lambda: sum(running.envoy.stats("update_(rejected|failure)|config_fail").values()) >= 3,
    )
    assert running.chat("first").status_code == 200


def test_rendering_again_writes_nothing(running):
    stamps = {path.name: path.stat().st_mtime_ns for path in running.xds.glob("*ds*.yaml")}
    running.configure(document(running.standins, running.keys, FIRST))
    assert {p.name: p.stat().st_mtime_ns for p in running.xds.glob("*ds*.yaml")} == stamps
    assert len(stamps) == 5
