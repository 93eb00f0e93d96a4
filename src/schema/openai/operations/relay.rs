//! A JSON body, copied with another model's name: for operations that need no translation.

use crate::fidelity::Report;
use crate::json::{self, Extra, Kind};
use crate::json::{Members, ObjectWriter};
use crate::schema::{Target, TranslateError, provider_options};

/// What else changes on the way.
pub struct Relay {
    /// The only fields that the speaker takes, spaces between them; `None` for one that ignores
    /// others.
    pub accepts: Option<&'static str>,
    /// Fields of other APIs that it refuses, spaces between them.
    pub drops: &'static str,
    /// Fields that it knows under another name.
    pub renames: &'static [(&'static str, &'static str)],
}

impl Relay {
    /// Nothing but the model's name.
    pub const PLAIN: Relay = Relay {
        accepts: None,
        drops: "",
        renames: &[],
    };

    /// The client's body with this target's model name and options.
    ///
    /// Fails when the body is no JSON object, or `provider_options` are not objects.
    pub(in crate::schema) fn write(
        &self,
        target: &Target<'_>,
        report: &mut Report,
    ) -> Result<Vec<u8>, TranslateError> {
        let Members(members) =
            json::read(target.source).map_err(|_| TranslateError::new("body", "a JSON object"))?;
        let find = |name: &str| members.iter().find(|(known, _)| *known == name);
        let options = find("provider_options").map(|(_, raw)| *raw);
        let options = provider_options::read(options, target, is_ours, report)?;
        let mut out = Vec::with_capacity(target.source.len() + 64);
        let mut writer = ObjectWriter::begin(&mut out);
        for (name, value) in members.iter().filter(|(name, _)| !has(&options, name)) {
            let to = self.renamed(name);
            match name.as_str() {
                "model" => json::write(writer.value(name), target.model),
                "provider_options" => {}
                _ if self.takes(to) => writer.raw(to, value.get()),
                _ if json::kind(value) == Kind::Null => {}
                _ => report.dropped(name.to_string(), "this provider has no such parameter"),
            }
        }
        for (name, value) in &options {
            writer.raw(name, value.get());
        }
        for (name, value) in target.defaults {
            let said = members.iter().any(|(known, _)| self.renamed(known) == name);
            if !said && !has(&options, name) {
                let reason = "set for this model in the configuration";
                report.defaulted(name.clone(), reason);
                writer.raw(name, value);
            }
        }
        writer.end();
        Ok(out)
    }

    fn renamed<'n>(&self, name: &'n str) -> &'n str
    where
        'static: 'n,
    {
        let rename = self.renames.iter().find(|(from, _)| *from == name);
        rename.map_or(name, |(_, to)| to)
    }

    fn takes(&self, name: &str) -> bool {
        let is_one_of = |names: &str| names.split_whitespace().any(|known| known == name);
        !is_one_of(self.drops) && self.accepts.is_none_or(is_one_of)
    }
}

/// Whether the route or the reply's translation depends on the field.
fn is_ours(name: &str) -> bool {
    matches!(
        name,
        "model" | "stream" | "input" | "query" | "documents" | "provider_options"
    )
}

fn has(fields: &Extra<'_>, name: &str) -> bool {
    fields.iter().any(|(known, _)| *known == name)
}
