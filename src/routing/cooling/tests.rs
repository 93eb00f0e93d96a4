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

/// Each target serves so many requests, and fails so often.
struct AllBusy([(&'static str, u64, Option<f64>); 2]);

impl Observed for AllBusy {
    fn target(&self, provider: &str, _model: &str) -> TargetState {
        let mut known = self.0.iter();
        let found = known.find(|(name, ..)| *name == provider);
        found.map_or_else(TargetState::default, |(_, requests, failed)| TargetState {
            in_flight_requests: *requests,
            error_rate: *failed,
            ..TargetState::default()
        })
    }

    fn is_warm(&self, _provider: &str, _model: &str, _prefix: u64) -> bool {
        false
    }
}

#[test]
fn when_all_are_full_those_come_first_that_are_the_least_so() {
    let order = |busy| {
        let mut backends = ["a", "b"].map(crate::routing::tests::backend);
        for backend in &mut backends {
            backend.concurrency = Some(Concurrency { most: 8, least: 1 });
        }
        let mut candidates = backends.iter().collect();
        let told = put_last(&mut candidates, &AllBusy(busy));
        let names: String = candidates.iter().map(|c| &*c.provider).collect();
        (names, told)
    };
    let dying = Some(1.0);
    let stays = (String::from("ab"), (0, false));
    assert_eq!(order([("a", 8, None), ("b", 8, None)]), stays);
    assert_eq!(order([("a", 1, dying), ("b", 8, None)]), stays);
    let swapped = (String::from("ba"), (1, false));
    assert_eq!(order([("a", 2, dying), ("b", 8, None)]), swapped);
    assert_eq!(order([("a", 2, dying), ("b", 15, None)]), swapped);
    assert_eq!(order([("a", 9, None), ("b", 8, None)]), swapped);
}
