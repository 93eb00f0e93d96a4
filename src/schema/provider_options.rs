//! `provider_options`: fields that the client wrote for this provider alone.

use crate::fidelity::Report;
use crate::json::{self, Extra, Raw};
use crate::schema::{Target, TranslateError};
use crate::wire;

wire! {
    /// Any object.
    pub struct Object<'a> {}
}

/// The fields meant for `target`, each once; those under the provider's own name win.
///
/// `is_ours` tells the fields that the gateway itself sets. Options of other providers are
/// not for us, and not a finding.
pub(super) fn read<'a>(
    provider_options: Option<Raw<'a>>,
    target: &Target<'_>,
    is_ours: impl Fn(&str) -> bool,
    report: &mut Report,
) -> Result<Extra<'a>, TranslateError> {
    let Some(raw) = provider_options else {
        return Ok(Extra::new());
    };
    let expected = |param: &str| TranslateError::new(param.to_owned(), "an object");
    let providers: Object<'a> = json::parse(raw).ok_or_else(|| expected("provider_options"))?;
    let mut fields = Extra::new();
    let [provider, kind, _] = target.option_keys;
    for key in target.option_keys {
        let Some((_, raw)) = providers.extra.iter().find(|(name, _)| *name == key) else {
            continue;
        };
        let param = format!("provider_options.{key}");
        let options: Object<'a> = json::parse(raw).ok_or_else(|| expected(&param))?;
        for (name, value) in options.extra {
            // Meant for a schema that several speak, each in its own dialect.
            let is_foreign = key != provider && key != kind && !target.dialect.takes(&name);
            if is_foreign {
                let reason = "this provider has no such parameter";
                report.dropped(format!("{param}.{name}"), reason);
            } else if is_ours(&name) {
                report.dropped(format!("{param}.{name}"), "the gateway itself sets it");
            } else if !fields.iter().any(|(known, _)| *known == name) {
                fields.push((name, value));
            }
        }
    }
    Ok(fields)
}
