use super::*;

fn took(ttft_ms: f64, latency_ms: f64) -> TargetState {
    TargetState {
        ttft_p95_ms: Some(ttft_ms),
        latency_p95_ms: Some(latency_ms),
        ..TargetState::default()
    }
}

#[test]
fn the_slowest_known_candidate_sets_the_time() {
    let adaptive = Adaptive {
        times: 3,
        at_least_ms: 500,
    };
    let unknown = TargetState::default();
    let cases = [
        (vec![took(100.0, 1000.0)], false, Some(3000)),
        (vec![took(200.0, 1000.0)], true, Some(600)),
        (vec![took(100.0, 1000.0)], true, Some(500)),
        (
            vec![took(1.0, 1000.0), took(1.0, 2000.5)],
            false,
            Some(6002),
        ),
        (vec![took(1.0, 1000.0), unknown], false, Some(3000)),
        (vec![unknown, took(1.0, 1000.0)], false, None),
        (vec![], false, None),
    ];
    for (candidates, streamed, expected) in cases {
        let told = longest(adaptive, &candidates, streamed);
        assert_eq!(told, expected, "{candidates:?}, streamed {streamed}");
    }
}
