"""What all end-to-end tests share: one gateway for the session, clean for each test."""

import sys
from importlib.util import find_spec
from pathlib import Path

import openai
import pytest

E2E, TESTS = Path(__file__).parents[:2]
sys.path[:0] = [str(E2E), str(TESTS), str(TESTS / "vendor")]

from gateway import (  # noqa: E402
    SPEAKERS,
    STEADFAST,
    Binaries,
    Gateway,
    Standins,
    fetch_envoy,
    provider,
)

#: The model of each vendor that the shared gateway asks for.
MODELS = {
    "openai": "gpt-5",
    "anthropic": "claude-opus-4-5",
    "gemini": "gemini-3-pro-preview",
    "bedrock": "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "cohere": "command-a-reasoning-08-2025",
    "mistral": "mistral-medium-latest",
    "deepseek": "deepseek-v4-flash",
    "qwen": "qwen3-max",
}

#: What Anthropic requires and OpenAI's clients do not send.
DEFAULTS = {"anthropic": {"max_tokens": 4096}}

#: What the tests rely on, said openly so that no fact of the catalogue decides for them.
CAPABILITIES = {
    "openai": {"context_window": 100_000_000, "sampling": True},
    "anthropic": {"context_window": 100_000_000},
    "gemini": {"context_window": 100_000_000},
    **dict.fromkeys(SPEAKERS[3:], {"vision": True}),
    "qwen": {"vision": True, "thinking": "effort"},
}

PER_TRY_MS = 1500
IDLE_MS = 2000

#: For tests of what holds in both modes.
BUFFERED_AND_STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])

#: Short, for many tests wait for them.
TIMEOUTS = {"per_try": f"{PER_TRY_MS}ms", "idle": f"{IDLE_MS}ms"}


def pytest_addoption(parser):
    parser.addoption("--envoy-version", default="1.40.0", help="which Envoy to test on")


@pytest.fixture(scope="session")
def binaries(request):
    version = request.config.getoption("--envoy-version")
    return Binaries(envoy=fetch_envoy(version), envoy_version=version)


@pytest.fixture(scope="session")
def shared_standins(binaries, tmp_path_factory):
    standins = Standins(binaries, tmp_path_factory.mktemp("standins"), SPEAKERS)
    yield standins
    standins.close()


@pytest.fixture(scope="session")
def timeouts():
    """Those of the shared gateway."""
    return TIMEOUTS


@pytest.fixture(scope="session")
def shared_gateway(binaries, shared_standins, timeouts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gateway")
    served = document(shared_standins, timeouts)
    gateway = Gateway(binaries, folder, served, shared_standins)
    yield gateway
    gateway.close()


@pytest.fixture
def gateway(shared_gateway):
    """The shared gateway, its stand-ins healthy and without memory."""
    shared_gateway.standins.reset()
    return shared_gateway


@pytest.fixture
def standins(gateway):
    return gateway.standins


def candidate(vendor, name=None, **settings):
    """A candidate of the model that tests use of this vendor."""
    given = {"capabilities": CAPABILITIES[vendor] | settings.pop("capabilities", {})}
    if vendor in DEFAULTS:
        given["defaults"] = DEFAULTS[vendor]
    return {"provider": name or vendor, "model": MODELS[vendor], **given, **settings}


def document(standins, timeouts=TIMEOUTS):
    """The shared gateway: every order that the tests need; nobody is ejected or left alone."""
    providers = {s.name: provider(s, **STEADFAST) for s in standins}

    def model(*vendors, **settings):
        return {"candidates": [candidate(v) for v in vendors], **settings}

    return {
        "providers": providers,
        "models": {
            **{f"{speaker}-only": model(speaker) for speaker in SPEAKERS},
            "openai-first": model("openai", "anthropic"),
            "anthropic-first": model("anthropic", "gemini"),
            "gemini-first": model("gemini", "openai"),
            "three": model("openai", "anthropic", "gemini"),
            "refusals-fall-back": model("anthropic", "openai", fallback_on_refusal=True),
            "strict": model("anthropic", on_unsupported="reject"),
            "without-tools": {
                "candidates": [candidate("openai", capabilities={"tools": False})]
            },
            "two-of-one": {
                "candidates": [candidate("openai"), {"provider": "openai", "model": "gpt-5-mini"}]
            },
            "twice": {"candidates": [candidate("openai", tries=2), candidate("gemini")]},
        },
        "defaults": {"timeouts": timeouts},
        "limits": {"request_body": "24MiB", "reply": "2MiB"},
        # One test's failures are not the next one's.
        "observe": {"longest_cool_down": "0s"},
    }


def pytest_ignore_collect(collection_path, config):
    """Clients that need packages of their own are tested where those are."""
    if collection_path.name == "clients" and find_spec("langchain_openai") is None:
        return True
    return None


@pytest.fixture
def client(gateway):
    """OpenAI's own SDK, which asks once."""
    url = f"{gateway.envoy.url}/v1"
    with openai.OpenAI(base_url=url, api_key="client-token", max_retries=0) as client:
        yield client


def models_by(speakers):
    """A fixture: each one's model, and one whose first candidate is down."""

    @pytest.fixture(params=[*(f"{speaker}-only" for speaker in speakers), "openai-first"])
    def model(request, gateway):
        if request.param == "openai-first":
            gateway.standins["openai"].fail({"kind": "status", "status": 503})
        return request.param

    return model


def vendor_of(model):
    """Who answers for such a model."""
    return "anthropic" if model == "openai-first" else model.removesuffix("-only")
