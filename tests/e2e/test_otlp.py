"""The access log at a collector of OpenTelemetry's, and its names of today and of before."""

import pytest
from collector import Collector
from conftest import candidate
from gateway import Gateway, poll, provider, run

PROMPT = "a secret that nobody shall log"


@pytest.fixture(scope="module")
def collector():
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture(scope="module")
def gateway(binaries, shared_standins, collector, tmp_path_factory):
    shared_standins.reset()

    class Telling(Gateway):
        """Rendered with a collector, and with both kinds of names."""

        def render(self, document):
            super().render(document)
            command = [binaries.pointsman, "render", "envoy", self.folder / "pointsman.yaml"]
            otlp = f"http://127.0.0.1:{collector.port}"
            return run([*command, "--envoy", binaries.minor, "--names", "both", "--otlp", otlp])

    served = {
        "providers": {"openai": provider(shared_standins["openai"])},
        "models": {"smart": {"candidates": [candidate("openai")]}},
    }
    gateway = Telling(binaries, tmp_path_factory.mktemp("otlp"), served, shared_standins)
    yield gateway
    gateway.close()


def test_a_request_is_told_to_a_collector_as_it_is_to_the_log(gateway, collector):
    reply = gateway.chat("smart", PROMPT)
    assert reply.status_code == 200, reply.text
    request_id = reply.headers["x-request-id"]
    line = gateway.envoy.logged(reply)

    def find():
        return next((r for r in collector.records if r.get("request_id") == request_id), None)

    record = poll("record", find)
    assert record["service.name"] == "pointsman"
    assert record["gen_ai.request.model"] == "smart"
    for known in (line, record):
        assert known["gen_ai.provider.name"] == known["gen_ai.system"] == "openai"
    told = {name: str(value) for name, value in line.items() if value is not None}
    told.pop("start_time")
    assert {name: record[name] for name in told}.keys() == told.keys()
    assert record["gen_ai.usage.input_tokens"] == told["gen_ai.usage.input_tokens"]
    assert PROMPT not in str(record)


NAMES = {"legacy": "system", "latest": "provider_name"}


@pytest.mark.parametrize("names", NAMES)
def test_logs_and_metrics_have_the_names_that_are_asked_for(binaries, gateway, names):
    command = [binaries.pointsman, "render", "envoy", gateway.folder / "pointsman.yaml"]
    rendered = run([*command, "--names", names])
    for kind, name in NAMES.items():
        assert (f"tag_name: gen_ai_{name}" in rendered) == (kind == names)
        assert (f"gen_ai.{name.replace('_', '.')}:" in rendered) == (kind == names)
