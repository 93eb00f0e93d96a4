use std::cell::RefCell;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Assembly, Bounds, Directives, Entry, Kept, SETS, Shelf, Unfit, canonical, judge, replay,
};
use crate::observed::{Memory, Store};

const LEFT_OUT: [&str; 2] = ["stream", "user"];

fn form(body: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    canonical(body.as_bytes(), &LEFT_OUT, &mut out)?;
    Some(out)
}

#[test]
fn requests_that_mean_the_same_have_one_form() {
    let same = [
        r#"{"a":1,"b":[{"c":"é","d":null}],"t":0.5}"#,
        r#" { "b" : [ {"d":null, "c":"\u00e9"} ], "t": 5e-1, "a" : 1.0 } "#,
        r#"{"stream":true,"user":{"x":[1]},"a":1,"b":[{"c":"é","d":null}],"t":0.50,"z":null}"#,
    ];
    let forms: Vec<_> = same
        .iter()
        .map(|body| form(body).expect("a form"))
        .collect();
    assert_eq!(forms[0], forms[1]);
    assert_eq!(forms[0], forms[2]);
}

#[test]
fn requests_that_mean_something_else_have_another_form() {
    let bodies = [
        r#"{"a":1}"#,
        r#"{"a":"1"}"#,
        r#"{"a":[1]}"#,
        r#"{"a":true}"#,
        r#"{"b":1}"#,
        r#"{"a":1,"b":1}"#,
        r#"{"a":{"b":1}}"#,
        r#"{"a":{"stream":1}}"#,
        r#"{"a":{"stream":2}}"#,
        r#"{"a":[null]}"#,
        r#"{"a":["x","y"]}"#,
        r#"{"a":["xy"]}"#,
        r#"{"a":["y","x"]}"#,
        r#"{"a":0.1}"#,
        r#"{"a":0.10000000000000002}"#,
        "{}",
    ];
    let forms: Vec<_> = bodies.iter().map(|body| form(body).expect(body)).collect();
    for (i, one) in forms.iter().enumerate() {
        let same = forms.iter().filter(|other| *other == one).count();
        assert_eq!(same, 1, "{}", bodies[i]);
    }
}

#[test]
fn what_two_readers_could_read_in_two_ways_has_no_form() {
    for body in [
        r#"{"a":1,"a":2}"#,
        r#"{"a":{"b":1,"b":1}}"#,
        r#"{"seed":123456789012345678}"#,
        r#"{"seed":-9007199254740993}"#,
        r#"{"seed":1e300}"#,
        r#"{"a":1} x"#,
        "[1]",
        "",
    ] {
        assert_eq!(form(body), None, "{body}");
    }
}

#[test]
fn a_clients_word_is_read_as_caches_read_it() {
    let parsed = Directives::parse("No-Cache, max-age=\"60\" ,only-if-cached, max-age=30, x=1");
    let Directives {
        no_cache,
        no_store,
        only_if_cached,
        max_age_s,
    } = parsed;
    assert!(no_cache && !no_store && only_if_cached);
    assert_eq!(max_age_s, Some(30));
    assert!(Directives::parse("max-age=30,").allow(30));
    assert!(!Directives::parse("max-age=30").allow(31));
    assert!(!Directives::parse("max-age=x").allow(1));
    assert!(!Directives::parse("no-store").allow(0));
    assert!(Directives::parse("").allow(u64::MAX));
}

/// Bytes of answers, without the directories.
fn bytes(shared: &Memory) -> u64 {
    let all = shared.values();
    let places = all
        .iter()
        .filter(|(name, _)| name.matches('.').count() == 4);
    places.map(|(_, value)| value.len() as u64).sum()
}

const BOUNDS: Bounds = Bounds {
    total: 32 * 1024,
    entry: 1024,
};

fn entry(answer: &[u8], kept_ms: u64) -> Entry {
    Entry {
        kept_ms,
        until_ms: kept_ms + 10_000,
        nano_usd: 7,
        target: "openai/gpt".to_owned(),
        answered_by: "openai/gpt-1".to_owned(),
        fidelity: "dropped x".to_owned(),
        answer: answer.to_vec(),
    }
}

#[test]
fn an_answer_is_found_by_its_request_and_in_its_time() {
    let shared = Memory::default();
    let at = |now| Shelf::new(&shared, BOUNDS, now);
    let kept = entry(b"yes", 1_000);
    at(1_000).keep(b"request", &kept);
    assert_eq!(at(1_000).find(b"request"), Some(kept.clone()));
    assert_eq!(at(10_999).find(b"request"), Some(kept));
    assert_eq!(at(11_000).find(b"request"), None);
    assert_eq!(at(1_000).find(b"request?"), None);
    let newer = entry(b"no", 2_000);
    at(2_000).keep(b"request", &newer);
    assert_eq!(at(2_000).find(b"request"), Some(newer));
    assert_eq!(at(13_000).find(b"request"), None, "stale");
}

#[test]
fn a_request_with_the_same_hash_gets_nothing() {
    let shared = Memory::default();
    let shelf = Shelf::new(&shared, BOUNDS, 1_000);
    shelf.keep(b"mine", &entry(b"mine", 1_000));
    // As though another request had the same hash: its bytes lie where ours would.
    let name = shared
        .values()
        .keys()
        .find(|n| n.matches('.').count() == 4)
        .cloned();
    let name = name.expect("a place");
    let other = entry(b"theirs", 1_000).encode(b"theirs");
    shared.put(&name, &other);
    assert_eq!(shelf.find(b"mine"), None);
    for length in 0..40 {
        shared.put(&name, &vec![1; length]);
        assert_eq!(shelf.find(b"mine"), None, "{length} broken bytes");
    }
}

#[test]
fn what_was_not_given_for_the_longest_time_makes_room() {
    let shared = Memory::default();
    // One set's share is as large as two answers of 400 bytes.
    let bounds = Bounds {
        total: SETS * 1_100,
        entry: 1_100,
    };
    let at = |s: u64| Shelf::new(&shared, bounds, s * 1000);
    // Three requests of one set: found by trying.
    let mut of_set: Vec<Vec<u8>> = Vec::new();
    let mut set = None;
    for i in 0..u32::MAX {
        let probe = Memory::default();
        let request = i.to_le_bytes().to_vec();
        Shelf::new(&probe, bounds, 0).keep(&request, &entry(b"", 0));
        let name = probe.values().keys().next().cloned();
        if set.is_none() || name == set {
            set = name;
            of_set.push(request);
        }
        if of_set.len() == 3 {
            break;
        }
    }
    let long = |s: u64| Entry {
        until_ms: 1_000_000,
        ..entry(&[b'x'; 400], s * 1000)
    };
    assert_eq!(at(1).keep(&of_set[0], &long(1)).evicted, 0);
    assert_eq!(at(2).keep(&of_set[1], &long(2)).evicted, 0);
    assert!(at(100).find(&of_set[0]).is_some(), "the older one is used");
    let kept = at(101).keep(&of_set[2], &long(101));
    assert_eq!((kept.evicted, kept.evicted_bytes > 400), (1, true));
    assert!(at(101).find(&of_set[0]).is_some());
    assert!(at(101).find(&of_set[1]).is_none());
    assert!(at(101).find(&of_set[2]).is_some());
}

#[test]
fn what_is_too_large_is_not_kept() {
    let shared = Memory::default();
    let kept = Shelf::new(&shared, BOUNDS, 1).keep(b"r", &entry(&[0; 1_100], 1));
    assert_eq!(kept, Kept::default());
    assert!(shared.values().is_empty());
}

proptest! {
    /// Whatever is kept: never more bytes than the bound, never more names than places.
    #[test]
    fn what_is_kept_is_bounded(sizes in proptest::collection::vec((0..2_000_u32, 1..1_200_usize), 1..300)) {
        let shared = Memory::default();
        for (now, (request, size)) in (1..).zip(sizes) {
            let shelf = Shelf::new(&shared, BOUNDS, now * 100);
            shelf.keep(&request.to_le_bytes(), &entry(&vec![b'x'; size], now * 100));
            prop_assert!(bytes(&shared) <= BOUNDS.total, "{}", bytes(&shared));
        }
        prop_assert!(shared.values().len() as u64 <= SETS * 129);
    }
}

/// What another worker does meanwhile.
type Meanwhile<'s> = Box<dyn FnOnce(&Memory) + 's>;

/// A worker that is slower than another one: what it writes comes after the other has taken the
/// place.
struct Overtaken<'s> {
    shared: &'s Memory,
    other: RefCell<Option<Meanwhile<'s>>>,
}

impl Store for Overtaken<'_> {
    fn load(&self, name: &str) -> Option<Vec<u8>> {
        self.shared.load(name)
    }

    fn change(&self, name: &str, change: &mut dyn FnMut(&[u8]) -> Vec<u8>) -> bool {
        self.shared.change(name, change)
    }

    fn put(&self, name: &str, value: &[u8]) {
        if let Some(other) = self.other.take() {
            other(self.shared);
        }
        self.shared.put(name, value);
    }
}

#[test]
fn a_worker_that_was_overtaken_leaves_nothing_behind() {
    let shared = Memory::default();
    let bounds = Bounds {
        total: SETS * 600,
        entry: 600,
    };
    let answer = entry(&[b'x'; 400], 1_000);
    let overtaken = Overtaken {
        shared: &shared,
        other: RefCell::new(Some(Box::new(|shared: &Memory| {
            // Fills every set, and so takes the place.
            for i in 0..2_000_u32 {
                let answer = entry(&[b'y'; 400], 1_000);
                Shelf::new(shared, bounds, 9_000).keep(&i.to_le_bytes(), &answer);
            }
        }))),
    };
    Shelf::new(&overtaken, bounds, 1_000).keep(b"slow", &answer);
    assert!(bytes(&shared) <= bounds.total);
    let all = shared.values();
    let slow = |value: &&Vec<u8>| value.windows(4).any(|window| window == b"slow");
    assert_eq!(all.values().filter(slow).count(), 0);
}

fn completion(choice: Value) -> String {
    json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}})
    .to_string()
}

fn judged(message: Value, reason: &str, calls: bool) -> Result<(), Unfit> {
    let choice = json!({"index": 0, "message": message, "finish_reason": reason});
    judge(completion(choice).as_bytes(), true, calls)
}

#[test]
fn only_whole_and_good_answers_are_worth_keeping() {
    let said = json!({"role": "assistant", "content": "Yes."});
    assert_eq!(judged(said.clone(), "stop", false), Ok(()));
    for reason in ["length", "content_filter", "other"] {
        assert_eq!(
            judged(said.clone(), reason, true),
            Err(Unfit::Poor),
            "{reason}"
        );
    }
    for content in [json!(null), json!(""), json!(" \n")] {
        let message = json!({"role": "assistant", "content": content});
        assert_eq!(judged(message, "stop", false), Err(Unfit::Poor));
    }
    let refused = json!({"role": "assistant", "content": "No.", "refusal": "I must not."});
    assert_eq!(judged(refused, "stop", false), Err(Unfit::Poor));
    let sound = json!({"role": "assistant", "content": "x", "audio": {"id": "a"}});
    assert_eq!(judged(sound, "stop", false), Err(Unfit::Poor));
    let call =
        json!([{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]);
    let calling = json!({"role": "assistant", "content": null, "tool_calls": call});
    assert_eq!(
        judged(calling.clone(), "tool_calls", false),
        Err(Unfit::Calls)
    );
    assert_eq!(judged(calling, "tool_calls", true), Ok(()));
    for broken in [
        "",
        "{}",
        r#"{"choices":[]}"#,
        r#"{"error":{"message":"x"}}"#,
        "[1]",
    ] {
        assert_eq!(
            judge(broken.as_bytes(), true, true),
            Err(Unfit::Broken),
            "{broken}"
        );
    }
    assert_eq!(
        judge(br#"{"data":[{"embedding":[1]}]}"#, false, false),
        Ok(())
    );
    assert!(judge(br#"{"error":"x"}"#, false, false).is_err());
}

/// Puts the stream of a whole completion together again, cut into pieces of so many bytes.
fn round(completion: &str, include_usage: bool, cut: usize) -> Value {
    let mut stream = Vec::new();
    replay(completion.as_bytes(), include_usage, &mut stream).expect("a stream");
    let mut assembly = Assembly::default();
    stream
        .chunks(cut)
        .for_each(|piece| assembly.push(piece, 1 << 20));
    let whole = assembly.finish(r#"{"told":"elsewhere"}"#).expect("whole");
    serde_json::from_slice(&whole).expect("JSON")
}

#[test]
fn a_stream_of_a_whole_answer_is_that_answer_again() {
    let text = "Line one\n\"quoted\" \\ and \u{1F600} ünïcode ".repeat(80);
    let endless = "天地玄黃宇宙洪荒".repeat(300);
    let call = json!([{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}]);
    let choices = [
        json!({"index": 0, "message": {"role": "assistant", "content": text, "reasoning_content": endless,
            "annotations": [{"a": 1}, {"b": 2}], "reasoning_details": [{"type": "x"}]},
            "logprobs": {"content": [{"token": "a"}]}, "finish_reason": "stop"}),
        json!({"index": 0, "message": {"role": "assistant", "content": null, "tool_calls": call},
            "finish_reason": "tool_calls"}),
    ];
    for choice in choices {
        let whole = completion(choice);
        let mut expected: Value = serde_json::from_str(&whole).expect("JSON");
        assert_eq!(round(&whole, true, 7), expected);
        expected["usage"] = json!({"told": "elsewhere"});
        assert_eq!(round(&whole, false, 1_000_000), expected);
    }
}

#[test]
fn a_stream_tells_in_pieces_and_usage_only_when_asked() {
    let choice = json!({"index": 0, "message": {"role": "assistant", "content": "word ".repeat(400)},
        "finish_reason": "stop"});
    let mut asked = Vec::new();
    replay(completion(choice.clone()).as_bytes(), true, &mut asked).expect("a stream");
    let asked = String::from_utf8(asked).expect("text");
    let longest = asked.lines().map(str::len).max().expect("lines");
    assert!(longest < 1_000, "{longest}");
    assert!(asked.ends_with("data: [DONE]\n\n"));
    assert_eq!(asked.matches("prompt_tokens").count(), 1);
    assert!(asked.contains(r#""usage":null"#));
    let mut unasked = Vec::new();
    replay(completion(choice).as_bytes(), false, &mut unasked).expect("a stream");
    assert!(!String::from_utf8(unasked).expect("text").contains("usage"));
}

#[test]
fn a_stream_without_its_end_or_with_what_is_not_known_is_not_kept() {
    let assembled = |stream: &str| {
        let mut assembly = Assembly::default();
        assembly.push(stream.as_bytes(), 64);
        assembly.finish("")
    };
    let chunk = |delta: &str| {
        format!("data: {{\"id\":\"1\",\"choices\":[{{\"index\":0,\"delta\":{delta}}}]}}\n\n")
    };
    let done = "data: [DONE]\n\n";
    assert!(assembled(&(chunk(r#"{"content":"a"}"#) + done)).is_ok());
    for stream in [
        chunk(r#"{"content":"a"}"#),
        chunk(r#"{"content":"a","images":[1]}"#) + done,
        chunk(r#"{"content":"a"}"#) + "data: {\"error\":{\"message\":\"x\"}}\n\n" + done,
        chunk(&format!(r#"{{"content":"{}"}}"#, "x".repeat(100))) + done,
        "data: {\n\n".to_owned() + done,
        chunk("[]") + done,
    ] {
        assert_eq!(assembled(&stream), Err(Unfit::Broken), "{stream}");
    }
}
