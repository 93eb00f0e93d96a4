//! A JSON schema for a provider that does not enforce one: the model is told in words.

use super::draft::Draft;
use super::{Candidate, prompt};
use crate::fidelity::Report;
use crate::schema::openai::JsonSchemaFormat;

/// Moves the schema into the system prompt; JSON mode is used where there is one.
pub(super) fn degrade(draft: &mut Draft<'_>, candidate: &Candidate<'_>, report: &mut Report) {
    let format = draft.request.response_format.as_ref();
    let Some(format) = format.and_then(|format| format.json_schema.as_ref()) else {
        return;
    };
    let JsonSchemaFormat {
        name: _, // a label without effect
        description,
        schema,
        strict: _, // words are never strict: the report says so
        extra: _,  // not a field of the request schema
    } = format;
    let mut words = "Answer with one valid JSON object that follows this JSON Schema, and nothing \
                     else: no prose, no code fence."
        .to_owned();
    if let Some(text) = description.and_then(crate::json::parse::<String>) {
        words.push_str("\nIt is: ");
        words.push_str(&text);
    }
    if let Some(schema) = schema {
        words.push('\n');
        words.push_str(schema.get());
    }
    prompt::append(draft, &words);
    let reason = "this model does not enforce schemas: it is asked for one in words";
    report.downgraded("response_format", reason);
    if has_json_mode(candidate) {
        draft.set("response_format", "{\"type\":\"json_object\"}".to_owned());
    } else {
        draft.remove("response_format");
    }
}

/// Whether the provider holds the model to JSON, so that it need not be asked a second time.
fn has_json_mode(candidate: &Candidate<'_>) -> bool {
    candidate.backend.capabilities.json_mode
        && candidate.dialect.takes_format("json_object")
        && !candidate.schema.forces_json_by_tool()
}
