//! How complex a request is, from 0 (a look-up) to 1 (reasoning in many steps).
//!
//! A logistic score over the features below. Their weights were fitted to the labelled prompts in
//! `tests/complexity/prompts.tsv`; `tests/complexity.rs` reports how well it does on prompts that
//! it was not fitted to. What no prompt alone shows (tools, turns, effort) has a weight by hand.

use std::fmt;

use super::Sample;
use super::cues::{COMPOSITION, CONSTRAINT, CONSTRUCTION, Cues, LOOKUP, REASONING};
use super::scan::Scan;
use crate::sorted::sort_by;

/// One thing that is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Feature {
    /// Its name in explanations.
    pub name: &'static str,
    /// What it counts.
    pub description: &'static str,
    /// What a value of 1 adds to the score, before it is squeezed between 0 and 1.
    pub weight: f32,
}

/// How complex a request is, and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Complexity {
    /// Thousandths, from 0 to 1000.
    pub score: u16,
    /// The value of each of [`FEATURES`], from 0 to 1.
    pub values: [f32; FEATURES.len()],
}

/// What a request without any feature has.
const BIAS: f32 = -5.3;

/// Words and phrases that are counted, in the order of their [`FEATURES`].
pub(super) const CUES: [&Cues; 5] = [
    &REASONING,
    &CONSTRUCTION,
    &COMPOSITION,
    &LOOKUP,
    &CONSTRAINT,
];

/// Everything that is looked at, in the order of [`Complexity::values`].
pub const FEATURES: [Feature; 13] = [
    feature("length", "words of the last user message; 1 at 200", 6.8),
    feature(
        "reasoning",
        "words such as prove, analyse, why, root cause; 1 at four",
        6.1,
    ),
    feature(
        "construction",
        "words such as design, implement, migrate; 1 at three",
        1.5,
    ),
    feature(
        "composition",
        "words such as write, explain, compare; 1 at two",
        2.6,
    ),
    feature(
        "look-up",
        "words such as translate, who, capital, thanks; 1 at two",
        -1.4,
    ),
    feature(
        "constraints",
        "words such as must, at least, without; 1 at four",
        0.4,
    ),
    feature(
        "parts",
        "sentences, clauses and list items; 1 at eight",
        1.6,
    ),
    feature("code", "code fences and the punctuation of code", 0.1),
    feature("tools", "tools that may be called; 1 at ten", 1.0),
    feature("schema", "the reply must follow a JSON schema", 0.3),
    feature("turns", "earlier user messages; 1 at ten", 0.5),
    feature("context", "size of the conversation; 1 at 100 KiB", 1.0),
    feature("effort", "much reasoning was asked for", 3.0),
];

const fn feature(name: &'static str, description: &'static str, weight: f32) -> Feature {
    Feature {
        name,
        description,
        weight,
    }
}

impl Complexity {
    /// Scores a sample.
    pub fn of(sample: &Sample) -> Complexity {
        Complexity::of_scan(sample, &Scan::of(&sample.text.to_lowercase()))
    }

    /// Scores a sample of which has been counted already.
    pub(super) fn of_scan(sample: &Sample, scan: &Scan) -> Complexity {
        let values = measure(sample, scan);
        let weighted = values.iter().zip(&FEATURES).map(|(v, f)| v * f.weight);
        let logit = BIAS + weighted.sum::<f32>();
        let score = 1.0 / (1.0 + (-logit).exp());
        Complexity {
            score: (score * 1000.0).round() as u16,
            values,
        }
    }
}

/// The score with the features that made it, the weightiest first.
impl fmt::Display for Complexity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", f32::from(self.score) / 1000.0)?;
        let mut parts: Vec<(f32, &str)> = self
            .values
            .iter()
            .zip(&FEATURES)
            .map(|(value, feature)| (value * feature.weight, feature.name))
            .filter(|(part, _)| part.abs() >= 0.05)
            .collect();
        sort_by(&mut parts, |a, b| b.0.abs().total_cmp(&a.0.abs()));
        for (i, (part, name)) in parts.iter().enumerate() {
            let sign = if i == 0 { " (" } else { ", " };
            write!(f, "{sign}{name} {part:+.1}")?;
        }
        if parts.is_empty() {
            Ok(())
        } else {
            f.write_str(")")
        }
    }
}

fn measure(sample: &Sample, scan: &Scan) -> [f32; FEATURES.len()] {
    // Two characters of a script without spaces count as one word.
    let words = scan.words.saturating_add(scan.unspaced / 2);
    let context = sample.conversation_bytes as f32 / 1024.0;
    let [reasoning, construction, composition, lookup, constraint, ..] = scan.hits.map(usize::from);
    [
        grows(words as f32, 200.0),
        share(reasoning, 4),
        share(construction, 3),
        share(composition, 2),
        share(lookup, 2),
        share(constraint, 4),
        share(scan.breaks.saturating_sub(2), 8),
        if scan.fenced {
            1.0
        } else {
            share(scan.marks, 12)
        },
        share(sample.tools, 10),
        f32::from(u8::from(sample.json_schema)),
        share(sample.turns.saturating_sub(1), 10),
        grows(context, 100.0),
        f32::from(u8::from(sample.high_effort)),
    ]
}

/// `n` of `full`, at most 1.
fn share(n: usize, full: usize) -> f32 {
    (n as f32 / full as f32).min(1.0)
}

/// Logarithmic: the first hundred say more than the second.
fn grows(n: f32, full: f32) -> f32 {
    (n.ln_1p() / full.ln_1p()).min(1.0)
}
