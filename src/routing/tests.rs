use std::collections::BTreeMap;

use super::{POLICIES, Params, Policies, PolicyKind, RoutePlan, Unable, View};
use crate::catalog::{Backend, Capabilities};
use crate::inspect::{Needs, RequestProfile};
use crate::observed::Unobserved;
use crate::operation::Operation;

fn backend(provider: &str, weight: u32) -> Backend {
    Backend {
        provider: provider.to_owned(),
        model: "m".to_owned(),
        weight,
        tries: 1,
        capabilities: Capabilities::default(),
        defaults: BTreeMap::new(),
    }
}

fn profile(needs: Needs, input_tokens: u64) -> RequestProfile {
    RequestProfile {
        operation: Operation::Chat,
        model: "smart".to_owned(),
        streamed: false,
        include_usage: false,
        needs,
        input_tokens,
        output_limit: None,
        plain: true,
    }
}

fn policies(names: &[&str]) -> Policies {
    let configured = names.iter().map(|name| {
        let kind = PolicyKind::find(name).expect("a policy");
        kind.configure(&Params::default()).expect("no parameters")
    });
    Policies::new(configured.collect())
}

fn plan<'a>(
    candidates: &'a [Backend],
    policy: &str,
    profile: &RequestProfile,
    draw: u64,
) -> RoutePlan<'a> {
    let view = View {
        profile,
        draw,
        now_ms: 0,
        observed: &Unobserved,
    };
    super::plan(candidates, &policies(&[policy]), &view)
}

fn names<'a>(candidates: &[&'a Backend]) -> Vec<&'a str> {
    candidates.iter().map(|c| c.provider.as_str()).collect()
}

#[test]
fn priority_keeps_the_declared_order() {
    let candidates = [backend("a", 1), backend("b", 9), backend("c", 1)];
    let plan = plan(
        &candidates,
        "priority",
        &profile(Needs::default(), 1),
        12_345,
    );
    assert_eq!(names(&plan.candidates), ["a", "b", "c"]);
}

#[test]
fn an_unable_candidate_is_left_out_with_its_reason() {
    let mut candidates = [backend("a", 1), backend("b", 1), backend("c", 1)];
    candidates[0].capabilities.vision = false;
    candidates[2].capabilities.context_window = Some(1000);
    let needs = Needs {
        vision: true,
        ..Needs::default()
    };
    let plan = plan(&candidates, "priority", &profile(needs, 1001), 0);
    assert_eq!(names(&plan.candidates), ["b"]);
    let reasons: Vec<Unable> = plan.unable.iter().map(|(_, why)| *why).collect();
    assert_eq!(reasons, [Unable::Vision, Unable::ContextWindow]);
}

#[test]
fn weights_are_met_and_every_candidate_stays_in_the_plan() {
    let candidates = [backend("a", 70), backend("b", 30), backend("c", 0)];
    let mut first = BTreeMap::new();
    for i in 0..10_000_u64 {
        let draw = i.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let plan = plan(&candidates, "weighted", &profile(Needs::default(), 1), draw);
        let mut sorted = names(&plan.candidates);
        *first.entry(sorted[0]).or_insert(0) += 1;
        assert_eq!(sorted.pop(), Some("c"), "weight 0 is only a fallback");
        sorted.sort_unstable();
        assert_eq!(sorted, ["a", "b"]);
    }
    // Three standard deviations of a binomial share of 0.7 over 10,000 draws are 137.
    assert!((6863..=7137).contains(&first["a"]), "{first:?}");
}

#[test]
fn a_policy_breaks_the_ties_of_those_before_it() {
    // Both of weight 0 tie, so that priority decides between them.
    let candidates = [backend("a", 0), backend("b", 5), backend("c", 0)];
    let profile = profile(Needs::default(), 1);
    let view = View {
        profile: &profile,
        draw: 7,
        now_ms: 0,
        observed: &Unobserved,
    };
    let both = policies(&["weighted", "priority"]);
    let plan = super::plan(&candidates, &both, &view);
    assert_eq!(names(&plan.candidates), ["b", "a", "c"]);
    assert_eq!(both.names(), "weighted, priority");
}

#[test]
fn policy_names_are_unique() {
    let mut names: Vec<_> = POLICIES.iter().map(|p| p.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), POLICIES.len());
}
