use super::super::Topology;
use super::super::mutation::HeaderEdit;
use super::*;
use crate::observed::{CoolDown, Settings, Store, Unobserved, key};

const DOCUMENT: &str = r#"{"version": 1,
    "providers": {
        "openai": {"key": {"env": "K"}, "keep_warm": {"every": "30s"}},
        "gemini": {"key": {"env": "G"}, "keep_warm": {"every": "4s", "path": "/v1beta/models?pageSize=1"}},
        "anthropic": {"key": {"env": "A"}}
    },
    "models": {"m": {"candidates": [
        {"provider": "openai", "model": "gpt-5.4"},
        {"provider": "gemini", "model": "gemini-3-pro-preview"},
        {"provider": "anthropic", "model": "claude-opus-4-5"}
    ]}}}"#;

fn config() -> Config {
    Config::from_json(DOCUMENT.as_bytes())
        .expect("a configuration")
        .0
}

fn set<'m>(mutation: &'m Mutation, name: &str) -> Option<&'m str> {
    mutation.headers.iter().rev().find_map(|edit| match edit {
        HeaderEdit::Set(header, value) if header == name => Some(value.as_str()),
        _ => None,
    })
}

fn state<'m>(mutation: &'m Mutation, name: &str) -> Option<&'m [u8]> {
    let mut edits = mutation.state.iter();
    edits
        .find(|edit| edit.key == name)
        .map(|edit| edit.value.as_slice())
}

#[test]
fn only_who_asks_for_it_is_kept_warm_and_the_shortest_period_sets_the_pace() {
    let config = config();
    let names: Vec<_> = kept_warm(&config).map(|(p, _)| p.name.as_str()).collect();
    assert_eq!(names, ["gemini", "openai"]);
    assert_eq!(looks_every_ms(&config), Some(500));
}

#[test]
fn the_call_finds_its_provider_through_the_inner_listener() {
    let config = config();
    let head = call("openai");
    let (_, question) = head
        .iter()
        .find(|(name, _)| *name == QUESTION)
        .expect("a question");
    assert_eq!(kept_by(question.as_bytes()), Some("openai"));
    let provider = config.providers.get("openai").expect("a provider");
    let mutation = send(provider, Topology::PerAttempt);
    assert_eq!(state(&mutation, CLUSTER), Some(&b"via-openai"[..]));
    assert_eq!(
        kept_by(state(&mutation, PLAN).expect("a plan")),
        Some("openai")
    );
    let mutation = send(provider, Topology::StaticChain);
    assert_eq!(set(&mutation, CHAIN), Some("chain.openai"));
}

#[test]
fn a_plan_is_no_keep_warm_request() {
    assert_eq!(kept_by(br#"{"model":"m"}"#), None);
    assert_eq!(kept_by(b""), None);
}

#[test]
fn the_provider_sees_its_own_key_its_own_path_and_nothing_of_ours() {
    let config = config();
    let headers = [
        (":path", "/"),
        ("x-pointsman-key-gemini", "secret\n"),
        ("x-pointsman-question", "keep-warm gemini"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mutation = head(&config, "gemini", &headers).expect("a head");
    assert_eq!(set(&mutation, ":path"), Some("/v1beta/models?pageSize=1"));
    assert_eq!(set(&mutation, "x-goog-api-key"), Some("secret"));
    for (name, _) in &headers[1..] {
        let removed = HeaderEdit::Remove(name.clone().into());
        assert!(mutation.headers.contains(&removed), "{name}");
    }
    assert_eq!(
        head(&config, "anthropic", &headers),
        None,
        "it is not kept warm"
    );
}

#[test]
fn whatever_it_answers_is_no_failure() {
    let mutation = answered("503");
    assert_eq!(set(&mutation, ":status"), Some("200"));
    assert_eq!(set(&mutation, WARMED), Some("503"));
}

#[test]
fn who_asked_to_be_left_alone_is() {
    struct Resting(Vec<u8>);
    impl Store for Resting {
        fn load(&self, name: &str) -> Option<Vec<u8>> {
            name.ends_with("cool_downs").then(|| self.0.clone())
        }
        fn change(&self, _: &str, _: &mut dyn FnMut(&[u8]) -> Vec<u8>) -> bool {
            false
        }
    }
    let config = config();
    let rest = |who, store: &dyn Store, now_ms| {
        let recorded = Recorded::new(store, Settings::default(), now_ms);
        rests(&config, who, &recorded, now_ms)
    };
    assert!(!rest("openai", &Unobserved, 5));
    for who in [key("openai", None), key("openai", Some("gpt-5.4"))] {
        let mut list = crate::observed::CoolDowns::default();
        let class = crate::failure::Class::RateLimited;
        list.add(
            CoolDown {
                who,
                until_ms: 9,
                class,
            },
            1,
        );
        let store = Resting(list.encode());
        assert!(rest("openai", &store, 5));
        assert!(!rest("openai", &store, 9));
        assert!(!rest("gemini", &store, 5));
    }
}
