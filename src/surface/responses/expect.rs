//! Shapes that are asked of a body, with errors that say where and never quote a value.

use crate::fidelity::Report;
use crate::inspect::InvalidRequest;
use crate::json::{self, Extra, Kind, Raw};

/// Where a value stands in the body.
#[derive(Clone, Copy)]
pub(super) struct At<'p>(pub &'p str);

impl At<'_> {
    pub(super) fn field(self, name: &str) -> String {
        format!("{}.{name}", self.0)
    }

    pub(super) fn wrong(self, field: &str, message: &'static str) -> InvalidRequest {
        InvalidRequest::new(self.field(field), message)
    }

    /// A JSON string that must be there.
    pub(super) fn text<'a>(
        self,
        field: &str,
        value: Option<Raw<'a>>,
    ) -> Result<Raw<'a>, InvalidRequest> {
        string(&self.field(field), value)?.ok_or_else(|| self.wrong(field, "is missing"))
    }
}

/// An object of this shape.
pub(super) fn object<'a, T: json::FromJson<'a>>(
    param: &str,
    value: Raw<'a>,
) -> Result<T, InvalidRequest> {
    if json::kind(value) != Kind::Object {
        return Err(InvalidRequest::new(param, "must be an object"));
    }
    let wrong = || InvalidRequest::new(param, "has a field of another type than it must have");
    json::parse(value).ok_or_else(wrong)
}

/// The values of an array; none when it is absent.
pub(super) fn array<'a>(
    param: &str,
    value: Option<Raw<'a>>,
) -> Result<Vec<Raw<'a>>, InvalidRequest> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    json::parse(value).ok_or_else(|| InvalidRequest::new(param, "must be an array"))
}

/// A boolean; false when it is absent.
pub(super) fn flag(param: &str, value: Option<Raw<'_>>) -> Result<bool, InvalidRequest> {
    let Some(value) = value else {
        return Ok(false);
    };
    json::parse(value).ok_or_else(|| InvalidRequest::new(param, "must be true or false"))
}

/// A JSON string, if it is there.
pub(super) fn string<'a>(
    param: &str,
    value: Option<Raw<'a>>,
) -> Result<Option<Raw<'a>>, InvalidRequest> {
    match value {
        Some(raw) if json::kind(raw) != Kind::String => {
            Err(InvalidRequest::new(param, "must be a string"))
        }
        value => Ok(value),
    }
}

/// Whether a value says something else than this word.
pub(super) fn is_not(value: Option<Raw<'_>>, word: &str) -> bool {
    value.is_some_and(|value| value.get() != word)
}

/// Reports every field that nobody knows.
pub(super) fn report_extra(at: Option<At<'_>>, extra: &Extra<'_>, report: &mut Report) {
    for (name, _) in extra {
        let param = at.map_or_else(|| name.to_string(), |at| at.field(name));
        report.dropped(param, "not a field of the Responses API");
    }
}
