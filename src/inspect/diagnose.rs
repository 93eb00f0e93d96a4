//! Where a body that could not be read is wrong. Slow, and only for bodies that are refused.
//!
//! serde's own messages quote values from the body, so none of them is used.

use serde_json::Value;
use serde_json::error::Category;

use super::InvalidRequest;
use crate::json;

/// What a field must be.
#[derive(Clone, Copy)]
enum Expected {
    String,
    Bool,
    Object(&'static [(&'static str, Expected)]),
    Array(&'static Expected),
}

use Expected::{Array, Bool, Object, String as Str};

const FUNCTION_CALL: Expected = Object(&[("name", Str), ("arguments", Str)]);

const TOOL_CALL: Expected = Object(&[("id", Str), ("type", Str), ("function", FUNCTION_CALL)]);

const MESSAGE: Expected = Object(&[
    ("role", Str),
    ("tool_calls", Array(&TOOL_CALL)),
    ("tool_call_id", Str),
    ("function_call", FUNCTION_CALL),
    ("reasoning_content", Str),
]);

const TOOL: Expected = Object(&[
    ("type", Str),
    ("function", Object(&[("name", Str), ("strict", Bool)])),
]);

const RESPONSE_FORMAT: Expected = Object(&[
    ("type", Str),
    ("json_schema", Object(&[("name", Str), ("strict", Bool)])),
]);

const REQUEST: Expected = Object(&[
    ("model", Str),
    ("messages", Array(&MESSAGE)),
    ("reasoning_effort", Str),
    ("response_format", RESPONSE_FORMAT),
    ("stream", Bool),
    ("stream_options", Object(&[("include_usage", Bool)])),
    ("tools", Array(&TOOL)),
]);

const OPERATION: Expected = Object(&[
    ("model", Str),
    ("encoding_format", Str),
    ("input_type", Str),
]);

/// The first place at which `body` is not a request for anything but chat.
pub(super) fn diagnose_operation(body: &[u8]) -> InvalidRequest {
    match json::deserialize::<Value>(body) {
        Ok(value) => find(&value, OPERATION, "")
            .unwrap_or_else(|| InvalidRequest::new("", "the body is not such a request")),
        Err(error) => InvalidRequest::new("", syntax(body, &error)),
    }
}

/// The first place at which `body` is not a chat completion request.
pub(super) fn diagnose(body: &[u8]) -> InvalidRequest {
    match json::deserialize::<Value>(body) {
        Ok(value) => find(&value, REQUEST, "").unwrap_or_else(|| {
            InvalidRequest::new("", "the body is not a chat completion request")
        }),
        Err(error) => InvalidRequest::new("", syntax(body, &error)),
    }
}

fn syntax(body: &[u8], error: &serde_json::Error) -> String {
    if body.trim_ascii().is_empty() {
        return "the body is empty; it must be a JSON object".to_owned();
    }
    if std::str::from_utf8(body).is_err() {
        return "the body is not UTF-8".to_owned();
    }
    let what = match error.classify() {
        Category::Eof => "the body ends in the middle of its JSON",
        _ => "the body is not valid JSON",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

fn find(value: &Value, expected: Expected, path: &str) -> Option<InvalidRequest> {
    match (expected, value) {
        (Str, Value::String(_)) | (Bool, Value::Bool(_)) => None,
        (Object(fields), Value::Object(object)) => fields.iter().find_map(|(name, expected)| {
            let value = object.get(*name).filter(|value| !value.is_null())?;
            let path = if path.is_empty() {
                (*name).to_owned()
            } else {
                format!("{path}.{name}")
            };
            find(value, *expected, &path)
        }),
        (Array(item), Value::Array(items)) => items
            .iter()
            .enumerate()
            .find_map(|(i, value)| find(value, *item, &format!("{path}[{i}]"))),
        (expected, found) => Some(wrong(path, expected, found)),
    }
}

fn wrong(path: &str, expected: Expected, found: &Value) -> InvalidRequest {
    let expected = match expected {
        Str => "a string",
        Bool => "true or false",
        Object(_) => "an object",
        Array(_) => "an array",
    };
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    let subject = if path.is_empty() {
        "the body must be"
    } else {
        "must be"
    };
    InvalidRequest::new(path, format!("{subject} {expected}, found {found}"))
}
