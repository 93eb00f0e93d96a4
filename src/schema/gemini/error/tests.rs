//! Delays and classes that differ by a word.

use super::read;
use crate::failure::Class;
use crate::schema::ErrorReply;

fn class(status: u16, word: &str, message: &str) -> Class {
    let body =
        format!(r#"{{"error":{{"code":{status},"message":"{message}","status":"{word}"}}}}"#);
    let reply = ErrorReply {
        rules: &[],
        status,
        retry_after: None,
        body: body.as_bytes(),
    };
    read(&reply).class
}

#[test]
fn a_status_is_more_exact_than_a_word_that_only_blames() {
    let rows = [
        (402, Class::QuotaExhausted),
        (408, Class::Timeout),
        (410, Class::ModelNotFound),
        (413, Class::ContextLengthExceeded),
        (302, Class::ServerError),
        (422, Class::InvalidRequest),
        // Inside a reply, where Google's own code was none.
        (500, Class::InvalidRequest),
    ];
    for (status, expected) in rows {
        assert_eq!(
            class(status, "INVALID_ARGUMENT", "no"),
            expected,
            "{status}"
        );
    }
}

#[test]
fn what_another_candidate_may_do_better_is_not_the_clients_fault() {
    let cases = [
        (
            "API key not valid. Please pass a valid API key.",
            Class::Authentication,
        ),
        (
            "API key expired. Please renew the API key.",
            Class::Authentication,
        ),
        (
            "User location is not supported for the API use.",
            Class::Authentication,
        ),
        (
            "The input token count exceeds the maximum.",
            Class::ContextLengthExceeded,
        ),
        (
            "Request contains an invalid argument.",
            Class::InvalidRequest,
        ),
    ];
    for (message, expected) in cases {
        assert_eq!(
            class(400, "INVALID_ARGUMENT", message),
            expected,
            "{message}"
        );
        assert_eq!(class(400, "NEW_WORD", message), expected, "{message}");
    }
}

#[test]
fn a_delay_is_rounded_up_to_seconds() {
    for (delay, expected) in [
        ("36s", Some(36)),
        ("0.2s", Some(1)),
        ("soon", None),
        ("-1s", None),
    ] {
        let body = format!(
            r#"[{{"error":{{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{{"retryDelay":"{delay}"}}]}}}}]"#
        );
        let reply = ErrorReply {
            rules: &[],
            status: 429,
            retry_after: None,
            body: body.as_bytes(),
        };
        assert_eq!(read(&reply).retry_after_s, expected, "{delay}");
    }
}
