//! Rules that no request reaches, and candidates that none may choose. Native only: the command
//! line tells, the filter serves what it was given.

use crate::catalog::{Backend, Labels};
use crate::config::path::Path;
use crate::config::problem::{At, Finding, Findings};
use crate::config::words::quote;
use crate::config::{Config, Rule};
use crate::routing::rules::Match;

pub(in crate::config::check) fn warn(config: &Config, findings: &mut Findings<'_>) {
    let top = Path::default().key("rules");
    let rules = &config.routing.rules;
    for (i, rule) in rules.iter().enumerate() {
        let path = top.index(i);
        let mut earlier = rules.iter().take(i);
        if let Some(wider) = earlier.find(|earlier| takes_all_of(earlier, rule)) {
            let expected = format!(
                "a rule that {} leaves some requests for",
                quote(&wider.name)
            );
            let finding = Finding::new("a rule that no request reaches", expected);
            findings.warning(
                At::Value,
                &path,
                finding.hint("the first rule that fits counts"),
            );
        }
        let known = config.models.keys();
        warn_of_unknown_models(&rule.when, known, &path.key("when").key("model"), findings);
        let at = path.key("candidates");
        warn_of_ineligible(&rule.candidates, &[&rule.require], &at, findings);
    }
    for (i, when) in config.routing.admit.iter().enumerate() {
        let at = Path::default().key("admit").index(i).key("model");
        warn_of_unknown_models(when, config.models.keys(), &at, findings);
    }
    for (name, model) in &config.models {
        let at = Path::default().key("models").key(name).key("candidates");
        warn_of_ineligible(&model.candidates, &[&model.require], &at, findings);
    }
}

fn takes_all_of(earlier: &Rule, rule: &Rule) -> bool {
    let is_open = earlier.unless.is_none() || earlier.unless == rule.unless;
    is_open && earlier.when.covers(&rule.when)
}

fn warn_of_unknown_models<'m>(
    when: &Match,
    mut known: impl Iterator<Item = &'m String>,
    path: &Path,
    findings: &mut Findings<'_>,
) {
    let fits = |name: &String| when.models.iter().any(|pattern| pattern.fits(name));
    if !when.models.is_empty() && !known.any(fits) {
        let finding = Finding::new("a name that no model has", "a name under models");
        findings.warning(At::Value, path, finding);
    }
}

fn warn_of_ineligible(
    candidates: &[Backend],
    required: &[&Labels],
    path: &Path,
    findings: &mut Findings<'_>,
) {
    for (i, candidate) in candidates.iter().enumerate() {
        let mut broken = required.iter().filter_map(|r| candidate.labels.breach(r));
        if let Some(label) = broken.next() {
            let found = format!("a candidate that does not keep the label {label}");
            let finding = Finding::new(found, "one that can be chosen")
                .hint("it serves no request, because `require` says so");
            findings.warning(At::Value, &path.index(i), finding);
        }
    }
}
