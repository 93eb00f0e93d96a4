//! DeepSeek: thinks unless told not to, and wants its thoughts back beside calls.
//!
//! Source: DeepSeek API docs, "Create Chat Completion", "Thinking Mode" and "JSON Output",
//! read 2026-11-21.

use serde_json::{Value, json};

use super::fields::{PLAIN, STREAM_OPTIONS, TOOL, TOOL_CALL, TOOL_CHOICE, TOOL_MESSAGE, USER};
use super::{Host, Thoughts, check_json_is_mentioned, forces_a_tool, invalid, violated};
use crate::answer::Answer;
use crate::ask::{Ask, Thinking};
use crate::shape::Shape::{
    self, Fields, Flag, Is, List, Number, Tagged, Text, TextOr, Whole, Word,
};
use crate::vendors::{Objection, list};

/// The host.
pub static DEEPSEEK: Host = Host {
    name: "deepseek",
    request: &REQUEST,
    violated,
    check,
    thinking: |body| match thinks(body) {
        true => Thinking::Shown,
        false => Thinking::Off,
    },
    call_id: |call| format!("call_00_{}", call.id),
    usage,
    thoughts: Thoughts::Field,
    whole_calls: false,
};

static REQUEST: Shape = Fields(&[
    ("model", Text),
    ("messages", List(&MESSAGE)),
    (
        "thinking",
        Fields(&[("type", Word(&["enabled", "disabled"]))]),
    ),
    ("reasoning_effort", Word(&["low", "medium", "high", "max"])),
    ("max_tokens", Whole),
    (
        "response_format",
        Fields(&[("type", Word(&["text", "json_object"]))]),
    ),
    ("stop", TextOr(&List(&Text))),
    ("stream", Flag),
    ("stream_options", Is(&STREAM_OPTIONS)),
    ("temperature", Number),
    ("top_p", Number),
    ("tools", List(&TOOL)),
    ("tool_choice", TextOr(&TOOL_CHOICE)),
    ("logprobs", Flag),
    ("top_logprobs", Whole),
    ("frequency_penalty", Number),
    ("presence_penalty", Number),
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
                ("content", Text),
                ("name", Text),
                ("prefix", Flag),
                ("reasoning_content", Text),
                ("tool_calls", List(&TOOL_CALL)),
            ]),
        ),
        ("tool", Is(&TOOL_MESSAGE)),
    ],
);

fn thinks(body: &Value) -> bool {
    body.pointer("/thinking/type") != Some(&Value::from("disabled"))
}

fn check(body: &Value) -> Result<(), Objection> {
    for (index, message) in list(body, "messages").iter().enumerate() {
        if message.get("content").is_none() {
            let message = format!("messages[{index}]: missing field `content`");
            return Err(invalid(&message));
        }
        let called = !list(message, "tool_calls").is_empty();
        let thought = message
            .get("reasoning_content")
            .is_some_and(Value::is_string);
        if thinks(body) && called && !thought {
            return Err(invalid(
                "The `reasoning_content` in the thinking mode must be passed back to the API.",
            ));
        }
    }
    if thinks(body) && forces_a_tool(body) {
        return Err(invalid("Thinking mode does not support this tool_choice"));
    }
    check_json_is_mentioned(body)
}

fn usage(ask: &Ask, answer: &Answer) -> Value {
    let (prompt, completion) = (ask.input_tokens(), answer.output_tokens());
    json!({
        "prompt_tokens": prompt, "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_cache_hit_tokens": 0, "prompt_cache_miss_tokens": prompt,
        "completion_tokens_details": {"reasoning_tokens": answer.thinking_tokens},
    })
}
