//! Tools and schemas in the system prompt.

use serde_json::json;

use super::*;

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
