use std::cell::RefCell;

use super::*;
use crate::failure::{Class, Failure};

const MINUTE: u64 = 60_000;
const NOW: u64 = 1_790_000_000_000;

/// A store in which another worker comes first now and then.
#[derive(Default)]
pub(super) struct Shared {
    memory: Memory,
    pub(super) rivals: RefCell<u32>,
}

impl Store for Shared {
    fn load(&self, name: &str) -> Option<Vec<u8>> {
        self.memory.load(name)
    }

    fn change(&self, name: &str, change: &mut dyn FnMut(&[u8]) -> Vec<u8>) -> bool {
        for _ in 0..*self.rivals.borrow() {
            change(&self.load(name).unwrap_or_default());
        }
        self.memory.change(name, change)
    }
}

fn observation(update: Update) -> Observation {
    Observation {
        provider: "a".to_owned(),
        model: "m".to_owned(),
        update,
        ..Observation::default()
    }
}

fn answered(ms: u64) -> Update {
    Update {
        total_ms: Some(ms),
        outcome: Some(Ok(())),
        ..Update::default()
    }
}

fn failed(class: Class) -> Update {
    Update {
        outcome: Some(Err(class)),
        ..Update::default()
    }
}

/// Numbers that look random and are not.
fn numbers(seed: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(seed), |n| {
        Some(
            n.wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407),
        )
    })
    .map(|n| n >> 24)
}

const ALL: Wants = Wants {
    figures: true,
    in_flight: true,
    warmth: true,
    tokens: true,
};

#[test]
fn what_remains_falls_and_never_rises() {
    let mut before = 1.0;
    for age in 0..(20 * MINUTE) / 37 {
        let now = decay::remains(age * 37, MINUTE);
        assert!((0.0..=before).contains(&now), "{age}: {now} after {before}");
        before = now;
    }
    for halvings in 0..30 {
        let exact = 0.5_f32.powi(halvings);
        let ours = decay::remains(halvings as u64 * MINUTE, MINUTE);
        assert!((ours - exact).abs() <= exact * 1e-3);
    }
    assert_eq!(decay::remains(u64::MAX, 1), 0.0);
    assert_eq!(
        decay::remains(5, 0),
        0.5_f32.powi(5),
        "a half-life of 0 is of 1"
    );
    assert!((decay::PER_OBSERVATION.powi(HALF_LIFE_COUNT as i32) - 0.5).abs() < 1e-4);
}

#[test]
fn records_of_any_history_come_back_from_their_bytes_and_are_bounded() {
    let mut record = Record::default();
    let mut now = NOW;
    for n in numbers(7).take(5_000) {
        now += n % 3_000;
        let class = Class::ALL[n as usize % Class::ALL.len()];
        let update = Update {
            counted: (n % 3 == 1).then_some((n % 9_000, n % 10_000)),
            begins: (n % 3 == 0).then_some(n % 100_000),
            ends: (n % 5 == 0).then_some((n % 100_000, now - n % 900_000)),
            ttft_ms: (n % 2 == 0).then_some(n % 30_000),
            total_ms: (n % 7 == 0).then_some(n),
            outcome: Some(if n % 4 == 0 { Err(class) } else { Ok(()) }),
        };
        record.apply(&update, MINUTE, now);
        let bytes = record.encode();
        assert_eq!(bytes.len(), 565);
        assert_eq!(Record::decode(&bytes), record);
        let state = record.state(MINUTE, now);
        let rate = state.error_rate.expect("known");
        assert!((0.0..=1.0).contains(&rate), "{rate}");
        if let (Some(median), Some(late)) = (state.ttft_p50_ms, state.ttft_p95_ms) {
            assert!(median <= late);
        }
    }
}

#[test]
fn garbage_is_as_if_nothing_had_been_seen() {
    let mut record = Record::default();
    record.apply(&answered(100), MINUTE, NOW);
    let bytes = record.encode();
    for cut in 0..bytes.len() {
        assert_eq!(Record::decode(&bytes[..cut]), Record::default());
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(Record::decode(&longer), Record::default());
    let mut other = bytes;
    other[0] = 99;
    assert_eq!(Record::decode(&other), Record::default(), "another version");
    for seed in 0..300 {
        let noise: Vec<u8> = numbers(seed).take(553).map(|n| n as u8).collect();
        let mut noise = noise;
        noise[0] = 1;
        let mut record = Record::decode(&noise);
        record.apply(&answered(100), MINUTE, NOW);
        let state = record.state(MINUTE, NOW);
        let figures = [state.latency_p50_ms, state.latency_p95_ms, state.error_rate];
        assert!(figures.iter().flatten().all(|f| f.is_finite() && *f >= 0.0));
        CoolDowns::decode(&noise).of("a", "m", NOW);
        Warm::decode(&noise).has(seed, NOW);
    }
}

#[test]
fn a_target_that_fails_is_known_for_it_and_forgiven() {
    let mut record = Record::default();
    assert_eq!(record.state(MINUTE, NOW).error_rate, None);
    for _ in 0..200 {
        record.apply(&answered(50), MINUTE, NOW);
    }
    assert_eq!(record.state(MINUTE, NOW).error_rate, Some(0.0));
    for _ in 0..20 {
        record.apply(&failed(Class::ServerError), MINUTE, NOW);
    }
    let rate = record.state(MINUTE, NOW).error_rate.expect("known");
    assert!(rate > 0.5, "{rate}");
    let figures = record.figures(MINUTE, NOW);
    assert_eq!(figures.ever, (220, 20));
    assert_eq!(figures.failed.len(), 1);
    let later = NOW + 10 * MINUTE;
    assert_eq!(record.state(MINUTE, later).error_rate, None, "too long ago");
}

#[test]
fn a_request_at_fault_does_not_count_against_the_target() {
    let mut record = Record::default();
    for class in [
        Class::InvalidRequest,
        Class::ContentFilter,
        Class::ContextLengthExceeded,
    ] {
        record.apply(&failed(class), MINUTE, NOW);
    }
    assert_eq!(record.state(MINUTE, NOW).error_rate, Some(0.0));
}

#[test]
fn a_clock_that_steps_back_does_no_harm() {
    let mut record = Record::default();
    record.apply(&answered(50), MINUTE, NOW);
    record.apply(&answered(50), MINUTE, NOW - 5 * MINUTE);
    record.apply(&answered(50), MINUTE, 0);
    assert!(record.state(MINUTE, NOW).latency_p50_ms.is_some());
}

#[test]
fn what_is_in_flight_adds_up_and_dead_streams_are_forgotten() {
    let mut record = Record::default();
    let begins = |tokens| Update {
        begins: Some(tokens),
        ..Update::default()
    };
    let ends = |tokens, began_ms| Update {
        ends: Some((tokens, began_ms)),
        ..Update::default()
    };
    record.apply(&begins(100), MINUTE, NOW);
    record.apply(&begins(50), MINUTE, NOW + 2 * MINUTE);
    let tokens = |record: &Record, now| record.state(MINUTE, now).in_flight_tokens;
    assert_eq!(tokens(&record, NOW + 2 * MINUTE), 150);
    record.apply(&ends(100, NOW), MINUTE, NOW + 3 * MINUTE);
    assert_eq!(tokens(&record, NOW + 3 * MINUTE), 50);
    record.apply(&ends(999, NOW + 7), MINUTE, NOW + 3 * MINUTE);
    assert_eq!(tokens(&record, NOW + 3 * MINUTE), 50, "ended twice");
    assert_eq!(
        tokens(&record, NOW + 13 * MINUTE),
        0,
        "nobody told of its end"
    );
    record.apply(&ends(50, NOW + 2 * MINUTE), MINUTE, NOW + 30 * MINUTE);
    assert_eq!(tokens(&record, NOW + 30 * MINUTE), 0);
}

#[test]
fn what_is_not_wanted_is_not_written() {
    let store = Shared::default();
    let settings = Settings::default();
    observation(answered(10)).record(&store, settings, Wants::default(), NOW);
    assert!(store.memory.values().is_empty());
    let figures = Wants {
        figures: true,
        ..Wants::default()
    };
    let update = Update {
        begins: Some(10),
        ..Update::default()
    };
    observation(update).record(&store, settings, figures, NOW);
    assert!(store.memory.values().is_empty());
    observation(answered(10)).record(&store, settings, figures, NOW);
    assert_eq!(store.memory.values().len(), 1);
}

#[test]
fn a_faster_worker_costs_nothing_but_another_try() {
    let store = Shared::default();
    *store.rivals.borrow_mut() = 3;
    let settings = Settings::default();
    for _ in 0..10 {
        observation(failed(Class::Timeout)).record(&store, settings, ALL, NOW);
    }
    let recorded = Recorded::new(&store, settings, NOW);
    assert_eq!(
        recorded.record("a", "m").figures(MINUTE, NOW).ever,
        (10, 10)
    );
    assert_eq!(recorded.target("a", "m").error_rate, Some(1.0));
    assert_eq!(recorded.target("a", "other"), TargetState::default());
}

fn pause(class: Class, status: u16, retry_after_s: Option<u64>) -> Option<CoolDown> {
    let mut failure = Failure::new(class, "no").with_status(status);
    failure.retry_after_s = retry_after_s;
    CoolDown::after(&failure, "a", "m", Settings::default(), NOW)
}

#[test]
fn pauses_are_as_long_as_asked_for_and_no_longer_than_allowed() {
    let until = |c: Option<CoolDown>| c.map(|c| (c.until_ms - NOW) / 1000);
    assert_eq!(until(pause(Class::RateLimited, 429, Some(20))), Some(20));
    assert_eq!(until(pause(Class::RateLimited, 429, None)), None);
    assert_eq!(until(pause(Class::Overloaded, 503, Some(3))), Some(3));
    assert_eq!(
        until(pause(Class::RateLimited, 429, Some(u64::MAX))),
        Some(600)
    );
    assert_eq!(until(pause(Class::QuotaExhausted, 402, None)), Some(30));
    assert_eq!(until(pause(Class::QuotaExhausted, 429, Some(90))), Some(90));
    assert_eq!(until(pause(Class::Authentication, 401, None)), Some(30));
    assert_eq!(until(pause(Class::Authentication, 403, None)), None);
    assert_eq!(until(pause(Class::InvalidRequest, 400, Some(9))), None);
    assert_eq!(until(pause(Class::Timeout, 504, None)), None);
}

#[test]
fn a_quota_concerns_all_models_of_the_provider_and_a_rate_one() {
    let store = Shared::default();
    let record = |cool_down| {
        let observation = Observation {
            cool_down,
            ..observation(Update::default())
        };
        observation.record(&store, Settings::default(), Wants::default(), NOW);
    };
    let at = |model: &str, now| {
        let recorded = Recorded::new(&store, Settings::default(), now);
        let cool_down = recorded.cool_down("a", model);
        cool_down.filter(|c| c.until_ms > now).map(|c| c.class)
    };
    assert_eq!(at("m", NOW), None);
    record(pause(Class::RateLimited, 429, Some(20)));
    assert_eq!(at("m", NOW), Some(Class::RateLimited));
    assert_eq!(at("n", NOW), None);
    assert_eq!(at("m", NOW + 20_000), None, "it is over");
    record(pause(Class::RateLimited, 429, Some(5)));
    assert!(at("m", NOW + 19_000).is_some(), "never shorter");
    record(pause(Class::QuotaExhausted, 402, None));
    assert_eq!(at("n", NOW), Some(Class::QuotaExhausted));
    assert_eq!(
        Recorded::new(&store, Settings::default(), NOW).cool_down("b", "m"),
        None
    );
}

#[test]
fn the_list_of_pauses_is_bounded_and_comes_back_from_its_bytes() {
    let mut list = CoolDowns::default();
    for n in 0..1000 {
        let new = CoolDown {
            who: key("p", Some(&n.to_string())),
            until_ms: NOW + 1000 + n,
            class: Class::RateLimited,
        };
        list.add(new, NOW);
        assert_eq!(CoolDowns::decode(&list.encode()), list);
        assert!(list.encode().len() <= 1 + 64 * 25);
        assert!(list.of("p", &n.to_string(), NOW).is_some());
    }
    assert_eq!(list.of("p", "999", NOW + 40_000), None);
}

#[test]
fn one_request_at_a_time_shows_whether_a_pause_was_enough() {
    let mut list = CoolDowns::default();
    list.add(
        pause(Class::RateLimited, 429, Some(5)).expect("a pause"),
        NOW,
    );
    let over = NOW + 5_000;
    assert!(!list.probe("a", "m", over - 1), "not before it is over");
    assert!(list.probe("a", "m", over));
    assert!(!list.probe("a", "m", over + 9_999), "one at a time");
    assert!(
        list.of("a", "m", over + 9_999).is_some(),
        "nobody knows yet"
    );
    let mut without_a_word = list.clone();
    assert!(
        without_a_word.probe("a", "m", over + 10_000),
        "the next one"
    );
    assert_eq!(
        without_a_word.of("a", "m", over + 50_000),
        None,
        "forgotten"
    );
    list.recover("a", "m");
    assert_eq!(list.of("a", "m", over), None);
}

#[test]
fn an_ejection_is_looked_at_every_second() {
    let mut list = CoolDowns::default();
    let ejected = pause(Class::Ejected, 503, None).expect("whoever is next finds out");
    list.add(ejected, NOW);
    assert!(!list.probe("a", "m", NOW + 999), "it was tried just now");
    assert!(list.probe("a", "n", NOW + 1_000), "by any model");
    list.add(
        CoolDown {
            until_ms: NOW + 1_000,
            ..ejected
        },
        NOW + 1_000,
    );
    assert!(!list.probe("a", "m", NOW + 1_999));
    assert!(list.probe("a", "m", NOW + 2_000));
}

#[test]
fn prompts_stay_warm_for_a_time_and_the_oldest_makes_room() {
    let mut warm = Warm::default();
    assert!(!warm.has(0, NOW), "nothing is warm, not even 0");
    for (age, prefix) in numbers(3).skip(1).take(10_000).enumerate() {
        let prefix = prefix.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        warm.add(prefix, NOW + 300_000 + age as u64 * 1000);
        assert!(warm.has(prefix, NOW + 299_000));
        assert!(!warm.has(prefix.rotate_left(32), NOW));
        assert!(!warm.has(prefix, NOW + 301_000 + age as u64 * 1000));
    }
    assert_eq!(Warm::decode(&warm.encode()), warm);
    assert_eq!(warm.encode().len(), 2049);
}

/// What a model counts of a prompt that is estimated at so much: it differs in its tokenizer, and
/// from text to text.
fn counts(estimated: u64, factor: f64, noise: f64) -> u64 {
    (estimated as f64 * factor * (1.0 + noise)).round() as u64
}

#[test]
fn after_200_reports_estimates_are_right_whatever_the_tokenizer() {
    for factor in [0.45, 0.7, 0.95, 1.0, 1.1, 1.35, 1.8, 3.0] {
        let store = Shared::default();
        let wants = Wants {
            tokens: true,
            ..Wants::default()
        };
        let mut errors = Vec::new();
        for i in 0..400_u64 {
            let draw = i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            let estimated = 20 + draw % 4000;
            let noise = ((draw >> 4) % 200) as f64 / 1000.0 - 0.1;
            let counted = counts(estimated, factor, noise);
            let ratio = Recorded::new(&store, Settings::default(), i)
                .target("p", "m")
                .tokens_ratio;
            if i >= 200 {
                let corrected = estimated as f64 * ratio.unwrap_or(1.0);
                errors.push(
                    (corrected - counts(estimated, factor, 0.0) as f64).abs() / counted as f64,
                );
            }
            let observation = Observation {
                provider: "p".to_owned(),
                model: "m".to_owned(),
                update: Update {
                    counted: Some((estimated, counted)),
                    ..Update::default()
                },
                ..Observation::default()
            };
            observation.record(&store, Settings::default(), wants, i);
        }
        let worst = errors.into_iter().fold(0.0, f64::max);
        assert!(worst < 0.05, "{factor}: {worst}");
    }
}

#[test]
fn reports_of_something_else_do_not_correct_estimates() {
    let mut record = Record::default();
    for (estimated, counted) in [(1000, 90_000), (1000, 3), (8, 30), (0, 500), (500, 0)] {
        let update = Update {
            counted: Some((estimated, counted)),
            ..Update::default()
        };
        record.apply(&update, 60_000, 1);
    }
    assert_eq!(record.state(60_000, 1).tokens_ratio, None);
}
