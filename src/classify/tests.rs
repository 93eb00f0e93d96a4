use super::{Complexity, Intent, Intents, Phrase, Sample};
use crate::schema::openai::ChatCompletionRequest;

fn sample(body: &str) -> Sample {
    Sample::of(&ChatCompletionRequest::parse(body.as_bytes()).unwrap())
}

fn said(text: &str) -> Sample {
    Sample {
        text: text.to_owned(),
        ..Sample::default()
    }
}

fn phrases(texts: &[&str]) -> Vec<Phrase> {
    texts
        .iter()
        .map(|text| Phrase::parse(text).unwrap())
        .collect()
}

#[test]
fn the_sample_is_what_the_user_said_last() {
    let sample = sample(
        r#"{"model": "m", "reasoning_effort": "high", "response_format": {"type": "json_schema"},
            "messages": [
                {"role": "system", "content": "Prove everything."},
                {"role": "user", "content": "first"},
                {"role": "assistant", "content": "yes"},
                {"role": "user", "content": [
                    {"type": "text", "text": "gr\u00fc\u00df"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
                    {"type": "text", "text": "dich"}]}]}"#,
    );
    assert_eq!(sample.text, "grüß\ndich\n");
    assert_eq!((sample.turns, sample.tools), (2, 0));
    assert!(sample.json_schema && sample.high_effort);
}

#[test]
fn a_long_text_is_cut_between_characters() {
    let body = format!(
        r#"{{"model": "m", "messages": [{{"role": "user", "content": "x{}"}}]}}"#,
        "ü".repeat(20_000)
    );
    let text = sample(&body).text;
    assert_eq!(
        text.len(),
        16 * 1024,
        "one byte short of the limit, and a line break"
    );
}

#[test]
fn every_feature_moves_the_score_its_way() {
    let plain = Sample {
        conversation_bytes: 1024,
        turns: 1,
        ..said("Write a summary of this page for me.")
    };
    let score = |sample: &Sample| Complexity::of(sample).score;
    let more = [
        Sample {
            tools: 8,
            ..plain.clone()
        },
        Sample {
            json_schema: true,
            ..plain.clone()
        },
        Sample {
            turns: 9,
            ..plain.clone()
        },
        Sample {
            high_effort: true,
            ..plain.clone()
        },
        Sample {
            conversation_bytes: 90_000,
            ..plain.clone()
        },
        said("Analyse and prove why this is a risk, and justify the summary of this page."),
        said("Design and implement an architecture, and write a summary of this page."),
    ];
    for sample in &more {
        assert!(score(sample) > score(&plain), "{sample:?}");
    }
    assert!(score(&said("Thanks! Translate this page for me, who wrote it?")) < score(&plain));
}

#[test]
fn the_score_explains_itself() {
    let shown = Complexity::of(&said("Prove why the root cause is a deadlock.")).to_string();
    assert!(shown.contains("reasoning +6.1"), "{shown}");
    assert!(
        !shown.contains("deadlock"),
        "nothing of the text is shown: {shown}"
    );
}

#[test]
fn the_first_intent_that_fits_is_found() {
    let declared = vec![
        Intent {
            name: "refund".to_owned(),
            any: phrases(&["refund*", "money back"]),
            none: phrases(&["policy"]),
            ..Intent::default()
        },
        Intent {
            name: "cancel".to_owned(),
            all: phrases(&["cancel*", "subscription"]),
            ..Intent::default()
        },
        Intent {
            name: "退款".to_owned(),
            any: phrases(&["退款", "คืนเงิน"]),
            ..Intent::default()
        },
    ];
    let intents = Intents { declared };
    let cases = [
        ("I want my MONEY back!", Some("refund")),
        (
            "Refunding takes too long; cancel my subscription",
            Some("refund"),
        ),
        ("What is your refund policy?", Some("lookup")),
        ("Please cancel the subscription.", Some("cancel")),
        ("我想要退款，谢谢", Some("退款")),
        ("ขอคืนเงินได้ไหม", Some("退款")),
        ("cancel it", None),
        ("Translate: back money", Some("translate")),
        ("back money", None),
        ("", None),
    ];
    for (text, expected) in cases {
        assert_eq!(intents.find(&said(text)), expected, "{text}");
    }
}

#[test]
fn a_declared_intent_takes_the_place_of_the_built_in_one_of_its_name() {
    let declared = vec![Intent {
        name: "chat".to_owned(),
        any: phrases(&["weather"]),
        ..Intent::default()
    }];
    let intents = Intents { declared };
    assert_eq!(intents.find(&said("Hello, thanks!")), None);
    assert_eq!(intents.find(&said("How is the weather?")), Some("chat"));
    assert_eq!(
        Intents::default().find(&said("Hello, thanks!")),
        Some("chat")
    );
}

#[test]
fn a_phrase_is_words_and_stars_at_their_ends() {
    for bad in ["", "  ", "*", "a*b", "*a", "a-b", "a.b*"] {
        assert_eq!(Phrase::parse(bad), None, "{bad:?}");
    }
}
