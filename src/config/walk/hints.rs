//! Ways out for values of another shape than they should have: what was probably meant, written
//! as it should be. Native only: the command line tells.

use super::super::document::Value;
use super::super::path::Path;
use super::super::shape::{Object, Presence, Shape};
use super::super::words::looks_like_credential;

/// How to write what was meant by `value`, where this is to be told; else empty.
pub(super) fn of(shape: &Shape, value: &Value, path: &Path) -> String {
    match (shape, value) {
        (Shape::Object(object), Value::Bool(on)) => switch(object, *on, path),
        (Shape::Object(object), Value::Text(text)) => {
            candidate(object, text).map_or_else(String::new, |c| format!("write {c}"))
        }
        (Shape::List { items, .. }, Value::Text(text)) => match items {
            Shape::Object(object) => {
                candidate(object, text).map_or_else(of_one, |c| format!("write [{c}]"))
            }
            _ => of_one(),
        },
        (Shape::List { .. }, Value::Map(_)) => of_one(),
        _ => String::new(),
    }
}

fn of_one() -> String {
    "a list, even of one: put it in brackets, or a dash before it".to_owned()
}

/// An object that is switched on or off as if it were a word.
fn switch(object: &Object, on: bool, path: &Path) -> String {
    let path = path.to_string();
    let name = path.rsplit('.').next().unwrap_or_default();
    let needs_something = object
        .fields
        .iter()
        .any(|f| f.presence == Presence::Required);
    match (on, needs_something) {
        (true, false) => format!("write {name}: {{}} for what it does unless it is told otherwise"),
        (true, true) => String::new(),
        (false, _) => "leave it out".to_owned(),
    }
}

/// `provider/model`, as rules take it, as an object that has both.
fn candidate(object: &Object, text: &str) -> Option<String> {
    let has = |name: &str| object.fields.iter().any(|field| field.name == name);
    let (provider, model) = text.split_once('/')?;
    let is_candidate = has("provider") && has("model") && !looks_like_credential(text);
    is_candidate.then(|| format!("{{provider: {provider}, model: {model}}}"))
}
