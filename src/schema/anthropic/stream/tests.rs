use super::*;
use proptest::prelude::*;

const START: &str = r#"{"type":"message_start","message":{"id":"m","usage":{"input_tokens":3}}}"#;
const PING: &str = r#"{"type":"ping"}"#;
const OPEN: &str =
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
const TEXT: &str =
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#;
const REFUSAL: &str = r#"{"type":"message_delta","delta":{"stop_reason":"refusal"}}"#;
const STOP: &str = r#"{"type":"message_stop"}"#;

fn translator() -> Translator {
    Translator::new(&super::super::DIRECT, &ReplyContext::default())
}

fn push(translator: &mut Translator, event: &str, out: &mut Vec<u8>) -> Progress {
    let bytes = format!("data: {event}\n\n");
    translator.push(bytes.as_bytes(), out).unwrap()
}

#[test]
fn nothing_is_written_before_the_first_meaningful_event() {
    let (mut translator, mut out) = (translator(), Vec::new());
    for event in [START, PING, OPEN, PING] {
        let progress = push(&mut translator, event, &mut out);
        assert_eq!(progress, Progress::Waiting, "{event}");
        assert!(out.is_empty(), "{event}");
    }
    assert_eq!(push(&mut translator, TEXT, &mut out), Progress::Started);
    assert!(!out.is_empty());
}

#[test]
fn a_ping_after_content_is_a_comment() {
    let (mut translator, mut out) = (translator(), Vec::new());
    for event in [START, OPEN, TEXT] {
        push(&mut translator, event, &mut out);
    }
    out.clear();
    assert_eq!(push(&mut translator, PING, &mut out), Progress::Started);
    assert_eq!(out, b": keep-alive\n\n");
}

#[test]
fn a_refusal_alone_is_told_from_one_after_text() {
    let (mut alone, mut after_text) = (translator(), translator());
    let mut out = Vec::new();
    push(&mut alone, START, &mut out);
    assert_eq!(push(&mut alone, REFUSAL, &mut out), Progress::Refused);
    assert_eq!(push(&mut alone, STOP, &mut out), Progress::Refused);
    for event in [START, OPEN, TEXT] {
        push(&mut after_text, event, &mut out);
    }
    assert_eq!(push(&mut after_text, REFUSAL, &mut out), Progress::Started);
}

#[test]
fn a_regular_end_without_content_is_meaningful() {
    let (mut translator, mut out) = (translator(), Vec::new());
    push(&mut translator, START, &mut out);
    assert_eq!(push(&mut translator, STOP, &mut out), Progress::Started);
}

#[test]
fn usage_is_known_while_the_stream_goes_on() {
    let (mut translator, mut out) = (translator(), Vec::new());
    push(&mut translator, START, &mut out);
    assert_eq!(translator.usage().input_tokens, 3);
}

#[test]
fn an_event_beyond_the_limit_is_a_failure() {
    let mut translator = translator();
    let line = vec![b'x'; crate::framing::sse::MAX_EVENT_BYTES + 1];
    let failure = translator.push(&line, &mut Vec::new()).unwrap_err();
    assert_eq!(failure.class, Class::ReplyTooLarge);
}

#[test]
fn interleaved_blocks_keep_their_own_state() {
    let (mut translator, mut out) = (translator(), Vec::new());
    let open = |index: u64, id: &str| {
        format!(
            r#"{{"type":"content_block_start","index":{index},"content_block":{{"type":"tool_use","id":"{id}","name":"f","input":{{}}}}}}"#
        )
    };
    let delta = |index: u64| {
        format!(
            r#"{{"type":"content_block_delta","index":{index},"delta":{{"type":"input_json_delta","partial_json":"{{}}"}}}}"#
        )
    };
    for event in [open(5, "a"), open(9, "b"), delta(9), delta(5)] {
        push(&mut translator, &event, &mut out);
    }
    let text = String::from_utf8(out).unwrap();
    let indexes: Vec<_> = text
        .split(r#""tool_calls":[{"index":"#)
        .skip(1)
        .filter_map(|rest| rest.chars().next())
        .collect();
    assert_eq!(indexes, ['0', '1', '1', '0']);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(events in proptest::collection::vec(event(), 0..12)) {
        let (mut translator, mut out) = (translator(), Vec::new());
        for event in &events {
            if translator.push(event.as_bytes(), &mut out).is_err() {
                return Ok(());
            }
        }
        let _ = Box::new(translator).finish(&mut out);
    }
}

/// Events in any order, some of them broken.
fn event() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![START, PING, OPEN, TEXT, REFUSAL, STOP]);
    (known, 0usize..120, any::<bool>()).prop_map(|(event, cut, is_whole)| {
        let cut = if is_whole { event.len() } else { cut };
        let event: String = event.chars().take(cut).collect();
        format!("data: {event}\n\n")
    })
}
