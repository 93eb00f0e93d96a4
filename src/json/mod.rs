//! Borrowed JSON: wire structs whose values are slices of the original body.
//!
//! Does not build a tree, and does not say what any field means.

use std::borrow::Cow;

mod members;
mod slot;
mod text;
mod wire;

pub use members::{Members, ObjectWriter, write_list};
pub use serde_json::value::RawValue;
pub use slot::{FromJson, Slot, Take, TakeMember, Unfit, fill};
pub use text::Text;

/// A JSON value exactly as it stood in the body.
pub type Raw<'a> = &'a RawValue;

/// Fields that a wire struct does not name, in the order they came.
pub type Extra<'a> = Vec<(Text<'a>, Raw<'a>)>;

/// Reads a whole JSON text.
///
/// Text is checked to be UTF-8 once, here.
pub fn read<'a, T: FromJson<'a>>(json: &'a [u8]) -> Result<T, serde_json::Error> {
    read_text(text_of(json)?)
}

/// Reads a whole JSON text as a type that serde reads by itself.
pub fn deserialize<'a, T: serde::Deserialize<'a>>(json: &'a [u8]) -> Result<T, serde_json::Error> {
    serde_json::from_str(text_of(json)?)
}

fn text_of(json: &[u8]) -> Result<&str, serde_json::Error> {
    std::str::from_utf8(json).map_err(serde::de::Error::custom)
}

fn read_text<'a, T: FromJson<'a>>(text: &'a str) -> Result<T, serde_json::Error> {
    let mut value = None;
    slot::whole(text, &mut value)?;
    value.ok_or_else(|| serde::de::Error::custom("no value"))
}

/// Parses `raw` as `T`; `None` when it has another shape.
///
/// The reason is left out on purpose: serde's messages quote the value.
pub fn parse<'a, T: FromJson<'a>>(raw: Raw<'a>) -> Option<T> {
    parse_text(raw.get())
}

/// Parses JSON text as [`parse`] does.
pub fn parse_text<'a, T: FromJson<'a>>(text: &'a str) -> Option<T> {
    read_text(text).ok()
}

/// What kind of JSON value a raw slice holds, told by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// a number
    Number,
    /// a string
    String,
    /// an array
    Array,
    /// an object
    Object,
}

/// The kind of `raw`.
pub fn kind(raw: &RawValue) -> Kind {
    match raw.get().as_bytes().first() {
        Some(b'n') | None => Kind::Null,
        Some(b't' | b'f') => Kind::Bool,
        Some(b'"') => Kind::String,
        Some(b'[') => Kind::Array,
        Some(b'{') => Kind::Object,
        Some(_) => Kind::Number,
    }
}

/// Appends `value` to `out` as JSON.
///
/// Writing into memory fails only for maps whose keys are not strings, which
/// no type of ours has; `out` is left as it was then.
pub fn write<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let start = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(start);
    }
}

/// `value` as a JSON string.
pub fn to_string<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The text inside a JSON object literal when `text` is one, else `None`.
///
/// Tool-call arguments are JSON inside a string; models do not always write valid JSON.
pub fn object(text: &str) -> Option<Raw<'_>> {
    let raw: Raw<'_> = parse_text(text.trim())?;
    (kind(raw) == Kind::Object).then_some(raw)
}

/// Whether a JSON string, still escaped, holds nothing but white space.
pub fn is_blank(text: &RawValue) -> bool {
    let mut chars = text.get().trim_matches('"').chars();
    while let Some(c) = chars.next() {
        let is_white = match c {
            '\\' => matches!(chars.next(), Some('n' | 't' | 'r' | 'f')),
            c => c.is_whitespace(),
        };
        if !is_white {
            return false;
        }
    }
    true
}

/// A JSON value, mostly a slice of the client's body, else written by us.
pub type Json<'a> = Cow<'a, RawValue>;

/// JSON text written by us, as a value.
pub fn owned(json: String) -> Json<'static> {
    RawValue::from_string(json).map_or(Cow::Borrowed(RawValue::NULL), Cow::Owned)
}
