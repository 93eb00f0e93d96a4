//! Quality gates: what answers must reach, and who is asked for their score.

use std::sync::Arc;

use super::classifier::{DEADLINE_MS, EXCERPT_BYTES, check_webhook};
use crate::config::classifier::scorer_name;
use crate::config::path::Path;
use crate::config::problem::{At, Finding, Findings};
use crate::config::raw::RawQualityGate;
use crate::config::{QualityGate, Scorer};
use crate::quality::BEST;

/// The gate of a model with so many candidates.
pub(super) fn check(
    raw: &RawQualityGate,
    (model, candidates): (&str, usize),
    path: &Path,
    findings: &mut Findings<'_>,
) -> Arc<QualityGate> {
    let RawQualityGate {
        threshold,
        held_stream,
        webhook: _, // with the rest of the scorer
        deadline: _,
        excerpt: _,
    } = raw;
    if candidates == 1 {
        let finding = Finding::new("a gate before one candidate", "two candidates or more");
        let finding = finding.hint("the last candidate's answer always passes");
        findings.warning(At::Key, path, finding);
    }
    let threshold = threshold.get().map_or(0.7, |ratio| ratio.0);
    Arc::new(QualityGate {
        // A ratio lies between 0 and 1.
        threshold: (threshold * f64::from(BEST)).round() as u16,
        held_stream_bytes: held_stream.get().map_or(1024, |size| size.0),
        scorer: check_scorer(raw, model, path, findings),
    })
}

fn check_scorer(
    raw: &RawQualityGate,
    model: &str,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Option<Scorer> {
    let of_webhook = [
        ("deadline", raw.deadline.is_absent()),
        ("excerpt", raw.excerpt.is_absent()),
    ];
    for (key, is_absent) in of_webhook {
        if raw.webhook.is_absent() && !is_absent {
            let finding = Finding::new("no webhook beside it", "a `webhook` that it is about");
            findings.error(At::Key, &path.key(key), finding);
        }
    }
    let excerpt = raw.excerpt.get().map_or(EXCERPT_BYTES, |size| size.0);
    Some(Scorer {
        name: scorer_name(model),
        webhook: check_webhook(raw.webhook.get()?, &path.key("webhook"), findings)?,
        deadline_ms: raw.deadline.get().map_or(DEADLINE_MS, |d| d.0),
        excerpt_bytes: excerpt as usize,
    })
}
