//! Fields in Gemini's own words: from the client for this provider, and from the
//! configuration for what the client did not set.

use std::borrow::Cow;

use super::super::wire::{Body, Fields, Json, Tool};
use crate::fidelity::Report;
use crate::json::{self, Raw, RawValue, Text};
use crate::schema::{Target, TranslateError};
use crate::wire;

wire! {
    /// Any object: all its fields are in `extra`, in order.
    pub struct Object<'a> {}
}

/// Applies `provider_options`, which win over the translation, then the defaults.
pub(super) fn apply<'a>(
    provider_options: Option<Raw<'a>>,
    target: &Target<'a>,
    body: &mut Body<'a>,
    report: &mut Report,
) -> Result<(), TranslateError> {
    if let Some(options) = provider_options {
        let Object { extra } = object(options, "provider_options")?;
        // From the widest to the narrowest name: the narrowest has the last word.
        let mut applied: Vec<&str> = Vec::new();
        for key in target.option_keys.into_iter().rev() {
            if applied.contains(&key) {
                continue;
            }
            applied.push(key);
            for (_, options) in extra.iter().filter(|(name, _)| *name == *key) {
                merge(key, options, body, report)?;
            }
        }
    }
    defaults(target, body, report);
    Ok(())
}

fn merge<'a>(
    key: &str,
    options: Raw<'a>,
    body: &mut Body<'a>,
    report: &mut Report,
) -> Result<(), TranslateError> {
    let path = format!("provider_options.{key}");
    let Object { extra } = object(options, &path)?;
    for (name, value) in extra {
        let path = format!("{path}.{name}");
        let name = camel_case(name);
        match &*name {
            "generationConfig" => merge_fields(value, &path, &mut body.generation_config)?,
            "toolConfig" => merge_fields(value, &path, &mut body.tool_config)?,
            "tools" => {
                let expected = "an array of Gemini's tools";
                let tools: Vec<Raw<'a>> =
                    json::parse(value).ok_or_else(|| TranslateError::new(path, expected))?;
                let native = |tool| Tool::Native(Cow::Borrowed(tool));
                body.tools.extend(tools.into_iter().map(native));
            }
            "contents" | "systemInstruction" => {
                report.dropped(path, "the conversation comes from messages");
            }
            "model" => report.dropped(path, "the model comes from the route"),
            _ => body.others.set(name, Cow::Borrowed(value)),
        }
    }
    Ok(())
}

fn merge_fields<'a>(
    value: Raw<'a>,
    path: &str,
    fields: &mut Fields<'a>,
) -> Result<(), TranslateError> {
    let Object { extra } = object(value, path)?;
    for (name, value) in extra {
        fields.set(camel_case(name), Cow::Borrowed(value));
    }
    // The two ways to say the same exclude each other.
    if fields.get("responseSchema").is_some() {
        fields.remove("responseJsonSchema");
    }
    Ok(())
}

fn defaults<'a>(target: &Target<'a>, body: &mut Body<'a>, report: &mut Report) {
    for (name, text) in target.defaults {
        let Some(value) = json::parse_text::<Raw<'a>>(text) else {
            continue; // Checked with the configuration.
        };
        let value = Cow::Borrowed(value);
        let is_set = match name.split_once('.') {
            Some(("generationConfig", field)) => {
                set_default(&mut body.generation_config, field, value)
            }
            Some(("toolConfig", field)) => set_default(&mut body.tool_config, field, value),
            _ => set_default(&mut body.others, name, value),
        };
        if is_set {
            report.defaulted(name.clone(), "from the configuration");
        }
    }
}

fn set_default<'a>(fields: &mut Fields<'a>, name: &'a str, value: Json<'a>) -> bool {
    let is_free = fields.get(name).is_none();
    if is_free {
        fields.set(name, value);
    }
    is_free
}

fn object<'a>(value: &'a RawValue, path: &str) -> Result<Object<'a>, TranslateError> {
    json::parse(value).ok_or_else(|| TranslateError::new(path.to_owned(), "an object"))
}

/// Google's APIs take both spellings, but not both at once.
fn camel_case(name: Text<'_>) -> Cow<'_, str> {
    if !name.contains('_') {
        return name.into_inner();
    }
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|c| c.to_ascii_uppercase()));
        camel.extend(letters);
    }
    Cow::Owned(camel)
}
