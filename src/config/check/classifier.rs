//! Classifiers outside, and the conditions that read their classes.

use std::collections::BTreeMap;

use super::candidate::check_labels;
use super::provider::{key_source, refuse_ca_without_tls};
use crate::config::endpoint;
use crate::config::names::{CandidateName, ClassifierName, TemplateText};
use crate::config::path::Path;
use crate::config::problem::{At, Finding, Findings};
use crate::config::raw_classifiers::{RawClassifier, RawWebhook};
use crate::config::shape::Given;
use crate::config::values::Map;
use crate::config::words::{did_you_mean, quote};
use crate::config::{Classifier, ModelConfig, ModelSource, Routing, Source, Webhook};
use crate::routing::rules::Match;

pub(super) const DEADLINE_MS: u64 = 500;
const CACHE_MS: u64 = 600_000;
pub(super) const EXCERPT_BYTES: u64 = 2 << 10;
const MAX_TOKENS: u64 = 16;

type Models = BTreeMap<String, ModelConfig>;

pub(super) fn check(
    raw: &Given<Map<ClassifierName, RawClassifier, 0>>,
    models: &Models,
    findings: &mut Findings<'_>,
) -> BTreeMap<String, Classifier> {
    let top = Path::default().key("classifiers");
    let mut checked = BTreeMap::new();
    for (name, raw) in raw.get().into_iter().flat_map(|map| &map.entries) {
        let Some(raw) = raw else { continue };
        if let Some(classifier) = check_one(name, raw, models, &top.key(name), findings) {
            checked.insert(name.clone(), classifier);
        }
    }
    checked
}

fn check_one(
    name: &str,
    raw: &RawClassifier,
    models: &Models,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Option<Classifier> {
    let RawClassifier {
        model: _, // with the rest of its source
        instruction: _,
        max_tokens: _,
        webhook: _,
        classes,
        default,
        deadline,
        cache,
        excerpt,
    } = raw;
    let classes = classes.get().into_iter().flat_map(|list| &list.0).flatten();
    let classes: Vec<String> = classes.map(|class| class.0.clone()).collect();
    let default = default.get().map(|class| class.0.clone());
    if let Some(default) = default.as_ref().filter(|class| !classes.contains(class)) {
        let finding = Finding::new(quote(default), format!("one of {}", classes.join(", ")));
        findings.error(At::Value, &path.key("default"), finding);
    }
    Some(Classifier {
        name: name.to_owned(),
        source: check_source(raw, models, path, findings)?,
        classes,
        default,
        deadline_ms: deadline.get().map_or(DEADLINE_MS, |d| d.0),
        cache_ms: cache.get().map_or(CACHE_MS, |d| d.0),
        excerpt_bytes: excerpt.get().map_or(EXCERPT_BYTES, |size| size.0) as usize,
    })
}

fn check_source(
    raw: &RawClassifier,
    models: &Models,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Option<Source> {
    match (&raw.model, &raw.webhook) {
        (Given::Absent, Given::As(webhook)) => {
            let webhook = check_webhook(webhook, &path.key("webhook"), findings)?;
            Some(Source::Webhook(webhook))
        }
        (Given::As(model), Given::Absent) => {
            if raw.instruction.is_absent() {
                let finding = Finding::new("nothing", "what the model is asked");
                findings.error(At::Key, &path.key("instruction"), finding);
            }
            let TemplateText(instruction) = raw.instruction.get()?;
            let (model, candidate) = resolve(model, models, &path.key("model"), findings)?;
            Some(Source::Model(ModelSource {
                model,
                candidate,
                instruction: instruction.clone(),
                max_tokens: raw.max_tokens.get().map_or(MAX_TOKENS, |n| n.0),
            }))
        }
        (Given::Broken, _) | (_, Given::Broken) => None,
        (model, _) => {
            let found = if model.is_absent() { "neither" } else { "both" };
            let finding = Finding::new(found, "either `model` or `webhook`");
            findings.error(At::Key, path, finding);
            None
        }
    }
}

pub(super) fn check_webhook(
    raw: &RawWebhook,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Option<Webhook> {
    let RawWebhook {
        url,
        key,
        ca_file,
        labels,
        send_text,
    } = raw;
    let mut endpoint = endpoint::parse(&url.get()?.0).ok()?;
    endpoint.ca_file = ca_file.get().map(|file| file.0.clone());
    refuse_ca_without_tls(&endpoint, path, findings);
    Some(Webhook {
        endpoint,
        key: key.get().and_then(key_source),
        labels: check_labels(labels),
        sends_text: send_text.get().copied().unwrap_or(false),
    })
}

/// A model and, where only one is meant, its candidate.
type Resolved = (String, Option<(String, String)>);

fn resolve(
    CandidateName(name): &CandidateName,
    models: &Models,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Option<Resolved> {
    if models.contains_key(name) {
        return Some((name.clone(), None));
    }
    let parts = name.split_once('/');
    let has = |model: &&ModelConfig| {
        let mut candidates = model.candidates.iter();
        candidates.any(|c| parts == Some((&*c.provider, &*c.model)))
    };
    if let (Some(model), Some((provider, of_it))) = (models.values().find(has), parts) {
        let candidate = (provider.to_owned(), of_it.to_owned());
        return Some((model.name.clone(), Some(candidate)));
    }
    let near = did_you_mean(name, models.keys().map(String::as_str));
    let expected = "a name under models, or provider/model of a candidate there";
    let finding = Finding::new(quote(name), expected);
    findings.error(At::Value, path, finding.hint(near.unwrap_or_default()));
    None
}

/// Every condition of the rules, with its place.
pub(super) fn conditions(routing: &Routing) -> Vec<(Path, &Match)> {
    let mut all = Vec::new();
    for (i, rule) in routing.rules.iter().enumerate() {
        let path = Path::default().key("rules").index(i);
        all.push((path.key("when"), &rule.when));
        let unless = rule.unless.as_ref();
        all.extend(unless.map(|unless| (path.key("unless"), unless)));
    }
    all
}

/// Conditions may only name classes that their classifier can tell; and no requirement may hang
/// on an answer that can fail.
pub(super) fn refuse_unknown(
    classifiers: &BTreeMap<String, Classifier>,
    routing: &Routing,
    findings: &mut Findings<'_>,
) {
    for (path, condition) in conditions(routing) {
        for (name, classes) in &condition.classes {
            let path = path.key("class").key(name);
            let Some(classifier) = classifiers.get(name) else {
                let near = did_you_mean(name, classifiers.keys().map(String::as_str));
                let finding = Finding::new(quote(name), "a name under classifiers");
                findings.error(At::Key, &path, finding.hint(near.unwrap_or_default()));
                continue;
            };
            let known = &classifier.classes;
            if let Some(class) = classes.iter().find(|class| !known.contains(class)) {
                let finding = Finding::new(quote(class), format!("one of {}", known.join(", ")))
                    .hint("the classifier tells no other class");
                findings.error(At::Value, &path, finding);
            }
        }
    }
    for (path, _) in unfailing(routing) {
        let finding = Finding::new("a class", "conditions that are always known")
            .hint("a classifier can fail, and this must hold then too");
        findings.error(At::Value, &path.key("class"), finding);
    }
}

/// Conditions with a class that stand where nothing may fail.
fn unfailing(routing: &Routing) -> Vec<(Path, &Match)> {
    let mut all = Vec::new();
    for (i, each) in routing.requirements.iter().enumerate() {
        let path = Path::default().key("requirements").index(i);
        all.push((path.key("when"), &each.when));
        let unless = each.unless.as_ref();
        all.extend(unless.map(|unless| (path.key("unless"), unless)));
    }
    for (i, when) in routing.admit.iter().enumerate() {
        all.push((Path::default().key("admit").index(i), when));
    }
    for (i, budget) in routing.budgets.iter().enumerate() {
        let path = Path::default().key("budgets").index(i);
        all.push((path.key("when"), &budget.when));
    }
    for (i, team) in routing.teams.iter().enumerate() {
        let path = Path::default().key("teams").index(i);
        all.push((path.key("when"), &team.when));
    }
    all.retain(|(_, condition)| !condition.classes.is_empty());
    all
}

#[cfg(feature = "cli")]
pub(super) mod reach;
