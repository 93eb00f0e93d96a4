use crate::observed::TargetState;
use crate::routing::tests::{Given, Told, backend, with};

#[test]
fn the_one_with_the_fewest_tokens_for_its_weight_is_first() {
    let serving = |tokens| TargetState {
        in_flight_tokens: tokens,
        ..TargetState::default()
    };
    let seen = Told {
        targets: vec![("a", serving(900)), ("b", serving(500)), ("c", serving(0))],
        ..Told::default()
    };
    let mut backends = ["a", "b", "c"].map(backend);
    backends[0].weight = 2;
    backends[2].weight = 0;
    let given = Given::default();
    let order = with("least_loaded", vec![]).order(backends.iter().collect(), &given.view(&seen));
    let order: Vec<_> = order.iter().map(|b| b.provider.as_str()).collect();
    assert_eq!(order, ["a", "b", "c"]);
}
