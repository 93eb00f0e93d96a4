//! Intents that the operator declares, and those that conditions name.

use crate::classify::{Intent, Intents, Phrase, built_in};
use crate::config::Routing;
use crate::config::names::PhraseText;
use crate::config::path::Path;
use crate::config::problem::{At, Finding, Findings};
use crate::config::raw_rules::RawIntent;
use crate::config::shape::Given;
use crate::config::values::List;
use crate::config::words::{did_you_mean, quote};
use crate::routing::rules::Match;

type Phrases = Given<List<PhraseText, 1, 256>>;

pub(super) fn check(raw: &Given<List<RawIntent, 1, 256>>, findings: &mut Findings<'_>) -> Intents {
    let top = Path::default().key("intents");
    let mut declared: Vec<Intent> = Vec::new();
    let items = raw
        .get()
        .into_iter()
        .flat_map(|list| list.0.iter().enumerate());
    for (i, raw) in items {
        let Some(RawIntent {
            name,
            any,
            all,
            none,
        }) = raw
        else {
            continue;
        };
        let intent = Intent {
            name: name.get().map_or_else(String::new, |name| name.0.clone()),
            any: phrases(any),
            all: phrases(all),
            none: phrases(none),
        };
        let path = top.index(i);
        if any.is_absent() && all.is_absent() {
            let finding = Finding::new("no phrase that must be there", "phrases under any or all");
            findings.error(At::Value, &path, finding);
        }
        if declared.iter().any(|earlier| earlier.name == intent.name) {
            let finding = Finding::new(format!("{} again", quote(&intent.name)), "each name once");
            findings.error(At::Value, &path.key("name"), finding);
        }
        declared.push(intent);
    }
    Intents { declared }
}

fn phrases(raw: &Phrases) -> Vec<Phrase> {
    let texts = raw.get().into_iter().flat_map(|list| &list.0).flatten();
    texts
        .filter_map(|PhraseText(text)| Phrase::parse(text))
        .collect()
}

/// Conditions may only name intents that there are.
pub(super) fn refuse_unknown(routing: &Routing, findings: &mut Findings<'_>) {
    if !routing.reads.intent {
        return;
    }
    let mut conditions: Vec<(Path, &Match)> = Vec::new();
    let rules = routing.rules.iter().map(|rule| (&rule.when, &rule.unless));
    let required = routing
        .requirements
        .iter()
        .map(|each| (&each.when, &each.unless));
    let named = [
        ("rules", rules.collect::<Vec<_>>()),
        ("requirements", required.collect()),
    ];
    for (name, list) in named {
        for (i, (when, unless)) in list.into_iter().enumerate() {
            let path = Path::default().key(name).index(i);
            conditions.push((path.key("when"), when));
            conditions.extend(unless.as_ref().map(|unless| (path.key("unless"), unless)));
        }
    }
    for (i, when) in routing.admit.iter().enumerate() {
        conditions.push((Path::default().key("admit").index(i), when));
    }
    for (path, condition) in conditions {
        let unknown = condition
            .intents
            .iter()
            .find(|name| !routing.intents.has(name));
        let Some(unknown) = unknown else { continue };
        let declared = routing
            .intents
            .declared
            .iter()
            .map(|intent| intent.name.as_str());
        let known: Vec<&str> = declared.chain(built_in().map(|(name, _)| name)).collect();
        let hint = did_you_mean(unknown, known.iter().copied());
        let finding = Finding::new(quote(unknown), format!("one of {}", known.join(", ")));
        findings.error(
            At::Value,
            &path.key("intent"),
            finding.hint(hint.unwrap_or_default()),
        );
    }
}
