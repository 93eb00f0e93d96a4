use crate::observed::TargetState;
use crate::routing::ParamValue;
use crate::routing::tests::{Given, Told, shares, with};

fn is_near(found: u32, share: f64) -> bool {
    let expected = 10_000.0 * share;
    let deviation = (expected * (1.0 - share)).sqrt();
    (f64::from(found) - expected).abs() <= 3.5 * deviation + 1.0
}

fn state(ms: f64, error_rate: f64) -> TargetState {
    TargetState {
        latency_p50_ms: Some(ms),
        error_rate: Some(error_rate),
        ..TargetState::default()
    }
}

fn seen(of: [(f64, f64); 3]) -> Told {
    let targets = ["a", "b", "c"].into_iter().zip(of);
    Told {
        targets: targets
            .map(|(name, (ms, errors))| (name, state(ms, errors)))
            .collect(),
        ..Told::default()
    }
}

#[test]
fn shares_follow_the_odds() {
    let none = || vec![("explore", ParamValue::Number(0.0))];
    let given = &mut Given::default();
    let times = shares(
        &with("balanced", none()),
        &seen([(100.0, 0.0), (200.0, 0.0), (400.0, 0.0)]),
        given,
    );
    for (name, share) in [("a", 4.0 / 7.0), ("b", 2.0 / 7.0), ("c", 1.0 / 7.0)] {
        assert!(is_near(times[name], share), "{times:?}");
    }
    let mut errors = none();
    errors.push(("errors", ParamValue::Number(1.0)));
    let errors = shares(
        &with("balanced", errors),
        &seen([(100.0, 0.0), (100.0, 0.5), (100.0, 1.0)]),
        given,
    );
    assert!(is_near(errors["a"], 2.0 / 3.0), "{errors:?}");
    assert!(is_near(errors["b"], 1.0 / 3.0), "{errors:?}");
    let mut even = none();
    even.push(("latency", ParamValue::Number(0.0)));
    let even = shares(
        &with("balanced", even),
        &seen([(1.0, 0.0), (50.0, 0.0), (9e9, 0.0)]),
        given,
    );
    assert!(even.values().all(|n| is_near(*n, 1.0 / 3.0)), "{even:?}");
}

#[test]
fn who_is_not_known_has_the_best_odds_and_all_are_explored() {
    let unknown = shares(
        &with("balanced", vec![]),
        &Told::default(),
        &mut Given::default(),
    );
    assert!(
        unknown.values().all(|n| is_near(*n, 1.0 / 3.0)),
        "{unknown:?}"
    );
    let explore = vec![("explore", ParamValue::Number(0.3))];
    let failing = shares(
        &with("balanced", explore),
        &seen([(1.0, 0.0), (1.0, 1.0), (1.0, 1.0)]),
        &mut Given::default(),
    );
    assert!(
        is_near(failing["b"], 0.1) && is_near(failing["c"], 0.1),
        "{failing:?}"
    );
}
