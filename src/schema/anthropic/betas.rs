//! Names of beta features: what the client and the operator ask for, less what the host refuses.

use std::borrow::Cow;

use super::host::Host;
use crate::fidelity::Report;
use crate::json::{self, Extra, Raw, Text};
use crate::schema::{Target, TranslateError};

/// The header, and the name under which something is lost.
pub(super) const HEADER: &str = "anthropic-beta";

/// The body's field, also in `provider_options` and in the configuration's defaults.
pub(super) const FIELD: &str = "anthropic_beta";

/// Tool search goes by another name on the clouds.
const RENAMED: (&str, &str) = (
    "advanced-tool-use-2025-11-20",
    "tool-search-tool-2025-10-19",
);

/// The names that the host is told, each once: the operator's as they are, then the client's.
/// Takes them out of `overrides`.
pub(super) fn read<'a>(
    host: &Host,
    target: &Target<'a>,
    overrides: &mut Extra<'a>,
    report: &mut Report,
) -> Result<Vec<Cow<'a, str>>, TranslateError> {
    let mut names = Vec::new();
    if let Some(json) = target.defaults.get(FIELD) {
        let own: Vec<Text<'a>> = json::parse_text(json).unwrap_or_default();
        names.extend(own.into_iter().map(Text::into_inner));
    }
    for line in target.betas {
        for name in line.split(',').map(str::trim) {
            add(host, Cow::Borrowed(name), &mut names, report);
        }
    }
    while let Some(at) = overrides.iter().position(|(name, _)| *name == FIELD) {
        let (_, raw) = overrides.swap_remove(at);
        for name in options(raw)? {
            add(host, name.into_inner(), &mut names, report);
        }
    }
    Ok(names)
}

/// What stands in `provider_options`; the names may end up in a header.
fn options<'a>(raw: Raw<'a>) -> Result<Vec<Text<'a>>, TranslateError> {
    let is_name = |name: &Text<'_>| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
        !name.is_empty() && name.bytes().all(plain)
    };
    json::parse::<Vec<Text<'a>>>(raw)
        .filter(|names| names.iter().all(is_name))
        .ok_or_else(|| {
            let param = format!("provider_options.{FIELD}");
            TranslateError::new(param, "an array of names of beta features")
        })
}

fn add<'a>(host: &Host, name: Cow<'a, str>, names: &mut Vec<Cow<'a, str>>, report: &mut Report) {
    let name = match host.betas.known {
        Some(_) if name == RENAMED.0 => {
            report.rewritten(HEADER, format!("{} has another name for it", host.name));
            Cow::Borrowed(RENAMED.1)
        }
        _ => name,
    };
    if name.is_empty() || names.contains(&name) {
        return;
    }
    if host.betas.known.is_none_or(|known| is_among(known, &name)) {
        names.push(name);
    } else {
        report.dropped(HEADER, format!("{} does not know one of them", host.name));
    }
}

/// `feature-2026-01-31` is the feature of this name.
fn is_among(known: &[&str], name: &str) -> bool {
    let is = |feature: &str| {
        let date = name.strip_prefix(feature).and_then(|d| d.strip_prefix('-'));
        date.is_some_and(|d| d.bytes().all(|b| b.is_ascii_digit() || b == b'-'))
    };
    known.iter().any(|feature| is(feature))
}
