use super::*;

fn completion(message: &str, more: &str) -> Vec<u8> {
    format!(r#"{{"choices":[{{"index":0,"message":{message}{more}}}],"usage":null}}"#).into_bytes()
}

fn said(text: &str) -> Vec<u8> {
    let text = crate::json::to_string(text);
    completion(&format!(r#"{{"role":"assistant","content":{text}}}"#), "")
}

fn score(expected: &Expected, body: &[u8]) -> (u16, &'static str) {
    let score = expected.look(body).unwrap().score;
    (score.value, score.reason)
}

#[test]
fn every_fault_takes_its_weight_off() {
    let any = Expected::default();
    let cases: [(&str, u16, &str); 9] = [
        ("Paris is the capital of France.", 1000, ""),
        ("", 0, "it is empty"),
        ("  \n", 0, "it is empty"),
        (
            "I'm sorry, but I can't assist with that request.",
            300,
            "it refuses",
        ),
        ("I\u{2019}m unable to open links.", 300, "it refuses"),
        ("I'm not sure, but perhaps Paris.", 600, "it is unsure"),
        (
            "Es tut mir leid, ich kann dir dabei nicht helfen.",
            300,
            "it refuses",
        ),
        (
            "The answer is 4.\nThe answer is 4.\nThe answer is 4.",
            500,
            "it repeats itself",
        ),
        ("Yes. Yes. Yes. Yes.", 1000, ""),
    ];
    for (text, value, reason) in cases {
        assert_eq!(score(&any, &said(text)), (value, reason), "{text}");
    }
}

#[test]
fn a_refusal_late_in_an_answer_is_no_refusal() {
    let text = format!(
        "{} A polite bot says: I can't help you.",
        "Bots follow rules. ".repeat(20)
    );
    let distinct = text.replacen("Bots", "Most bots", 1);
    assert_ne!(
        Expected::default()
            .look(&said(&distinct))
            .unwrap()
            .score
            .reason,
        "it refuses"
    );
}

#[test]
fn json_that_was_asked_for_must_be_json() {
    let json = Expected {
        json: true,
        ..Expected::default()
    };
    assert_eq!(score(&json, &said(r#"{"a": 1}"#)), (1000, ""));
    assert_eq!(score(&json, &said("Here you are: {a}")).0, 0);
}

#[test]
fn calls_must_be_of_what_was_offered() {
    let weather = Expected {
        functions: vec!["weather".into()],
        ..Expected::default()
    };
    let call = |name: &str, arguments: &str| {
        let arguments = crate::json::to_string(arguments);
        let call = format!(
            r#"{{"type":"function","function":{{"name":"{name}","arguments":{arguments}}}}}"#
        );
        completion(&format!(r#"{{"content":null,"tool_calls":[{call}]}}"#), "")
    };
    assert_eq!(
        score(&weather, &call("weather", r#"{"city":"Bern"}"#)),
        (1000, "")
    );
    assert_eq!(score(&weather, &call("weather", "")), (1000, ""));
    assert_eq!(score(&weather, &call("weather", "Bern")).0, 0);
    assert_eq!(score(&weather, &call("rain", "{}")).0, 0);
    assert_eq!(score(&Expected::default(), &call("rain", "{}")), (1000, ""));
}

#[test]
fn sound_and_calls_in_their_form_of_before_are_not_empty() {
    for message in [
        r#"{"content":null,"audio":{"data":"AA"}}"#,
        r#"{"content":null,"function_call":{"name":"f","arguments":"{}"}}"#,
    ] {
        let whole = completion(message, "");
        assert_eq!(score(&Expected::default(), &whole), (1000, ""), "{message}");
    }
}

#[test]
fn cut_and_unlikely_answers_lose_some() {
    let message = r#"{"content":"Paris."}"#;
    let cut = completion(message, r#","finish_reason":"length""#);
    assert_eq!(score(&Expected::default(), &cut), (600, "it is cut off"));
    let logprobs = |value: f64| {
        let more =
            format!(r#","logprobs":{{"content":[{{"logprob":{value}}},{{"logprob":-0.1}}]}}"#);
        completion(message, &more)
    };
    assert_eq!(
        score(&Expected::default(), &logprobs(-2.0)),
        (600, "its tokens are unlikely")
    );
    assert_eq!(score(&Expected::default(), &logprobs(-0.2)), (1000, ""));
}

#[test]
fn what_is_no_completion_has_no_score() {
    for body in [
        "",
        "{}",
        r#"{"choices":[]}"#,
        "[1]",
        r#"{"choices":[{"message":4}]}"#,
    ] {
        assert_eq!(Expected::default().look(body.as_bytes()), None, "{body}");
    }
}

#[test]
fn a_stream_is_scored_by_what_it_has_said() {
    let event = |delta: &str| format!("data: {{\"choices\":[{{\"delta\":{delta}}}]}}\n\n");
    let any = Expected::default();
    let refusal = event(r#"{"role":"assistant","content":""}"#)
        + &event(r#"{"content":"I'm sorry, I ca"}"#)
        + &event(r#"{"content":"n't help with that"}"#);
    assert_eq!(
        any.look_at_stream(refusal.as_bytes(), false).score.value,
        300
    );
    let call = event(r#"{"tool_calls":[{"index":0}]}"#);
    assert_eq!(any.look_at_stream(call.as_bytes(), true).score.value, BEST);
    for delta in [
        r#"{"function_call":{"name":"f"}}"#,
        r#"{"audio":{"data":"AA"}}"#,
    ] {
        let stream = event(delta);
        assert_eq!(
            any.look_at_stream(stream.as_bytes(), true).score.value,
            BEST
        );
    }
    assert_eq!(
        any.look_at_stream(b"data: [DONE]\n\n", false).score.value,
        BEST
    );
    assert_eq!(any.look_at_stream(b"data: [DONE]\n\n", true).score.value, 0);
}

#[test]
fn what_was_said_is_told_and_calls_and_sound_say_nothing() {
    let any = Expected::default();
    assert_eq!(any.look(&said("Paris.")).unwrap().text, "Paris.");
    let audio = completion(r#"{"content":"Paris.","audio":{"data":"AA"}}"#, "");
    assert_eq!(any.look(&audio).unwrap().text, "");
    let event = b"data: {\"choices\":[{\"delta\":{\"content\":\"Par\"}}]}\n\n";
    assert_eq!(any.look_at_stream(event, false).text, "Par");
    let refusal = any.look(&said("I can't help with that.")).unwrap().score;
    assert_eq!((refusal.signal, refusal.reason), ("refusal", "it refuses"));
}
