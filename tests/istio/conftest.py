"""What tests of a mesh share; how Envoy and the stand-ins are run is that of tests/e2e."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

from gateway import Binaries, fetch_envoy  # noqa: E402

#: Envoys, and the Istio that brings each.
ISTIO = {"1.37.0": "1.29.7", "1.38.2": "1.30.4", "1.39.3": "1.31.0", "1.40.0": "1.32.0"}

#: Those that requests are sent through: one for each way of going on to the next candidate.
LIVE = ("1.38.2", "1.40.0")


def binaries_of(version):
    return Binaries(envoy=fetch_envoy(version), envoy_version=version)


@pytest.fixture(scope="module", params=list(ISTIO))
def every_envoy(request):
    return binaries_of(request.param)


@pytest.fixture(scope="module", params=LIVE)
def live_envoy(request):
    return binaries_of(request.param)
