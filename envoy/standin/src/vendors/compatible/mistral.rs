//! Mistral: refuses what it does not know, ids of nine characters, whole calls.
//!
//! Source: the types of the official SDK 3.7 and Mistral API reference, read 2026-11-21.

use serde_json::{Value, json};

use super::fields::{PART, PLAIN, TOOL, TOOL_CHOICE, TOOL_MESSAGE};
use super::{Host, Thoughts};
use crate::answer::{Answer, Call};
use crate::ask::{Ask, Thinking};
use crate::shape::Shape::{
    self, Any, Fields, Flag, Is, List, Map, Number, Tagged, Text, TextOr, Whole, Word,
};
use crate::shape::{Kind, Violation};
use crate::vendors::{Objection, dotted, given, list, text};

/// The host.
pub static MISTRAL: Host = Host {
    name: "mistral",
    request: &REQUEST,
    violated,
    check,
    thinking: |body| match text(body, "reasoning_effort") {
        "" | "none" => Thinking::Off,
        _ => Thinking::Shown,
    },
    call_id,
    usage,
    thoughts: Thoughts::Part,
    whole_calls: true,
};

static REQUEST: Shape = Fields(&[
    ("model", Text),
    ("messages", List(&MESSAGE)),
    ("temperature", Number),
    ("top_p", Number),
    ("max_tokens", Whole),
    ("stream", Flag),
    ("stop", TextOr(&List(&Text))),
    ("random_seed", Whole),
    ("metadata", Map(&Any)),
    ("response_format", Any),
    ("tools", List(&TOOL)),
    ("tool_choice", TextOr(&TOOL_CHOICE)),
    ("presence_penalty", Number),
    ("frequency_penalty", Number),
    ("n", Whole),
    ("prediction", Any),
    ("parallel_tool_calls", Flag),
    ("prompt_mode", Word(&["reasoning"])),
    (
        "reasoning_effort",
        Word(&["none", "minimal", "low", "medium", "high", "xhigh"]),
    ),
    ("prompt_cache_key", Text),
    ("logprobs", Flag),
    ("top_logprobs", Whole),
    ("safe_prompt", Flag),
]);

static MESSAGE: Shape = Tagged(
    "role",
    &[
        ("system", Is(&PLAIN)),
        (
            "user",
            Fields(&[("role", Text), ("content", TextOr(&List(&PART)))]),
        ),
        (
            "assistant",
            Fields(&[
                ("role", Text),
                ("content", TextOr(&List(&Any))),
                ("tool_calls", List(&super::fields::TOOL_CALL)),
                ("prefix", Flag),
            ]),
        ),
        ("tool", Is(&TOOL_MESSAGE)),
    ],
);

fn violated(violation: &Violation) -> Objection {
    let path = dotted(&violation.path);
    let (kind, says) = match &violation.kind {
        Kind::Unknown => ("extra_forbidden", "Extra inputs are not permitted"),
        Kind::Expected(_) => ("type_error", "Input should be of another type"),
        Kind::BadWord(_) => ("literal_error", "Input should be another word"),
    };
    Objection {
        status: 422,
        kind,
        message: format!("body.{path}: {says}"),
        param: None,
    }
}

fn check(body: &Value) -> Result<(), Objection> {
    for tool in list(body, "tools") {
        if tool
            .pointer("/function/parameters")
            .is_none_or(Value::is_null)
        {
            let message = "body.tools.0.function.parameters: Field required";
            return Err(refused(422, "missing", message));
        }
    }
    if let Some(Value::String(word)) = given(body, "tool_choice")
        && !["auto", "none", "any", "required"].contains(&word.as_str())
    {
        return Err(refused(422, "literal_error", "body.tool_choice"));
    }
    let messages = list(body, "messages");
    for message in messages {
        let calls = list(message, "tool_calls").iter();
        for id in calls.map(|call| text(call, "id")) {
            check_id(id)?;
        }
    }
    match messages.last() {
        Some(last) if text(last, "role") == "assistant" && last["prefix"] != true => {
            let message = "Expected last role User or Tool (or Assistant with prefix True) for \
                           serving but got assistant";
            Err(refused(400, "invalid_request_message_order", message))
        }
        _ => Ok(()),
    }
}

fn check_id(id: &str) -> Result<(), Objection> {
    if id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    let message = format!("Tool call id was {id} but must be a-z, A-Z, 0-9, with a length of 9.");
    Err(refused(400, "invalid_function_call", &message))
}

fn refused(status: u16, kind: &'static str, message: &str) -> Objection {
    Objection {
        status,
        kind,
        message: message.to_owned(),
        param: None,
    }
}

fn call_id(call: &Call) -> String {
    let digits: String = call.id.chars().filter(char::is_ascii_digit).collect();
    format!("call{digits:0>5}")
}

fn usage(ask: &Ask, answer: &Answer) -> Value {
    let (prompt, completion) = (ask.input_tokens(), answer.output_tokens());
    json!({
        "prompt_tokens": prompt, "completion_tokens": completion,
        "total_tokens": prompt + completion,
    })
}
