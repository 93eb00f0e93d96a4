"""What clients of each gateway saw, as it is kept and as docs/faults.md shows it."""

import json
from collections import Counter
from pathlib import Path

from ..cells import ANSWERED, ERROR, HANG, LIE, read_cells
from ..outcomes import is_best

RESULTS = Path(__file__).with_name("results.json")

#: One letter for each cell; a small one where nobody could have served the client better.
LETTERS = {ANSWERED: "a", ERROR: "e", LIE: "L", HANG: "H"}
#: What was seen of a fault that another candidate could have made good.
POOR = {"E": "an error", "L": "a lie", "H": "a hang"}


def compact(results):
    """Letters by the cell's label."""
    return {cell.label: _letter(cell, seen) for cell, seen in results}


def _letter(cell, seen):
    letter = LETTERS[seen.outcome]
    return letter if is_best(cell, seen) else letter.upper()


def chapter():
    """Lines of docs/faults.md; none before anything has been measured."""
    if not RESULTS.exists():
        return []
    kept = json.loads(RESULTS.read_text())
    dates = " and ".join(sorted({gateway["date"] for gateway in kept.values()}))
    return [INTRODUCTION.format(dates=dates), *_rows(kept)]


INTRODUCTION = """
## Other gateways

`make faults-peers` asks other gateways the same, with their fallbacks on and a second for an attempt
([their configurations](../tests/faults/peers)); measured on {dates}. LiteLLM has the same three
candidates; Portkey has OpenAI's once more in place of Gemini's, whose streams it asks for in a form
that the stand-in may not serve as Google does. *Well* is a client that nobody could have served better:
the answer where a candidate had one, else an honest error. A *lie* is often a stream that ends in
order, and too early: an SDK shows it as an answer. Only faults that one of the two did not meet well
every time are shown; statuses of other vendors' words, speed, cost and logs are not judged.

Pointsman is held to the table above by `make e2e`. Others do what it does not: both deliver texts of
any size, where `limits.reply` refuses them here; both ask the next candidate after a bad request and
after OpenAI's refusal, which here wants `fallback_on_refusal`. Neither was asked to wait for a short
`Retry-After`, which their retries can do in other ways. After two of the streams that hang (`garbage`,
`page-in-a-200`), LiteLLM answered nobody any more and was started again.
"""


def _rows(kept):
    heads = [f"{name} {gateway['version']}" for name, gateway in kept.items()]
    yield "| fault | " + " | ".join(heads) + " |"
    yield "|---|" + "---|" * len(heads)
    for fault in dict.fromkeys(cell.name for cell in read_cells()):
        words = [_words(gateway["seen"], fault) for gateway in kept.values()]
        if any(" of " in word for word in words):
            yield f"| `{fault}` | " + " | ".join(words) + " |"
    totals = [f"{_total(gateway['seen'])}" for gateway in kept.values()]
    yield "| all | " + " | ".join(totals) + " |"


def _letters(seen, fault):
    labels = [cell.label for cell in read_cells() if cell.name == fault]
    return [seen[label] for label in labels if label in seen]


def _words(seen, fault):
    letters = _letters(seen, fault)
    poor = Counter(letter for letter in letters if letter in POOR)
    if not letters or not poor:
        return "well" if letters else "not asked"
    told = ", ".join(f"{POOR[letter]} {count} times" for letter, count in poor.items())
    return f"{len(letters) - poor.total()} of {len(letters)}: {told.replace(' 1 times', ' once')}"


def _total(seen):
    poor = Counter(letter for letter in seen.values() if letter in POOR)
    best = len(seen) - poor.total()
    return f"{best} of {len(seen)}; {poor['L']} lies, {poor['H']} hangs"
