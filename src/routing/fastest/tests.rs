use crate::observed::TargetState;
use crate::routing::ParamValue;
use crate::routing::tests::{Given, Told, shares, with};

fn took(ms: f64) -> TargetState {
    TargetState {
        latency_p50_ms: Some(ms),
        latency_p95_ms: Some(2000.0 - ms),
        ttft_p50_ms: Some(1000.0 - ms),
        error_rate: Some(0.0),
        ..TargetState::default()
    }
}

fn seen() -> Told {
    Told {
        targets: vec![("a", took(300.0)), ("b", took(100.0)), ("c", took(200.0))],
        ..Told::default()
    }
}

fn first(params: Vec<(&'static str, ParamValue)>, seen: &Told, streamed: bool) -> String {
    let mut params = params;
    params.push(("explore", ParamValue::Number(0.0)));
    let mut given = Given::default();
    given.profile.streamed = streamed;
    let shares = shares(&with("fastest", params), seen, &mut given);
    let most = shares.iter().max_by_key(|(_, share)| **share).expect("one");
    assert_eq!(*most.1, 10_000, "{shares:?}");
    most.0.clone()
}

#[test]
fn the_fastest_is_first_by_the_time_that_counts() {
    let word = |word: &str| ParamValue::Text(word.to_owned());
    assert_eq!(first(vec![], &seen(), false), "b");
    assert_eq!(
        first(vec![], &seen(), true),
        "a",
        "streams: the first token"
    );
    assert_eq!(first(vec![("of", word("total"))], &seen(), true), "b");
    assert_eq!(
        first(vec![("percentile", word("p95"))], &seen(), false),
        "a"
    );
}

#[test]
fn who_is_not_known_is_tried_first_unless_it_fails() {
    let mut seen = seen();
    seen.targets[2].1 = TargetState::default();
    assert_eq!(first(vec![], &seen, false), "c");
    seen.targets[2].1.error_rate = Some(0.9);
    assert_eq!(first(vec![], &seen, false), "b");
}

#[test]
fn a_quick_failure_is_not_fast() {
    let mut seen = seen();
    seen.targets[1].1.error_rate = Some(0.6);
    assert_eq!(first(vec![], &seen, false), "c");
}

#[test]
fn a_share_of_requests_explores() {
    let policy = with("fastest", vec![("explore", ParamValue::Number(0.15))]);
    let shares = shares(&policy, &seen(), &mut Given::default());
    // 0.05 of 10,000 each, and three standard deviations of it.
    for explored in ["a", "c"] {
        assert!((434..=566).contains(&shares[explored]), "{shares:?}");
    }
}
