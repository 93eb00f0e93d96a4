//! The request fields of Chat, from the official Python SDK 7.3
//! (`cohere.v2.client`, `cohere.types`, read 2026-11-21).

use crate::shape::Shape::{
    self, Any, Fields, Flag, Is, List, Map, Number, Tagged, Text, TextOr, Whole, Word,
};

/// The whole request.
pub static REQUEST: Shape = Fields(&[
    ("model", Text),
    ("messages", List(&MESSAGE)),
    ("stream", Flag),
    ("tools", List(&TOOL)),
    ("strict_tools", Flag),
    ("documents", List(&TextOr(&DOCUMENT))),
    ("citation_options", Fields(&[("mode", Is(&CITATION_MODE))])),
    ("response_format", Is(&RESPONSE_FORMAT)),
    ("safety_mode", Word(&["CONTEXTUAL", "STRICT", "OFF"])),
    ("max_tokens", Whole),
    ("stop_sequences", List(&Text)),
    ("temperature", Number),
    ("seed", Whole),
    ("frequency_penalty", Number),
    ("presence_penalty", Number),
    ("k", Whole),
    ("p", Number),
    ("logprobs", Flag),
    ("tool_choice", Word(&["REQUIRED", "NONE"])),
    (
        "thinking",
        Fields(&[
            ("type", Word(&["enabled", "disabled"])),
            ("token_budget", Whole),
        ]),
    ),
    ("priority", Whole),
]);

static CITATION_MODE: Shape = Word(&["ENABLED", "DISABLED", "FAST", "ACCURATE", "OFF"]);

static MESSAGE: Shape = Tagged(
    "role",
    &[
        (
            "system",
            Fields(&[("role", Text), ("content", TextOr(&List(&TEXT_PART)))]),
        ),
        (
            "user",
            Fields(&[("role", Text), ("content", TextOr(&List(&PART)))]),
        ),
        (
            "assistant",
            Fields(&[
                ("role", Text),
                ("content", TextOr(&List(&ASSISTANT_PART))),
                ("tool_calls", List(&TOOL_CALL)),
                ("tool_plan", Text),
                ("citations", Any),
            ]),
        ),
        (
            "tool",
            Fields(&[
                ("role", Text),
                ("tool_call_id", Text),
                ("content", TextOr(&List(&TOOL_PART))),
            ]),
        ),
    ],
);

static TEXT_FIELDS: Shape = Fields(&[("type", Text), ("text", Text)]);

static TEXT_PART: Shape = Tagged("type", &[("text", Is(&TEXT_FIELDS))]);

static PART: Shape = Tagged(
    "type",
    &[
        ("text", Is(&TEXT_FIELDS)),
        (
            "image_url",
            Fields(&[
                ("type", Text),
                (
                    "image_url",
                    Fields(&[("url", Text), ("detail", Word(&["auto", "low", "high"]))]),
                ),
            ]),
        ),
    ],
);

static ASSISTANT_PART: Shape = Tagged(
    "type",
    &[
        ("text", Is(&TEXT_FIELDS)),
        ("thinking", Fields(&[("type", Text), ("thinking", Text)])),
    ],
);

static TOOL_PART: Shape = Tagged(
    "type",
    &[
        ("text", Is(&TEXT_FIELDS)),
        (
            "document",
            Fields(&[("type", Text), ("document", Is(&DOCUMENT))]),
        ),
    ],
);

static DOCUMENT: Shape = Fields(&[("data", Map(&Any)), ("id", Text)]);

static TOOL_CALL: Shape = Fields(&[
    ("id", Text),
    ("type", Word(&["function"])),
    ("function", Fields(&[("name", Text), ("arguments", Text)])),
]);

static TOOL: Shape = Fields(&[
    ("type", Word(&["function"])),
    (
        "function",
        Fields(&[
            ("name", Text),
            ("description", Text),
            ("parameters", Map(&Any)),
        ]),
    ),
]);

static RESPONSE_FORMAT: Shape = Tagged(
    "type",
    &[
        ("text", Fields(&[("type", Text)])),
        (
            "json_object",
            Fields(&[("type", Text), ("json_schema", Map(&Any))]),
        ),
    ],
);
