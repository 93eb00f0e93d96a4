use crate::catalog::cost::Tariff;
use crate::catalog::price::{Price, Prices};
use crate::inspect::Prefix;
use crate::observed::TargetState;
use crate::routing::Policies;
use crate::routing::tests::{Given, Told, backend, with};

fn given(tokens: u64) -> Given {
    let mut given = Given::default();
    given.profile.input_tokens = tokens;
    given.profile.output_limit = Some(0);
    given.profile.prefix = Some(Prefix {
        hash: 7,
        tokens: 2000,
    });
    given
}

fn policy() -> Policies {
    with("cache_affinity", vec![])
}

fn first(given: &Given, seen: &Told, input_prices: [&str; 2]) -> String {
    let mut backends = ["a", "b"].map(backend);
    for (backend, quote) in backends.iter_mut().zip(input_prices) {
        let price = |text: &str| Price::from_quote(text).expect("a price");
        let prices = Prices {
            input: Some(price(quote)),
            cached_input: Some(price("0.5")),
            output: Some(price("1")),
            ..Prices::default()
        };
        backend.prices = Some(Box::new(Tariff {
            prices,
            ..Tariff::default()
        }));
    }
    let order = policy().order(backends.iter().collect(), &given.view(seen));
    order[0].provider.clone()
}

fn warm(name: &'static str) -> Told {
    Told {
        warm: vec![name],
        ..Told::default()
    }
}

#[test]
fn a_prompt_goes_where_its_beginning_is_warm() {
    assert_eq!(first(&given(2000), &warm("b"), ["1", "1"]), "b");
    assert_eq!(first(&given(2000), &Told::default(), ["1", "1"]), "a");
    assert_eq!(
        first(&given(1000), &warm("b"), ["1", "1"]),
        "a",
        "too short"
    );
}

#[test]
fn a_cache_that_saves_too_little_does_not_count() {
    assert_eq!(
        first(&given(2000), &warm("b"), ["1", "9"]),
        "b",
        "0.5 is less than 1"
    );
    assert_eq!(first(&given(2000), &warm("b"), ["0.4", "9"]), "a");
}

#[test]
fn a_warm_one_that_is_much_slower_does_not_count() {
    let took = |ms| TargetState {
        latency_p50_ms: Some(ms),
        ..TargetState::default()
    };
    let mut seen = warm("b");
    seen.targets = vec![("a", took(100.0)), ("b", took(150.0))];
    assert_eq!(first(&given(2000), &seen, ["1", "1"]), "b");
    seen.targets[1].1 = took(300.0);
    assert_eq!(first(&given(2000), &seen, ["1", "1"]), "a");
}
