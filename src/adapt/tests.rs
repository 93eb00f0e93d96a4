use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::catalog::{Fit, Trim};
use crate::provider;

fn backend(change: impl FnOnce(&mut Backend)) -> Backend {
    let document = json!({
        "version": 1,
        "providers": {"local": {"kind": "openai_compatible", "endpoint": "http://a/v1"}},
        "models": {"smart": {"candidates": [{"provider": "local", "model": "qwen"}]}}
    });
    let checked = crate::config::Config::from_json(document.to_string().as_bytes());
    let (config, _) = checked.expect("a configuration");
    let mut backend = config.models["smart"].candidates[0].clone();
    change(&mut backend);
    backend
}

fn without_tools() -> Backend {
    backend(|b| {
        b.capabilities.tools = false;
        b.adaptation.tools = Lack::Prompt;
    })
}

fn small(window: u64, fit: Fit) -> Backend {
    backend(|b| {
        b.capabilities.context_window = Some(window);
        b.adaptation.fit = Some(fit);
    })
}

const OLDEST: Fit = Fit {
    trim: Trim::OldestTurns,
    keep_last: 1,
    reserve_output: 10,
};

fn templated(template: Template) -> Backend {
    backend(|b| b.adaptation.template = Some(Arc::new(template)))
}

/// What a kind of provider is sent in the end, what was found, what the reply needs.
fn adapted(
    kind: &str,
    backend: &Backend,
    body: &Value,
) -> Result<Option<(Value, String, Option<Reshape>)>, TranslateError> {
    let body = body.to_string().into_bytes();
    let request = ChatCompletionRequest::parse(&body).expect("a request");
    let kind = provider::find(kind).expect("a kind");
    let dialect = kind.dialect();
    let candidate = Candidate {
        backend,
        schema: kind.schema(),
        dialect: &dialect,
        alias: "smart",
        is_fallback: false,
    };
    let mut report = Report::default();
    let adapted = adapt(&request, &body, &candidate, &mut report)?;
    Ok(adapted.map(|a| {
        let value = serde_json::from_slice(&a.body).expect("JSON");
        (value, report.to_string(), a.reshape)
    }))
}

fn done(backend: &Backend, body: &Value) -> (Value, String, Option<Reshape>) {
    let adapted = adapted("openai_compatible", backend, body).expect("no error");
    adapted.expect("something to do")
}

fn weather() -> Value {
    json!([{"type": "function", "function": {
        "name": "weather", "description": "Tells it.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}
    }}])
}

#[test]
fn tools_become_words_and_their_fields_go() {
    let body = json!({
        "model": "smart", "temperature": 0.5, "tools": weather(), "tool_choice": "required",
        "parallel_tool_calls": false,
        "messages": [{"role": "developer", "content": "Be \"nice\"."}, {"role": "user", "content": "Hi"}]
    });
    let (sent, found, reshape) = done(&without_tools(), &body);
    let names: Vec<_> = sent.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["model", "temperature", "messages"]);
    let prompt = sent["messages"][0]["content"].as_str().expect("text");
    assert_eq!(sent["messages"][0]["role"], "developer");
    assert!(
        prompt.starts_with("Be \"nice\".\n\nYou can call"),
        "{prompt}"
    );
    assert!(prompt.contains("You must call a function now."), "{prompt}");
    assert!(prompt.contains("one function at a time"), "{prompt}");
    let tool = r#"{"name":"weather","description":"Tells it.","parameters":{"type":"object","#;
    assert!(prompt.contains(tool), "{prompt}");
    let expected = "downgraded tools; downgraded tool_choice; downgraded parallel_tool_calls";
    assert_eq!(found, expected);
    assert_eq!(reshape.expect("a reply to read").tools, ["weather"]);
}

#[test]
fn a_request_without_tools_is_left_alone_whatever_the_model_lacks() {
    let body = json!({"model": "smart", "messages": [{"role": "user", "content": "Hi"}]});
    let adapted = adapted("openai", &without_tools(), &body).expect("no error");
    assert!(adapted.is_none());
}

#[test]
fn earlier_calls_and_their_results_become_text() {
    let call = |id: &str, city: &str| {
        let arguments = json!({"city": city}).to_string();
        json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": arguments}})
    };
    let body = json!({"model": "smart", "messages": [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": "I look.", "tool_calls": [call("a", "Oslo"), call("b", "Rome")]},
        {"role": "tool", "tool_call_id": "a", "content": "rain"},
        {"role": "tool", "tool_call_id": "b", "is_error": true, "content": [{"type": "text", "text": "no"}]},
        {"role": "user", "content": "And now?"}
    ]});
    let (sent, found, _) = done(&without_tools(), &body);
    let said = "I look.\n\n{\"tool_calls\":[{\"name\":\"weather\",\"arguments\":{\"city\":\"Oslo\"}},\
                {\"name\":\"weather\",\"arguments\":{\"city\":\"Rome\"}}]}";
    assert_eq!(
        sent["messages"][1],
        json!({"role": "assistant", "content": said})
    );
    let results = "Result of weather:\nrain\n\nError of weather:\nno";
    assert_eq!(
        sent["messages"][2],
        json!({"role": "user", "content": results})
    );
    assert_eq!(sent["messages"].as_array().map(Vec::len), Some(4));
    let expected = "rewritten messages[].tool_calls; rewritten messages[].tool_call_id";
    assert_eq!(found, expected);
}

#[test]
fn tool_choice_none_offers_nothing_and_a_choice_of_nothing_is_refused() {
    let mut body = json!({"model": "smart", "tools": weather(), "tool_choice": "none",
        "messages": [{"role": "user", "content": "Hi"}]});
    let (sent, _, reshape) = done(&without_tools(), &body);
    assert_eq!(sent["messages"].as_array().map(Vec::len), Some(1));
    assert_eq!(reshape.expect("a shape").tools, Vec::<String>::new());
    body["tool_choice"] = json!({"type": "function", "function": {"name": "other"}});
    let error = adapted("openai", &without_tools(), &body).expect_err("refused");
    assert_eq!(error.param, "tool_choice");
    body["tools"] = json!([{"type": "custom", "custom": {"name": "x"}}]);
    let error = adapted("openai", &without_tools(), &body).expect_err("refused");
    assert_eq!(error.param, "tools[0].type");
}

#[test]
fn a_schema_becomes_words_and_json_mode_stays_where_it_is_enforced() {
    let lacking = |json_mode: bool| {
        backend(|b| {
            b.capabilities.json_schema = false;
            b.capabilities.json_mode = json_mode;
            b.adaptation.json_schema = Lack::Prompt;
        })
    };
    let body = json!({"model": "smart", "messages": [{"role": "user", "content": "Hi"}],
        "response_format": {"type": "json_schema", "json_schema":
            {"name": "n", "description": "A reply.", "schema": {"type": "object"}}}});
    let (sent, found, reshape) = done(&lacking(true), &body);
    assert_eq!(sent["response_format"], json!({"type": "json_object"}));
    let prompt = sent["messages"][0]["content"].as_str().expect("text");
    assert!(
        prompt.ends_with("It is: A reply.\n{\"type\":\"object\"}"),
        "{prompt}"
    );
    assert_eq!(found, "downgraded response_format");
    assert!(reshape.expect("a reply to read").json);
    let (sent, ..) = done(&lacking(false), &body);
    assert_eq!(sent.get("response_format"), None);
    // A tool that must be called is stronger than words.
    assert!(
        adapted("anthropic", &lacking(true), &body)
            .expect("no error")
            .is_none()
    );
}

#[test]
fn templates_surround_or_replace_the_system_prompt() {
    let template = Template {
        name: "t".to_owned(),
        prefix: "You are {model} of {provider}, asked for as {alias}; {this} stays.".to_owned(),
        suffix: "Be \"brief\".".to_owned(),
        replace: None,
    };
    let prefix = "You are qwen of local, asked for as smart; {this} stays.";
    let body = |messages: Value| json!({"model": "smart", "messages": messages});
    let user = json!({"role": "user", "content": "Hi"});
    let system = json!({"role": "system", "content": "Old.", "name": "n"});
    let text = |sent: &Value| sent["messages"][0]["content"].as_str().map(str::to_owned);
    let (sent, found, reshape) = done(&templated(template.clone()), &body(json!([user])));
    assert_eq!(text(&sent), Some(format!("{prefix}\n\nBe \"brief\".")));
    assert_eq!((found.as_str(), reshape), ("", None));
    let (sent, ..) = done(&templated(template.clone()), &body(json!([system, user])));
    assert_eq!(
        text(&sent),
        Some(format!("{prefix}\n\nOld.\n\nBe \"brief\"."))
    );
    assert_eq!(sent["messages"][0]["name"], "n");
    let parts = json!({"role": "system", "content": [{"type": "text", "text": "Old."}]});
    let (sent, ..) = done(&templated(template), &body(json!([parts, user])));
    let texts: Vec<_> = (0..3)
        .map(|i| sent["messages"][0]["content"][i]["text"].clone())
        .collect();
    assert_eq!(
        texts,
        [json!(prefix), json!("Old."), json!("Be \"brief\".")]
    );
    let replacing = Template {
        replace: Some("New.".to_owned()),
        ..Template::default()
    };
    let (sent, ..) = done(
        &templated(replacing),
        &body(json!([system, system, user, system])),
    );
    let expected = json!([{"role": "system", "name": "n", "content": "New."}, user, system]);
    assert_eq!(sent["messages"], expected);
}

#[test]
fn a_fallback_takes_its_own_template() {
    let named = |name: &str| {
        Some(Arc::new(Template {
            name: name.to_owned(),
            prefix: name.to_owned(),
            ..Template::default()
        }))
    };
    let backend = backend(|b| {
        b.adaptation.template = named("always");
        b.adaptation.template_on_fallback = named("late");
    });
    let body = br#"{"model":"smart","messages":[{"role":"user","content":"Hi"}]}"#;
    let request = ChatCompletionRequest::parse(body).expect("a request");
    let kind = provider::find("gemini").expect("a kind");
    let dialect = kind.dialect();
    let names = [false, true].map(|is_fallback| {
        let candidate = Candidate {
            backend: &backend,
            schema: kind.schema(),
            dialect: &dialect,
            alias: "smart",
            is_fallback,
        };
        assert!(!is_demanding(&request, body, &candidate));
        let adapted = adapt(&request, body, &candidate, &mut Report::default());
        adapted.expect("no error").expect("adapted").template
    });
    assert_eq!(names, [Some("always".to_owned()), Some("late".to_owned())]);
}

#[test]
fn the_oldest_turns_go_first_and_the_limit_is_lowered() {
    let long = "x".repeat(400);
    let message = |role: &str| json!({"role": role, "content": long});
    let body = json!({"model": "smart", "max_tokens": 300, "messages": [
        {"role": "system", "content": "S"}, message("user"), message("assistant"),
        {"role": "system", "content": "later"}, message("user"), message("assistant"),
        {"role": "user", "content": "Now?"}
    ]});
    let (sent, found, _) = done(&small(300, OLDEST), &body);
    let roles: Vec<_> = sent["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .map(|m| m["role"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(roles, ["system", "system", "user", "assistant", "user"]);
    assert_eq!(found, "dropped messages[1..2]; rewritten max_tokens");
    let limit = sent["max_tokens"].as_u64().expect("a limit");
    let input = estimate_tokens(sent.to_string().as_bytes());
    assert!(
        (10..=300 - input + 1).contains(&limit),
        "{limit} beside {input}"
    );
}

#[test]
fn what_the_last_turns_need_is_kept_or_the_candidate_is_none() {
    let long = "x".repeat(4000);
    let body = json!({"model": "smart", "messages": [{"role": "user", "content": long}]});
    let error = adapted("openai", &small(300, OLDEST), &body).expect_err("too large");
    assert_eq!(error.param, "messages");
    let two = json!({"model": "smart", "messages": [
        {"role": "user", "content": "x".repeat(800)}, {"role": "assistant", "content": "y"},
        {"role": "user", "content": "x".repeat(800)}
    ]});
    assert!(adapted("openai", &small(300, OLDEST), &two).is_ok());
    let both = Fit {
        keep_last: 2,
        ..OLDEST
    };
    assert!(adapted("openai", &small(300, both), &two).is_err());
}

#[test]
fn the_middle_of_a_long_system_prompt_goes_when_that_is_said() {
    let prompt = format!("BEGIN {} END", "é\n".repeat(4000));
    let body = json!({"model": "smart", "messages": [
        {"role": "system", "content": prompt}, {"role": "user", "content": "Hi"}
    ]});
    let fit = Fit {
        trim: Trim::System,
        ..OLDEST
    };
    let (sent, found, _) = done(&small(1500, fit), &body);
    let kept = sent["messages"][0]["content"].as_str().expect("text");
    assert!(kept.starts_with("BEGIN ") && kept.ends_with(" END") && kept.contains("\n[...]\n"));
    assert!(estimate_tokens(sent.to_string().as_bytes()) <= 1490);
    assert_eq!(found, "rewritten messages[0].content");
    assert!(adapted("openai", &small(200, fit), &body).is_err());
}

#[test]
fn a_limit_that_nobody_said_is_said_where_the_window_is_nearly_full() {
    let mut backend = small(1000, OLDEST);
    backend.capabilities.max_output_tokens = Some(900);
    let body =
        json!({"model": "smart", "messages": [{"role": "user", "content": "x".repeat(2000)}]});
    let (sent, found, _) = done(&backend, &body);
    assert!(
        sent["max_completion_tokens"]
            .as_u64()
            .is_some_and(|n| (400..500).contains(&n))
    );
    assert_eq!(found, "defaulted max_completion_tokens");
}

// === replies ===

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
        prop_assert!(estimate_tokens(sent.to_string().as_bytes()) <= window - 20);
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
        };
        let translated = kind.schema().translate_request(&request, &target, &mut Report::default());
        prop_assert!(translated.is_ok());
    }
}
