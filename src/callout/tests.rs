use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Asked, Cache, Flights, MAX_REPLY_BYTES, Outcome, Place, Question, Reply, Spent, Waiting, key,
    model_question, read, spent, webhook_question,
};
use crate::classify::Sample;
use crate::config::{Classifier, Config, Source};
use crate::inspect::inspect;
use crate::observed::{Memory, Store};

fn classifier(settings: Value) -> Classifier {
    let mut declared = json!({"classes": ["code", "small-talk", "3d"], "excerpt": 16});
    for (name, value) in settings.as_object().into_iter().flatten() {
        declared[name.as_str()] = value.clone();
    }
    let document = json!({
        "version": 1,
        "providers": {"openai": {"key": {"env": "A"}}},
        "models": {"m": {"candidates": [{"provider": "openai", "model": "gpt-5"}]}},
        "classifiers": {"c": declared},
    });
    let (config, _) = Config::from_json(document.to_string().as_bytes()).expect("right");
    config.classifiers["c"].clone()
}

fn of_model() -> Classifier {
    classifier(json!({"model": "m", "instruction": "What is it?"}))
}

fn of_webhook() -> Classifier {
    classifier(json!({"webhook": {"url": "http://127.0.0.1:1"}}))
}

fn reply(body: &str) -> Reply {
    Reply {
        status: 200,
        committed: true,
        cost: String::new(),
        body: body.as_bytes().to_vec(),
    }
}

fn says(text: &str) -> Reply {
    reply(&json!({"choices": [{"message": {"content": text}}]}).to_string())
}

#[test]
fn a_models_words_are_a_class_by_number_or_name_and_only_when_they_name_one() {
    let classifier = of_model();
    for (text, class) in [
        ("1", Some("code")),
        (" 2.\n", Some("small-talk")),
        ("**3**", Some("3d")),
        ("Small-Talk", Some("small-talk")),
        ("The class is 1 code.", Some("code")),
        ("3d", Some("3d")),
        ("1 or 2", None),
        ("0", None),
        ("4", None),
        ("99999999999999999999999", None),
        ("none of them", None),
        ("", None),
    ] {
        assert_eq!(read(&classifier, &says(text)), class, "{text}");
    }
    assert_eq!(read(&classifier, &says(&" ".repeat(500))), None);
}

#[test]
fn what_is_no_committed_answer_is_no_class() {
    let (model, webhook) = (of_model(), of_webhook());
    let uncommitted = Reply {
        committed: false,
        ..says("1")
    };
    assert_eq!(
        read(&model, &uncommitted),
        None,
        "Envoy's own, or a failed attempt's"
    );
    assert_eq!(
        read(&webhook, &reply(r#"{"class": "CODE", "more": [1]}"#)),
        Some("code")
    );
    for body in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"class": 1}"#,
        r#"{"class": "other"}"#,
        "\u{0}",
    ] {
        assert_eq!(read(&webhook, &reply(body)), None, "{body}");
        assert_eq!(read(&model, &reply(body)), None, "{body}");
    }
    for status in [0, 204, 301, 404, 503, 504] {
        let failed = Reply {
            status,
            ..reply(r#"{"class": "code"}"#)
        };
        assert_eq!(read(&webhook, &failed), None, "{status}");
    }
    let long = format!(
        r#"{{"class": "code", "x": "{}"}}"#,
        "x".repeat(MAX_REPLY_BYTES)
    );
    assert_eq!(read(&webhook, &reply(&long)), None);
}

fn asked(classifier: &Classifier, text: &str) -> Option<Value> {
    let body = json!({"model": "m", "messages": [
        {"role": "system", "content": "a secret instruction"},
        {"role": "user", "content": text},
    ]});
    let body = body.to_string();
    let (request, profile) = inspect(body.as_bytes()).expect("right");
    let sample = Sample::of(&request);
    let asked = Asked {
        profile: &profile,
        sample: &sample,
    };
    let question = match &classifier.source {
        Source::Model(source) => model_question(classifier, source, &asked)?,
        Source::Webhook(webhook) => webhook_question(classifier, webhook.sends_text, &asked),
    };
    serde_json::from_slice(&question).ok()
}

#[test]
fn a_model_is_asked_for_a_number_and_shown_an_excerpt() {
    let question = asked(&of_model(), "0123456789012345678").expect("a question");
    assert_eq!(question["messages"][1]["content"], "0123456789012345");
    let instruction = question["messages"][0]["content"].as_str().expect("text");
    assert!(instruction.starts_with("What is it?\n"), "{instruction}");
    assert!(
        instruction.contains("1 code\n2 small-talk\n3 3d\n"),
        "{instruction}"
    );
    assert_eq!(question["max_completion_tokens"], 16);
    assert!(!question.to_string().contains("secret"));
    let cut = asked(&of_model(), "012345678901234ü").expect("a question");
    assert_eq!(cut["messages"][1]["content"], "012345678901234");
    assert_eq!(asked(&of_model(), "  "), None, "nothing to ask");
}

#[test]
fn a_webhook_gets_features_and_no_text_unless_that_is_said() {
    let quiet = asked(&of_webhook(), "Prove it, my dear friend").expect("a question");
    assert_eq!(quiet["version"], 1);
    assert_eq!(quiet["features"]["user_messages"], 1);
    assert_eq!(quiet["features"]["script"], "latin");
    assert!(quiet["features"]["complexity"].is_number());
    assert!(!quiet.to_string().contains("dear"), "{quiet}");
    let webhook = json!({"webhook": {"url": "http://127.0.0.1:1", "send_text": true}});
    let told = asked(&classifier(webhook), "Prove it, my dear friend").expect("a question");
    assert_eq!(told["text"], "Prove it, my dea");
}

#[test]
fn an_answer_is_remembered_for_its_question_and_its_time() {
    let shared = Memory::default();
    let at = |now| Cache::new(&shared, now);
    at(1_000).keep(key("c", b"question"), "code", 500);
    assert_eq!(
        at(1_499).find(key("c", b"question")).as_deref(),
        Some("code")
    );
    assert_eq!(at(1_500).find(key("c", b"question")), None);
    assert_eq!(at(1_000).find(key("d", b"question")), None);
    assert_eq!(at(1_000).find(key("c", b"question?")), None);
    at(1_000).keep(key("c", b"another"), "code", 0);
    assert_eq!(at(1_000).find(key("c", b"another")), None);
}

#[test]
fn what_is_remembered_is_bounded() {
    let shared = Memory::default();
    for i in 0..20_000_u32 {
        Cache::new(&shared, 1).keep(key("c", &i.to_le_bytes()), "code", 1_000);
    }
    let places = shared.values().len();
    assert!(places <= 4_096, "{places}");
}

#[test]
fn broken_bytes_are_no_answer() {
    let shared = Memory::default();
    Cache::new(&shared, 1).keep(key("c", b"q"), "code", 1_000);
    let name = shared.values().keys().next().cloned().expect("a place");
    for length in 0..40 {
        shared.put(&name, &vec![0; length]);
        assert_eq!(Cache::new(&shared, 1).find(key("c", b"q")), None);
    }
}

#[test]
fn a_classifier_rests_after_five_failures_in_a_row_and_then_gets_one_try() {
    let shared = Memory::default();
    let at = |now| Cache::new(&shared, now);
    (0..4).for_each(|_| at(1_000).note("c", false));
    assert!(!at(1_000).rests("c"));
    at(1_000).note("c", true);
    (0..4).for_each(|_| at(1_000).note("c", false));
    assert!(!at(1_000).rests("c"), "an answer in between");
    at(1_000).note("c", false);
    assert!(at(5_999).rests("c") && !at(5_999).rests("d"));
    assert!(!at(6_000).rests("c"));
    at(6_000).note("c", false);
    assert!(at(10_999).rests("c"), "the next failure is enough");
    at(11_000).note("c", true);
    assert!(!at(11_000).rests("c"));
}

fn question(number: u8) -> Question {
    Question {
        classifier: format!("c{number}"),
        key: key("c", &[number]),
        cluster: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
        deadline_ms: 100,
    }
}

fn waiting(id: u32, until_ms: u64) -> Waiting<u32> {
    Waiting {
        id,
        until_ms,
        who: id,
    }
}

fn ids(waiting: Vec<Waiting<u32>>) -> Vec<u32> {
    waiting.into_iter().map(|each| each.id).collect()
}

#[test]
fn equal_questions_are_asked_once_and_answered_to_all() {
    let mut flights = Flights::default();
    assert_eq!(flights.join(question(1), waiting(1, 100)), Place::Leads);
    flights.departed(question(1).key, 70, 1);
    assert_eq!(flights.join(question(1), waiting(2, 110)), Place::Waits);
    assert_eq!(flights.join(question(2), waiting(3, 110)), Place::Leads);
    assert_eq!(flights.owner(70), Some(1));
    let (asked, all) = flights.land(70).expect("a flight");
    assert_eq!((asked.classifier.as_str(), ids(all)), ("c1", vec![1, 2]));
    assert!(flights.land(70).is_none(), "once");
    assert!(!flights.is_empty());
}

#[test]
fn when_the_asker_leaves_the_others_are_asked_for_again() {
    let mut flights = Flights::default();
    flights.join(question(1), waiting(1, 100));
    flights.departed(question(1).key, 70, 1);
    flights.join(question(1), waiting(2, 150));
    assert!(flights.unasked(50).is_empty());
    flights.leave(1);
    assert!(
        flights.land(70).is_none(),
        "the host has cancelled that call"
    );
    let unasked = flights.unasked(50);
    assert_eq!(unasked, [(question(1), 100)], "with the time that is left");
    flights.departed(question(1).key, 71, 0);
    assert_eq!(flights.land(71).map(|(_, all)| ids(all)), Some(vec![2]));
    assert!(flights.is_empty());
}

#[test]
fn nobody_waits_longer_than_its_deadline_or_for_what_cannot_be_asked() {
    let mut flights = Flights::default();
    flights.join(question(1), waiting(1, 100));
    flights.join(question(1), waiting(2, 150));
    let overdue = |flights: &mut Flights<u32>, now| -> Vec<_> {
        let overdue = flights.overdue(now).into_iter();
        overdue
            .map(|(_, outcome, each)| (outcome, each.id))
            .collect()
    };
    assert_eq!(overdue(&mut flights, 99), []);
    assert_eq!(overdue(&mut flights, 100), [(Outcome::Timeout, 1)]);
    flights.join(question(2), waiting(3, 500));
    flights.hopeless(question(2).key);
    assert!(
        flights
            .unasked(101)
            .iter()
            .all(|(asked, _)| asked.classifier != "c2")
    );
    assert_eq!(overdue(&mut flights, 101), [(Outcome::Failed, 3)]);
    assert_eq!(overdue(&mut flights, 150), [(Outcome::Timeout, 2)]);
    assert!(flights.is_empty());
}

#[derive(Debug, Clone)]
enum Event {
    Join(u8),
    Answer(usize),
    Leave(usize),
    Tick(u64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => (0..4_u8).prop_map(Event::Join),
        2 => any::<usize>().prop_map(Event::Answer),
        1 => any::<usize>().prop_map(Event::Leave),
        2 => (1..60_u64).prop_map(Event::Tick),
    ];
    proptest::collection::vec(event, 0..80)
}

proptest! {
    /// Whatever happens: everybody goes on exactly once or has left, no later than a tick after
    /// its deadline, and no question has two calls at a time.
    #[test]
    fn everybody_goes_on_once_and_in_time(events in events()) {
        let mut flights = Flights::default();
        let (mut now, mut next_call) = (0, 0);
        let mut held: BTreeMap<u32, u64> = BTreeMap::new();
        // Call, question and owner; 0 is the root.
        let mut calls: Vec<(u32, u8, u32)> = Vec::new();
        for (i, event) in (1_u32..).zip(events) {
            match event {
                Event::Join(number) => {
                    held.insert(i, now + 100);
                    if flights.join(question(number), waiting(i, now + 100)) == Place::Leads {
                        prop_assert!(calls.iter().all(|call| call.1 != number));
                        next_call += 1;
                        flights.departed(question(number).key, next_call, i);
                        calls.push((next_call, number, i));
                    }
                }
                Event::Answer(pick) if !calls.is_empty() => {
                    let (call, number, _) = calls.remove(pick % calls.len());
                    let landed = flights.land(call);
                    for each in landed.map(|(_, all)| all).unwrap_or_default() {
                        prop_assert!(held.remove(&each.id).is_some(), "twice: {}", each.id);
                    }
                    prop_assert!(flights.land(call).is_none(), "{}", number);
                }
                Event::Leave(pick) if !held.is_empty() => {
                    let id = *held.keys().nth(pick % held.len()).expect("one");
                    held.remove(&id);
                    flights.leave(id);
                }
                Event::Tick(ms) => {
                    now += ms;
                    for (_, _, each) in flights.overdue(now) {
                        prop_assert!(each.until_ms <= now);
                        prop_assert!(held.remove(&each.id).is_some(), "twice: {}", each.id);
                    }
                    prop_assert!(held.values().all(|until| *until > now), "overdue");
                    for (asked, _) in flights.unasked(now) {
                        next_call += 1;
                        flights.departed(asked.key, next_call, 0);
                        let number = asked.classifier.trim_start_matches('c').parse().expect("a number");
                        calls.push((next_call, number, 0));
                    }
                }
                Event::Answer(_) | Event::Leave(_) => {}
            }
            // Whatever comes of a call for which nobody waits any more is not looked at.
            calls.retain(|call| flights.owner(call.0).is_some());
            if flights.is_empty() {
                prop_assert!(held.is_empty());
            }
        }
    }
}

#[test]
fn a_model_says_what_asking_it_used_and_a_webhook_is_free() {
    let mut told = reply(r#"{"usage": {"total_tokens": 41}}"#);
    told.cost = "0.000012300".to_owned();
    let (tokens, nano_usd) = (41, 12_300);
    assert_eq!(spent(&told), Spent { tokens, nano_usd });
    told.committed = false;
    assert_eq!(spent(&told), Spent::default());
    assert_eq!(spent(&reply("no JSON")), Spent::default());
}
