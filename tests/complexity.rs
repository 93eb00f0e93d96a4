//! How well the complexity score tells labelled prompts apart.
//!
//! `prompts.tsv` holds a label, a language and a prompt per line. Every third prompt is held out:
//! the weights were fitted to the others. To fit them again, print the features with
//! `FEATURES=1 cargo test --test complexity -- --nocapture` and minimise the logistic loss with
//! `simple` as 0, `moderate` as 0.5 and `complex` as 1.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::fs;
use std::path::Path;

use pointsman::classify::{Complexity, Sample};

/// Scores up to here are simple, and from there on complex.
const SIMPLE_UP_TO: u16 = 250;
const COMPLEX_FROM: u16 = 850;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Tier {
    Simple,
    Moderate,
    Complex,
}

struct Prompt {
    tier: Tier,
    text: String,
}

fn prompts() -> Vec<Prompt> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/complexity/prompts.tsv");
    let file = fs::read_to_string(path).expect("the labelled prompts");
    let read = |line: &str| {
        let mut fields = line.splitn(3, '\t');
        let tier = match fields.next() {
            Some("simple") => Tier::Simple,
            Some("moderate") => Tier::Moderate,
            Some("complex") => Tier::Complex,
            other => panic!("no label: {other:?}"),
        };
        let text = fields
            .nth(1)
            .expect("label, language, prompt")
            .replace("\\n", "\n");
        Prompt { tier, text }
    };
    file.lines().map(read).collect()
}

fn score(prompt: &Prompt) -> Complexity {
    Complexity::of(&Sample {
        text: prompt.text.clone(),
        conversation_bytes: prompt.text.len(),
        turns: 1,
        ..Sample::default()
    })
}

fn tier_of(score: u16) -> Tier {
    match score {
        0..=SIMPLE_UP_TO => Tier::Simple,
        COMPLEX_FROM.. => Tier::Complex,
        _ => Tier::Moderate,
    }
}

#[test]
fn most_prompts_are_told_apart_and_none_is_taken_for_its_opposite() {
    let (mut right, mut all, mut held_right, mut held) = (0_u32, 0_u32, 0_u32, 0_u32);
    let mut opposite = Vec::new();
    for (i, prompt) in prompts().iter().enumerate() {
        let complexity = score(prompt);
        if std::env::var_os("FEATURES").is_some() {
            println!("FEATURES\t{i}\t{:?}\t{:?}", prompt.tier, complexity.values);
        }
        let told = tier_of(complexity.score);
        let hit = u32::from(told == prompt.tier);
        (all, right) = (all + 1, right + hit);
        if i % 3 == 0 {
            (held, held_right) = (held + 1, held_right + hit);
        }
        if told != prompt.tier && told != Tier::Moderate && prompt.tier != Tier::Moderate {
            opposite.push(format!("{complexity}: {}", prompt.text));
        }
    }
    println!("right: {right} of {all}; held out: {held_right} of {held}");
    assert!(
        held_right * 100 >= held * 85,
        "held out: {held_right} of {held}"
    );
    assert!(right * 100 >= all * 90, "{right} of {all}");
    assert!(opposite.is_empty(), "{opposite:#?}");
}
