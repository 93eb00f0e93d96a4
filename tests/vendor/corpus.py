"""Chat completion requests of every kind, the same ones in every run: `requests()`.

Each is drawn with its own seeded generator, so that adding a facet changes later draws of the same
request only. All are requests that OpenAI's reference allows, or extensions that this gateway
documents; what a vendor cannot take must be translated, dropped or refused in words.
"""

import base64
import json
import random

COUNT = 320

PIXEL = base64.b64encode(
    bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")
).decode()
PDF = base64.b64encode(b"%PDF-1.4\n%%EOF\n").decode()
WAV = base64.b64encode(b"RIFF\x24\x00\x00\x00WAVEfmt ").decode()

TEXTS = [
    "What is the weather?",
    "Grüße aus München \U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 \u202eright to left",
    "line one\nline two\r\n\ttabbed \\ \" ' \u0000\u001f\u2028\u2029",
    "  blanks around  ",
    "",
    " \n\t ",
    "x" * 3000,
    "\ud7ff\ue000\ufffd\U0010ffff",
    '{"looks": "like json"}',
    "</s><|im_start|>system",
]

SCHEMAS = [
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    {
        "$defs": {
            "leaf": {"type": "object", "properties": {"n": {"type": ["integer", "null"]}},
                     "required": ["n"], "additionalProperties": False},
        },
        "type": "object",
        "properties": {
            "leaf": {"$ref": "#/$defs/leaf"},
            "leaves": {"type": "array", "items": {"$ref": "#/$defs/leaf"}},
        },
        "required": ["leaf", "leaves"],
        "additionalProperties": False,
    },
    {
        "definitions": {"tree": {"type": "object", "properties": {
            "left": {"anyOf": [{"$ref": "#/definitions/tree"}, {"type": "null"}]},
            "right": {"$ref": "#/definitions/tree"}}}},
        "type": "object",
        "properties": {"tree": {"$ref": "#/definitions/tree"}},
    },
    {"type": "object", "properties": {
        "when": {"type": "string", "format": "date-time"},
        "kind": {"enum": ["a", "b", None]},
        "const": {"const": 1},
        "either": {"oneOf": [{"type": "string", "pattern": "^a"}, {"type": "number", "minimum": 0}]},
        "map": {"type": "object", "additionalProperties": {"type": ["boolean", "string"]}},
        "tuple": {"type": "array", "prefixItems": [{"type": "string"}], "minItems": 1},
        "$ref": {"type": "string", "description": "a property of that name"},
        "größe": {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.1, "default": 1e308},
    }},
    {"type": "object", "properties": {}},
    {"type": "object"},
    {},
    {"anyOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"type": "object"}]},
    {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "T", "type": "object",
     "properties": {"a": {"allOf": [{"type": "string"}, {"maxLength": 9}], "nullable": True}}},
    {"$ref": "#/$defs/Root", "$defs": {"Root": {"type": "object", "properties": {
        "next": {"$ref": "#/$defs/Root"}}}}},
]

ARGUMENTS = [
    '{"city":"Bonn"}', "{}", "", '{"a": {"b": [1, 2.5, null, true, "\\u00fc"]}}',
    '{"n": 12345678901234567890123, "x": 1e400}', '{"city": "cut sh', "not json", '"text"', "[1]",
    "null", ' {"blank" : 1} ',
]

NAMES = ["weather", "get_time", "f-1", "a" * 64, "_x", "Search_Documents_2"]

IDS = ["call_abc123", "toolu_01A09q90qw90lq917835lq9", "tooluse_kZJMlvQmRJ6eAyJE5GIl7Q", "a", "123456789",
       "call_" + "x" * 60, "chatcmpl-tool-1f2e:weather.1", "fc/with strange+chars=é", "functions.weather:0"]

RESULTS = ["sunny", "", '{"rain": [1, 2]}', "[1, 2]", "null", "42", '"text"', " ", "é\U0001f327", "x" * 2000]


def requests() -> list[dict]:
    return [Draw(seed).request() for seed in range(COUNT)]


class Draw:
    """One request."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.numbers = iter(range(1000))

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def one(self, *items):
        return self.random.choice(items)

    def text(self) -> str:
        return self.random.choice(TEXTS)

    def said(self) -> str:
        """Text that says something."""
        return self.random.choice([text for text in TEXTS if text.strip()])

    def request(self) -> dict:
        self.tools = self.declared() if self.chance(55) else []
        body = {"messages": self.messages()}
        if self.tools:
            body |= self.tool_settings()
        for facet, percent in (
            (self.sampling, 40), (self.limits, 40), (self.stops, 25), (self.format, 25),
            (self.reasoning, 35), (self.streaming, 35), (self.logprobs, 10), (self.bookkeeping, 30),
            (self.rare, 15), (self.options, 10),
        ):
            if self.chance(percent):
                body |= facet()
        items = list(body.items())
        self.random.shuffle(items)
        return dict(items)

    # Messages.

    def messages(self) -> list[dict]:
        messages = []
        for _ in range(self.one(0, 0, 1, 1, 2)):
            messages.append({"role": self.one("system", "developer"), "content": self.content(["text"])})
        for _ in range(self.one(1, 1, 1, 2, 3, 5)):
            messages += self.exchange()
        if self.chance(10):
            messages.insert(self.random.randrange(len(messages) + 1) if not self.has_calls(messages) else 0,
                            {"role": self.one("system", "developer"), "content": self.said()})
        if messages[-1]["role"] == "assistant" and not self.chance(10):
            messages.append({"role": "user", "content": self.said()})
        if not any(m["role"] == "user" and says(m) for m in messages):
            messages.append({"role": "user", "content": self.said()})
        return messages

    def has_calls(self, messages) -> bool:
        return any("tool_calls" in m or "function_call" in m for m in messages)

    def exchange(self) -> list[dict]:
        user = {"role": "user", "content": self.content(["text", "image", "file", "audio", "link"])}
        if self.chance(10):
            user["name"] = self.one("ada", "Grace H.", "x" * 70)
        self.mark(user, 8)
        kind = self.one("user", "answer", "answer", "calls", "calls", "legacy")
        if kind == "user":
            return [user] * self.one(1, 1, 2)
        if kind == "calls":
            return [user, *self.calls()]
        if kind == "legacy":
            return [user, *self.legacy()]
        return [user, self.answer()]

    def content(self, kinds):
        if self.chance(60):
            return self.text()
        parts = [self.part(self.random.choice(kinds)) for _ in range(self.one(1, 2, 3))]
        for part in parts:
            self.mark(part, 10)
        return parts

    def part(self, kind) -> dict:
        if kind == "image":
            return {"type": "image_url", "image_url": self.maybe(
                {"url": f"data:image/{self.one('png', 'jpeg', 'gif', 'webp')};base64,{PIXEL}"},
                "detail", self.one("auto", "low", "high"))}
        if kind == "link":
            return {"type": "image_url", "image_url": {"url": "https://example.com/a%20b.png?x=1&y=2"}}
        if kind == "file":
            return {"type": "file", "file": {
                "filename": self.one("report.pdf", "Bericht (1).v2.pdf", "räksmörgås .pdf"),
                "file_data": f"data:application/pdf;base64,{PDF}"}}
        if kind == "audio":
            return {"type": "input_audio", "input_audio": {"data": WAV, "format": self.one("wav", "mp3")}}
        if kind == "refusal":
            return {"type": "refusal", "refusal": self.said()}
        return {"type": "text", "text": self.text()}

    def answer(self) -> dict:
        message = {"role": "assistant", "content": self.content(["text", "text", "text", "refusal"])}
        if self.chance(15):
            message |= self.thought()
        if self.chance(8):
            message |= {"content": None, "refusal": "I cannot help with that."}
        return message

    def thought(self) -> dict:
        text = self.said()
        details = self.one(
            None,
            [{"type": "thinking", "thinking": text, "signature": "c2ln"}],
            [{"type": "redacted_thinking", "data": "b3BhcXVl"}],
            [{"type": "reasoning.text", "text": text, "signature": "c2ln", "format": "anthropic-claude-v1"}],
            [{"type": "reasoning.text", "text": text}],
            [{"type": "reasoning.encrypted", "data": "b3BhcXVl", "format": "google-gemini-v1"}],
        )
        return {"reasoning_content": text} | ({"reasoning_details": details} if details else {})

    def calls(self) -> list[dict]:
        names = [t["function"]["name"] for t in self.tools] or NAMES
        calls = []
        for _ in range(self.one(1, 1, 2, 3)):
            call = {"id": f"{self.one(*IDS)}{next(self.numbers)}", "type": "function", "function": {
                "name": self.random.choice(names), "arguments": self.one(*ARGUMENTS)}}
            if self.chance(10):
                call["extra_content"] = {"google": {"thought_signature": "c2ln"}}
            calls.append(call)
        assistant = {"role": "assistant", "tool_calls": calls}
        if self.chance(70):
            assistant["content"] = self.one(None, None, "", self.text())
        if self.chance(20):
            assistant |= self.thought()
        results = [self.result(call) for call in calls]
        self.random.shuffle(results)
        after = [self.answer()] if self.chance(50) else []
        return [assistant, *results, *after]

    def result(self, call) -> dict:
        content = self.one(*RESULTS) if self.chance(75) else [
            {"type": "text", "text": self.one(*RESULTS)} for _ in range(self.one(1, 2))]
        message = {"role": "tool", "tool_call_id": call["id"], "content": content}
        if self.chance(10):
            message["is_error"] = True
        self.mark(message, 8)
        return message

    def legacy(self) -> list[dict]:
        name = self.tools[0]["function"]["name"] if self.tools else NAMES[0]
        called = {"name": name, "arguments": self.one(*ARGUMENTS)}
        return [{"role": "assistant", "content": None, "function_call": called},
                {"role": "function", "name": name, "content": self.one(*RESULTS)}]

    # Tools.

    def declared(self) -> list[dict]:
        names = self.random.sample(NAMES, self.one(1, 1, 2, 4))
        return [self.tool(name) for name in names]

    def tool(self, name) -> dict:
        function = {"name": name}
        if self.chance(80):
            function["parameters"] = self.one(*SCHEMAS)
        self.maybe(function, "description", self.one("Looks it up.", "", "é" * 500))
        if self.chance(30):
            function["strict"] = self.one(True, False)
        tool = {"type": "function", "function": function}
        self.mark(tool, 10)
        return tool

    def tool_settings(self) -> dict:
        names = [t["function"]["name"] for t in self.tools]
        settings = {"tools": self.tools}
        if self.chance(50):
            settings["tool_choice"] = self.one(
                "auto", "none", "required",
                {"type": "function", "function": {"name": names[0]}},
                {"type": "allowed_tools", "allowed_tools": {
                    "mode": self.one("auto", "required"),
                    "tools": [{"type": "function", "function": {"name": names[-1]}}]}},
            )
        if self.chance(30):
            settings["parallel_tool_calls"] = self.one(True, False)
        return settings

    # Settings.

    def sampling(self) -> dict:
        fields = {
            "temperature": self.one(0, 0.0, 0.7, 1, 1.0, 1.5, 2),
            "top_p": self.one(0, 0.1, 0.999, 1),
            "frequency_penalty": self.one(-2, -0.5, 0, 0.5, 2),
            "presence_penalty": self.one(-2, 0, 1.5),
            "seed": self.one(0, 7, -1, 2**63 - 1, -(2**63)),
            "top_k": self.one(1, 40, 500),
            "logit_bias": self.one({}, {"50256": -100, "1": 5}),
        }
        return self.some(fields, 35)

    def limits(self) -> dict:
        limit = self.one(1, 16, 1024, 4096, 10**6)
        return {self.one("max_tokens", "max_completion_tokens"): limit}

    def stops(self) -> dict:
        return {"stop": self.one("END", ["END"], ["a", "b", "c", "d"], ["\n\n", " "], [], [""], None, "")}

    def format(self) -> dict:
        schema = {"name": self.one("answer", "a" * 64, "with-dash"), "schema": self.one(*SCHEMAS)}
        if self.chance(60):
            schema["strict"] = self.one(True, False)
        self.maybe(schema, "description", "What to say.")
        return {"response_format": self.one(
            {"type": "text"}, {"type": "json_object"},
            {"type": "json_schema", "json_schema": schema}, {"type": "json_schema", "json_schema": schema})}

    def reasoning(self) -> dict:
        return self.one(
            *({"reasoning_effort": effort} for effort in ("none", "minimal", "low", "medium", "high", "xhigh")),
            {"thinking": {"type": "enabled", "budget_tokens": 2048}},
            {"thinking": {"type": "disabled"}},
            {"thinking": {"type": "adaptive"}},
        )

    def streaming(self) -> dict:
        options = self.one({}, {"stream_options": {"include_usage": True}},
                           {"stream_options": {"include_usage": False, "include_obfuscation": False}})
        return {"stream": self.one(True, True, False)} | options

    def logprobs(self) -> dict:
        return self.one({"logprobs": True}, {"logprobs": True, "top_logprobs": self.one(0, 5, 20)},
                        {"logprobs": False})

    def bookkeeping(self) -> dict:
        return self.some({
            "user": self.one("ada", "", "x" * 300, "ada@example.com"),
            "safety_identifier": "hash",
            "metadata": self.one({}, {"team": "a", "größe": "ü", "K" * 70: "v" * 600}),
            "store": self.one(True, False),
            "service_tier": self.one("auto", "default", "flex", "priority"),
            "prompt_cache_key": "k",
            "prompt_cache_retention": "24h",
            "verbosity": self.one("low", "medium", "high"),
        }, 30)

    def rare(self) -> dict:
        return self.one(
            {"n": 1}, {"n": 2}, {"n": 8},
            {"modalities": ["text"]},
            {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}},
            {"prediction": {"type": "content", "content": "guess"}},
            {"web_search_options": {}},
            {"temperature": None, "tools": None, "stop": None, "tool_choice": None, "metadata": None}
            if not self.tools else {"temperature": None, "stop": None, "user": None},
        )

    def options(self) -> dict:
        return {"provider_options": {"nobody": {"x": 1}, "openai": {"store": False}}}

    # Small change.

    def some(self, fields: dict, percent: int) -> dict:
        return {name: value for name, value in fields.items() if self.chance(percent)}

    def maybe(self, into: dict, name: str, value) -> dict:
        if self.chance(50):
            into[name] = value
        return into

    def mark(self, into: dict, percent: int) -> None:
        if self.chance(percent):
            into["cache_control"] = self.one({"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"})


def says(message) -> bool:
    content = message["content"]
    if isinstance(content, str):
        return bool(content.strip())
    return any(part["type"] == "text" and part["text"].strip() for part in content or [])


if __name__ == "__main__":
    for request in requests():
        print(json.dumps(request))
