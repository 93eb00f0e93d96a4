//! Qwen on Model Studio: thinking is a switch that goes with streams and with free choices.
//!
//! Source: Alibaba Cloud Model Studio, "OpenAI compatible - Chat", "Deep thinking" and
//! "Error codes", read 2026-11-21.

use serde_json::{Value, json};

use super::fields::{PLAIN, STREAM_OPTIONS, TOOL, TOOL_CALL, TOOL_CHOICE, TOOL_MESSAGE, USER};
use super::{Host, Thoughts, check_json_is_mentioned, forces_a_tool, invalid, violated};
use crate::answer::Answer;
use crate::ask::{Ask, Thinking};
use crate::shape::Shape::{self, Any, Fields, Flag, Is, List, Number, Tagged, Text, TextOr, Whole};
use crate::vendors::{Objection, flag};

/// The host.
pub static QWEN: Host = Host {
    name: "qwen",
    request: &REQUEST,
    violated,
    check,
    thinking: |body| match flag(body, "enable_thinking") {
        true => Thinking::Shown,
        false => Thinking::Off,
    },
    call_id: |call| format!("call_{:0>20}", call.id),
    usage,
    thoughts: Thoughts::Field,
    whole_calls: false,
};

static REQUEST: Shape = Fields(&[
    ("model", Text),
    ("messages", List(&MESSAGE)),
    ("stream", Flag),
    ("stream_options", Is(&STREAM_OPTIONS)),
    ("modalities", List(&Text)),
    ("temperature", Number),
    ("top_p", Number),
    ("top_k", Whole),
    ("presence_penalty", Number),
    ("response_format", Any),
    ("max_tokens", Whole),
    ("n", Whole),
    ("enable_thinking", Flag),
    ("thinking_budget", Whole),
    ("seed", Whole),
    ("logprobs", Flag),
    ("top_logprobs", Whole),
    ("stop", TextOr(&List(&Text))),
    ("tools", List(&TOOL)),
    ("tool_choice", TextOr(&TOOL_CHOICE)),
    ("parallel_tool_calls", Flag),
    ("enable_search", Flag),
    ("search_options", Any),
]);

static MESSAGE: Shape = Tagged(
    "role",
    &[
        ("system", Is(&PLAIN)),
        ("user", Is(&USER)),
        (
            "assistant",
            Fields(&[
                ("role", Text),
                ("content", TextOr(&List(&Any))),
                ("reasoning_content", Text),
                ("partial", Flag),
                ("tool_calls", List(&TOOL_CALL)),
            ]),
        ),
        ("tool", Is(&TOOL_MESSAGE)),
    ],
);

fn check(body: &Value) -> Result<(), Objection> {
    let thinks = flag(body, "enable_thinking");
    if thinks && !flag(body, "stream") {
        return Err(invalid(
            "parameter.enable_thinking must be set to false for non-streaming calls",
        ));
    }
    if body.get("tool_choice") == Some(&Value::from("required")) {
        return Err(invalid(
            "tool_choice is one of the strings that should be [\"none\", \"auto\"]",
        ));
    }
    if thinks && forces_a_tool(body) {
        return Err(invalid(
            "The tool_choice parameter does not support being set to required or object in thinking mode",
        ));
    }
    if thinks && body.pointer("/response_format/type") == Some(&Value::from("json_object")) {
        return Err(invalid(
            "Json mode response is not supported when enable_thinking is true",
        ));
    }
    check_json_is_mentioned(body)
}

fn usage(ask: &Ask, answer: &Answer) -> Value {
    let (prompt, completion) = (ask.input_tokens(), answer.output_tokens());
    json!({
        "prompt_tokens": prompt, "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": answer.thinking_tokens},
    })
}
