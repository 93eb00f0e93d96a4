use super::{Needs, inspect};

fn refusal(body: &str) -> (String, String) {
    let error = inspect(body.as_bytes()).expect_err("the body must be refused");
    (error.param, error.message.into_owned())
}

fn user(rest: &str) -> String {
    format!(r#"{{"model":"m","messages":[{{"role":"user","content":"hi"}}]{rest}}}"#)
}

#[test]
fn every_wrong_shape_is_named_by_its_place() {
    let cases = [
        ("", "", "the body is empty; it must be a JSON object"),
        (
            "{\"model\":",
            "",
            "the body ends in the middle of its JSON (line 1, column 9)",
        ),
        (
            "{\n  nope}",
            "",
            "the body is not valid JSON (line 2, column 3)",
        ),
        ("[1]", "", "the body must be an object, found an array"),
        (
            "{}",
            "model",
            "is missing; it names the model or alias to use",
        ),
        (
            r#"{"model":3,"messages":[]}"#,
            "model",
            "must be a string, found a number",
        ),
        (
            r#"{"model":"m"}"#,
            "messages",
            "must hold at least one message",
        ),
        (
            r#"{"model":"m","messages":{}}"#,
            "messages",
            "must be an array, found an object",
        ),
        (
            r#"{"model":"m","messages":["x"]}"#,
            "messages[0]",
            "must be an object, found a string",
        ),
        (
            r#"{"model":"m","messages":[{"role":"robot","content":"x"}]}"#,
            "messages[0].role",
            "must be one of developer, system, user, assistant, tool",
        ),
        (
            r#"{"model":"m","messages":[{"role":"user","content":7}]}"#,
            "messages[0].content",
            "must be a string or an array of parts",
        ),
        (
            r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#,
            "messages[0].content[0].image_url.url",
            "must be a data URL or an https URL",
        ),
        (
            r#"{"model":"m","messages":[{"role":"tool","content":"x"}]}"#,
            "messages[0].tool_call_id",
            "is missing in a tool message",
        ),
        (
            r#"{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"a"}]}]}"#,
            "messages[0].tool_calls[0].function.name",
            "is missing",
        ),
    ];
    for (body, param, message) in cases {
        assert_eq!(
            refusal(body),
            (param.to_owned(), message.to_owned()),
            "{body}"
        );
    }
}

#[test]
fn parameters_of_a_wrong_shape_are_named() {
    let cases = [
        (
            r#","stream":"yes""#,
            "stream",
            "must be true or false, found a string",
        ),
        (
            r#","stop":5"#,
            "stop",
            "must be a string or an array of strings",
        ),
        (
            r#","tool_choice":"maybe""#,
            "tool_choice",
            "must be none, auto, required, a function or a set of allowed tools",
        ),
        (
            r#","tools":[{"type":"function"}]"#,
            "tools[0].function.name",
            "is missing",
        ),
        (
            r#","response_format":{"type":"xml"}"#,
            "response_format.type",
            "must be one of text, json_object, json_schema",
        ),
    ];
    for (rest, param, message) in cases {
        assert_eq!(
            refusal(&user(rest)),
            (param.to_owned(), message.to_owned()),
            "{rest}"
        );
    }
}

#[test]
fn no_error_quotes_the_body() {
    for body in [
        r#"{"model":"m","messages":"SECRET"}"#,
        r#"{"model":"m","stream":"SECRET"}"#,
    ] {
        assert!(!refusal(body).1.contains("SECRET"));
    }
}

#[test]
fn needs_are_read_from_messages_and_parameters() {
    let body = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},
        "max_tokens":50,"reasoning_effort":"high","response_format":{"type":"json_object"},
        "tools":[{"type":"function","function":{"name":"f"}}],"messages":[{"role":"user","content":[
        {"type":"text","text":"x"},{"type":"image_url","image_url":{"url":"https://x/y.png"}},
        {"type":"file","file":{"file_data":"data:application/pdf;base64,AA"}}]}]}"#;
    let (_, profile) = inspect(body.as_bytes()).unwrap();
    let needs = Needs {
        tools: true,
        parallel_tools: false,
        json_schema: false,
        json_mode: true,
        vision: true,
        audio: false,
        files: true,
        thinking: true,
    };
    assert_eq!(profile.needs, needs);
    assert!(profile.streamed && profile.include_usage);
    assert_eq!(profile.output_limit, Some(50));
}
