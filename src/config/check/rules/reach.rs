//! Rules that no request reaches or that change nothing, candidates that none may choose, and
//! weights that nobody reads. Native only: the command line tells, the filter serves what it was
//! given.

use crate::catalog::{Backend, Labels};
use crate::config::path::Path;
use crate::config::problem::{At, Finding, Findings};
use crate::config::words::quote;
use crate::config::{Config, ModelConfig, Rule};
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
        if rules.iter().skip(i).all(changes_nothing) {
            let expected = "candidates, a policy, or something else that it changes";
            let finding = Finding::new("a rule that changes nothing", expected);
            findings.warning(
                At::Value,
                &path,
                finding.hint("it keeps no later rule off, and only gives its requests a name"),
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
        if !is_weighed(config, model) {
            warn_of_weights(&model.candidates, &at, findings);
        }
    }
}

/// Whether a request that this rule fits is served as if there were none.
fn changes_nothing(rule: &Rule) -> bool {
    let Rule {
        name: _,
        when: _,
        unless: _,
        policy,
        candidates,
        require,
        constraints,
        on_unsupported,
        fallback_on_refusal,
        timeouts,
        cache,
    } = rule;
    policy.is_none()
        && candidates.is_empty()
        && *require == Labels::default()
        && constraints.is_empty()
        && on_unsupported.is_none()
        && fallback_on_refusal.is_none()
        && timeouts.is_none()
        && cache.is_none()
}

/// Policies that read how much a candidate shall get.
const WEIGHING: [&str; 2] = ["weighted", "least_loaded"];

/// Whether a policy of the model, or of any rule, reads weights.
fn is_weighed(config: &Config, model: &ModelConfig) -> bool {
    let of_rules = config
        .routing
        .rules
        .iter()
        .filter_map(|r| r.policy.as_ref());
    let mut policies = of_rules.chain([&model.policy]);
    policies.any(|policy| WEIGHING.iter().any(|name| policy.has(name)))
}

fn warn_of_weights(candidates: &[Backend], path: &Path, findings: &mut Findings<'_>) {
    const UNSAID: u32 = 1;
    let said = candidates.iter().position(|c| c.weight != UNSAID);
    let Some((i, weight)) = said.and_then(|i| Some((i, candidates.get(i)?.weight))) else {
        return;
    };
    let finding = Finding::new(
        format!("{weight}, which no policy reads"),
        "a policy that weighs",
    )
    .hint("write policy: weighted, or leave weights out");
    findings.warning(At::Value, &path.index(i).key("weight"), finding);
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
