use super::{EmbeddingsRequest, Input, base64, write_vector};
use crate::json;

fn input(text: &str) -> Option<Input<'_>> {
    let request: EmbeddingsRequest<'_> = json::read(text.as_bytes()).expect("a request");
    request.input()
}

#[test]
fn an_input_is_texts_tokens_or_objects_but_never_a_mixture() {
    let texts = |text| matches!(input(text), Some(Input::Texts(items)) if items.len() == 1);
    assert!(texts(r#"{"input":"a"}"#) && texts(r#"{"input":["a"]}"#));
    let tokens = |text, n| matches!(input(text), Some(Input::Tokens(items)) if items.len() == n);
    assert!(tokens(r#"{"input":[1,2,3]}"#, 1) && tokens(r#"{"input":[[1,2],[3]]}"#, 2));
    assert!(matches!(
        input(r#"{"input":[{"a":1}]}"#),
        Some(Input::Objects(_))
    ));
    assert!(input(r#"{"input":[]}"#).is_some_and(|input| input.is_empty()));
    for wrong in [
        r#"{}"#,
        r#"{"input":null}"#,
        r#"{"input":7}"#,
        r#"{"input":["a",1]}"#,
        r#"{"input":[1,"a"]}"#,
        r#"{"input":[1.5]}"#,
        r#"{"input":[-1]}"#,
        r#"{"input":[[1],[]]}"#,
        r#"{"input":[[1],["a"]]}"#,
    ] {
        assert!(input(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn base64_is_that_of_the_standard() {
    let cases = ["", "f", "fo", "foo", "foob", "fooba", "foobar"];
    let encoded = [
        "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy",
    ];
    for (text, expected) in cases.iter().zip(encoded) {
        let mut out = Vec::new();
        base64::encode(text.as_bytes(), &mut out);
        assert_eq!(out, expected.as_bytes());
        assert_eq!(base64::decode(expected).expect("base64"), text.as_bytes());
        let unpadded = expected.trim_end_matches('=');
        assert_eq!(base64::decode(unpadded).expect("base64"), text.as_bytes());
    }
    assert!(base64::decode("Z").is_none() && base64::decode("Zm-v").is_none());
}

#[test]
fn vectors_change_their_form_and_nothing_else() {
    let convert = |vector: &str, base64| {
        let raw = serde_json::from_str(vector).expect("JSON");
        let mut out = Vec::new();
        write_vector(raw, base64, &mut out)?;
        Some(String::from_utf8(out).expect("text"))
    };
    // struct.pack("<3f", 1, -0.5, 0.1) in base64.
    let (numbers, text) = ("[1.0,-0.5,0.1]", "\"AACAPwAAAL/NzMw9\"");
    assert_eq!(convert(numbers, true).as_deref(), Some(text));
    assert_eq!(convert(text, false).as_deref(), Some(numbers));
    assert_eq!(convert("[1, 2]", false).as_deref(), Some("[1, 2]"));
    assert_eq!(convert(text, true).as_deref(), Some(text));
    assert_eq!(convert("[\"a\"]", true), None);
    assert_eq!(convert("\"AACAPwA=\"", false), None);
    assert_eq!(convert("{}", true), None);
}
