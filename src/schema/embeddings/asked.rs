//! What a provider that speaks another language must carry of a request.

use super::{EmbeddingsRequest, Input};
use crate::fidelity::Report;
use crate::json::{self, Extra, Json, Kind, Raw, Text};
use crate::schema::fields::Fields;
use crate::schema::{Hints, Target, TranslateError, provider_options, unmapped};

/// A request for embeddings of texts, without what no other language has.
pub(in crate::schema) struct Asked<'a> {
    /// JSON strings; at least one.
    pub texts: Vec<Raw<'a>>,
    /// Numbers in each vector.
    pub dimensions: Option<Raw<'a>>,
    /// What the embeddings are for.
    pub purpose: Option<Text<'a>>,
    /// What the reply needs to know.
    pub hints: Hints,
    options: Extra<'a>,
}

impl<'a> Asked<'a> {
    /// Reads the client's body; `most` is how many texts the provider takes at once.
    ///
    /// Errors: tokens and objects, which mean nothing to other models, and too many texts.
    pub(in crate::schema) fn read(
        target: &Target<'a>,
        vendor: &str,
        most: usize,
        is_ours: impl Fn(&str) -> bool,
        report: &mut Report,
    ) -> Result<Asked<'a>, TranslateError> {
        let request: EmbeddingsRequest<'a> =
            json::read(target.source).map_err(|_| TranslateError::new("body", "a JSON object"))?;
        let texts = texts(request.input(), vendor, most)?;
        let hints = Hints {
            base64: request.wants_base64(),
            vectors: texts.len(),
            ..Hints::default()
        };
        let EmbeddingsRequest {
            model: _,           // the target's
            input: _,           // read above
            encoding_format: _, // the reply's translation sees to it
            dimensions,
            input_type,
            user,
            provider_options,
            extra,
        } = request;
        unmapped::report(vendor, &[("user", user, &["null"])], report);
        unmapped::report_extra("", &extra, report);
        let options = provider_options::read(provider_options, target, is_ours, report)?;
        Ok(Asked {
            texts,
            dimensions: dimensions.filter(|raw| json::kind(raw) != Kind::Null),
            purpose: input_type,
            hints,
            options,
        })
    }

    /// Adds the provider's own options, and its defaults for what is not set.
    pub(in crate::schema) fn settle(
        &self,
        target: &Target<'_>,
        fields: &mut Fields<'a>,
        report: &mut Report,
    ) {
        for (name, value) in &self.options {
            fields.set(name.to_string(), Json::Borrowed(value));
        }
        for (name, value) in target.defaults {
            if fields.get(name).is_none() {
                report.defaulted(name.clone(), "set for this model in the configuration");
                fields.set(name.clone(), json::owned(value.clone()));
            }
        }
    }
}

fn texts<'a>(
    input: Option<Input<'a>>,
    vendor: &str,
    most: usize,
) -> Result<Vec<Raw<'a>>, TranslateError> {
    let expected = match input {
        Some(Input::Texts(texts)) if texts.len() <= most => return Ok(texts),
        Some(Input::Texts(_)) if most == 1 => "one text: this model embeds one at a time".into(),
        Some(Input::Texts(_)) => format!("at most {most} texts: {vendor} takes no more at once"),
        Some(Input::Tokens(_)) => format!("texts: {vendor}'s models have other tokens"),
        Some(Input::Objects(_)) | None => "texts".to_owned(),
    };
    Err(TranslateError::new("input", expected))
}
