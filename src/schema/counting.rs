//! Counts of tokens where a provider counts what it would be asked to answer: the chat request as
//! its own schema writes it, without what makes an answer.

use std::collections::BTreeMap;

use super::openai::ChatCompletionRequest;
use super::openai::operations::Relay;
use super::{OperationSchema, Reply, ReplyContext, Schema, Target, TranslateError, Translated};
use crate::failure::Failure;
use crate::fidelity::Report;
use crate::json::{self, Members, ObjectWriter};
use crate::usage::Usage;

/// One provider's way to count, for one API of clients.
pub struct CountTokens {
    /// How the provider is asked.
    pub form: Form,
    /// What stands in the reply before the count.
    pub object: &'static str,
}

/// How a provider is asked.
#[derive(Clone, Copy)]
pub enum Form {
    /// `countTokens` of AI Studio, which takes a whole request.
    ///
    /// Source: Gemini API reference, "Counting tokens", read 2026-11-21.
    Gemini(&'static dyn Schema),
    /// `countTokens` of Vertex AI.
    ///
    /// Source: google-genai 3.4, `CountTokensConfig` for Vertex AI, read 2026-11-21.
    Vertex(&'static dyn Schema),
    /// Bedrock's `CountTokens`.
    ///
    /// Source: botocore's model of bedrock-runtime, "CountTokens", read 2026-11-21.
    Converse(&'static dyn Schema),
    /// Anthropic's `count_tokens` on Vertex AI: the client's own body.
    ///
    /// Source: the client of Anthropic's SDK 2.11, read 2026-11-21.
    VertexMessages,
}

/// Defaults are meant for what makes something, not for what counts.
static NO_DEFAULTS: BTreeMap<String, String> = BTreeMap::new();

impl CountTokens {
    /// For clients of Anthropic's API, and for those of OpenAI's.
    pub const fn both(form: Form) -> [CountTokens; 2] {
        let of_responses = r#""object":"response.input_tokens","#;
        [
            CountTokens { form, object: "" },
            CountTokens {
                form,
                object: of_responses,
            },
        ]
    }
}

impl OperationSchema for CountTokens {
    fn reads_chat(&self) -> bool {
        !matches!(self.form, Form::VertexMessages)
    }

    fn translate_request(
        &self,
        target: &Target<'_>,
        _media_type: &str,
        report: &mut Report,
    ) -> Result<Translated, TranslateError> {
        let target = &Target {
            defaults: &NO_DEFAULTS,
            ..*target
        };
        let (schema, kept) = match self.form {
            Form::Gemini(schema) => (schema, "contents systemInstruction tools toolConfig"),
            Form::Vertex(schema) => (schema, "contents systemInstruction tools"),
            Form::Converse(schema) => (
                schema,
                "messages system toolConfig additionalModelRequestFields",
            ),
            Form::VertexMessages => return versioned(Relay::PLAIN.write(target, report)?),
        };
        let no_chat = || TranslateError::new("body", "a chat completion request");
        let request = ChatCompletionRequest::parse(target.source).ok_or_else(no_chat)?;
        let asked = schema.translate_request(&request, target, report)?;
        let Members(members) = json::read(&asked.body).map_err(|_| no_chat())?;
        let (before, after) = match self.form {
            Form::Gemini(_) => (r#"{"generateContentRequest":"#, "}"),
            Form::Converse(_) => (r#"{"input":{"converse":"#, "}}"),
            _ => ("", ""),
        };
        let mut body = before.as_bytes().to_vec();
        let mut writer = ObjectWriter::begin(&mut body);
        if matches!(self.form, Form::Gemini(_)) {
            json::write(writer.value("model"), &format!("models/{}", target.model));
        }
        let is_kept = |name: &str| kept.split(' ').any(|known| known == name);
        for (name, value) in members.iter().filter(|(name, _)| is_kept(name)) {
            writer.raw(name, value.get());
        }
        writer.end();
        body.extend_from_slice(after.as_bytes());
        let headers = asked.headers;
        Ok(Translated {
            body,
            headers,
            ..Translated::default()
        })
    }

    fn translate_response(
        &self,
        context: &ReplyContext,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Reply, Failure> {
        let malformed = || {
            let message = "the provider's reply is not a count of tokens";
            Failure::malformed(message)
        };
        let Members(members) = json::read(body).map_err(|_| malformed())?;
        let is_count = |name: &str| matches!(name, "totalTokens" | "inputTokens" | "input_tokens");
        let count = members.iter().find(|(name, _)| is_count(name));
        let count: u64 = count
            .and_then(|(_, count)| json::parse(count))
            .ok_or_else(malformed)?;
        let object = self.object;
        out.extend_from_slice(format!(r#"{{{object}"input_tokens":{count}}}"#).as_bytes());
        Ok(Reply {
            // Counting is free.
            usage: Usage::default(),
            model: context.model.clone(),
            refused: false,
        })
    }
}

/// Vertex AI wants the version in the body.
fn versioned(body: Vec<u8>) -> Result<Translated, TranslateError> {
    let version: &[u8] = br#"{"anthropic_version":"vertex-2023-10-16","#;
    let body = [version, body.get(1..).unwrap_or_default()].concat();
    Ok(Translated {
        body,
        ..Translated::default()
    })
}
