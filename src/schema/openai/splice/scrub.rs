//! Messages and tools without the extensions that the target's dialect does not know.

use crate::fidelity::Report;
use crate::json::{self, Kind, Raw};
use crate::schema::openai::dialect::{Dialect, MESSAGE_EXTENSIONS};

use crate::json::{Members, ObjectWriter};

/// Copies an array of parts or calls without the extensions of its items. Extensions stand no
/// deeper, and nothing deeper is looked at: a client can nest at will, and the stack is small.
pub(super) fn items(
    path: &str,
    value: Raw<'_>,
    dialect: &Dialect,
    report: &mut Report,
    out: &mut Vec<u8>,
) {
    let items = Some(value).filter(|value| has_extension(value.get(), dialect));
    let Some(items) = items.and_then(json::parse::<Vec<Raw<'_>>>) else {
        return out.extend_from_slice(value.get().as_bytes());
    };
    let path = format!("{path}[]");
    out.push(b'[');
    for (i, value) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        item(&path, value, dialect, report, out);
    }
    out.push(b']');
}

/// Copies one object without its extensions.
pub(super) fn item(
    path: &str,
    value: Raw<'_>,
    dialect: &Dialect,
    report: &mut Report,
    out: &mut Vec<u8>,
) {
    if json::kind(value) != Kind::Object {
        return out.extend_from_slice(value.get().as_bytes());
    }
    let Members(members) = json::parse(value).unwrap_or_default();
    let mut writer = ObjectWriter::begin(out);
    for (name, value) in &members {
        if is_extension(name, dialect) {
            note(path, name, value, report);
        } else {
            writer.raw(name, value.get());
        }
    }
    writer.end();
}

/// Notes an extension that was left out; `null` says nothing, so nothing is lost with it.
pub(super) fn note(path: &str, name: &str, value: Raw<'_>, report: &mut Report) {
    if json::kind(value) != Kind::Null {
        report.dropped(format!("{path}.{name}"), "not a field of OpenAI's API");
    }
}

/// Whether an extension may stand in a text; one inside a string costs time, nothing else.
pub(super) fn has_extension(text: &str, dialect: &Dialect) -> bool {
    let mut names = MESSAGE_EXTENSIONS.iter();
    names.any(|name| !dialect.knows(name) && text.contains(name))
}

/// Whether a field is an extension that the dialect does not know.
pub(super) fn is_extension(name: &str, dialect: &Dialect) -> bool {
    MESSAGE_EXTENSIONS.contains(&name) && !dialect.knows(name)
}
