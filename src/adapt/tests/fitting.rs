//! Conversations that are too large.

use serde_json::json;

use super::*;

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
    let input = tokens_of(&sent);
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
    assert!(tokens_of(&sent) <= 1490);
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
            .is_some_and(|n| (500..700).contains(&n))
    );
    assert_eq!(found, "defaulted max_completion_tokens");
}
