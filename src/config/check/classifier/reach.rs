//! Classifiers that nobody reads, classes that no rule asks for, and long waits. Native only.

use super::conditions;
use crate::config::path::Path;
use crate::config::problem::{At, Finding, Findings};
use crate::config::units::show_duration;
use crate::config::words::quote;
use crate::config::{Classifier, Config, ModelConfig, Source};

/// A request that waits longer than this is felt to hang.
const LONG_MS: u64 = 2_000;

pub(in crate::config::check) fn warn(config: &Config, findings: &mut Findings<'_>) {
    for (name, classifier) in &config.classifiers {
        let path = Path::default().key("classifiers").key(name);
        warn_of_unread(config, classifier, &path, findings);
        if classifier.deadline_ms > LONG_MS {
            let expected = format!("at most {}", show_duration(LONG_MS));
            let finding = Finding::new(show_duration(classifier.deadline_ms), expected)
                .hint("requests wait so long before the first provider is asked");
            findings.warning(At::Value, &path.key("deadline"), finding);
        }
        warn_of_ineligible(config, classifier, &path, findings);
    }
}

fn warn_of_unread(
    config: &Config,
    classifier: &Classifier,
    path: &Path,
    findings: &mut Findings<'_>,
) {
    let conditions = conditions(&config.routing);
    let read = conditions
        .iter()
        .flat_map(|(_, condition)| &condition.classes);
    let of_it = read.filter(|(name, _)| *name == classifier.name);
    let read: Vec<&String> = of_it.flat_map(|(_, classes)| classes).collect();
    let mut unread = classifier
        .classes
        .iter()
        .filter(|class| !read.contains(class));
    if read.is_empty() {
        let finding = Finding::new("no rule that reads it", "a rule with `class`");
        findings.warning(At::Key, path, finding);
    } else if let Some(class) = unread.nth(1) {
        // One class may stand for everything else.
        let found = format!("{}, which no rule asks for", quote(class));
        let finding = Finding::new(found, "classes that rules tell apart")
            .hint("one that stands for all others is enough");
        findings.warning(At::Value, &path.key("classes"), finding);
    }
}

/// A classifier that keeps nothing of what the models require is never asked.
fn warn_of_ineligible(
    config: &Config,
    classifier: &Classifier,
    path: &Path,
    findings: &mut Findings<'_>,
) {
    let keeps = |model: &ModelConfig| match &classifier.source {
        Source::Webhook(webhook) => webhook.labels.breach(&model.require).is_none(),
        Source::Model(source) => {
            let asked = config.models.get(&source.model);
            let mut candidates = asked.into_iter().flat_map(|asked| &asked.candidates);
            candidates.any(|c| c.labels.breach(&model.require).is_none())
        }
    };
    if !config.models.values().any(keeps) {
        let finding = Finding::new("a classifier that no model may use", "labels that it keeps")
            .hint("it is never asked, because of what the models `require`");
        findings.warning(At::Key, path, finding);
    }
}
