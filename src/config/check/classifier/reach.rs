//! Classifiers that nobody reads, classes that no rule asks for, long waits, and answers that
//! are used up by thinking. Native only.

use super::conditions;
use crate::catalog::{Backend, Thinking, built_in};
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
        warn_of_thinking(config, classifier, &path, findings);
    }
}

/// What a model thinks counts against what it may answer with.
const ENOUGH_TO_THINK: u64 = 256;

fn warn_of_thinking(
    config: &Config,
    classifier: &Classifier,
    path: &Path,
    findings: &mut Findings<'_>,
) {
    let Source::Model(source) = &classifier.source else {
        return;
    };
    let asked = config.models.get(&source.model).into_iter();
    let mut asked = asked.flat_map(|model| &model.candidates).filter(|c| {
        let only = source.candidate.as_ref();
        only.is_none_or(|(provider, model)| c.provider == *provider && c.model == *model)
    });
    let thinker = asked.find(|candidate| thinks_first(config, candidate));
    if let Some(thinker) = thinker.filter(|_| source.max_tokens < ENOUGH_TO_THINK) {
        let found = format!(
            "{} for {}, which may think first",
            source.max_tokens,
            quote(&thinker.model)
        );
        let finding = Finding::new(found, format!("at least {ENOUGH_TO_THINK}")).hint(
            "what it thinks counts, too; or give the candidate defaults: {reasoning_effort: none}",
        );
        findings.warning(At::Key, &path.key("max_tokens"), finding);
    }
}

/// Whether it is known that it may think without being told to, as Anthropic's models do not.
fn thinks_first(config: &Config, candidate: &Backend) -> bool {
    let Some(provider) = config.providers.get(&candidate.provider) else {
        return false;
    };
    let (kind, host) = (provider.kind.kind(), &provider.endpoint.host);
    let group = built_in().group_of(kind, host, &provider.name);
    let facts = group.and_then(|(_, group)| group.model(&candidate.model));
    facts.is_some_and(|facts| facts.thinking == Some(Thinking::Effort))
        && !kind.contains("anthropic")
        && candidate.capabilities.thinking == Thinking::Effort
        && !candidate.defaults.contains_key("reasoning_effort")
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
