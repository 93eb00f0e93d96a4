use std::collections::BTreeMap;

use super::patch;
use crate::catalog::{Capabilities, Thinking};
use crate::schema::Target;
use crate::schema::openai::ChatCompletionRequest;
use crate::schema::openai::dialect::{Dialect, PLAIN, Rename, ToolCallIds, at_most, pairs, words};

fn patch_for(body: &str, capabilities: &Capabilities, default: Option<&str>) -> Option<String> {
    let dialect = Dialect {
        extensions: Some(Vec::new()),
        ..PLAIN.clone()
    };
    patch_in(body, &dialect, capabilities, default)
}

fn patch_in(
    body: &str,
    dialect: &Dialect,
    capabilities: &Capabilities,
    default: Option<&str>,
) -> Option<String> {
    let defaults: BTreeMap<_, _> = default
        .map(|name| (name.to_owned(), "1".to_owned()))
        .into_iter()
        .collect();
    let target = Target {
        betas: &[],
        source: body.as_bytes(),
        model: "th\"eirs",
        capabilities,
        defaults: &defaults,
        option_keys: ["mine", "openai", "openai"],
        dialect,
    };
    let request = ChatCompletionRequest::parse(body.as_bytes()).expect("a request");
    patch(&request, &target).map(|body| String::from_utf8(body).expect("text"))
}

fn gives_up_on(body: &str) -> bool {
    patch_for(body, &Capabilities::default(), None).is_none()
}

#[test]
fn only_the_models_name_changes() {
    for (before, after) in [
        (r#"{"#, r#", "messages":[{"role":"user","content":"hi"}]}"#),
        (r#" { "temperature" : 1,"#, r#","stream":false}  "#),
        (
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"é"}]}],"stream":true,"stream_options":{"include_usage":true},"#,
            r#","n":1.0e0,"x":null,"tools":[]}"#,
        ),
    ] {
        let body = format!(
            r#"{before}"model" :
 "smart"{after}"#
        );
        assert_eq!(
            patch_for(&body, &Capabilities::default(), None),
            Some(format!(
                r#"{before}"model" :
 "th\"eirs"{after}"#
            ))
        );
    }
}

#[test]
fn what_a_message_says_is_no_reason_to_give_up() {
    let says = r#"\u00e9 \"cache_control\": 1, \"model\": \"x\", \"thinking\""#;
    let body = format!(r#"{{"messages":[{{"role":"user","content":"{says}"}}],"model":"smart"}}"#);
    assert!(!gives_up_on(&body));
}

#[test]
fn whatever_may_have_to_change_makes_it_give_up() {
    for rest in [
        r#""thinking":null"#,
        r#""top_k":5"#,
        r#""provider_options":{}"#,
        r#""stream":true"#,
        r#""stream":true,"stream_options":{"include_usage":false}"#,
        r#""messages":[{"role":"user","content":"a","cache_control":null}]"#,
        r#""messages":[{"role":"user","content":[{"type":"text","text":"a","cache_control":{}}]}]"#,
        r#""messages":[{"role":"assistant","content":"","reasoning_content":"a"}]"#,
        r#""messages":[{"role":"assistant","reasoning_details":[],"content":"a"}]"#,
        r#""messages":[{"role":"assistant","tool_calls":[{"id":"1","extra_content":{}}]}]"#,
        r#""model":"other""#,
        r#""mod\u0065l":"other""#,
    ] {
        for body in [
            format!(r#"{{"model":"smart",{rest}}}"#),
            format!(r#"{{{rest},"model":"smart"}}"#),
        ] {
            assert!(gives_up_on(&body), "{body}");
        }
    }
    assert!(gives_up_on(r#"{"messages":[]}"#));
    assert!(gives_up_on(r#"{"model":"sm\u0061rt"}"#));
    assert!(gives_up_on(r#"{"mod\u0065l":"smart"}"#));
}

#[test]
fn what_a_model_lacks_makes_it_give_up_only_when_it_is_asked_for() {
    let able = Capabilities::default();
    for (lacking, field) in [
        (
            Capabilities {
                sampling: false,
                ..able.clone()
            },
            r#""top_p":1"#,
        ),
        (
            Capabilities {
                thinking: Thinking::None,
                ..able.clone()
            },
            r#""reasoning_effort":"low""#,
        ),
        (
            Capabilities {
                json_schema: false,
                ..able.clone()
            },
            r#""response_format":{"type":"text"}"#,
        ),
        (
            Capabilities {
                max_output_tokens: Some(10),
                ..able.clone()
            },
            r#""max_tokens":11"#,
        ),
    ] {
        let asks = format!(r#"{{"model":"smart",{field}}}"#);
        assert!(patch_for(&asks, &able, None).is_some(), "{asks}");
        assert!(patch_for(&asks, &lacking, None).is_none(), "{asks}");
        let body = r#"{"model":"smart","max_completion_tokens":10}"#;
        assert!(patch_for(body, &lacking, None).is_some(), "{lacking:?}");
        assert!(patch_for(body, &lacking, Some("seed")).is_none());
    }
}

#[test]
fn what_a_dialect_has_otherwise_makes_it_give_up_only_when_it_is_asked_for() {
    let plain = || PLAIN.clone();
    let rename = Rename {
        from: "seed".into(),
        to: "random_seed".into(),
        changes: None,
        if_thinking: false,
    };
    for (dialect, field) in [
        (
            Dialect {
                drops: words("user"),
                ..plain()
            },
            r#""user":"u""#,
        ),
        (
            Dialect {
                drops_if_thinking: words("top_p"),
                ..plain()
            },
            r#""top_p":1"#,
        ),
        (
            Dialect {
                drops_in_messages: words("name"),
                ..plain()
            },
            r#""messages":[{"role":"user","name":"n","content":""}]"#,
        ),
        (
            Dialect {
                renames: vec![rename],
                ..plain()
            },
            r#""seed":1"#,
        ),
        (
            Dialect {
                limits: vec![at_most("temperature", 1.0)],
                ..plain()
            },
            r#""temperature":2"#,
        ),
        (
            Dialect {
                efforts: pairs(&[("xhigh", "high")]),
                ..plain()
            },
            r#""reasoning_effort":"xhigh""#,
        ),
    ] {
        let able = Capabilities::default();
        let asks = format!(r#"{{"model":"smart",{field}}}"#);
        let bare = r#"{"model":"smart"}"#;
        assert!(patch_in(&asks, &plain(), &able, None).is_some(), "{asks}");
        assert!(patch_in(&asks, &dialect, &able, None).is_none(), "{asks}");
        assert!(patch_in(bare, &dialect, &able, None).is_some(), "{asks}");
    }
}

#[test]
fn a_dialect_that_may_differ_anywhere_makes_it_give_up() {
    let plain = || PLAIN.clone();
    for dialect in [
        Dialect {
            accepts: Some(words("model messages")),
            ..plain()
        },
        Dialect {
            roles: pairs(&[("developer", "system")]),
            ..plain()
        },
        Dialect {
            tool_call_ids: ToolCallIds::NineAlphanumerics,
            ..plain()
        },
        Dialect {
            stream_options: false,
            ..plain()
        },
    ] {
        let body = r#"{"model":"smart"}"#;
        assert!(patch_in(body, &dialect, &Capabilities::default(), None).is_none());
    }
}
