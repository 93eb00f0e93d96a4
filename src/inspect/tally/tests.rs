//! What of a request counts.

use super::tally;
use crate::schema::openai::ChatCompletionRequest;
use crate::tokens::{Family, GLANCED, MOST_SCANNED};

fn tokens(body: &str) -> u64 {
    let request = ChatCompletionRequest::parse(body.as_bytes()).unwrap();
    tally(&request, body.len(), MOST_SCANNED).tokens(Family::O200k)
}

fn asking(content: &str) -> String {
    format!(r#"{{"model":"m","messages":[{{"role":"user","content":{content}}}]}}"#)
}

#[test]
fn names_of_fields_cost_nothing_and_texts_do() {
    let short = tokens(&asking(r#""Hi""#));
    assert!((4..8).contains(&short), "{short}");
    let longer = tokens(&asking(
        r#""How many tokens does this question have, roughly?""#,
    ));
    assert!((12..20).contains(&longer), "{longer}");
    let parts = r#"[{"type":"text","text":"How many tokens does this question have, roughly?"}]"#;
    assert_eq!(tokens(&asking(parts)), longer);
}

#[test]
fn images_audio_and_files_are_counted_by_what_they_are() {
    let image = r#"[{"type":"image_url","image_url":{"url":"https://a.example/a.png"}}]"#;
    assert_eq!(tokens(&asking(image)), 4 + 765);
    let small =
        r#"[{"type":"image_url","image_url":{"url":"https://a.example/a.png","detail":"low"}}]"#;
    assert_eq!(tokens(&asking(small)), 4 + 85);
    let data = "A".repeat(64_000 * 2);
    let audio =
        format!(r#"[{{"type":"input_audio","input_audio":{{"data":"{data}","format":"wav"}}}}]"#);
    assert_eq!(tokens(&asking(&audio)), 4 + 20);
    let file = format!(r#"[{{"type":"file","file":{{"file_data":"{data}"}}}}]"#);
    assert_eq!(tokens(&asking(&file)), 4 + 2 * 1500);
}

#[test]
fn tools_calls_and_schemas_are_part_of_the_prompt() {
    let bare = tokens(&asking(r#""Hi""#));
    let with = |more: &str| {
        let body = asking(r#""Hi""#);
        tokens(&format!("{},{more}}}", body.strip_suffix('}').unwrap()))
    };
    let tools = r#""tools":[{"type":"function","function":{"name":"get_weather","description":"Weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]"#;
    assert!(with(tools) > bare + 30, "{}", with(tools));
    let schema = r#""response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object"}}}"#;
    assert!(with(schema) > bare + 3);
}

/// A conversation of `messages` messages that are all alike.
fn conversation(messages: usize, text: &str) -> String {
    let message = format!(r#"{{"role":"user","content":"{text}"}}"#);
    let all = vec![message; messages].join(",");
    format!(r#"{{"model":"m","messages":[{all}]}}"#)
}

#[test]
fn messages_that_are_read_stand_for_those_that_are_not() {
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(20);
    let one = tokens(&conversation(1, &text));
    let body = conversation(300, &text);
    let request = ChatCompletionRequest::parse(body.as_bytes()).unwrap();
    for most in [GLANCED, MOST_SCANNED] {
        let all = tally(&request, body.len(), most).tokens(Family::O200k);
        let (exact, off) = (one * 300, all.abs_diff(one * 300));
        assert!(off * 20 < exact, "{most}: {all} instead of {exact}");
    }
}

#[test]
fn a_text_beside_a_large_image_is_read() {
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(40);
    let data = "A".repeat(3_000_000);
    let image = |words: &str| {
        asking(&format!(
            r#"[{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{data}"}}}},{{"type":"text","text":"{words}"}}]"#
        ))
    };
    let read = tokens(&image(&text)) - tokens(&image(""));
    let alone = tokens(&asking(&format!("\"{text}\""))) - tokens(&asking(r#""""#));
    assert!(
        read.abs_diff(alone) * 10 < alone,
        "{read} instead of {alone}"
    );
}
