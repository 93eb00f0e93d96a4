use std::collections::BTreeMap;

use super::splice;
use crate::catalog::{Capabilities, Thinking};
use crate::fidelity::Report;
use crate::schema::openai::ChatCompletionRequest;
use crate::schema::openai::dialect::{Dialect, PLAIN};
use crate::schema::{Target, TranslateError};

/// A target that can do everything and refuses nothing, changed by `change`.
fn splice_for(
    body: &str,
    change: impl FnOnce(&mut Capabilities, &mut BTreeMap<String, String>, &mut bool),
) -> Result<(String, String), TranslateError> {
    let (mut capabilities, mut defaults) = (Capabilities::default(), BTreeMap::new());
    let (mut dialect, mut refuses_unknown_fields) = (Dialect::default(), false);
    change(
        &mut capabilities,
        &mut defaults,
        &mut refuses_unknown_fields,
    );
    if refuses_unknown_fields {
        dialect.extensions = Some(Vec::new());
    }
    let target = Target {
        betas: &[],
        source: body.as_bytes(),
        model: "theirs",
        capabilities: &capabilities,
        defaults: &defaults,
        option_keys: ["mine", "openai_compatible", "openai"],
        dialect: &dialect,
    };
    let request = ChatCompletionRequest::parse(body.as_bytes()).expect("a request");
    let mut report = Report::default();
    let body = splice(&request, &target, &mut report)?;
    Ok((String::from_utf8(body).expect("text"), report.to_string()))
}

fn plain(body: &str) -> String {
    splice_for(body, |_, _, _| {}).expect("a body").0
}

#[test]
fn whatever_is_not_ours_is_copied_byte_for_byte() {
    let rest = r#""messages":[ {"role":"user", "content":"\u00e9 \ud83d\ude00 \ud800 é"}],"n":1.0e0,"seed":18446744073709551616,"x":{"b" : [ 1,2 ], "a":null},"x":2,"":{}"#;
    assert_eq!(
        plain(&format!(r#"{{"model":"smart",{rest}}}"#)),
        format!(r#"{{"model":"theirs",{rest}}}"#)
    );
}

#[test]
fn the_model_is_renamed_wherever_and_however_it_is_written() {
    assert_eq!(
        plain(r#"{"model":"a","messages":[],"mod\u0065l":"b", "model":"c"}"#),
        r#"{"model":"theirs","messages":[],"model":"theirs","model":"theirs"}"#
    );
}

#[test]
fn usage_is_asked_for_in_every_stream_and_only_there() {
    let cases = [
        (
            r#"{"stream":true}"#,
            r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
        ),
        (
            r#"{"stream":true,"stream_options":null}"#,
            r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
        ),
        (
            r#"{"stream_options":{"include_usage":false,"include_obfuscation":false},"stream":true}"#,
            r#"{"stream_options":{"include_obfuscation":false,"include_usage":true},"stream":true}"#,
        ),
        (r#"{"stream":false}"#, r#"{"stream":false}"#),
        (r#"{"stream":null}"#, r#"{"stream":null}"#),
        (
            r#"{"stream":true,"provider_options":{"mine":{"stream_options":{"x":1}}}}"#,
            r#"{"stream":true,"stream_options":{"x":1,"include_usage":true}}"#,
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(plain(body), expected, "{body}");
    }
}

#[test]
fn options_of_the_narrowest_name_win_and_others_stay_behind() {
    let body = r#"{"top_p":1,"provider_options":{"openai":{"a":1,"b":1,"c":1},"theirs":{"d":1},
        "mine":{"a":3,"top_p":3},"openai_compatible":{"a":2,"b":2}}}"#;
    assert_eq!(plain(body), r#"{"a":3,"top_p":3,"b":2,"c":1}"#);
}

#[test]
fn options_cannot_take_over_what_the_gateway_sets() {
    let body = r#"{"stream":false,"provider_options":{"mine":{"model":"x","stream":true,"messages":[],"a":1}}}"#;
    let (body, report) = splice_for(body, |_, _, _| {}).expect("a body");
    assert_eq!(body, r#"{"stream":false,"a":1}"#);
    let dropped = ["model", "stream", "messages"];
    for name in dropped.map(|name| format!("dropped provider_options.mine.{name}")) {
        assert!(report.contains(&name), "{report}");
    }
}

#[test]
fn options_of_another_shape_are_refused() {
    for (body, param) in [
        (r#"{"provider_options":[]}"#, "provider_options"),
        (
            r#"{"provider_options":{"mine":1}}"#,
            "provider_options.mine",
        ),
    ] {
        let error = splice_for(body, |_, _, _| {}).expect_err("refused");
        assert_eq!(error, TranslateError::new(param, "an object"));
    }
    assert_eq!(plain(r#"{"provider_options":{"other":1}}"#), "{}");
}

#[test]
fn defaults_fill_in_what_nobody_said() {
    let given = |body: &str, defaults: &[(&str, &str)]| {
        splice_for(body, |_, into, _| {
            into.extend(
                defaults
                    .iter()
                    .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
            );
        })
        .expect("a body")
    };
    let (body, report) = given(r#"{"seed":1}"#, &[("seed", "2"), ("top_k", "40")]);
    assert_eq!(body, r#"{"seed":1,"top_k":40}"#);
    assert_eq!(report, "defaulted top_k");
    let options = r#"{"provider_options":{"mine":{"seed":1}}}"#;
    assert_eq!(given(options, &[("seed", "2")]).0, r#"{"seed":1}"#);
    let limit = r#"{"max_completion_tokens":9}"#;
    assert_eq!(
        given(limit, &[("max_tokens", "5")]),
        (limit.to_owned(), String::new())
    );
    let stream = given(r#"{"stream":true}"#, &[("stream_options", "{}")]).0;
    assert_eq!(
        stream,
        r#"{"stream":true,"stream_options":{"include_usage":true}}"#
    );
}

#[test]
fn extensions_are_removed_for_who_refuses_them_and_kept_for_others() {
    let body = concat!(
        r#"{"messages":[{"role":"assistant","content":[{"type":"text","text":"cache_control","cache_control":{"type":"ephemeral"}}],"#,
        r#""reasoning_content":"r","reasoning_details":[{}],"tool_calls":[{"id":"1","extra_content":{"google":{}}}]},"#,
        r#"{"role":"user","content":"x","cache_control":null}],"tools":[{"type":"function","cache_control":{}}],"thinking":{"type":"enabled"},"top_k":1}"#,
    );
    assert_eq!(plain(body), body);
    let (scrubbed, report) = splice_for(body, |_, _, refuses| *refuses = true).expect("a body");
    assert_eq!(
        scrubbed,
        concat!(
            r#"{"messages":[{"role":"assistant","content":[{"type":"text","text":"cache_control"}],"tool_calls":[{"id":"1"}]},"#,
            r#"{"role":"user","content":"x"}],"tools":[{"type":"function"}]}"#,
        )
    );
    let expected = [
        "messages[].content[].cache_control",
        "messages[].reasoning_content",
        "messages[].reasoning_details",
        "messages[].tool_calls[].extra_content",
        "tools[].cache_control",
        "thinking",
        "top_k",
    ];
    assert_eq!(
        report,
        expected.map(|param| format!("dropped {param}")).join("; ")
    );
}

#[test]
fn scrubbing_bears_any_nesting() {
    let depth = 200_000;
    let (open, close) = (r#"{"content":["#.repeat(depth), "]}".repeat(depth));
    let body = format!(
        r#"{{"messages":[{{"role":"user","content":[{{"type":"text","text":"x","cache_control":1,"content":[{open}{close}]}}]}}]}}"#
    );
    let (scrubbed, _) = splice_for(&body, |_, _, refuses| *refuses = true).expect("a body");
    assert_eq!(scrubbed, body.replace(r#","cache_control":1"#, ""));
}

#[test]
fn what_a_model_cannot_take_is_left_out_and_told() {
    let body = r#"{"temperature":0.5,"top_p":null,"top_k":1,"presence_penalty":1,"reasoning_effort":"low","thinking":{"type":"enabled"}}"#;
    let (body, report) = splice_for(body, |can, _, _| {
        can.sampling = false;
        can.thinking = Thinking::None;
    })
    .expect("a body");
    assert_eq!(body, "{}");
    let dropped = [
        "reasoning_effort",
        "thinking",
        "temperature",
        "top_k",
        "presence_penalty",
    ];
    assert_eq!(
        report,
        dropped.map(|param| format!("dropped {param}")).join("; ")
    );
}

#[test]
fn who_asks_a_model_that_cannot_think_not_to_think_loses_nothing() {
    let body = r#"{"reasoning_effort":"none","thinking":{"type":"disabled"}}"#;
    let spliced = splice_for(body, |can, _, _| can.thinking = Thinking::None);
    assert_eq!(spliced, Ok(("{}".to_owned(), String::new())));
}

#[test]
fn output_limits_are_lowered_to_what_the_model_can() {
    let body = r#"{"max_tokens":1000,"max_completion_tokens":100,"max_tokens":"x"}"#;
    let (body, report) =
        splice_for(body, |can, _, _| can.max_output_tokens = Some(500)).expect("a body");
    assert_eq!(
        body,
        r#"{"max_tokens":500,"max_completion_tokens":100,"max_tokens":"x"}"#
    );
    assert_eq!(report, "rewritten max_tokens");
}

#[test]
fn a_format_that_cannot_be_enforced_becomes_the_next_weaker_one() {
    let schema =
        r#"{"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{}}}}"#;
    let object = r#"{"response_format":{"type":"json_object"}}"#;
    let format = |body: &str, json_schema, json_mode| {
        splice_for(body, |can, _, _| {
            can.json_schema = json_schema;
            can.json_mode = json_mode;
        })
        .expect("a body")
    };
    let told = |report: &str| report.to_owned();
    assert_eq!(format(schema, true, false), (schema.to_owned(), told("")));
    assert_eq!(
        format(schema, false, true),
        (object.to_owned(), told("downgraded response_format"))
    );
    assert_eq!(
        format(schema, false, false),
        ("{}".to_owned(), told("downgraded response_format"))
    );
    assert_eq!(
        format(object, true, false),
        ("{}".to_owned(), told("downgraded response_format"))
    );
    let text = r#"{"response_format":{"type":"text"}}"#;
    assert_eq!(format(text, false, false), (text.to_owned(), told("")));
}

#[test]
fn a_source_that_is_no_object_is_refused_and_never_sent_empty() {
    let request = ChatCompletionRequest::default();
    for source in [&b""[..], b"[]", b"{", b"\xFF"] {
        let target = Target {
            betas: &[],
            source,
            model: "m",
            capabilities: &Capabilities::default(),
            defaults: &BTreeMap::new(),
            option_keys: ["a", "b", "c"],
            dialect: &PLAIN,
        };
        let spliced = splice(&request, &target, &mut Report::default());
        assert_eq!(spliced, Err(TranslateError::new("body", "a JSON object")));
    }
}
