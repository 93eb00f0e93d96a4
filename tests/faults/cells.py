"""The declared faults, spread out into cells: one request each, and what is to come of it."""

from dataclasses import dataclass
from pathlib import Path

import yaml

FAULTS = Path(__file__).with_name("faults.yaml")

POSITIONS = ("first", "middle", "last")
MODES = ("buffered", "stream")

#: What candidates do that come before the one with the fault.
BEFORE = {"kind": "status", "status": 500}
BEFORE_CLASS = "server_error"

FIELDS = {
    "name", "fault", "listening", "vendor", "class", "then", "status", "buffered", "stream", "at",
    "slow",
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
    #: `next`, `stop`, `answer`, `break` or `cut`.
    then: str
    #: What the client is told when nobody answers; by vendor where their own words differ.
    status: int | dict
    #: Whether somebody waits for silence to end.
    slow: bool

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
        return ANSWERED if self.then == "answer" or self.goes_on else ERROR

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

    def trail(self, vendors):
        """Vendor and class of each attempt, as the reply's head tells them."""
        chain = self.chain(vendors)
        before = [(vendor, BEFORE_CLASS) for vendor in chain[: self.place]]
        own = chain[self.place]
        if self.then in ("answer", "break", "cut"):
            return [*before, (own, "ok")]
        failed = [*before, (own, self.verdict_at(own))]
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
    assert len({cell.label for cell in cells}) == len(cells), "names repeat"
    return cells


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
    )
