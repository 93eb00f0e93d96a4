//! `response_format` in the target's dialect: enforced, or only asked for.

use crate::fidelity::Report;
use crate::json::ObjectWriter;
use crate::json::Raw;
use crate::schema::Target;
use crate::schema::openai::dialect::contains;
use crate::schema::openai::request::ChatCompletionRequest;

/// How the reply gets its form.
pub(super) enum Format {
    /// The provider takes it as it came.
    AsSent,
    /// Something weaker is sent, if anything, and the model is told in words.
    Asked {
        json_mode: bool,
        instruction: String,
    },
}

impl Format {
    pub(super) fn read(
        request: &ChatCompletionRequest<'_>,
        target: &Target<'_>,
        report: &mut Report,
    ) -> Format {
        let knows =
            |kind: &str, able: bool| able && contains(&target.dialect.response_formats, kind);
        let has_schemas = knows("json_schema", target.capabilities.json_schema);
        let json_mode = knows("json_object", target.capabilities.json_mode);
        let format = request.response_format.as_ref();
        match format.and_then(|format| format.kind.as_deref()) {
            Some("json_schema") if !has_schemas => {
                let reason = "this provider does not enforce schemas: the model is asked for it";
                report.downgraded("response_format", reason);
                let schema = format.and_then(|f| f.json_schema.as_ref()?.schema);
                Format::Asked {
                    json_mode,
                    instruction: schema.map_or_else(json_only, with_schema),
                }
            }
            Some("json_object") if !json_mode => {
                let reason = "this provider has no JSON mode: the model is asked for it";
                report.downgraded("response_format", reason);
                Format::Asked {
                    json_mode: false,
                    instruction: json_only(),
                }
            }
            _ => Format::AsSent,
        }
    }

    /// Whether the provider holds the model to a form.
    pub(super) fn is_held(&self, request: &ChatCompletionRequest<'_>) -> bool {
        match self {
            Format::AsSent => {
                let kind = request
                    .response_format
                    .as_ref()
                    .and_then(|f| f.kind.as_deref());
                matches!(kind, Some("json_object" | "json_schema"))
            }
            Format::Asked { json_mode, .. } => *json_mode,
        }
    }

    /// What the model is told.
    pub(super) fn instruction(&self) -> Option<&str> {
        match self {
            Format::AsSent => None,
            Format::Asked { instruction, .. } => Some(instruction),
        }
    }

    /// Writes `response_format`.
    pub(super) fn write(&self, value: Raw<'_>, writer: &mut ObjectWriter<'_>) {
        match self {
            Format::AsSent => writer.raw("response_format", value.get()),
            Format::Asked {
                json_mode: true, ..
            } => {
                writer.raw("response_format", "{\"type\":\"json_object\"}");
            }
            Format::Asked {
                json_mode: false, ..
            } => {}
        }
    }
}

fn json_only() -> String {
    "Answer with one valid JSON object and nothing else: no prose, no code fence.".to_owned()
}

fn with_schema(schema: Raw<'_>) -> String {
    let schema = schema.get();
    format!(
        "Answer with one valid JSON object that follows this JSON Schema, and nothing else: no \
         prose, no code fence.\n{schema}"
    )
}
