"""Clients for Node: OpenAI's and Anthropic's SDKs, and Vercel's AI SDK."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from gateway import SPEAKERS

SUITE = Path(__file__).with_name("suite.mjs")
CHECKS = re.findall(r"^  async (\w+)\(model\)", SUITE.read_text(), re.MULTILINE)
MODELS = [f"{speaker}-only" for speaker in SPEAKERS]


@pytest.fixture(scope="module")
def outcomes(shared_gateway):
    """What became of each check with each model, from one run of the suite."""
    shared_gateway.standins.reset()
    packages = os.environ["CLIENTS_PACKAGES"]
    command = ["node", str(SUITE), shared_gateway.envoy.url, *MODELS]
    environment = {**os.environ, "CLIENTS_PACKAGES": packages, "AI_SDK_LOG_WARNINGS": "false"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    outcomes = [json.loads(line) for line in lines]
    return {(each["check"], each["model"]): each["error"] for each in outcomes}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("check", CHECKS)
def test_a_client_for_node(outcomes, check, model):
    error = outcomes[check, model]
    assert error is None, error
