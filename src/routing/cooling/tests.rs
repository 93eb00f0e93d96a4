use super::*;
use crate::catalog::Concurrency;
use crate::failure::Class;
use crate::observed::{CoolDown, TargetState};

/// Who cools down, and who of them may be tried.
struct Cooling(&'static [&'static str], Option<&'static str>);

impl Observed for Cooling {
    fn target(&self, _provider: &str, _model: &str) -> TargetState {
        TargetState::default()
    }

    fn is_warm(&self, _provider: &str, _model: &str, _prefix: u64) -> bool {
        false
    }

    fn cool_down(&self, provider: &str, _model: &str) -> Option<CoolDown> {
        self.0.contains(&provider).then_some(CoolDown {
            who: 1,
            until_ms: 1,
            class: Class::RateLimited,
        })
    }

    fn probe(&self, provider: &str, _model: &str) -> bool {
        self.1 == Some(provider)
    }
}

fn order(cooling: &'static [&'static str]) -> (String, usize) {
    let backends = ["a", "b", "c"].map(crate::routing::tests::backend);
    let mut candidates = backends.iter().collect();
    let (last, _) = put_last(&mut candidates, &Cooling(cooling, None));
    (candidates.iter().map(|c| &*c.provider).collect(), last)
}

#[test]
fn who_cools_down_comes_last() {
    assert_eq!(order(&["b"]), ("acb".into(), 1));
    assert_eq!(order(&["a", "b"]), ("cab".into(), 2));
    assert_eq!(order(&[]), ("abc".into(), 0));
}

#[test]
fn when_all_cool_down_all_are_asked() {
    assert_eq!(order(&["a", "b", "c"]), ("abc".into(), 0));
}

#[test]
fn one_request_tries_who_would_be_asked_first() {
    let tried = |may| {
        let backends = ["a", "b", "c"].map(crate::routing::tests::backend);
        let mut candidates = backends.iter().collect();
        let told = put_last(&mut candidates, &Cooling(&["a", "c"], Some(may)));
        (candidates.iter().map(|c| &*c.provider).collect(), told)
    };
    assert_eq!(tried("a"), (String::from("abc"), (1, true)));
    // Behind others it would hardly be asked, and nobody else could try meanwhile.
    assert_eq!(tried("c"), (String::from("bac"), (2, false)));
}

/// A target that serves so many requests, and fails so often.
struct Busy(u64, Option<f64>);

impl Observed for Busy {
    fn target(&self, provider: &str, _model: &str) -> TargetState {
        let is_it = provider == "a";
        TargetState {
            in_flight_requests: if is_it { self.0 } else { 0 },
            error_rate: self.1.filter(|_| is_it),
            ..TargetState::default()
        }
    }

    fn is_warm(&self, _provider: &str, _model: &str, _prefix: u64) -> bool {
        false
    }
}

#[test]
fn who_serves_as_many_as_it_may_comes_last_and_may_less_as_it_fails() {
    let is_first = |busy: Busy| {
        let mut backends = ["a", "b"].map(crate::routing::tests::backend);
        backends[0].concurrency = Some(Concurrency {
            most: 100,
            least: 5,
        });
        let mut candidates = backends.iter().collect();
        put_last(&mut candidates, &busy);
        candidates[0].provider == "a"
    };
    assert!(is_first(Busy(99, None)) && !is_first(Busy(100, None)));
    assert!(is_first(Busy(24, Some(0.5))) && !is_first(Busy(25, Some(0.5))));
    assert!(is_first(Busy(4, Some(1.0))) && !is_first(Busy(5, Some(1.0))));
}
