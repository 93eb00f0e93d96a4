//! How well the built-in intents tell labelled prompts apart.
//!
//! A line holds a label (`-` for none), a language and a prompt. The words were chosen by
//! `prompts.tsv`; `held-out.tsv` was written without a look at them. To see what is told wrong:
//! `WRONG=1 cargo test --test intents -- --nocapture`.

#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pointsman::classify::{Intents, Sample, built_in};

/// Right and all, together and by label.
fn told(file: &str) -> (u32, u32, BTreeMap<String, (u32, u32)>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/intents")
        .join(file);
    let (intents, mut labels) = (Intents::default(), BTreeMap::new());
    let (mut right, mut all) = (0, 0);
    for line in fs::read_to_string(path)
        .expect("the labelled prompts")
        .lines()
    {
        let mut fields = line.splitn(3, '\t');
        let label = fields.next().expect("a label");
        let text = fields.nth(1).expect("label, language, prompt");
        let sample = Sample {
            text: text.replace("\\n", "\n"),
            ..Sample::default()
        };
        let told = intents.find(&sample).unwrap_or("-");
        let hit = u32::from(told == label);
        let count: &mut (u32, u32) = labels.entry(label.to_owned()).or_default();
        *count = (count.0 + hit, count.1 + 1);
        (right, all) = (right + hit, all + 1);
        if hit == 0 && std::env::var_os("WRONG").is_some() {
            println!("{told} for {line}");
        }
    }
    println!("{file}: {right} of {all} right; by label {labels:?}");
    (right, all, labels)
}

#[test]
fn most_prompts_are_told_their_intent() {
    let (right, all, labels) = told("prompts.tsv");
    assert!(right * 100 >= all * 85, "{right} of {all}");
    assert!(built_in().all(|(name, _)| labels.contains_key(name)));
    let (right, all, labels) = told("held-out.tsv");
    assert!(right * 100 >= all * 75, "held out: {right} of {all}");
    assert!(built_in().all(|(name, _)| labels.contains_key(name)));
}
