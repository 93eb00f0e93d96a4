use proptest::prelude::*;
use serde_json::{Value, json};

use super::is_plain;
use crate::catalog::{Capabilities, Thinking};
use crate::fidelity::Report;
use crate::inspect::inspect;
use crate::provider::PROVIDERS;
use crate::schema::Target;

fn content() -> impl Strategy<Value = Value> {
    prop_oneof![
        12 => Just(json!("hello")),
        1 => Just(json!("")),
        1 => Just(json!(" \n")),
        1 => Just(json!([])),
        1 => Just(json!([{"type": "text", "text": "x"}])),
        1 => Just(json!([{"type": "text", "text": ""}])),
        1 => Just(json!([{"type": "image_url", "image_url": {"url": "https://h/i.png"}}])),
        1 => Just(json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}])),
        1 => Just(json!([{"type": "image_url", "image_url": {"url": "data:image/png,AA"}}])),
        1 => Just(json!([{"type": "image_url", "image_url": {"url": "gopher://h"}}])),
        1 => Just(json!([{"type": "input_audio", "input_audio": {"data": "AA", "format": "ogg"}}])),
        1 => Just(json!([{"type": "file", "file": {"file_id": "f"}}])),
    ]
}

fn message() -> impl Strategy<Value = Value> {
    let call = json!({"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{"}});
    let custom = json!({"id": "c2", "type": "custom", "custom": {"name": "f", "input": "x"}});
    prop_oneof![
        (
            prop_oneof![Just("system"), Just("developer"), Just("user")],
            content()
        )
            .prop_map(|(role, content)| json!({"role": role, "content": content})),
        content().prop_map(|content| json!({"role": "assistant", "content": content})),
        Just(json!({"role": "assistant", "content": null, "tool_calls": [call]})),
        Just(json!({"role": "assistant", "tool_calls": [custom]})),
        prop_oneof![Just("c1"), Just("c9")]
            .prop_map(|id| json!({"role": "tool", "tool_call_id": id, "content": "r"})),
    ]
}

fn parameter() -> impl Strategy<Value = (&'static str, Value)> {
    let tool =
        json!({"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}});
    prop::sample::select(vec![
        ("temperature", json!(1.5)),
        ("temperature", json!("hot")),
        ("seed", json!("x")),
        ("stop", json!(["a", "b"])),
        ("n", json!(2)),
        ("logprobs", json!("yes")),
        ("reasoning_effort", json!("high")),
        ("reasoning_effort", json!("xhigh")),
        ("reasoning_effort", json!("whatever")),
        ("thinking", json!({"type": "sideways"})),
        ("parallel_tool_calls", json!(1)),
        ("parallel_tool_calls", json!(false)),
        ("tools", json!([tool])),
        (
            "tools",
            json!([{"type": "custom", "custom": {"name": "f"}}]),
        ),
        ("tool_choice", json!("required")),
        (
            "tool_choice",
            json!({"type": "function", "function": {"name": "nobody"}}),
        ),
        (
            "tool_choice",
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}),
        ),
        ("functions", json!(7)),
        ("max_tokens", json!("many")),
        ("max_tokens", json!(16)),
        ("response_format", json!({"type": "json_object"})),
        (
            "response_format",
            json!({"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}}),
        ),
        ("modalities", json!("text")),
        ("metadata", json!([1])),
        ("user", json!(7)),
        ("service_tier", json!(7)),
        ("logit_bias", json!(7)),
        ("stream_options", json!({"include_usage": true})),
        ("unknown_field", json!({"a": 1})),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn every_schema_carries_what_is_plain(
        messages in prop::collection::vec(message(), 1..5),
        parameters in prop::collection::vec(parameter(), 0..4),
        thinking in prop::sample::select(vec![Thinking::None, Thinking::Effort, Thinking::Budget]),
        able in any::<bool>(),
    ) {
        let mut body = json!({"model": "m", "messages": messages});
        for (name, value) in parameters {
            body[name] = value;
        }
        let body = body.to_string();
        let Ok((request, _)) = inspect(body.as_bytes()) else { return Ok(()) };
        if !is_plain(&request) {
            return Ok(());
        }
        let capabilities =
            Capabilities { thinking, json_schema: able, json_mode: able, sampling: able, ..Capabilities::default() };
        for provider in PROVIDERS {
            let schema = provider.schema();
            let target = Target {
                betas: &[],
                source: body.as_bytes(),
                model: "m",
                capabilities: &capabilities,
                defaults: &Default::default(),
                option_keys: ["p", provider.kind(), schema.name()],
                dialect: &provider.dialect(),
            };
            let translated = schema.translate_request(&request, &target, &mut Report::default());
            prop_assert!(translated.is_ok(), "{}: {:?}: {body}", schema.name(), translated);
        }
    }
}
