//! How far estimates of tokens are off, on texts that they were not calibrated with; and what
//! `tests/tokens/fit.py` calibrates them with.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pointsman::tokens::{Family, MOST_SCANNED, Tally};
use serde::Deserialize;

/// One text of `held_out.json`.
#[derive(Deserialize)]
struct Text {
    kind: String,
    text: String,
    #[serde(default)]
    tokens: BTreeMap<String, u64>,
}

fn read(path: &Path) -> Vec<Text> {
    serde_json::from_slice(&fs::read(path).expect("texts")).expect("texts")
}

fn tally(text: &str) -> Tally {
    let mut tally = Tally::default();
    tally.add_text(text.as_bytes(), false, MOST_SCANNED);
    tally
}

/// The value that this share of `sorted` does not exceed.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted[(last as f64 * share).round() as usize]
}

#[test]
fn estimates_are_near_what_tokenizers_count() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tokens");
    let texts = read(&folder.join("held_out.json"));
    let mut kinds: Vec<&str> = texts.iter().map(|t| t.kind.as_str()).collect();
    kinds.dedup();
    println!("error in percent, median / 95th percentile");
    for family in Family::ALL {
        let mut errors: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for text in &texts {
            let counted = text.tokens[family.as_str()] as f64;
            let estimated = tally(&text.text).tokens(family) as f64;
            let error = (estimated - counted).abs() / counted * 100.0;
            errors.entry(&text.kind).or_default().push(error);
        }
        let mut all: Vec<f64> = errors.values().flatten().copied().collect();
        all.sort_by(f64::total_cmp);
        let (median, p95) = (quantile(&all, 0.5), quantile(&all, 0.95));
        let each = kinds.iter().map(|kind| {
            let mut errors = errors[kind].clone();
            errors.sort_by(f64::total_cmp);
            let (median, p95) = (quantile(&errors, 0.5), quantile(&errors, 0.95));
            format!("{kind} {median:.1}/{p95:.1}")
        });
        let each: Vec<String> = each.collect();
        println!(
            "{:8} {median:.1}/{p95:.1}: {}",
            family.as_str(),
            each.join("  ")
        );
        assert!(median < 5.0, "{family:?}: median {median}");
        assert!(p95 < 15.0, "{family:?}: p95 {p95}");
    }
}

/// Writes what is tallied of the texts in the file that `TALLY` names, beside it.
#[test]
fn texts_are_tallied_for_calibration() {
    let Some(path) = std::env::var_os("TALLY") else {
        return;
    };
    let path = Path::new(&path);
    let rows = read(path)
        .into_iter()
        .map(|text| tally(&text.text).counts().to_vec());
    let rows: Vec<Vec<u32>> = rows.collect();
    let json = serde_json::to_vec(&rows).expect("numbers");
    fs::write(path.with_extension("tally.json"), json).expect("a place to write");
}
