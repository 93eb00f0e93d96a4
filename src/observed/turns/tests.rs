use super::super::tests::Shared;
use super::*;

const EVERY: u64 = 1_000;
const NOW: u64 = 1_790_000_000_000;

/// Who has a turn when all ask every 100 ms from `from_ms` on, for so many periods.
fn turns(store: &Shared, workers: &mut [Worker], from_ms: u64, periods: u64) -> Vec<usize> {
    let mut had = Vec::new();
    for step in 0..periods * 10 {
        for (who, worker) in workers.iter_mut().enumerate() {
            let now_ms = NOW + from_ms + step * 100;
            if worker.takes_turn(store, "a", EVERY, now_ms) {
                had.push(who);
            }
        }
    }
    had
}

#[test]
fn one_worker_has_each_turn_and_they_go_round() {
    let store = Shared::default();
    assert_eq!(
        turns(&store, &mut [Worker::default(); 3], 0, 6),
        [0, 1, 2, 0, 1, 2]
    );
}

#[test]
fn workers_that_ask_at_the_same_moment_share_one_turn() {
    let store = Shared::default();
    *store.rivals.borrow_mut() = 3;
    assert_eq!(
        turns(&store, &mut [Worker::default(); 2], 0, 4),
        [0, 1, 0, 1]
    );
}

#[test]
fn whoever_does_it_anyway_needs_no_turn() {
    let store = Shared::default();
    let mut workers = [Worker::default(); 2];
    turns(&store, &mut workers, 0, 2);
    for step in 0..40 {
        let now_ms = NOW + 2_000 + step * 100;
        workers
            .iter_mut()
            .for_each(|worker| worker.used_ms = now_ms);
        for worker in &mut workers {
            assert!(!worker.takes_turn(&store, "a", EVERY, now_ms));
        }
    }
    // Only the other one has gone without for a period.
    workers[0].used_ms = NOW + 6_900;
    workers[1].used_ms = NOW + 5_900;
    assert_eq!(turns(&store, &mut workers, 7_000, 1), [1]);
}

#[test]
fn who_gives_up_is_stood_in_for_at_once() {
    let store = Shared::default();
    let mut workers = [Worker::default(); 2];
    assert!(workers[0].takes_turn(&store, "a", EVERY, NOW));
    assert!(!workers[1].takes_turn(&store, "a", EVERY, NOW + 10));
    workers[0].gives_up(&store, "a");
    assert_eq!(workers[0].id, None);
    assert!(workers[1].takes_turn(&store, "a", EVERY, NOW + 20));
}

#[test]
fn who_is_gone_is_waited_for_half_a_period_and_then_forgotten() {
    let store = Shared::default();
    let mut workers = [Worker::default(); 2];
    turns(&store, &mut workers, 0, 2);
    let had = turns(&store, &mut workers[1..], 2_000, 10);
    assert!(had.len() >= 7, "{had:?}");
    assert!(had.len() <= 10, "{had:?}");
}

#[test]
fn a_clock_that_stood_still_is_not_made_up_for() {
    let store = Shared::default();
    let mut workers = [Worker::default(); 2];
    turns(&store, &mut workers, 0, 2);
    assert_eq!(turns(&store, &mut workers, 60_000, 2).len(), 2);
}

#[test]
fn foreign_bytes_are_nobodys_turn() {
    let store = Shared::default();
    store.put(&name("a"), b"\x07nonsense");
    assert!(Worker::default().takes_turn(&store, "a", EVERY, NOW));
}
