"""Tables of the matrix: what is declared, for docs/faults.md, and what a client saw."""

import json
from itertools import groupby
from pathlib import Path

from . import peers
from .cells import ANSWERED, ERROR, HANG, LIE, MODES, POSITIONS, read_cells
from .outcomes import is_best

DOCS = Path(__file__).resolve().parents[2] / "docs/faults.md"

VENDORS = ("openai", "anthropic", "gemini")

INTRODUCTION = """\
<!-- Written by tests/e2e/test_faults.py from tests/faults/faults.yaml: BLESS=1 writes it again. -->

# The fault matrix

{faults} ways in which a provider can fail, each put on the first, the middle and the last of three
candidates (OpenAI, Anthropic, Gemini; the candidates before it fail with a plain 500), buffered and
streamed, and {words} [errors in vendors' own words](failures.md): {cells} requests through a real Envoy, each checked for the class of every attempt, what
the client saw, and what was charged. `make e2e` runs them on Envoy 1.40 and on 1.38.

`make faults` prints what a client saw of each. `make faults URL=http://HOST:PORT/v1 MODEL=NAME`
asks the same of any gateway that speaks OpenAI's API: it starts three stand-ins, tells where they
listen, and waits until the gateway answers through them. A reply is judged as an SDK's user would:
*answered* is the whole answer; an *honest error* is a status, an error event or a broken
connection that cannot be taken for an answer; a *lie* is a 200 that looks complete and is not; a
*hang* has no end.

The columns: what the provider does; the class of the failed attempt in the log and in
`x-pointsman-attempts` (two or three where the vendors' own words differ: OpenAI's, Anthropic's,
Gemini's); what follows on the first and the middle candidate; what the client is told when it was
the last one; and whose tokens are counted.

"""


def render_docs():
    """docs/faults.md: a row for every fault, two where the modes differ."""
    every = read_cells()
    cells = [cell for cell in every if not cell.is_of_words]
    lines = [
        "| fault | the provider | class | first, middle | last | charged |",
        "|---|---|---|---|---|---|",
    ]
    by_name = [list(group) for _, group in groupby(cells, lambda cell: cell.name)]
    for group in by_name:
        lines += _rows(group)
    words = len({cell.name for cell in every if cell.is_of_words})
    head = INTRODUCTION.format(faults=len(by_name), words=words, cells=len(every))
    return "\n".join([head + "\n".join(lines), *peers.chapter()]) + "\n"


def _rows(cells):
    rows = {mode: _row([cell for cell in cells if cell.mode == mode]) for mode in MODES}
    buffered, stream = (rows[mode] for mode in MODES)
    name = f"`{cells[0].name}`"
    if buffered == stream:
        return [_line(name, buffered)]
    modes = {"": buffered, ", streamed": stream} if buffered else {", streamed": stream}
    return [_line(name + mode, row) for mode, row in modes.items() if row]


def _line(name, row):
    return f"| {name} | {' | '.join(row)} |"


def _row(cells):
    if not cells:
        return None
    places = {cell.position: cell for cell in cells}
    early = places.get("first") or places.get("middle")
    return (
        _deed(cells[0]),
        _classes(cells),
        _early(early) if early else "",
        _late(places["last"]) if "last" in places else "",
        _charged(cells[0]),
    )


def _classes(cells):
    if cells[0].verdict is None:
        return ""
    vendors = [cells[0].vendor] if cells[0].vendor else VENDORS
    words = dict.fromkeys(f"`{cells[0].verdict_at(vendor)}`" for vendor in vendors)
    return ", ".join(words)


def _early(cell):
    return "the next answers" if cell.then == "next" else _late(cell)


def _late(cell):
    if cell.then == "again":
        return "answered by it, a second later"
    if cell.client == ANSWERED:
        return "answered by it"
    if cell.then == "break":
        return "an error event in the stream"
    if cell.then == "cut":
        return "a broken connection, no `[DONE]`"
    statuses = cell.status.values() if isinstance(cell.status, dict) else [cell.status]
    words = ["a refusal" if status == 200 else f"told {status}" for status in statuses]
    return ", ".join(dict.fromkeys(words))


def _charged(cell):
    if cell.then in ("break", "cut"):
        return "what came"
    charged = ["the answer"] if cell.then in ("answer", "next", "again") else []
    if cell.wasted:
        of = "" if len(cell.wasted) == len(VENDORS) else f" (of {', '.join(cell.wasted)})"
        charged.append(f"what was thrown away{of}")
    return " and ".join(charged) or "nothing"


def _deed(cell):
    """What the stand-in does, in words."""
    fault = cell.fault
    if fault is None:
        return "does not listen"
    plain = {
        "quota": "its own words for a used-up quota",
        "model_gone": "its own words for a model that is gone",
        "context_overflow": "its own words for a prompt that is too long",
        "content_filter": "its own refusal",
        "close": "closes the connection",
        "reset": "resets the connection",
        "not_http": "speaks another protocol",
        "reset_after_headers": "resets after the head",
        "empty_body": "a 200 without a body",
        "empty_stream": "a 200 without an event",
        "nothing_said": "a good reply in which nothing is said",
        "error_event_first": "an error inside a 200",
        "garbage": "bytes of no format",
        "gzip": "a compressed reply",
        "other_mode": "a stream for a whole reply, and the reverse",
    }
    kind = fault["kind"]
    if kind in plain:
        return plain[kind]
    if kind == "status":
        return _status_deed(fault)
    if kind == "stall":
        return f"waits {fault['ms']} ms, then answers" if "ms" in fault else "says nothing, ever"
    return {
        "big_head": lambda: f"a head of {fault['bytes']} bytes",
        "big_reply": lambda: f"a text of {fault['bytes']} bytes",
        "keep_alive": lambda: "keep-alive comments, and never an event",
        "slow_stream": lambda: f"{fault['ms']} ms before every event",
        "cut": lambda: f"closes after {_events(fault)}",
        "reset_after": lambda: f"resets after {_events(fault)}",
        "end_early": lambda: f"ends in order after {_events(fault)}",
        "stall_stream": lambda: f"falls silent after {_events(fault)}",
        "error_event_after": lambda: f"an error after {_events(fault)}",
        "malformed_event": lambda: f"an event of broken JSON after {_events(fault)}",
    }[kind]()


def _status_deed(fault):
    status = fault["status"]
    extra = f", `retry-after: {fault['retry_after']}`" if "retry_after" in fault else ""
    if "body" not in fault:
        return f"{status}{extra}"
    body = fault["body"]
    if body == "":
        return f"{status} without a body{extra}"
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        return f'{status}: "{body["error"]["message"]}"'
    if isinstance(body, str) and body.startswith("<"):
        return f"{status} and an HTML page"
    return f"{status} and `{body if isinstance(body, str) else json.dumps(body)}`"


def _events(fault):
    count = fault.get("after_events", fault.get("events", 1))
    return "one event" if count == 1 else f"{count} events"


# === what a client saw ===

SHORT = {ANSWERED: "answered", ERROR: "error", LIE: "LIE", HANG: "HANG"}


def render_seen(results):
    """A text table of (cell, seen) pairs, what was not best, and the score."""
    by_name = {}
    for cell, seen in results:
        by_name.setdefault(cell.name, {})[cell.mode, cell.position] = _word(cell, seen)
    width = max(len(name) for name in by_name)
    columns = [(mode, position) for mode in MODES for position in POSITIONS]
    heads = [" ".join(column) for column in columns]
    lines = ["  ".join([" " * width, *(f"{head:15}" for head in heads)]).rstrip()]
    for name, words in by_name.items():
        cells = [f"{words.get(column, '-'):15}" for column in columns]
        lines.append("  ".join([f"{name:{width}}", *cells]).rstrip())
    poor = [(cell, seen) for cell, seen in results if not is_best(cell, seen)]
    if poor:
        lines += ["", "not as well as could be:"]
        lines += [f"  {c.label}: {s.outcome}, {s.status}, {s.note}" for c, s in poor]
    return "\n".join([*lines, "", score(results)])


def _word(cell, seen):
    word = SHORT[seen.outcome]
    if seen.outcome == ERROR:
        word = "cut" if seen.note.startswith("cut") else f"error {seen.status}"
    return word if is_best(cell, seen) else word + " !"


def score(results):
    """One line: how many clients were served as well as could be, and how the others fared."""
    outcomes = [seen.outcome for _, seen in results]
    best = sum(is_best(cell, seen) for cell, seen in results)
    could = [seen for cell, seen in results if cell.client == ANSWERED]
    answered = sum(seen.outcome == ANSWERED for seen in could)
    return (
        f"{best} of {len(results)} as well as could be "
        f"({answered} of {len(could)} answered where a candidate was able to); "
        f"{outcomes.count(LIE)} lies, {outcomes.count(HANG)} hangs"
    )
