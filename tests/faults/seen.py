"""What a client saw of a reply, judged as a user of an SDK would: does it know what it has?"""

import json
from dataclasses import dataclass, field

import httpx

from .cells import ANSWERED, ERROR, HANG, LIE

PATH = "chat/completions"

#: Long enough for a dozen events in every vendor's stream.
ECHO = "how do the one and the other of these many words come back to me at last"

#: The text of the large answer, in bytes.
LARGE = 200_000

#: Two of three candidates may be silent until somebody loses patience.
PATIENCE_S = 8.0


@dataclass
class Seen:
    """The outcome, why it is called so, and what else the reply told."""

    outcome: str
    note: str
    status: int | None = None
    headers: dict = field(default_factory=dict)
    body: str = ""


def ask(http, model, stream, text=ECHO, patience_s=PATIENCE_S, **more):
    """Sends one request and reads it to its end; `http` has the base URL of the API."""
    body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
    if stream:
        body["stream"] = True
    received = bytearray()
    reply = None
    try:
        with http.stream("POST", PATH, json=body, timeout=patience_s) as reply:
            for piece in reply.iter_bytes():
                received += piece
    except httpx.TimeoutException:
        return _seen(HANG, "no end", reply, received)
    except httpx.TransportError as failure:
        return _seen(ERROR, f"cut: {type(failure).__name__}", reply, received)
    return judge(reply, bytes(received), stream, text)


def judge(reply, received, stream, text=ECHO):
    """The outcome of a reply that came to an end."""
    if not 200 <= reply.status_code < 300:
        return _seen(ERROR, _shape(received), reply, received)
    judge_body = _judge_stream if stream else _judge_whole
    try:
        outcome, note = judge_body(received.decode(), text)
    except (ValueError, LookupError, TypeError, AttributeError) as failure:
        # An SDK that expects OpenAI's shape has nothing better to tell its user.
        outcome, note = LIE, f"a {reply.status_code} that is no reply: {type(failure).__name__}"
    return _seen(outcome, note, reply, received)


def _seen(outcome, note, reply, received):
    head = (None, {}) if reply is None else (reply.status_code, reply.headers)
    return Seen(outcome, note, *head, bytes(received).decode(errors="replace"))


def _shape(received):
    try:
        message = json.loads(received)["error"]["message"]
    except (ValueError, LookupError, TypeError):
        return "not OpenAI's shape"
    return "told" if isinstance(message, str) and message else "not OpenAI's shape"


def _judge_whole(body, text):
    value = json.loads(body)
    if "error" in value:
        return LIE, "an error with status 200"
    choice = value["choices"][0]
    return _judge_text(choice["message"].get("content"), choice["finish_reason"], text)


def _judge_stream(body, text):
    said, finish = "", None
    for event in body.replace("\r\n", "\n").split("\n\n"):
        data = "\n".join(
            line.removeprefix("data:").strip()
            for line in event.split("\n")
            if line.startswith("data:")
        )
        if not data or data == "[DONE]":
            continue
        try:
            value = json.loads(data)
        except ValueError:
            return ERROR, "an event that is no JSON"
        if value.get("error"):
            return ERROR, "told in the stream"
        for choice in value["choices"]:
            said += choice["delta"].get("content") or ""
            finish = choice.get("finish_reason") or finish
    return _judge_text(said, finish, text)


def _judge_text(said, finish, text):
    if finish == "content_filter":
        return ERROR, "refused"
    if finish is None:
        return LIE, "an end without a reason"
    if not said:
        return LIE, "nothing said"
    # What the stand-in says: who it is, then the words; or filler, which has no such end.
    whole = said.count("Hello from") == 1 and said.endswith(text)
    if whole or said.startswith("lorem ipsum") and len(said) >= LARGE:
        return ANSWERED, ""
    return LIE, "a part for the whole"
