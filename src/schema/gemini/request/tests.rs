//! What fixtures cannot show: bytes, not values.

use std::collections::BTreeMap;

use super::translate;
use crate::catalog::{Capabilities, Thinking};
use crate::fidelity::Report;
use crate::schema::openai::ChatCompletionRequest;
use crate::schema::openai::dialect::PLAIN;
use crate::schema::{Target, TranslateError};

fn written(body: &str) -> String {
    try_written(body).expect("a translation")
}

fn try_written(body: &str) -> Result<String, TranslateError> {
    let request = ChatCompletionRequest::parse(body.as_bytes()).expect("a request");
    let capabilities = Capabilities::default();
    let defaults = BTreeMap::new();
    let target = target("gemini-3-pro", &capabilities, &defaults);
    let translated = translate(&request, &target, &mut Report::default())?;
    Ok(String::from_utf8(translated.body).expect("text"))
}

fn target<'a>(
    model: &'a str,
    capabilities: &'a Capabilities,
    defaults: &'a BTreeMap<String, String>,
) -> Target<'a> {
    Target {
        betas: &[],
        source: b"",
        dialect: &PLAIN,
        model,
        capabilities,
        defaults,
        option_keys: ["google", "gemini", "gemini"],
    }
}

#[test]
fn text_and_numbers_are_copied_as_the_client_wrote_them() {
    let body = written(
        r#"{"messages":[{"role":"user","content":"a\u00e9\/\n"}],"temperature":0.30,"top_p":1e-1}"#,
    );
    assert_eq!(
        body,
        r#"{"contents":[{"role":"user","parts":[{"text":"a\u00e9\/\n"}]}],"generationConfig":{"temperature":0.30,"topP":1e-1}}"#
    );
}

#[test]
fn a_schema_without_references_keeps_every_byte() {
    let schema =
        r#"{ "type":"object","properties":{"z":{"type":["string","null"]},"a":{"const":1.0}} }"#;
    let body = written(&with_parameters(schema));
    assert!(body.contains(schema), "{body}");
}

#[test]
fn replacing_references_keeps_the_order_of_properties() {
    let schema = r##"{"type":"object","properties":{"z":{"$ref":"#/$defs/D","title":"t"},"a":{"type":"string"}},"$defs":{"D":{"type":"object","properties":{"y":{},"b":{}}}}}"##;
    let expected =
        r#""z":{"type":"object","properties":{"y":{},"b":{}},"title":"t"},"a":{"type":"string"}"#;
    let body = written(&with_parameters(schema));
    assert!(body.contains(expected), "{body}");
}

#[test]
fn a_schema_that_would_explode_is_sent_as_it_is() {
    let mut definitions = String::from(r#""d0":{"type":"string"}"#);
    for i in 1..40 {
        let below = format!(r##"{{"$ref":"#/$defs/d{}","title":"t"}}"##, i - 1);
        definitions += &format!(r#","d{i}":{{"properties":{{"a":{below},"b":{below}}}}}"#);
    }
    let schema = format!(
        r##"{{"type":"object","properties":{{"x":{{"$ref":"#/$defs/d39","title":"t"}}}},"$defs":{{{definitions}}}}}"##
    );
    let body = written(&with_parameters(&schema));
    assert!(body.contains(&schema));
}

#[test]
fn a_deeply_nested_schema_is_sent_as_it_is() {
    let nested = format!(
        "{}{}",
        r#"{"items":"#.repeat(5000),
        "{}".to_owned() + &"}".repeat(5000)
    );
    let schema =
        format!(r##"{{"type":"object","properties":{{"a":{{"$ref":"#/x","b":{nested}}}}}}}"##);
    let body = written(&with_parameters(&schema));
    assert!(body.contains(&schema));
}

#[test]
fn the_model_s_name_tells_whether_signatures_are_mandatory() {
    let able = Capabilities::default();
    let budget = Capabilities {
        thinking: Thinking::Budget,
        ..Capabilities::default()
    };
    let defaults = BTreeMap::new();
    let cases = [
        ("gemini-3-pro-preview", &able, true),
        ("models/gemini-3.5-flash", &able, true),
        ("gemini-flash-latest", &able, true),
        ("gemini-2.5-pro", &able, false),
        ("gemini-flash-latest", &budget, false),
        ("gemma-3-27b", &able, false),
    ];
    for (model, capabilities, expected) in cases {
        let target = target(model, capabilities, &defaults);
        assert_eq!(super::is_third_generation(&target), expected, "{model}");
    }
}

#[test]
fn an_invalid_request_names_the_place_and_no_value() {
    let cases = [
        (r#"{"messages":[{"role":"robot"}]}"#, "messages[0].role"),
        (
            r#"{"messages":[{"role":"user","content":5}]}"#,
            "messages[0].content",
        ),
        (
            r#"{"messages":[{"role":"user","content":[{"type":"video"}]}]}"#,
            "messages[0].content[0].type",
        ),
        (
            r#"{"messages":[{"role":"system","content":[{"type":"image_url","image_url":{"url":"https://a/b.png"}}]}]}"#,
            "messages[0].content[0].type",
        ),
        (
            r#"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"ftp://secret"}}]}]}"#,
            "messages[0].content[0].image_url.url",
        ),
        (
            r#"{"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"","format":"midi"}}]}]}"#,
            "messages[0].content[0].input_audio.format",
        ),
        (r#"{"temperature":"hot"}"#, "temperature"),
        (r#"{"stop":{}}"#, "stop"),
        (r#"{"seed":1.5}"#, "seed"),
        (r#"{"reasoning_effort":"secret"}"#, "reasoning_effort"),
        (r#"{"thinking":{"type":"secret"}}"#, "thinking.type"),
        (r#"{"response_format":{"type":"xml"}}"#, "response_format"),
        (r#"{"tool_choice":"secret"}"#, "tool_choice"),
        (
            r#"{"tools":[{"type":"function","function":{"name":"f","parameters":[]}}]}"#,
            "tools[0].function.parameters",
        ),
        (
            r#"{"provider_options":{"gemini":[]}}"#,
            "provider_options.gemini",
        ),
    ];
    for (body, param) in cases {
        let error = try_written(body).expect_err(body);
        assert_eq!(error.param, param, "{body}");
        assert!(!error.to_string().contains("secret"), "{body}");
    }
}

fn with_parameters(schema: &str) -> String {
    format!(
        r#"{{"messages":[{{"role":"user","content":"x"}}],"tools":[{{"type":"function","function":{{"name":"f","parameters":{schema}}}}}]}}"#
    )
}
