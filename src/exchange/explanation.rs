//! Why a request goes where it goes, as JSON: for the access log and for `pointsman explain`.
//! Holds names of the configuration and figures, never a value of a header or a body.

use super::caching::Bypass;
use super::sieve::Loss;
use crate::catalog::{Backend, Labels};
use crate::config::{Config, Serving, Timeouts};
use crate::fidelity;
use crate::json::to_string;
use crate::routing::cost::{USUAL_OUTPUT_TOKENS, estimate_nano_usd};
use crate::routing::rules::NEEDS;
use crate::routing::{Policies, RoutePlan, View, hash};

/// Why a candidate is asked last, or not at all.
const LEFT_ALONE: &str = "asked to be left alone for now, or serves as many as it may";

/// What a decision came to.
pub(super) struct Decision<'a> {
    pub serving: Serving<'a>,
    pub view: View<'a>,
    pub timeouts: Timeouts,
    pub policy: &'a Policies,
    pub required: &'a [&'a Labels],
    /// What was found out before.
    pub told: Told<'a>,
    /// In order.
    pub chosen: &'a [&'a Backend],
    /// So many of them, at the end, asked to be left alone.
    pub resting: usize,
    /// Left out, with the reason.
    pub left_out: Vec<(&'a Backend, String)>,
}

/// What was found out before the choice.
pub(super) struct Told<'a> {
    /// What became of classifiers.
    pub classes: &'a [String],
    /// Why another model serves than was asked for, as the trail tells it; empty when none does.
    pub downgraded: &'a str,
    /// How much the model has to do that was asked for, as JSON, where that counts.
    pub load: Option<String>,
    /// Whether an answer may come out of the cache and be kept, and why not; `None` where none is.
    pub cache: Option<Option<Bypass>>,
    /// How budgets stand, as JSON, where there are any.
    pub budgets: Option<String>,
}

impl Decision<'_> {
    /// One line of JSON.
    pub(super) fn explain(&self) -> String {
        let mut out = String::from("{");
        let rule = self.serving.rule.map(|rule| rule.name.as_str());
        field(&mut out, "rule", &to_string(&rule));
        field(&mut out, "model", &to_string(&self.serving.model.name));
        let Told {
            downgraded,
            load,
            budgets,
            cache,
            classes: _, // told with the request
        } = &self.told;
        if !downgraded.is_empty() {
            field(&mut out, "downgraded", &to_string(downgraded));
        }
        let given = [("load", load), ("budgets", budgets)].into_iter();
        for (name, json) in given.filter_map(|(name, json)| Some((name, json.as_ref()?))) {
            field(&mut out, name, json);
        }
        field(&mut out, "request", &self.features());
        field(&mut out, "required_labels", &self.required_labels());
        field(&mut out, "constraints", &self.constraints());
        field(&mut out, "policy", &to_string(&self.policy.names()));
        field(&mut out, "candidates", &self.candidates());
        field(&mut out, "timeouts_ms", &self.timeouts());
        if let Some(bypass) = *cache {
            let word = bypass.map_or("keeps", Bypass::as_str);
            field(&mut out, "cache", &to_string(word));
        }
        out.push('}');
        out
    }

    fn features(&self) -> String {
        let profile = self.view.profile;
        let mut out = String::from("{");
        field(&mut out, "prompt_tokens", &to_string(&profile.input_tokens));
        if let Some(limit) = profile.output_limit {
            field(&mut out, "output_limit", &to_string(&limit));
        }
        if let Some(complexity) = profile.complexity {
            field(
                &mut out,
                "complexity",
                &to_string(&(f64::from(complexity) / 1000.0)),
            );
        }
        let classes = self.told.classes;
        if !classes.is_empty() {
            field(&mut out, "classes", &to_string(classes));
        }
        let needs = NEEDS
            .iter()
            .filter(|(_, is_needed)| is_needed(&profile.needs));
        let needs: Vec<&str> = needs.map(|(name, _)| *name).collect();
        field(&mut out, "needs", &to_string(&needs));
        field(&mut out, "stream", &to_string(&profile.streamed));
        if let Some(script) = self.view.facts.script {
            field(&mut out, "script", &to_string(script.as_str()));
        }
        if let Some(intent) = &self.view.facts.intent {
            field(&mut out, "intent", &to_string(intent));
        }
        out.push('}');
        out
    }

    fn required_labels(&self) -> String {
        let mut out = String::from("[");
        for (name, values) in self.required.iter().flat_map(|labels| labels.iter()) {
            item(
                &mut out,
                &to_string(&format!("{name}={}", values.join("|"))),
            );
        }
        out.push(']');
        out
    }

    fn constraints(&self) -> String {
        let limits = self.view.constraints;
        let mut out = String::from("{");
        for (name, limit) in [
            ("cost_usd", limits.cost_usd),
            ("latency_ms", limits.latency_ms),
            ("ttft_ms", limits.ttft_ms),
            ("quality", limits.quality),
        ] {
            if let Some(limit) = limit {
                field(&mut out, name, &to_string(&limit));
            }
        }
        out.push('}');
        out
    }

    fn candidates(&self) -> String {
        let scores = self.policy.scores(self.chosen, &self.view);
        let mut out = String::from("[");
        for (i, candidate) in self.chosen.iter().enumerate() {
            let mut each = self.candidate(candidate);
            field(&mut each, "place", &to_string(&(i + 1)));
            if i.saturating_add(self.resting) >= self.chosen.len() {
                field(&mut each, "last_resort", &to_string(LEFT_ALONE));
            }
            let mut list = String::from("[");
            for (policy, scores) in &scores {
                let Some(score) = scores.get(i) else { continue };
                let mut one = String::from("{");
                field(&mut one, "policy", &to_string(policy));
                if score.value < f64::MAX {
                    field(&mut one, "value", &to_string(&score.value));
                }
                field(&mut one, "reason", &to_string(score.reason.as_ref()));
                one.push('}');
                item(&mut list, &one);
            }
            list.push(']');
            field(&mut each, "scores", &list);
            each.push('}');
            item(&mut out, &each);
        }
        for (candidate, reason) in &self.left_out {
            let mut each = self.candidate(candidate);
            field(&mut each, "left_out", &to_string(reason));
            each.push('}');
            item(&mut out, &each);
        }
        out.push(']');
        out
    }

    fn candidate(&self, candidate: &Backend) -> String {
        let mut out = String::from("{");
        let name = format!("{}/{}", candidate.provider, candidate.model);
        field(&mut out, "candidate", &to_string(&name));
        let view = &self.view;
        let cached = self.view.cached_tokens(candidate);
        if let Some(nano) = estimate_nano_usd(candidate, view, USUAL_OUTPUT_TOKENS, cached) {
            field(&mut out, "cost_usd", &to_string(&(nano as f64 / 1e9)));
        }
        if let Some(window) = candidate.capabilities.context_window {
            field(&mut out, "context_window", &to_string(&window));
        }
        out
    }

    fn timeouts(&self) -> String {
        let mut out = String::from("{");
        field(&mut out, "per_try", &to_string(&self.timeouts.per_try_ms));
        field(&mut out, "idle", &to_string(&self.timeouts.idle_ms));
        field(&mut out, "total", &to_string(&self.timeouts.total_ms));
        out.push('}');
        out
    }
}

/// Whether the configuration wants this decision explained.
pub(super) fn is_wanted(config: &Config, view: &View<'_>) -> bool {
    let when = &config.routing.explain;
    let header = when.header.as_deref();
    let asked = header.and_then(|name| view.facts.header(name));
    // Another draw than the policies', so that a sample is no choice of candidates.
    let sampled = || hash::mix(!view.draw) % 1_000_000 < when.per_million;
    asked.is_some() || (when.per_million > 0 && sampled())
}

/// Who cannot serve, and why, without any value from the body.
pub(super) fn left_out<'a>(
    plan: &RoutePlan<'a>,
    lost: &[(&'a Backend, Loss)],
    avoided: &[&'a Backend],
) -> Vec<(&'a Backend, String)> {
    let unable = plan.unable.iter().map(|(c, why)| (*c, why.to_string()));
    let lost = lost.iter().map(|(c, loss)| match loss {
        Loss::ComplexTools => (*c, "its tool work is for others".to_owned()),
        Loss::Schema => (*c, "does not enforce JSON schemas".to_owned()),
        Loss::Refused(error) => (*c, format!("cannot take {}", error.param)),
        Loss::Unfaithful(report) => (*c, losses(report)),
    });
    let avoided = avoided.iter();
    let avoided = avoided.map(|c| (*c, LEFT_ALONE.to_owned()));
    unable.chain(lost).chain(avoided).collect()
}

/// Why a translation would not do, by names of parameters only.
fn losses(report: &fidelity::Report) -> String {
    let params: Vec<&str> = report.findings().iter().map(|f| f.param.as_ref()).collect();
    format!("would lose {}", params.join(", "))
}

fn field(out: &mut String, name: &str, value: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    out.push_str(&to_string(name));
    out.push(':');
    out.push_str(value);
}

fn item(out: &mut String, value: &str) {
    if !out.ends_with('[') {
        out.push(',');
    }
    out.push_str(value);
}
