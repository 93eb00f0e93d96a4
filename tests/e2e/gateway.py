"""A gateway as users run it: stand-in providers, a rendered bootstrap, a real Envoy.

Nothing here knows how the filter works; it starts what is there, waits by polling, and at the
end asks Envoy whether everything is well.
"""

import json
import os
import re
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "target"

#: How long anything may take that is not the subject of a test.
PATIENCE_S = 10.0
#: Each thread of an Envoy compiles the module at its start, however busy the machine is.
START_S = 180

VENDORS = ("openai", "anthropic", "gemini")

#: Every language that a provider may speak, and every dialect that refuses what others take.
SPEAKERS = (*VENDORS, "bedrock", "cohere", "mistral", "deepseek", "qwen")

#: The header in which each vendor looks for its key.
KEY_HEADERS = {
    "openai": "authorization",
    "anthropic": "x-api-key",
    "gemini": "x-goog-api-key",
    **dict.fromkeys(SPEAKERS[3:], "authorization"),
}

#: Where each vendor's API begins.
BASE_PATHS = {
    "openai": "/v1",
    "anthropic": "/v1",
    "gemini": "/v1beta",
    "bedrock": "",
    "cohere": "/v2",
    "mistral": "/v1",
    "deepseek": "",
    "qwen": "/compatible-mode/v1",
}

#: Never in the log of an Envoy that is well.
ALARMS = re.compile(
    r"\[critical\]|panicked at|Caught |Segmentation|host call |an attempt was refused"
    r"|misconfigured, requests are refused"
    r"|Wasm VM failed|Function: proxy_on"
)


def poll(what, condition, timeout_s=PATIENCE_S):
    """The first true value of `condition`; fails when none comes in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what}: not within {timeout_s} s"
        time.sleep(0.01)


def lint(binaries, text):
    """The names of the mistakes that `pointsman lint` finds in this."""
    command = [str(binaries.pointsman), "lint", "--format", "json", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return {finding["code"] for finding in json.loads(done.stdout)["findings"]}


def free_ports(count):
    """Ports that nobody listens on; held together until all are known."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@dataclass
class Binaries:
    """What is tested; the environment can name other builds."""

    envoy: Path
    envoy_version: str
    pointsman: Path = field(
        default_factory=lambda: Path(os.environ.get("POINTSMAN_BIN", TARGET / "debug/pointsman"))
    )
    module: Path = field(
        default_factory=lambda: Path(
            os.environ.get(
                "POINTSMAN_WASM", TARGET / "wasm32-wasip1/release/pointsman_filter.wasm"
            )
        )
    )
    standin: Path = field(
        default_factory=lambda: Path(
            os.environ.get("POINTSMAN_STANDIN", TARGET / "debug/pointsman-standin")
        )
    )
    ratelimit: Path = field(
        default_factory=lambda: Path(
            os.environ.get("POINTSMAN_RATELIMIT", TARGET / "debug/pointsman-ratelimit")
        )
    )

    def __post_init__(self):
        for path in (self.pointsman, self.module, self.standin):
            assert path.exists(), f"{path} is missing: build it, or name it in the environment"

    @property
    def minor(self):
        """`1.40` of `1.40.0`."""
        return ".".join(self.envoy_version.split(".")[:2])

    @property
    def has_static_chains(self):
        """Whether candidates are the members of an aggregate cluster."""
        return int(self.envoy_version.split(".")[1]) < 39


def fetch_envoy(version):
    """An Envoy of this version; that there is none is a failure."""
    command = [str(ROOT / "envoy/fetch.sh"), version]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return Path(done.stdout.strip())


class Standin:
    """One stand-in, seen through the control API."""

    def __init__(self, name, vendor, port, key, control):
        self.name = name
        self.vendor = vendor
        self.port = port
        self.key = key
        self._control = control
        self._prefix = f"/_standin/{name}/"

    @property
    def endpoint(self):
        """Where a provider's API begins."""
        return f"http://127.0.0.1:{self.port}{BASE_PATHS[self.vendor]}"

    def script(self, *rules, seed=1):
        """Replaces the rules."""
        self._call("PUT", "script", {"seed": seed, "rules": list(rules)})

    def fail(self, fault, **rule):
        """One rule: this fault, always, unless `times`, `rate` or `match` say otherwise."""
        self.script({"fault": fault, **rule})

    def listen(self, enabled):
        """Lets connects be refused, or be taken again."""
        self._call("PUT", "listening", {"enabled": enabled})

    def records(self):
        """The requests so far, oldest first."""
        return [Record(each) for each in self._call("GET", "requests")]

    def only_record(self):
        """The one request that came."""
        records = self.records()
        assert len(records) == 1, f"{self.name} has {len(records)} requests"
        return records[0]

    def stats(self):
        """Counts by how requests ended."""
        return self._call("GET", "stats")

    def reset(self):
        """Healthy, and without memory."""
        self._call("DELETE", "script")
        self._call("DELETE", "requests")

    def _call(self, method, task, body=None):
        reply = self._control.request(method, self._prefix + task, json=body)
        assert reply.status_code == 200, f"{self.name} {task}: {reply.text}"
        return reply.json()


class Record:
    """A request as a stand-in received it."""

    def __init__(self, raw):
        self.raw = raw
        self.path = raw["path"]
        self.query = raw["query"]
        self.headers = raw["headers"]
        self.body = raw["body"]
        self.outcome = raw["outcome"]
        self.refusal = raw["refusal"]
        self.status = raw["status"]
        #: What the vendor counts of an answer that comes to its end; `None` where there is none.
        self.tokens = raw["tokens"]
        #: Pieces of the body that were handed over.
        self.sent = raw["sent"]

    def values(self, name):
        """Every value of a header."""
        return [value for key, value in self.headers if key == name]


class Standins:
    """A process with any number of stand-ins. `names` are `openai`, `openai-2` and so on.

    Each takes the key that `keys` names, or one of its own; none at all: any.
    """

    def __init__(self, binaries, folder, names=VENDORS, keys=None, ports=None):
        folder.mkdir(parents=True, exist_ok=True)
        *free, control = free_ports(len(names) + 1)
        command = [str(binaries.standin), "--control", f"127.0.0.1:{control}"]
        ready = folder / "standins.ready"
        command += ["--ready-file", str(ready)]
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{control}", timeout=PATIENCE_S)
        self._by_name = {}
        for name, port in zip(names, ports or free):
            vendor, key = name.split("-")[0], (keys or {}).get(name, f"secret-of-{name}")
            command += [f"--{vendor}", f"127.0.0.1:{port}"]
            command += [f"--{vendor}-key", key] if key else []
            self._by_name[name] = Standin(name, vendor, port, key, self._http)
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        poll("stand-ins ready", lambda: ready.exists() and ready.read_text())

    def __getitem__(self, name):
        return self._by_name[name]

    def __iter__(self):
        return iter(self._by_name.values())

    def reset(self):
        for each in self:
            each.reset()

    def close(self):
        self._http.close()
        self._process.terminate()
        self._process.wait(PATIENCE_S)


#: Settings of providers that are never ejected, whatever is asked of them on purpose.
STEADFAST = {"outlier_detection": {"consecutive_failures": 1000}}

#: And that take as many requests and retries at a time as a test sends.
WIDE = {
    **STEADFAST,
    "circuit_breaker": {"max_pending_requests": 10_000, "max_retries": 10_000},
}


def provider(standin, **settings):
    """A provider's entry in pointsman.yaml; its key is in `KEY_<name of the stand-in>`."""
    return {
        "kind": standin.vendor,
        "endpoint": standin.endpoint,
        "key": {"env": key_variable(standin)},
        **settings,
    }


def key_variable(standin):
    return "KEY_" + standin.name.upper().replace("-", "_")


class Envoy:
    """A running Envoy, and the questions that a test has for it."""

    def __init__(self, binaries, bootstrap, folder, port, admin_port, environment):
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self._access_log = folder / "access.log"
        self._log = folder / "envoy.log"
        self.admin = httpx.Client(
            base_url=f"http://127.0.0.1:{admin_port}", timeout=PATIENCE_S
        )
        self.process = start_envoy(binaries, bootstrap, folder, environment)
        try:
            poll("Envoy ready", self._is_ready, START_S)
        except BaseException:
            self._stop()
            raise

    def _is_ready(self):
        assert self.process.poll() is None, f"Envoy has ended:\n{self.log()[-4000:]}"
        try:
            return self.admin.get("/ready").status_code == 200
        except httpx.TransportError:
            return False

    def log(self):
        """Envoy's own log."""
        return self._log.read_text(errors="replace")

    def dump(self):
        """Its whole configuration, as it says itself."""
        return self.admin.get("/config_dump").text

    def stats(self, pattern):
        """Counters and gauges whose name matches."""
        reply = self.admin.get("/stats", params={"filter": pattern, "format": "json"})
        return {s["name"]: s["value"] for s in reply.json()["stats"] if "value" in s}

    def mark(self):
        """A place in the access log, to read on from."""
        return self._access_log.stat().st_size

    def access_log(self, since=0):
        """The whole lines of the access log from a mark on."""
        with self._access_log.open("rb") as log:
            log.seek(since)
            lines = log.read().split(b"\n")[:-1]
        return [json.loads(line) for line in lines]

    def logged(self, response):
        """The access log's line for this reply."""
        request_id = response.headers["x-request-id"]
        return self.logged_where(lambda line: line["request_id"] == request_id)

    def logged_where(self, condition, since=0):
        """The first line for which the condition holds."""

        def find():
            return next((line for line in self.access_log(since) if condition(line)), None)

        return poll("line in the access log", find)

    def close(self, excused=None, reloads=False):
        """Asks whether all is well, and stops. Alarms that match `excused` are expected, and
        reloaded VMs if `reloads` says so."""
        try:
            self._assert_well(excused, reloads)
        finally:
            self._stop()

    def _assert_well(self, excused, reloads):
        assert self.process.poll() is None, f"Envoy has died:\n{self.log()[-4000:]}"
        try:
            poll("no active request left", lambda: not self._active())
        except AssertionError as error:
            raise AssertionError(f"{error}: {self._active()}") from None
        reloaded = {k: v for k, v in self.stats("wasm.*vm_reload").items() if v}
        assert reloads or not reloaded, reloaded
        alarms = [line for line in self.log().splitlines() if ALARMS.search(line)]
        if excused:
            alarms = [line for line in alarms if not re.search(excused, line)]
        assert not alarms, "\n".join(alarms[:20])

    def _active(self):
        stats = self.stats("(upstream|http.pointsman.downstream)_rq_active$")
        # A control plane's stream is always open.
        return {n: value for n, value in stats.items() if value and "cluster.xds." not in n}

    def _stop(self):
        self.admin.close()
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(PATIENCE_S)


def start_envoy(binaries, bootstrap, folder, environment):
    """The process alone: for those who expect it to refuse to start."""
    path = folder / "envoy.yaml"
    path.write_text(bootstrap)
    command = [str(binaries.envoy), "-c", str(path), "--concurrency", "2"]
    command += ["--disable-hot-restart", "--log-path", str(folder / "envoy.log")]
    command += ["--log-level", "info", "--file-flush-interval-msec", "10"]
    with (folder / "access.log").open("wb") as out, (folder / "envoy.err").open("wb") as err:
        return subprocess.Popen(
            command, stdout=out, stderr=err, cwd=folder, env={**os.environ, **environment}
        )


class Gateway:
    """pointsman.yaml, stand-ins and an Envoy that serves them."""

    def __init__(
        self, binaries, folder, document, standins, edit=None, environment=None, chains=False
    ):
        folder.mkdir(parents=True, exist_ok=True)
        self.binaries = binaries
        self.standins = standins
        self.folder = folder
        #: Static chains, also where each attempt could choose its own cluster.
        self.chains = chains
        self.port, self.admin_port = free_ports(2)
        self.document = self.complete(document)
        self.environment = {key_variable(s): s.key for s in standins} | (environment or {})
        bootstrap = self.render(self.document)
        if edit:
            bootstrap = edit(bootstrap)
        self.envoy = Envoy(
            binaries, bootstrap, folder, self.port, self.admin_port, self.environment
        )
        self.http = httpx.Client(
            base_url=self.envoy.url, timeout=PATIENCE_S, limits=httpx.Limits(max_connections=50)
        )

    def complete(self, document):
        """The document with where Envoy listens and finds the module."""
        here = {
            "port": self.port,
            "admin_port": self.admin_port,
            "module": str(self.binaries.module),
        }
        return {"version": 1, **document, "envoy": here | document.get("envoy", {})}

    def render(self, document):
        """The bootstrap that `pointsman` makes of a document, which it must also approve."""
        # JSON is YAML.
        path = self.folder / "pointsman.yaml"
        path.write_text(json.dumps(document, indent=2))
        run([self.binaries.pointsman, "check", path])
        render = [self.binaries.pointsman, "render", "envoy", path]
        if secrets := document["envoy"].get("secrets"):
            render += ["--secrets", secrets]
        if self.chains:
            render.append("--chains")
        return run([*render, "--envoy", self.binaries.minor])

    def chat(self, model, text="hello", stream=False, headers=None, **body):
        """Posts a chat completion request; streams are read to their end."""
        body = {"model": model, "messages": [{"role": "user", "content": text}], **body}
        if stream:
            body["stream"] = True
        return self.post(body, headers=headers)

    def counts(self, metric, *values):
        """Whether a metric counts anything under labels of these values."""
        page = self.envoy.admin.get("/stats/prometheus").text
        lines = [line for line in page.splitlines() if line.startswith(metric + "{")]
        return any(all(f'="{value}"' in line for value in values) for line in lines)

    def post(self, body, headers=None):
        """Posts any body to the chat endpoint."""
        return self.http.post("/v1/chat/completions", json=body, headers=headers)

    def open_stream(self, model, text="hello", **body):
        """A streamed reply that the test reads as it comes."""
        body = {"model": model, "messages": [{"role": "user", "content": text}], **body}
        body["stream"] = True
        return self.http.stream("POST", "/v1/chat/completions", json=body)

    def close(self, **expected):
        self.http.close()
        self.envoy.close(**expected)


def run(command):
    """A command's standard output; its standard error is the failure's text."""
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout
