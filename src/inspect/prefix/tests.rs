use super::*;

fn of(messages: &[(&str, &str)], tools: &str) -> Prefix {
    let messages: Vec<_> = messages
        .iter()
        .map(|(role, content)| serde_json::json!({"role": role, "content": content}))
        .collect();
    let messages = serde_json::to_string(&messages).expect("JSON");
    let body = format!(r#"{{"model": "m", "messages": {messages}{tools}}}"#);
    prefix(&ChatCompletionRequest::parse(body.as_bytes()).expect("a request"))
}

#[test]
fn the_turns_of_a_conversation_begin_alike() {
    let first = of(&[("system", "Be brief."), ("user", "Hello")], "");
    let turns = [
        ("system", "Be brief."),
        ("user", "Hello"),
        ("assistant", "Hi"),
        ("user", "How are you?"),
    ];
    assert_eq!(of(&turns, ""), first);
    assert_ne!(of(&[("system", "Be brief."), ("user", "Hallo")], ""), first);
    assert_ne!(of(&[("system", "Be short."), ("user", "Hello")], ""), first);
    assert_ne!(of(&[("system", "Be brief.Hello")], "").hash, first.hash);
}

#[test]
fn conversations_under_a_long_system_prompt_begin_alike() {
    let long = "Read this with care. ".repeat(300);
    let first = of(&[("system", &long), ("user", "Hello")], "");
    assert_eq!(of(&[("developer", &long), ("user", "Other")], ""), first);
    assert_eq!(first.tokens, (long.len() as u64 + 2) / 4);
}

#[test]
fn tools_belong_to_the_beginning() {
    let tool = |name: &str| {
        format!(r#", "tools": [{{"type": "function", "function": {{"name": "{name}"}}}}]"#)
    };
    let messages = [("user", "Hello")];
    assert_ne!(of(&messages, &tool("a")), of(&messages, ""));
    assert_ne!(
        of(&messages, &tool("a")).hash,
        of(&messages, &tool("b")).hash
    );
}
