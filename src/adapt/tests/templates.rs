//! System prompts by provider and model.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;

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
