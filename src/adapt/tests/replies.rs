//! Answers in words, shaped back.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn reshape(tools: &[&str], json: bool) -> Reshape {
    Reshape {
        tools: tools.iter().map(|name| (*name).to_owned()).collect(),
        json,
    }
}

fn whole(reshape: &Reshape, text: &str, end: &str) -> (Value, bool) {
    let body = json!({"id": "1", "choices": [{"index": 0, "message":
        {"role": "assistant", "content": text}, "finish_reason": end}], "usage": {}});
    let Whole { body, is_json } = reshape.whole("x", body.to_string().into_bytes());
    let value: Value = serde_json::from_slice(&body).expect("JSON");
    (value["choices"][0].clone(), is_json)
}

#[test]
fn calls_are_read_in_every_way_that_models_write_them() {
    let call = r#"{"name":"f","arguments":{"a":1}}"#;
    for text in [
        format!("{{\"tool_calls\":[{call}]}}"),
        format!("```json\n{{ \"tool_calls\" : [{call}] }}\n```"),
        format!("\n{call}\n"),
        format!("[{call}]"),
        format!("<tool_call>\n{call}\n</tool_call>"),
        r#"{"tool_calls":[{"type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}"#
            .replace("{\"type\"", "{ \"type\""),
        r#"{"function":"f","parameters":{"a":1}}"#.to_owned(),
    ] {
        let (choice, _) = whole(&reshape(&["f"], false), &text, "stop");
        assert_eq!(choice["message"]["content"], Value::Null, "{text}");
        let calls = &choice["message"]["tool_calls"];
        assert_eq!(calls[0]["function"]["name"], "f", "{text}");
        let arguments = calls[0]["function"]["arguments"]
            .as_str()
            .unwrap_or_default();
        assert_eq!(arguments, "{\"a\":1}", "{text}");
        assert_eq!(choice["finish_reason"], "tool_calls", "{text}");
    }
}

#[test]
fn several_calls_and_what_is_said_around_them_arrive() {
    let text =
        "I look.\n{\"tool_calls\":[{\"name\":\"f\"},{\"name\":\"g\",\"arguments\":{}}]}\nDone.";
    let (choice, _) = whole(&reshape(&["f", "g"], false), text, "stop");
    assert_eq!(choice["message"]["content"], "I look.\nDone.");
    let ids: Vec<_> = (0..2)
        .map(|i| choice["message"]["tool_calls"][i]["id"].clone())
        .collect();
    assert_eq!(ids, ["call_x_0", "call_x_1"]);
    let hermes = "<tool_call>{\"name\":\"f\"}</tool_call>\n<tool_call>{\"name\":\"g\"}</tool_call>";
    let (choice, _) = whole(&reshape(&["f", "g"], false), hermes, "stop");
    assert_eq!(
        choice["message"]["tool_calls"].as_array().map(Vec::len),
        Some(2)
    );
}

#[test]
fn what_is_no_call_stays_text_with_its_own_end() {
    for (text, end) in [
        ("Plain words.", "stop"),
        ("{\"tool_calls\":[{\"name\":\"f\",\"argu", "length"),
        ("{\"tool_calls\":[{\"name\":\"unknown\"}]}", "stop"),
        ("{\"name\":\"Alice\",\"age\":3}", "stop"),
        ("{\"tool_calls\":[]}", "stop"),
        ("{\"name\":\"f\",\"arguments\":[1]}", "stop"),
        ("<tool_call>nonsense", "stop"),
        ("```python\nprint(1)\n```", "stop"),
    ] {
        let (choice, _) = whole(&reshape(&["f"], false), text, end);
        assert_eq!(choice["message"]["content"], text);
        assert_eq!(choice["message"].get("tool_calls"), None);
        assert_eq!(choice["finish_reason"], end);
    }
}

#[test]
fn json_loses_fences_and_chatter_and_is_checked() {
    let json = reshape(&[], true);
    for text in [
        "{\"a\":\"}\"}",
        "```json\n{\"a\":\"}\"}\n```",
        "Here: {\"a\":\"}\"} - bye",
    ] {
        let (choice, is_json) = whole(&json, text, "stop");
        assert_eq!(
            (choice["message"]["content"].as_str(), is_json),
            (Some("{\"a\":\"}\"}"), true)
        );
    }
    for (text, end, fine) in [
        ("No.", "stop", false),
        ("{\"a\":", "stop", false),
        ("{\"a\":", "length", true),
    ] {
        let (choice, is_json) = whole(&json, text, end);
        assert_eq!(
            (choice["message"]["content"].as_str(), is_json),
            (Some(text), fine)
        );
    }
    let (choice, is_json) = whole(&reshape(&["f"], true), "{\"name\":\"f\"}", "stop");
    assert!(is_json && choice["message"]["tool_calls"][0]["id"] == "call_x_0");
}

/// A stream of these pieces, shaped back: text, calls as `name(arguments)`, ends.
fn streamed(reshape: &Reshape, pieces: &[&str], end: &str) -> (String, Vec<String>, Vec<String>) {
    let context = crate::schema::ReplyContext::default();
    let inner = crate::schema::openai::OpenAi.translate_stream(context);
    let mut stream = reshape.clone().stream("x", inner);
    let mut out = Vec::new();
    let chunk = |delta: Value, end: Value| {
        format!(
            "data: {}\n\n",
            json!({"id": "1", "choices": [{"index": 0, "delta": delta, "finish_reason": end}]})
        )
    };
    let mut push = |text: String| {
        stream
            .push(text.as_bytes(), &mut out)
            .map(|_| ())
            .expect("fine")
    };
    push(chunk(
        json!({"role": "assistant", "content": ""}),
        Value::Null,
    ));
    for piece in pieces {
        push(chunk(json!({"content": piece}), Value::Null));
    }
    push(chunk(json!({}), json!(end)));
    push("data: [DONE]\n\n".to_owned());
    stream.finish(&mut out).expect("a whole stream");
    let text = String::from_utf8(out).expect("text");
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    let (mut said, mut calls, mut ends) = (String::new(), Vec::new(), Vec::new());
    for event in text.split("\n\n").filter_map(|e| e.strip_prefix("data: {")) {
        let value: Value = serde_json::from_str(&format!("{{{event}")).expect("JSON");
        let choice = &value["choices"][0];
        said.push_str(choice["delta"]["content"].as_str().unwrap_or_default());
        for call in choice["delta"]["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let function = &call["function"];
            calls.push(format!(
                "{}({})",
                function["name"].as_str().unwrap_or_default(),
                function["arguments"].as_str().unwrap_or_default()
            ));
        }
        ends.extend(choice["finish_reason"].as_str().map(str::to_owned));
    }
    (said, calls, ends)
}

#[test]
fn a_stream_with_calls_holds_only_what_may_be_one() {
    let tools = reshape(&["f"], false);
    let pieces = [
        "Let me",
        " see.\n",
        "{\"tool",
        "_calls\":[{\"name\":\"f\",\"argum",
        "ents\":{}}]}",
    ];
    let (said, calls, ends) = streamed(&tools, &pieces, "stop");
    assert_eq!(
        (said.as_str(), calls, ends),
        (
            "Let me see.\n",
            vec!["f({})".to_owned()],
            vec!["tool_calls".to_owned()]
        )
    );
    let (said, calls, ends) = streamed(&tools, &["{\"tool_calls\":[{\"na"], "length");
    assert_eq!(
        (said.as_str(), calls.len(), ends),
        ("{\"tool_calls\":[{\"na", 0, vec!["length".to_owned()])
    );
    let mut text = super::calls::CallText::default();
    assert_eq!(text.push("Plain"), "Plain");
    assert_eq!(text.push(" words\n"), " words\n");
    assert_eq!(text.push("{"), "");
    assert_eq!(text.push("\"a\": 1}"), "{\"a\": 1}");
}

proptest! {
    #[test]
    fn streams_and_whole_replies_are_read_alike(
        words in "[ a{\\}\"\n`\\[\\]:,]{0,12}",
        call in prop::bool::ANY,
        tail in "[ a{\\}\"\n`]{0,6}",
        cuts in prop::collection::vec(1_usize..9, 0..20),
    ) {
        let body = if call { "\n{\"tool_calls\":[{\"name\":\"f\",\"arguments\":{\"k\":\"}\"}}]}" } else { "" };
        let text = format!("{words}{body}{tail}");
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        for cut in cuts {
            let (piece, tail) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = tail;
        }
        pieces.push(rest);
        for shape in [reshape(&["f"], false), reshape(&[], true), reshape(&["f"], true)] {
            let (said, calls, ends) = streamed(&shape, &pieces, "stop");
            let (choice, _) = whole(&shape, &text, "stop");
            let message = &choice["message"];
            let whole_text = message["content"].as_str().unwrap_or_default();
            prop_assert_eq!(said.trim(), whole_text.trim());
            let whole_calls = message["tool_calls"].as_array().map_or(0, Vec::len);
            prop_assert_eq!(calls.len(), whole_calls);
            prop_assert_eq!(&ends, &[choice["finish_reason"].as_str().unwrap_or_default()]);
        }
    }

    #[test]
    fn trimming_never_parts_a_call_from_its_result(
        shape in prop::collection::vec((0_u8..5, 1_usize..300), 1..30),
        window in 100_u64..1500,
        keep_last in 1_usize..4,
        trim in prop::sample::select(vec![Trim::OldestTurns, Trim::System, Trim::TurnsThenSystem]),
    ) {
        let mut messages = vec![json!({"role": "system", "content": "S".repeat(40)})];
        for (i, (kind, size)) in shape.iter().enumerate() {
            let text = "x".repeat(*size);
            match kind {
                0 | 1 => messages.push(json!({"role": "user", "content": text, "name": format!("u{i}")})),
                2 => messages.push(json!({"role": "assistant", "content": text})),
                3 => messages.push(json!({"role": "system", "content": text})),
                _ => {
                    let id = format!("c{i}");
                    messages.push(json!({"role": "assistant", "tool_calls": [{"id": id, "type": "function",
                        "function": {"name": "f", "arguments": "{}"}}]}));
                    messages.push(json!({"role": "tool", "tool_call_id": id, "content": text}));
                }
            }
        }
        messages.push(json!({"role": "user", "content": "last"}));
        let systems = messages.iter().filter(|m| m["role"] == "system").count();
        let body = json!({"model": "m", "messages": messages});
        let fit = Fit { trim, keep_last, reserve_output: 20 };
        let Ok(Some((sent, ..))) = adapted("openai", &small(window, fit), &body) else {
            return Ok(());
        };
        let sent_messages = sent["messages"].as_array().expect("messages");
        prop_assert_eq!(sent_messages.last(), messages.last());
        prop_assert_eq!(sent_messages.iter().filter(|m| m["role"] == "system").count(), systems);
        let calls: Vec<_> = sent_messages.iter().filter_map(|m| m["tool_calls"][0]["id"].as_str()).collect();
        let results: Vec<_> = sent_messages.iter().filter_map(|m| m["tool_call_id"].as_str()).collect();
        prop_assert_eq!(calls, results);
        let first = sent_messages.iter().find(|m| m["role"] != "system");
        let is_cut = sent_messages.len() < messages.len();
        prop_assert!(!is_cut || first.is_some_and(|m| m["role"] == "user"));
        prop_assert!(tokens_of(&sent) <= window - 20);
    }

    #[test]
    fn what_is_plain_is_never_refused_for_want_of_tools(
        system in prop::option::of("[a-z \"\\\\]{0,20}"),
        said in "[a-z]{1,20}",
        answer in "[a-z{}\" ]{0,20}",
        tools in 0_usize..4,
        choice in prop::sample::select(vec![None, Some("auto"), Some("none")]),
        kind in prop::sample::select(provider::PROVIDERS.iter().map(|p| p.kind()).collect::<Vec<_>>()),
    ) {
        let mut messages: Vec<Value> = system.iter().map(|s| json!({"role": "system", "content": s})).collect();
        messages.push(json!({"role": "user", "content": said}));
        messages.push(json!({"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function",
            "function": {"name": "f0", "arguments": answer}}]}));
        messages.push(json!({"role": "tool", "tool_call_id": "c", "content": answer}));
        let tools: Vec<Value> = (0..tools).map(|i| json!({"type": "function", "function": {"name": format!("f{i}")}})).collect();
        let mut body = json!({"model": "m", "messages": messages});
        if !tools.is_empty() {
            body["tools"] = json!(tools);
        }
        if let Some(choice) = choice {
            body["tool_choice"] = json!(choice);
        }
        let bytes = body.to_string().into_bytes();
        let (_, profile) = crate::inspect::inspect(&bytes).expect("valid");
        prop_assert!(profile.plain || tools.is_empty());
        let adapted = adapted(kind, &without_tools(), &body).expect("not refused").expect("adapted");
        let bytes = adapted.0.to_string().into_bytes();
        let request = ChatCompletionRequest::parse(&bytes).expect("a request");
        let kind = provider::find(kind).expect("a kind");
        let target = crate::schema::Target {
            source: &bytes,
            model: "m",
            capabilities: &without_tools().capabilities,
            defaults: &BTreeMap::new(),
            option_keys: ["local", kind.kind(), kind.schema().name()],
            dialect: &kind.dialect(),
            betas: &[],
        };
        let translated = kind.schema().translate_request(&request, &target, &mut Report::default());
        prop_assert!(translated.is_ok());
    }
}
