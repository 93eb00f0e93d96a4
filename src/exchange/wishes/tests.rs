use super::{constraints, parse_limit, required_labels};
use crate::config::{ClientConstraints, Routing};
use crate::routing::Facts;

fn routing() -> Routing {
    Routing {
        client_labels: Some("x-require".to_owned()),
        client_constraints: Some(ClientConstraints {
            header: Some("x-limits".to_owned()),
            metadata: Some("limits".to_owned()),
            allow: vec!["cost_usd".to_owned(), "quality".to_owned()],
        }),
        ..Routing::default()
    }
}

fn with_header(name: &str, value: &str) -> Facts {
    Facts {
        headers: vec![(name.to_owned(), value.to_owned())],
        ..Facts::default()
    }
}

#[test]
fn labels_are_read_or_refused_but_never_ignored() {
    let read = |text: &str| required_labels(&routing(), &with_header("x-require", text));
    let labels = read(" residency = eu | uk,retention=none").expect("right");
    assert_eq!(labels.values("residency"), ["eu", "uk"]);
    assert_eq!(labels.values("retention"), ["none"]);
    for wrong in [
        "",
        "eu",
        "=eu",
        "residency=",
        "residency=eu|",
        "residency=e u",
        ",",
        "a=b,,c=d",
        "a=\u{e9}",
    ] {
        let failure = read(wrong).expect_err(wrong);
        assert_eq!(failure.status, 400, "{wrong}");
        assert!(failure.message.contains("x-require"));
    }
    let many = vec!["a=b"; 33].join(",");
    assert!(read(&many).is_err());
    assert!(required_labels(&Routing::default(), &with_header("x-require", "?")).is_ok());
}

#[test]
fn limits_are_read_from_both_places_and_the_tighter_one_counts() {
    let mut facts = with_header("x-limits", "cost_usd<=0.01, quality>=0.5");
    facts.metadata = vec![(
        "limits".to_owned(),
        "cost_usd <= 0.02,quality>=0.9".to_owned(),
    )];
    let limits = constraints(&routing(), &facts).expect("right");
    assert_eq!((limits.cost_usd, limits.quality), (Some(0.01), Some(0.9)));
    assert!(
        constraints(&routing(), &Facts::default())
            .expect("none")
            .is_empty()
    );
}

#[test]
fn limits_that_are_not_allowed_or_make_no_sense_are_refused() {
    for wrong in [
        "latency_ms<=800",
        "cost_usd>=1",
        "quality<=1",
        "cost_usd<=x",
        "cost_usd<=-1",
        "cost_usd<=NaN",
        "cost_usd<=inf",
        "price<=1",
        "",
        "cost_usd",
    ] {
        let failure = constraints(&routing(), &with_header("x-limits", wrong)).expect_err(wrong);
        assert_eq!(failure.status, 400);
        assert!(
            failure.message.contains("cost_usd, quality"),
            "{}",
            failure.message
        );
        assert!(!failure.message.contains("NaN"));
    }
    assert_eq!(parse_limit(" cost_usd <= 0.5 "), Some(("cost_usd", 0.5)));
}
