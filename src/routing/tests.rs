use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{
    Constraints, Facts, POLICIES, ParamValue, Params, Policies, PolicyKind, RoutePlan, Script,
    Unable, View, cost,
};
use crate::catalog::cost::Tariff;
use crate::catalog::price::{Price, Prices};
use crate::catalog::{Adaptation, Backend, Capabilities, Labels};
use crate::inspect::{Needs, RequestProfile};
use crate::observed::{Observed, TargetState, Unobserved};
use crate::operation::Operation;

pub(super) fn backend(provider: &str) -> Backend {
    Backend {
        tokenizer: Default::default(),
        provider: provider.to_owned(),
        model: "m".to_owned(),
        weight: 1,
        concurrency: None,
        tries: 1,
        capabilities: Capabilities::default(),
        quality: None,
        max_complexity: None,
        prices: None,
        labels: Labels::default(),
        variant: String::new(),
        defaults: BTreeMap::new(),
        adaptation: Adaptation::default(),
    }
}

fn weighing(provider: &str, weight: u32) -> Backend {
    Backend {
        weight,
        ..backend(provider)
    }
}

/// USD for a million tokens, read and written.
fn costing(provider: &str, input: &str, output: &str) -> Backend {
    let prices = Prices {
        input: Price::from_quote(input),
        output: Price::from_quote(output),
        ..Prices::default()
    };
    Backend {
        prices: Some(Box::new(Tariff {
            prices,
            ..Tariff::default()
        })),
        ..backend(provider)
    }
}

fn labels(pairs: &[(&str, &[&str])]) -> Labels {
    let owned = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect();
    let pairs = pairs.iter();
    Labels::new(
        pairs
            .map(|(name, values)| ((*name).to_owned(), owned(values)))
            .collect(),
    )
}

fn profile(needs: Needs, input_tokens: u64) -> RequestProfile {
    RequestProfile {
        operation: Operation::Chat,
        tally: None,
        model: "smart".to_owned(),
        streamed: false,
        include_usage: false,
        needs,
        input_tokens,
        output_limit: None,
        complexity: None,
        prefix: None,
        plain: true,
        stored: false,
    }
}

fn configured(name: &str, params: &Params) -> super::Configured {
    let kind = PolicyKind::find(name).expect("a policy");
    kind.configure(params).expect("right parameters")
}

fn policies(names: &[&str]) -> Policies {
    let each = names.iter().map(|n| configured(n, &Params::default()));
    Policies::new(each.collect())
}

pub(super) fn with(name: &str, params: Vec<(&'static str, ParamValue)>) -> Policies {
    let mut given = Params::default();
    for (name, value) in params {
        given.push(name, value);
    }
    Policies::new(vec![configured(name, &given)])
}

fn sticky_by_header() -> Policies {
    let mut by = Params::default();
    by.push("header", ParamValue::Text("X-User".to_owned()));
    with("weighted", vec![("sticky", ParamValue::Object(by))])
}

/// Targets of which something has been observed, by provider; and who is warm for any prompt.
#[derive(Default)]
pub(super) struct Told {
    pub(super) targets: Vec<(&'static str, TargetState)>,
    pub(super) warm: Vec<&'static str>,
}

impl Observed for Told {
    fn target(&self, provider: &str, _model: &str) -> TargetState {
        let found = self.targets.iter().find(|(name, _)| *name == provider);
        found.map(|(_, state)| *state).unwrap_or_default()
    }

    fn is_warm(&self, provider: &str, _model: &str, _prefix: u64) -> bool {
        self.warm.contains(&provider)
    }
}

/// How often each of three comes first in so many requests.
pub(super) fn shares(policy: &Policies, seen: &Told, given: &mut Given) -> BTreeMap<String, u32> {
    let backends = ["a", "b", "c"].map(backend);
    let mut first = BTreeMap::new();
    for draw in 0..10_000_u64 {
        given.draw = draw.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let order = policy.order(backends.iter().collect(), &given.view(seen));
        *first.entry(order[0].provider.clone()).or_insert(0) += 1;
    }
    first
}

/// A view that tests change where they need to.
pub(super) struct Given {
    pub(super) profile: RequestProfile,
    facts: Facts,
    constraints: Constraints,
    draw: u64,
}

impl Default for Given {
    fn default() -> Self {
        Given {
            profile: profile(Needs::default(), 1000),
            facts: Facts::default(),
            constraints: Constraints::default(),
            draw: 12_345,
        }
    }
}

impl Given {
    pub(super) fn view<'a>(&'a self, observed: &'a dyn Observed) -> View<'a> {
        View {
            profile: &self.profile,
            facts: &self.facts,
            constraints: self.constraints,
            draw: self.draw,
            now_ms: 0,
            observed,
        }
    }

    fn plan<'a>(&self, candidates: &'a [Backend], policies: &Policies) -> RoutePlan<'a> {
        super::plan(candidates, &[], policies, &self.view(&Unobserved))
    }

    fn order<'a>(&self, candidates: &'a [Backend], policies: &Policies) -> Vec<&'a str> {
        names(&self.plan(candidates, policies).candidates)
    }
}

fn names<'a>(candidates: &[&'a Backend]) -> Vec<&'a str> {
    candidates.iter().map(|c| c.provider.as_str()).collect()
}

#[test]
fn priority_keeps_the_declared_order() {
    let candidates = [weighing("a", 1), weighing("b", 9), weighing("c", 1)];
    let order = Given::default().order(&candidates, &policies(&["priority"]));
    assert_eq!(order, ["a", "b", "c"]);
}

#[test]
fn an_unable_candidate_is_left_out_with_its_reason() {
    let mut candidates = [backend("a"), backend("b"), backend("c")];
    candidates[0].capabilities.vision = false;
    candidates[2].capabilities.context_window = Some(1000);
    let vision = Needs {
        vision: true,
        ..Needs::default()
    };
    let given = Given {
        profile: profile(vision, 1001),
        ..Given::default()
    };
    let plan = given.plan(&candidates, &Policies::default());
    assert_eq!(names(&plan.candidates), ["b"]);
    let reasons: Vec<Unable> = plan.unable.into_iter().map(|(_, why)| why).collect();
    assert_eq!(reasons, [Unable::Vision, Unable::ContextWindow]);
}

#[test]
fn a_label_is_kept_when_every_value_is_allowed_and_one_is_there() {
    let eu_or_uk = labels(&[("residency", &["eu", "uk"])]);
    for (own, kept) in [
        (labels(&[("residency", &["eu"])]), true),
        (labels(&[("residency", &["uk", "eu"])]), true),
        (labels(&[("residency", &["eu", "us"])]), false),
        (labels(&[("residency", &["us"])]), false),
        (labels(&[("retention", &["eu"])]), false),
        (Labels::default(), false),
    ] {
        let breach = own.breach(&eu_or_uk);
        assert_eq!(breach.is_none(), kept, "{own:?}");
        assert!(kept || breach == Some("residency"));
    }
    assert_eq!(Labels::default().breach(&Labels::default()), None);
}

#[test]
fn a_candidates_own_label_stands_over_its_providers() {
    let provider = labels(&[("residency", &["us"]), ("retention", &["none"])]);
    let own = labels(&[("residency", &["eu"])]).or(&provider);
    assert_eq!(own.values("residency"), ["eu"]);
    assert_eq!(own.values("retention"), ["none"]);
}

#[test]
fn weights_are_met_and_every_candidate_stays_in_the_plan() {
    let candidates = [weighing("a", 70), weighing("b", 30), weighing("c", 0)];
    let weighted = policies(&["weighted"]);
    let mut first = BTreeMap::new();
    for draw in 0..10_000_u64 {
        let given = Given {
            draw,
            ..Given::default()
        };
        let mut sorted = given.order(&candidates, &weighted);
        *first.entry(sorted[0]).or_insert(0) += 1;
        assert_eq!(sorted.pop(), Some("c"), "weight 0 is only a fallback");
        sorted.sort_unstable();
        assert_eq!(sorted, ["a", "b"]);
    }
    // Three standard deviations of a binomial share of 0.7 over 10,000 draws are 137.
    assert!((6863..=7137).contains(&first["a"]), "{first:?}");
}

#[test]
fn a_sticky_user_keeps_its_candidate_and_shares_are_met_over_users() {
    let candidates = [weighing("a", 70), weighing("b", 30)];
    let sticky = sticky_by_header();
    let mut first = BTreeMap::new();
    for user in 0..10_000 {
        let mut given = Given {
            draw: user,
            ..Given::default()
        };
        given.facts.headers = vec![("x-user".to_owned(), format!("user-{user}"))];
        let at_first = given.order(&candidates, &sticky);
        given.draw = !user;
        assert_eq!(given.order(&candidates, &sticky), at_first, "user-{user}");
        *first.entry(at_first[0]).or_insert(0) += 1;
    }
    assert!((6863..=7137).contains(&first["a"]), "{first:?}");
}

#[test]
fn a_gradual_shift_moves_no_more_users_than_it_must() {
    let sticky = sticky_by_header();
    let (before, after) = ([90, 10], [80, 20]);
    let mut moved = [0, 0];
    for user in 0..10_000 {
        let mut given = Given::default();
        given.facts.headers = vec![("x-user".to_owned(), format!("user-{user}"))];
        let at = |weights: [u32; 2]| {
            let candidates = [weighing("a", weights[0]), weighing("b", weights[1])];
            given.order(&candidates, &sticky)[0] == "b"
        };
        match (at(before), at(after)) {
            (false, true) => moved[0] += 1,
            (true, false) => moved[1] += 1,
            _ => {}
        }
    }
    assert_eq!(moved[1], 0, "nobody leaves the side that grows");
    assert!((900..=1100).contains(&moved[0]), "{moved:?}");
}

#[test]
fn another_experiment_groups_users_anew() {
    let candidates = [weighing("a", 1), weighing("b", 1)];
    let experiment = |name: &str| {
        let mut by = Params::default();
        by.push("user", ParamValue::Bool(true));
        with(
            "weighted",
            vec![
                ("sticky", ParamValue::Object(by)),
                ("experiment", ParamValue::Text(name.to_owned())),
            ],
        )
    };
    let (one, two) = (experiment("one"), experiment("two"));
    let both = (0..1000).filter(|user| {
        let mut given = Given::default();
        given.facts.user = Some(format!("user-{user}"));
        given.order(&candidates, &one)[0] == given.order(&candidates, &two)[0]
    });
    let both = both.count();
    assert!((450..=550).contains(&both), "{both}");
}

#[test]
fn a_request_that_has_nothing_to_stick_to_is_drawn() {
    let candidates = [weighing("a", 1), weighing("b", 1)];
    let firsts: std::collections::BTreeSet<_> = (0..50)
        .map(|draw| {
            let given = Given {
                draw,
                ..Given::default()
            };
            given.order(&candidates, &sticky_by_header())[0]
        })
        .collect();
    assert_eq!(firsts.len(), 2);
}

#[test]
fn sticky_by_nothing_is_a_mistake() {
    let mut params = Params::default();
    params.push("sticky", ParamValue::Object(Params::default()));
    let kind = PolicyKind::find("weighted").expect("it");
    assert!(kind.configure(&params).is_err());
}

#[test]
fn a_policy_breaks_the_ties_of_those_before_it() {
    // Both of weight 0 tie, so that priority decides between them.
    let candidates = [weighing("a", 0), weighing("b", 5), weighing("c", 0)];
    let both = policies(&["weighted", "priority"]);
    assert_eq!(Given::default().order(&candidates, &both), ["b", "a", "c"]);
    assert_eq!(both.names(), "weighted, priority");
}

#[test]
fn cheapest_counts_what_is_read_and_what_may_be_written() {
    let candidates = [
        costing("dear-to-read", "10", "1"),
        costing("dear-to-write", "1", "10"),
        backend("unknown"),
    ];
    let cheapest = policies(&["cheapest"]);
    for (input, limit, order) in [
        (
            10_000,
            Some(10),
            ["dear-to-write", "dear-to-read", "unknown"],
        ),
        (
            10,
            Some(10_000),
            ["dear-to-read", "dear-to-write", "unknown"],
        ),
        // 500 tokens are reckoned with when the client does not say.
        (499, None, ["dear-to-read", "dear-to-write", "unknown"]),
        (501, None, ["dear-to-write", "dear-to-read", "unknown"]),
    ] {
        let mut given = Given::default();
        given.profile.input_tokens = input;
        given.profile.output_limit = limit;
        assert_eq!(
            given.order(&candidates, &cheapest),
            order,
            "{input}, {limit:?}"
        );
    }
}

#[test]
fn costs_are_exact_and_never_overflow() {
    let candidate = costing("a", "0.25", "2");
    let mut given = Given::default();
    given.profile.output_limit = Some(100);
    let cost = |given: &Given, cached| {
        cost::estimate_nano_usd(&candidate, &given.view(&Told::default()), 500, cached)
    };
    assert_eq!(cost(&given, 0), Some(450_000));
    // Cached tokens cost what fresh ones cost when nothing else is known.
    assert_eq!(cost(&given, 400), Some(450_000));
    given.profile.input_tokens = u64::MAX;
    assert!(cost(&given, u64::MAX).is_some());
    assert_eq!(
        cost::estimate_nano_usd(&backend("b"), &given.view(&Told::default()), 500, 0),
        None
    );
}

#[test]
fn a_model_is_not_charged_for_more_than_it_can_write() {
    let mut candidate = costing("a", "0", "1");
    candidate.capabilities.max_output_tokens = Some(100);
    let mut given = Given::default();
    given.profile.output_limit = Some(100_000);
    let cost = cost::estimate_nano_usd(&candidate, &given.view(&Told::default()), 500, 0);
    assert_eq!(cost, Some(100_000));
}

#[test]
fn within_the_tolerance_the_next_policy_decides() {
    let mut candidates = [costing("a", "1.05", "0"), costing("b", "1", "0")];
    candidates[0].weight = 1;
    candidates[1].weight = 0;
    let tolerant = |tolerance| {
        let mut params = Params::default();
        params.push("tolerance", ParamValue::Number(tolerance));
        Policies::new(vec![
            configured("cheapest", &params),
            configured("weighted", &Params::default()),
        ])
    };
    let given = Given::default();
    assert_eq!(given.order(&candidates, &tolerant(0.1)), ["a", "b"]);
    assert_eq!(given.order(&candidates, &tolerant(0.01)), ["b", "a"]);
}

/// Latency and TTFT by provider.
struct Seen(&'static [(&'static str, f64)]);

impl Observed for Seen {
    fn target(&self, provider: &str, _model: &str) -> TargetState {
        let seen = self.0.iter().find(|(name, _)| *name == provider);
        TargetState {
            latency_p50_ms: seen.map(|(_, ms)| *ms),
            ttft_p50_ms: seen.map(|(_, ms)| *ms / 10.0),
            ..TargetState::default()
        }
    }

    fn is_warm(&self, _provider: &str, _model: &str, _prefix: u64) -> bool {
        false
    }
}

#[test]
fn constraints_say_which_limits_each_candidate_misses() {
    let candidate = |name, quality| Backend {
        quality,
        ..costing(name, "1", "0")
    };
    let candidates = [
        candidate("slow", Some(0.95)),
        candidate("poor", Some(0.5)),
        candidate("good", Some(0.9)),
        backend("unknown"),
    ];
    let limits = Constraints {
        cost_usd: Some(0.01),
        latency_ms: Some(800.0),
        ttft_ms: Some(80.0),
        quality: Some(0.9),
    };
    let given = Given {
        constraints: limits,
        ..Given::default()
    };
    let seen = Seen(&[("slow", 900.0), ("poor", 100.0), ("good", 800.0)]);
    let view = given.view(&seen);
    let refs: Vec<&Backend> = candidates.iter().collect();
    let scores = Policies::default().scores(&refs, &view);
    let (name, scores) = &scores[0];
    assert_eq!(*name, "constraint", "the request's own limits come first");
    let reasons: Vec<_> = scores.iter().map(|score| score.reason.as_ref()).collect();
    assert_eq!(
        reasons,
        [
            "misses latency_ms, ttft_ms",
            "misses quality",
            "meets every limit",
            "misses cost_usd, quality"
        ]
    );
    let plan = super::plan(&candidates, &[], &Policies::default(), &view);
    assert_eq!(names(&plan.candidates), ["good", "poor", "slow", "unknown"]);
}

#[test]
fn constraints_only_tighten_each_other() {
    let limits = |cost, quality| Constraints {
        cost_usd: cost,
        quality,
        ..Constraints::default()
    };
    for (ours, theirs, both) in [
        (
            limits(Some(1.0), None),
            limits(Some(2.0), Some(0.5)),
            limits(Some(1.0), Some(0.5)),
        ),
        (
            limits(Some(1.0), Some(0.9)),
            limits(Some(0.5), Some(0.1)),
            limits(Some(0.5), Some(0.9)),
        ),
        (limits(None, None), limits(None, None), limits(None, None)),
    ] {
        assert_eq!(ours.tightened(theirs), both);
        assert_eq!(theirs.tightened(ours), both);
    }
}

#[test]
fn a_constraint_policy_takes_the_requests_own_limits_into_account() {
    let candidate = |name, quality| Backend {
        quality: Some(quality),
        ..backend(name)
    };
    let candidates = [candidate("a", 0.5), candidate("b", 0.7)];
    let policy = with("constraint", vec![("quality", ParamValue::Number(0.4))]);
    let mut given = Given::default();
    assert_eq!(given.order(&candidates, &policy), ["a", "b"]);
    given.constraints.quality = Some(0.6);
    assert_eq!(given.order(&candidates, &policy), ["b", "a"]);
}

#[test]
fn tiers_choose_the_smallest_that_is_meant_for_the_request() {
    let tier = |name, max_complexity| Backend {
        max_complexity,
        ..backend(name)
    };
    let candidates = [
        tier("large", None),
        tier("small", Some(300)),
        tier("middle", Some(700)),
    ];
    let tiers = policies(&["tiers"]);
    for (complexity, order) in [
        (None, ["large", "small", "middle"]),
        (Some(0), ["small", "middle", "large"]),
        (Some(300), ["small", "middle", "large"]),
        (Some(301), ["middle", "large", "small"]),
        (Some(701), ["large", "middle", "small"]),
        (Some(1000), ["large", "middle", "small"]),
    ] {
        let mut given = Given::default();
        given.profile.complexity = complexity;
        assert_eq!(given.order(&candidates, &tiers), order, "{complexity:?}");
    }
}

#[test]
fn policy_names_are_unique() {
    let mut names: Vec<_> = POLICIES.iter().map(|p| p.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), POLICIES.len());
}

#[test]
fn scripts_are_told_by_most_letters() {
    for (text, script) in [
        ("What is the capital of France?", Script::Latin),
        ("Какая столица Франции? (Paris)", Script::Cyrillic),
        ("Ποια είναι η πρωτεύουσα;", Script::Greek),
        ("ما هي عاصمة فرنسا؟", Script::Arabic),
        ("מהי בירת צרפת?", Script::Hebrew),
        ("फ्रांस की राजधानी क्या है?", Script::Indic),
        ("เมืองหลวงของฝรั่งเศสคืออะไร", Script::SoutheastAsian),
        ("法国的首都是哪里？", Script::Han),
        ("フランスの首都はどこですか", Script::Japanese),
        ("프랑스의 수도는 어디입니까?", Script::Korean),
        ("1 + 1 = ?", Script::Other),
        ("", Script::Other),
    ] {
        assert_eq!(Script::of(text), script, "{text}");
        assert!(Script::NAMES.contains(&script.as_str()));
    }
}

#[test]
fn time_is_told_at_the_configured_offset() {
    // 2026-11-21T12:34:56Z was a Saturday.
    let now_s = 1_795_264_496;
    for (offset, weekday, minute) in [
        (0, 5, 12 * 60 + 34),
        (120, 5, 14 * 60 + 34),
        (12 * 60, 6, 34),
        (-13 * 60, 4, 23 * 60 + 34),
    ] {
        let mut facts = Facts::default();
        facts.set_time(now_s, offset);
        assert_eq!((facts.weekday, facts.minute), (weekday, minute), "{offset}");
    }
}

fn any_candidate() -> impl Strategy<Value = Backend> {
    let price = proptest::option::of(0_u64..20_000);
    let labels = proptest::collection::vec(0_usize..3, 0..3);
    (
        price,
        0_u32..5,
        labels,
        any::<bool>(),
        proptest::option::of(0_u16..1000),
    )
        .prop_map(|(price, weight, values, vision, tier)| {
            let values: Vec<&str> = values.iter().map(|v| ["eu", "us", "cn"][*v]).collect();
            let mut candidate = match price {
                Some(cents) => {
                    let quote = format!("{}.{:02}", cents / 100, cents % 100);
                    costing("x", &quote, &quote)
                }
                None => backend("x"),
            };
            if !values.is_empty() {
                candidate.labels = self::labels(&[("residency", &values)]);
            }
            candidate.capabilities.vision = vision;
            candidate.weight = weight;
            candidate.max_complexity = tier;
            candidate
        })
}

proptest! {
    #[test]
    fn ineligible_candidates_never_appear_and_others_always_do(
        mut candidates in proptest::collection::vec(any_candidate(), 0..12),
        policy in 0..POLICIES.len(),
        draw: u64,
        vision: bool,
        complexity in proptest::option::of(0_u16..1000),
    ) {
        for (i, candidate) in candidates.iter_mut().enumerate() {
            candidate.provider = format!("p{i}");
        }
        let needs = Needs { vision, ..Needs::default() };
        let mut given = Given { draw, profile: profile(needs, 10), ..Given::default() };
        given.profile.complexity = complexity;
        let required = labels(&[("residency", &["eu", "uk"])]);
        let policies = policies(&[POLICIES[policy].name]);
        let view = given.view(&Unobserved);
        let plan = super::plan(&candidates, &[&required], &policies, &view);
        let allowed = |c: &Backend| {
            let values = c.labels.values("residency");
            !values.is_empty() && values.iter().all(|v| v == "eu") && (!vision || c.capabilities.vision)
        };
        prop_assert!(plan.candidates.iter().all(|c| allowed(c)));
        prop_assert_eq!(plan.candidates.len(), candidates.iter().filter(|c| allowed(c)).count());
        prop_assert_eq!(plan.candidates.len() + plan.unable.len(), candidates.len());
    }

    #[test]
    fn the_cheapest_is_never_dearer_than_another(
        candidates in proptest::collection::vec(any_candidate(), 1..12),
        input in 0_u64..1_000_000,
        limit in proptest::option::of(0_u64..100_000),
    ) {
        let mut given = Given::default();
        given.profile.input_tokens = input;
        given.profile.output_limit = limit;
        let plan = given.plan(&candidates, &policies(&["cheapest"]));
        let cost = |c: &Backend| cost::estimate_nano_usd(c, &given.view(&Told::default()), 500, 0).unwrap_or(u64::MAX);
        let first = cost(plan.candidates[0]);
        prop_assert!(plan.candidates.iter().all(|c| first <= cost(c)));
    }
}
