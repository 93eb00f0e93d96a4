"""Providers that speak HTTP/2 and providers that do not, in one chain."""

import json

import pytest
from conftest import candidate
from gateway import STEADFAST, Envoy, Gateway, free_ports, provider
from replies import content, verdicts

MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"


def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def front(port, admin_port, target_port):
    """An Envoy that speaks nothing but HTTP/2, before a stand-in that does not."""
    manager = {
        "@type": f"{MANAGER}.HttpConnectionManager",
        "stat_prefix": "front",
        "codec_type": "HTTP2",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    # What it adds itself, a provider must not see.
                    "request_headers_to_remove": ["x-forwarded-proto", "x-request-id"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "target"}}],
                }
            ]
        },
        "http_filters": [
            {"name": "router", "typed_config": {"@type": ROUTER, "suppress_envoy_headers": True}}
        ],
    }
    filters = [{"name": "manager", "typed_config": manager}]
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address(target_port)}}]}]
    target = {"name": "target", "load_assignment": {"cluster_name": "target", "endpoints": endpoints}}
    return {
        "admin": {"address": address(admin_port)},
        "static_resources": {
            "listeners": [
                {"name": "front", "address": address(port), "filter_chains": [{"filters": filters}]}
            ],
            "clusters": [target],
        },
    }


@pytest.fixture(scope="module")
def mixed(binaries, shared_standins, tmp_path_factory):
    port, admin_port = free_ports(2)
    folder = tmp_path_factory.mktemp("front")
    bootstrap = json.dumps(front(port, admin_port, shared_standins["openai"].port))
    envoy = Envoy(binaries, bootstrap, folder, port, admin_port, {})
    quick = {"http2": True, "preconnect": 50, **STEADFAST}
    providers = {
        "openai": provider(shared_standins["openai"], **quick),
        "anthropic": provider(shared_standins["anthropic"]),
    }
    providers["openai"]["endpoint"] = f"http://127.0.0.1:{port}/v1"
    both = [candidate("openai"), candidate("anthropic")]
    models = {"first": {"candidates": both}, "second": {"candidates": both[::-1]}}
    document = {
        "providers": providers,
        "models": models,
        "observe": {"longest_cool_down": "0s"},
    }
    gateway = Gateway(binaries, tmp_path_factory.mktemp("http2"), document, shared_standins)
    yield gateway
    gateway.close()
    envoy.close()


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
def test_each_is_spoken_to_as_it_wants(mixed, stream):
    mixed.standins.reset()
    response = mixed.chat("first", stream=stream)
    assert "Hello from openai" in content(response, stream)
    mixed.standins["anthropic"].fail({"kind": "status", "status": 500}, times=1)
    response = mixed.chat("second", stream=stream)
    assert verdicts(response) == [("anthropic", "server_error"), ("openai", "ok")]
    mixed.standins["openai"].fail({"kind": "status", "status": 500}, times=1)
    response = mixed.chat("first", stream=stream)
    assert verdicts(response) == [("openai", "server_error"), ("anthropic", "ok")]
