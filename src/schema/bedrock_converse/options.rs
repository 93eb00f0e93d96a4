//! Fields in Converse's own words: from the client for this provider, and from the
//! configuration for what the client did not set.

use std::borrow::Cow;

use super::wire::ConverseRequest;
use crate::fidelity::Report;
use crate::json::{self, Extra, Json, Kind, Raw};
use crate::schema::fields::Fields;
use crate::schema::{Target, TranslateError};
use crate::wire;

wire! {
    /// Any object: all its fields are in `extra`, in order.
    pub struct Object<'a> {}
}

/// Whether the route or the reply's translation depends on the field.
pub(super) fn is_ours(name: &str) -> bool {
    matches!(name, "modelId" | "messages" | "model" | "stream")
}

/// Applies the client's options, which win over the translation, then the defaults.
pub(super) fn apply<'a>(
    options: Extra<'a>,
    target: &Target<'a>,
    body: &mut ConverseRequest<'a>,
    report: &mut Report,
) -> Result<(), TranslateError> {
    for (name, value) in options {
        match fields_of(body, &name) {
            Some(fields) => merge(&name, value, fields)?,
            None => body.others.set(name.into_inner(), Cow::Borrowed(value)),
        }
    }
    for (name, text) in target.defaults {
        let Some(value) = json::parse_text::<Raw<'a>>(text) else {
            continue; // Checked with the configuration.
        };
        if set_default(body, name, Cow::Borrowed(value)) {
            report.defaulted(name.clone(), "from the configuration");
        }
    }
    Ok(())
}

/// The objects that are merged field by field, not replaced.
fn fields_of<'b, 'a>(body: &'b mut ConverseRequest<'a>, name: &str) -> Option<&'b mut Fields<'a>> {
    match name {
        "inferenceConfig" => Some(&mut body.inference_config),
        "outputConfig" => Some(&mut body.output_config),
        "additionalModelRequestFields" => Some(&mut body.additional),
        _ => None,
    }
}

fn merge<'a>(name: &str, value: Raw<'a>, fields: &mut Fields<'a>) -> Result<(), TranslateError> {
    let param = || format!("provider_options.{name}");
    let Object { extra } =
        json::parse(value).ok_or_else(|| TranslateError::new(param(), "an object"))?;
    for (name, value) in extra {
        fields.set(name.into_inner(), Cow::Borrowed(value));
    }
    Ok(())
}

/// Sets a field that is not set: `name`, `object.name`, or every field of an object.
fn set_default<'a>(body: &mut ConverseRequest<'a>, name: &'a str, value: Json<'a>) -> bool {
    if let Some((object, field)) = name.split_once('.')
        && let Some(fields) = fields_of(body, object)
    {
        return set(fields, field, value);
    }
    let Some(fields) = fields_of(body, name) else {
        let is_written = name == "toolConfig" && body.tool_config.is_some()
            || name == "system" && !body.system.is_empty();
        return !is_written && set(&mut body.others, name, value);
    };
    let Cow::Borrowed(raw) = value else {
        return false;
    };
    let members: Vec<_> = match json::kind(raw) {
        Kind::Object => json::parse::<Object<'a>>(raw).unwrap_or_default().extra,
        _ => Vec::new(),
    };
    members.into_iter().fold(false, |any, (name, value)| {
        set(fields, name.into_inner(), Cow::Borrowed(value)) || any
    })
}

fn set<'a>(fields: &mut Fields<'a>, name: impl Into<Cow<'a, str>>, value: Json<'a>) -> bool {
    let name = name.into();
    let is_free = fields.get(&name).is_none();
    if is_free {
        fields.set(name, value);
    }
    is_free
}
