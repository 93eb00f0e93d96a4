"""Asks other gateways the whole matrix, and keeps what their clients saw in results.json.

    python -m faults.peers --litellm FOLDER --portkey FOLDER    where each is installed
"""

import argparse
import datetime
import json
import os
import subprocess
import tempfile
from pathlib import Path

from gateway import Binaries, fetch_envoy, free_ports

from faults.__main__ import another, own
from faults.peers.results import RESULTS, compact
from faults.table import render_seen

HERE = Path(__file__).parent

#: At the ports that the peers' configurations name.
CHAIN = {"ports": "9101,9102,9103", "pause_ms": 0}
NATIVE = "openai,anthropic,gemini"
#: Portkey asks Gemini for streams in another form, which the stand-in may not serve as Google does.
WITHOUT_GEMINI = "openai,anthropic,openai-2"


def main():
    given = arguments()
    binaries = Binaries(fetch_envoy(given.envoy_version), given.envoy_version)
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        for name, version, ask in (
            ("LiteLLM", "1.80.0", given.litellm and litellm),
            ("Portkey", "1.15.2", given.portkey and portkey),
            ("Pointsman", given.envoy_version, given.own and ours),
        ):
            if ask:
                results = ask(given, binaries, Path(folder))
                print(f"=== {name} {version}\n{render_seen(results)}\n", flush=True)
                read = datetime.date.today().isoformat()
                kept[name] = {"version": version, "date": read, "seen": compact(results)}
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")


def arguments():
    parser = argparse.ArgumentParser(prog="make faults-peers")
    parser.add_argument("--litellm", help="the virtual environment that holds it")
    parser.add_argument("--portkey", help="the folder in which npm has installed it")
    parser.add_argument("--own", action="store_true", help="our own gateway as well")
    parser.add_argument("--envoy-version", default="1.40.0")
    return parser.parse_args()


def ours(_given, binaries, folder):
    return own(binaries, folder)


def litellm(given, binaries, folder):
    [port] = free_ports(1)
    command = [f"{given.litellm}/bin/litellm", "--config", str(HERE / "litellm.yaml")]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    # Its prices are of no interest here, and it shall not fetch them.
    environment = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    url = f"http://127.0.0.1:{port}/v1"
    served = (url, {}, NATIVE)
    return measured(command, environment, served, binaries, folder / "litellm")


def portkey(given, binaries, folder):
    [port] = free_ports(1)
    server = f"{given.portkey}/node_modules/@portkey-ai/gateway/build/start-server.js"
    command = ["node", server, f"--port={port}", "--headless"]
    # By default it calls no loopback address.
    environment = {"TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"}
    config = json.dumps(json.loads((HERE / "portkey.json").read_text()))
    headers = {"x-portkey-config": config}
    url = f"http://127.0.0.1:{port}/v1"
    served = (url, headers, WITHOUT_GEMINI)
    return measured(command, environment, served, binaries, folder / "portkey")


def measured(command, environment, served, binaries, folder):
    """What the clients of a gateway saw that is started for it."""
    folder.mkdir()
    url, headers, vendors = served
    asked = argparse.Namespace(
        url=url, model="faults", headers=headers, vendors=vendors, **CHAIN
    )
    with (folder / "log").open("wb") as log:
        running = []

        def start():
            for gateway in running:
                # Some wait for ever for what hangs; nothing of it is needed any more.
                gateway.kill()
                gateway.wait()
            environ = os.environ | environment
            running[:] = [subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environ)]

        start()
        try:
            return another(asked, binaries, folder / "standins", start)
        finally:
            running[0].kill()
            running[0].wait()


if __name__ == "__main__":
    main()
