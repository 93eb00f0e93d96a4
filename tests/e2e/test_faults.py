"""The fault matrix: every declared fault is met as declared, and docs/faults.md tells of it."""

import os

import httpx
import pytest
from faults import ours, play, seen, table
from faults.cells import ANSWERED, read_cells
from gateway import VENDORS, Gateway
from replies import trail

CELLS = read_cells()


@pytest.fixture(scope="module")
def gateway(binaries, shared_standins, tmp_path_factory):
    shared_standins.reset()
    folder = tmp_path_factory.mktemp("faults")
    gateway = Gateway(binaries, folder, ours.document(shared_standins), shared_standins)
    yield gateway
    gateway.close()


@pytest.fixture(scope="module")
def http(gateway):
    with httpx.Client(base_url=f"{gateway.envoy.url}/v1") as http:
        yield http


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.label)
def test_a_fault_is_met_as_declared(gateway, http, cell):
    standins = gateway.standins
    with play.playing(cell, [standins[vendor] for vendor in cell.chain(VENDORS)]):
        reply = seen.ask(http, ours.model_of(cell), cell.streams)

    assert (reply.outcome, reply.status) == (cell.client, cell.status_seen(VENDORS)), reply
    if cell.client != ANSWERED and cell.then not in ("break", "cut") and reply.status != 200:
        assert reply.note == "told", reply
    tried = trail(reply.headers["x-pointsman-attempts"])
    assert [(each.provider, each.verdict) for each in tried] == cell.trail(VENDORS)

    request_id = reply.headers["x-request-id"]
    line = gateway.envoy.logged_where(lambda line: line["request_id"] == request_id)
    assert_charged(line, cell, reply)
    broken = [each.broken for each in trail(line["pointsman.attempts"])]
    own = cell.chain(VENDORS)[cell.place]
    assert broken[-1] == (cell.verdict_at(own) if cell.then in ("break", "cut") else None)


def assert_charged(line, cell, reply):
    """The tokens of what the client got, and of nothing else."""
    charged = [line[f"gen_ai.usage.{side}_tokens"] for side in ("input", "output")]
    if cell.client == ANSWERED:
        assert all(int(count) > 0 for count in charged), charged
    elif reply.status >= 400:
        assert charged == [None, None]
    wasted = line["pointsman.rejected.tokens"] or 0
    assert (int(wasted) > 0) == cell.wastes(VENDORS), wasted


def test_the_matrix_is_large_enough():
    assert len({cell.name for cell in CELLS}) >= 60


def test_the_docs_tell_of_every_fault():
    declared = table.render_docs()
    if os.environ.get("BLESS"):
        table.DOCS.write_text(declared)
    assert table.DOCS.read_text() == declared, "BLESS=1 writes docs/faults.md again"
