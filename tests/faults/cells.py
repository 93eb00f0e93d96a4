"""The declared faults, spread out into cells: one request each, and what is to come of it."""

import json
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import yaml
from gateway import SPEAKERS

FAULTS = Path(__file__).with_name("faults.yaml")
#: Errors in vendors' own words, which docs/failures.md shows.
WORDS = Path(__file__).parents[1] / "failures/vendors.json"
#: What follows, where it is not the next candidate.
STOPS = {"invalid_request": "stop", "content_filter": "stop"}

POSITIONS = ("first", "middle", "last")
MODES = ("buffered", "stream")

#: What candidates do that come before the one with the fault.
BEFORE = {"kind": "status", "status": 500}
BEFORE_CLASS = "server_error"

FIELDS = {
    "name", "fault", "listening", "vendor", "class", "then", "status", "buffered", "stream", "at",
    "slow", "settings", "times", "wasted",
}  # fmt: skip

#: What a client may see, from best to worst.
ANSWERED, ERROR, LIE, HANG = OUTCOMES = ("answered", "honest error", "lie", "hang")


@dataclass(frozen=True)
class Cell:
    """A fault at one place in the chain, in one mode."""

    name: str
    #: What the stand-in does; None: it does not listen.
    fault: dict | None
    #: Whose candidate it must be; None: whoever has the place.
    vendor: str | None
    position: str
    mode: str
    #: Our class of the failed attempt; None where it does not fail.
    verdict: str | dict | None
    #: `next`, `again`, `stop`, `answer`, `break` or `cut`.
    then: str
    #: What the client is told when nobody answers; by vendor where their own words differ.
    status: int | dict
    #: Whether somebody waits for silence to end.
    slow: bool = False
    #: What the model is told besides its candidates.
    settings: dict = field(default_factory=dict)
    #: How often the stand-in fails; None: always.
    times: int | None = None
    #: Whose failed attempts are paid for.
    wasted: tuple = ()
    #: Whether it is one of the errors that docs/failures.md shows.
    is_of_words: bool = False

    @property
    def label(self):
        return f"{self.name}-{self.position}-{self.mode}"

    @property
    def place(self):
        """The index of the candidate with the fault."""
        return POSITIONS.index(self.position)

    @property
    def streams(self):
        return self.mode == "stream"

    @property
    def goes_on(self):
        """Whether the next candidate is asked."""
        return self.then == "next" and self.position != "last"

    @property
    def client(self):
        """What a client is to see."""
        answers = self.then in ("answer", "again")
        return ANSWERED if answers or self.goes_on else ERROR

    def chain(self, vendors):
        """The vendors of the three candidates, of those that a gateway has."""
        if self.vendor is None:
            return vendors
        others = [vendor for vendor in vendors if vendor != self.vendor]
        return (*others[: self.place], self.vendor, *others[self.place : 2])

    def verdict_at(self, vendor):
        """The class of this vendor's failed attempt."""
        return _of(self.verdict, vendor)

    def status_seen(self, vendors):
        """The status of the client's reply."""
        if self.client == ANSWERED or self.then in ("break", "cut"):
            return 200
        return _of(self.status, self.chain(vendors)[self.place])

    def wastes(self, vendors):
        """Whether what the failed attempt cost is told apart; a refusal that is delivered is not."""
        is_delivered = not self.goes_on and self.status_seen(vendors) == 200
        return self.chain(vendors)[self.place] in self.wasted and not is_delivered

    def trail(self, vendors):
        """Vendor and class of each attempt, as the reply's head tells them."""
        chain = self.chain(vendors)
        before = [(vendor, BEFORE_CLASS) for vendor in chain[: self.place]]
        own = chain[self.place]
        if self.then in ("answer", "break", "cut"):
            return [*before, (own, "ok")]
        failed = [*before, (own, self.verdict_at(own))]
        if self.then == "again":
            return [*failed, (own, "ok")]
        return [*failed, (chain[self.place + 1], "ok")] if self.goes_on else failed


def _of(value, vendor):
    return value[vendor] if isinstance(value, dict) else value


def read_cells():
    """Every cell of every declared fault."""
    cells = []
    for fault in yaml.safe_load(FAULTS.read_text()):
        unknown = set(fault) - FIELDS
        assert not unknown, f"{fault['name']}: {unknown}"
        for mode in MODES:
            if mode in fault and fault[mode] is None:
                continue
            told = fault | fault.get(mode, {})
            cells += [_cell(told, mode, position) for position in told.get("at", POSITIONS)]
    cells += _words()
    assert len({cell.label for cell in cells}) == len(cells), "names repeat"
    return cells


def _words():
    """Each vendor's own errors, of those vendors that have a stand-in."""
    for vendor, mode in product(json.loads(WORDS.read_text()), MODES):
        if vendor["kind"] not in SPEAKERS:
            continue
        for error in vendor["errors"]:
            then = STOPS.get(error["class"], "next")
            yield Cell(
                name=f"{vendor['kind']}: {error['says']} ({error['status']})",
                fault={"kind": "status", "status": error["status"], "body": error["body"]},
                vendor=vendor["kind"],
                position="first",
                mode=mode,
                verdict=error["class"],
                then=then,
                status=error["status"],
                is_of_words=True,
            )


def _cell(told, mode, position):
    return Cell(
        name=told["name"],
        fault=told["fault"] if told.get("listening", True) else None,
        vendor=told.get("vendor"),
        position=position,
        mode=mode,
        verdict=None if told.get("then") == "answer" else told["class"],
        then=told.get("then", "next"),
        status=told.get("status", 500),
        slow=told.get("slow", False),
        settings=told.get("settings", {}),
        times=told.get("times"),
        wasted=tuple(told.get("wasted", ())),
    )
