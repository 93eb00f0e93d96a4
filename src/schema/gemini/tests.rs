//! What a reply gives must be taken back in the next turn.

use std::collections::BTreeMap;

use super::Gemini;
use crate::catalog::Capabilities;
use crate::fidelity::Report;
use crate::schema::openai::ChatCompletionRequest;
use crate::schema::openai::dialect::PLAIN;
use crate::schema::{ReplyContext, Schema, Target};

#[test]
fn a_signed_reply_comes_back_part_for_part() {
    let parts = r#"[{"thought":true,"text":"t\u0000","thoughtSignature":"c2ln"},{"text":"a","thoughtSignature":"dGV4dA=="},{"functionCall":{"id":"x","name":"f","args":{"b":[1]}},"thoughtSignature":"Y2FsbA=="}]"#;
    let reply = format!(
        r#"{{"candidates":[{{"content":{{"role":"model","parts":{parts}}},"finishReason":"STOP"}}]}}"#
    );
    let mut client = Vec::new();
    let context = ReplyContext::default();
    Gemini
        .translate_response(&context, reply.as_bytes(), &mut client)
        .expect("a reply");
    let client: serde_json::Value = serde_json::from_slice(&client).expect("JSON");
    let message = &client["choices"][0]["message"];
    let next = format!(
        r#"{{"messages":[{{"role":"user","content":"q"}},{message},{{"role":"tool","tool_call_id":"x","content":"r"}}]}}"#
    );
    let mut report = Report::default();
    let sent: serde_json::Value =
        serde_json::from_slice(&request(&next, &mut report)).expect("JSON");
    let expected: serde_json::Value = serde_json::from_str(parts).expect("JSON");
    assert_eq!(sent["contents"][1]["parts"], expected);
    assert!(report.is_empty(), "{report}");
}

fn request(body: &str, report: &mut Report) -> Vec<u8> {
    let request = ChatCompletionRequest::parse(body.as_bytes()).expect("a request");
    let capabilities = Capabilities::default();
    let defaults = BTreeMap::new();
    let target = Target {
        betas: &[],
        source: b"",
        dialect: &PLAIN,
        model: "gemini-3-pro",
        capabilities: &capabilities,
        defaults: &defaults,
        option_keys: ["google", "gemini", "gemini"],
    };
    Gemini
        .translate_request(&request, &target, report)
        .expect("a translation")
        .body
}
