use super::*;
use crate::exchange::tests::plan_of;

const STATIC: Topology = Topology::StaticChain;

fn ending(plan: &Handoff, index: usize, topology: Topology, trail: &str) -> Option<Ending> {
    let facts = AttemptFacts {
        trail: trail.to_owned(),
        number: index + 1,
        now_ms: 10_000,
        ..AttemptFacts::default()
    };
    Ending::of(plan, index, topology, &facts)
}

#[test]
fn a_plan_without_limits_is_tried_to_its_end() {
    let plan = plan_of(&["a", "b"]);
    for topology in [Topology::PerAttempt, STATIC] {
        assert_eq!(ending(&plan, 0, topology, ""), None);
        assert_eq!(ending(&plan, 1, topology, "a/m;class=timeout;ms=9"), None);
        let over = ending(&plan, 2, topology, "b/m;class=reset;ms=9");
        assert_eq!(over, Some(Ending::Over));
    }
}

#[test]
fn no_attempt_begins_when_a_tenth_of_the_time_is_left() {
    let failed = "a/m;class=timeout;ms=9";
    let plan = |deadline_ms| Handoff {
        deadline_ms,
        total_ms: 1_000,
        ..plan_of(&["a", "b"])
    };
    assert_eq!(ending(&plan(10_101), 1, Topology::PerAttempt, failed), None);
    let late = plan(10_100);
    let told = ending(&late, 1, Topology::PerAttempt, failed);
    assert_eq!(told, Some(Ending::Total));
    assert_eq!(
        ending(&late, 0, Topology::PerAttempt, ""),
        None,
        "the first is made"
    );
}

#[test]
fn what_may_have_been_stored_is_not_asked_for_again() {
    let plan = Handoff {
        once: true,
        ..plan_of(&["a", "b"])
    };
    let after = |class| {
        ending(
            &plan,
            1,
            Topology::PerAttempt,
            &format!("a/m;class={class};ms=9"),
        )
    };
    for open in ["timeout", "reset", "server_error", "malformed_reply", "ok"] {
        assert_eq!(after(open), Some(Ending::Stored), "{open}");
    }
    for closed in ["rate_limited", "connect_failure", "overloaded", "ejected"] {
        assert_eq!(after(closed), None, "{closed}");
    }
}

#[test]
fn a_static_chain_repeats_its_last_member_after_a_wait_only() {
    let plan = Handoff {
        wait_up_to_ms: 2_000,
        ..plan_of(&["a", "a"])
    };
    let after = |trail| ending(&plan, 1, STATIC, trail);
    assert_eq!(after("a/m;class=rate_limited;ms=9;wait_s=1"), None);
    assert_eq!(after("a/m;class=reset;ms=9"), Some(Ending::Over));
    assert_eq!(
        after("b/m;class=reset;ms=9"),
        None,
        "Envoy has passed over the first"
    );
}

#[test]
fn a_word_says_why_and_is_understood() {
    for ending in [Ending::Over, Ending::Total, Ending::Stored] {
        assert_eq!(Ending::parse(ending.word()), ending);
    }
}
