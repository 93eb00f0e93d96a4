"""Prints what clients see of each fault: through our own gateway, or through any other.

    python -m faults                        our own, on an Envoy of --envoy-version
    python -m faults --url http://h:p/v1    any gateway that speaks OpenAI's API
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import httpx
from gateway import SPEAKERS, VENDORS, Binaries, Gateway, Standins, fetch_envoy

from faults import ours, play, seen, table
from faults.cells import ANSWERED, HANG, read_cells
from faults.outcomes import is_best

#: How long a gateway may take to answer through the stand-ins after the start.
START_S = 120


def main():
    given = arguments()
    binaries = Binaries(fetch_envoy(given.envoy_version), given.envoy_version)
    with tempfile.TemporaryDirectory() as folder:
        results = another(given, binaries, Path(folder)) if given.url else own(binaries, folder)
    print(table.render_seen(results))
    return 0 if all(is_best(*result) for result in results) or given.url else 1


def arguments():
    parser = argparse.ArgumentParser(prog="make faults")
    parser.add_argument("--url", help="the other gateway's API, such as http://127.0.0.1:4000/v1")
    parser.add_argument("--model", default="faults", help="the model that it serves in three ways")
    parser.add_argument("--vendors", default="openai,openai-2,openai-3", help="what they speak")
    parser.add_argument("--ports", default="9101,9102,9103", help="where its providers are to be")
    parser.add_argument("--pause-ms", type=int, default=0, help="between faults")
    parser.add_argument("--headers", type=json.loads, help="sent with every request, as JSON")
    parser.add_argument("--envoy-version", default="1.40.0")
    return parser.parse_args()


def own(binaries, folder):
    """Our own gateway on a real Envoy."""
    folder = Path(folder)
    standins = Standins(binaries, folder / "standins", SPEAKERS)
    try:
        gateway = Gateway(binaries, folder / "gateway", ours.document(standins), standins)
        try:
            with client(f"{gateway.envoy.url}/v1") as http:
                return [play_own(http, standins, cell) for cell in read_cells()]
        finally:
            gateway.close()
    finally:
        standins.close()


def play_own(http, standins, cell):
    chain = [standins[vendor] for vendor in cell.chain(VENDORS)]
    with play.playing(cell, chain):
        return cell, seen.ask(http, ours.model_of(cell), cell.streams)


def another(given, binaries, folder, revive=None):
    """A gateway that somebody else runs, with our stand-ins behind it; `revive` starts it again
    when it answers nobody any more."""
    names = given.vendors.split(",")
    ports = [int(port) for port in given.ports.split(",")]
    standins = Standins(binaries, folder, names, keys=dict.fromkeys(names), ports=ports)
    try:
        with client(given.url, given.headers) as http:
            tell(standins, given)
            wait_for_answer(http, given.model)
            results = []
            for cell in read_cells():
                if suits(cell, [standin.vendor for standin in standins]):
                    with play.playing(cell, list(standins)):
                        results.append((cell, seen.ask(http, given.model, cell.streams)))
                    if revive and results[-1][1].outcome == HANG and is_dead(http, given.model):
                        print(f"dead after {cell.label}: started again", flush=True)
                        revive()
                        wait_for_answer(http, given.model)
                    time.sleep(given.pause_ms / 1000)
            return results
    finally:
        standins.close()


def is_dead(http, model):
    return seen.ask(http, model, False).outcome == HANG


def client(url, headers=None):
    key = os.environ.get("KEY", "any")
    headers = {"authorization": f"Bearer {key}"} | (headers or {})
    return httpx.Client(base_url=url, headers=headers)


def suits(cell, vendors):
    return not cell.is_of_words and cell.vendor in (None, vendors[cell.place])


def tell(standins, given):
    print("The stand-ins listen, with any key; the first is to be asked first:")
    for standin in standins:
        print(f"  {standin.vendor:10} {standin.endpoint}")
    print(f"Waiting until {given.url} answers for the model {given.model!r} ...", flush=True)


def wait_for_answer(http, model):
    deadline = time.monotonic() + START_S
    while (reply := seen.ask(http, model, False)).outcome != ANSWERED:
        if time.monotonic() > deadline:
            sys.exit(f"no answer: {reply.outcome}, {reply.status}, {reply.note}\n{reply.body}")
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
