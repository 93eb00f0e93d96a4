use super::Topology;
use super::credentials::{is_reserved, is_withheld, is_withheld_from_client};
use super::handoff::{Handoff, Step};
use super::trail::{Entry, append, in_words, token};
use crate::failure::Class;
use crate::provider::{Auth, PROVIDERS};

#[test]
fn credentials_are_withheld() {
    let names = [
        "authorization",
        "proxy-authorization",
        "cookie",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "x-amz-security-token",
        "x-pointsman-key-openai",
        "x-envoy-attempt-count",
        "anthropic-beta",
        "anthropic-workspace-id",
    ];
    for name in names {
        assert!(is_withheld(name), "{name}");
    }
    for name in ["traceparent", "user-agent", "content-type", "x-team"] {
        assert!(!is_withheld(name), "{name}");
    }
}

#[test]
fn the_header_in_which_any_provider_wants_its_key_is_withheld() {
    for provider in PROVIDERS {
        let name = match provider.auth() {
            Auth::Bearer | Auth::AwsSigV4 { .. } => "authorization".into(),
            Auth::Header(name) => name,
        };
        assert!(is_withheld(&name), "{name}");
    }
}

#[test]
fn envoys_and_our_own_headers_pass_in_neither_direction() {
    for name in ["x-envoy-retry-on", "x-pointsman-failed"] {
        assert!(is_reserved(name) && is_withheld_from_client(name), "{name}");
    }
    assert!(!is_reserved("x-request-id") && !is_withheld_from_client("retry-after"));
}

#[test]
fn a_trail_can_be_read_by_machines_and_by_people() {
    let entry = |model, class, status| Entry {
        provider: "p",
        model,
        class,
        status,
        elapsed_ms: 5,
        gate: "",
        scorer: "",
        wait_s: 0,
    };
    let trail = append("", &entry("a,b;c=d", Class::Timeout.as_str(), None));
    let trail = append(
        &trail,
        &entry("x/y", Class::RateLimited.as_str(), Some(429)),
    );
    let trail = append(&trail, &entry("z", "ok", Some(200)));
    assert_eq!(
        trail,
        "p/a%2Cb%3Bc%3Dd;class=timeout;ms=5, p/x/y;class=rate_limited;status=429;ms=5, \
         p/z;class=ok;status=200;ms=5"
    );
    assert_eq!(
        in_words(&trail),
        "p/a%2Cb%3Bc%3Dd: timeout, p/x/y: rate_limited (429), p/z: ok (200)"
    );
    assert_eq!(in_words(""), "");
}

#[test]
fn a_token_holds_nothing_that_could_end_a_header() {
    assert_eq!(token("a b\r\n\u{7f}é%"), "a%20b%0D%0A%7F%C3%A9%25");
}

/// A plan with one try of each.
pub(super) fn plan_of(providers: &[&str]) -> Handoff {
    let findings = crate::json::to_string(&crate::fidelity::Report::default());
    let head = r#"{"model":"m","streamed":false,"include_usage":false,"id":"","created":0"#;
    let rest = r#""per_try_ms":1,"input_tokens":1,"prefix":0,"avoided":"","steps":[]"#;
    let text = format!(r#"{head},{rest},"findings":{findings}}}"#);
    let plan = Handoff::decode(text.as_bytes()).expect("a plan");
    let step = |provider: &&str| Step {
        provider: (*provider).to_owned(),
        model: "m".to_owned(),
        cluster: (*provider).to_owned(),
        tokens: 0,
        waits: false,
        warm: false,
    };
    Handoff {
        steps: providers.iter().map(step).collect(),
        ..plan
    }
}

#[test]
fn whoever_is_last_is_tried_even_when_it_is_ejected_and_so_is_the_last_resort() {
    let plan = |last_resort| Handoff {
        last_resort,
        ..plan_of(&["a", "b", "c"])
    };
    let addresses = |plan: &Handoff| {
        let address = |i| plan.address(i, Topology::PerAttempt).expect("a step");
        [0, 1, 2].map(address)
    };
    assert_eq!(addresses(&plan(0)), ["via-a", "via-b", "c"]);
    assert_eq!(addresses(&plan(1)), ["via-a", "b", "c"]);
    assert_eq!(addresses(&plan(2)), ["a", "via-b", "c"]);
    assert_eq!([0, 1, 2].map(|i| plan(1).is_last(i)), [false, true, true]);
}
