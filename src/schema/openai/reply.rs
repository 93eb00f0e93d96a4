//! Replies of OpenAI-compatible providers: read for what the gateway must know, passed on as
//! they are.

use crate::failure::{Class, Failure};
use crate::fidelity::Report;
use crate::json;
use crate::schema::openai::ChatCompletionRequest;
use crate::schema::{
    ErrorReply, Reply, ReplyContext, Schema, StreamTranslator, Target, TranslateError, Translated,
};

use super::normalize::normalize;
use super::provider_error::{find_error, read_error};
use super::splice::splice;
use super::stream::PassThrough;
use super::wire::{ReplyBody, ReplyChoice, read_usage, tier};
use crate::usage::Usage;

/// The schema.
pub struct OpenAi;

impl Schema for OpenAi {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn translate_request(
        &self,
        request: &ChatCompletionRequest<'_>,
        target: &Target<'_>,
        report: &mut Report,
    ) -> Result<Translated, TranslateError> {
        Ok(Translated {
            body: splice(request, target, report)?,
            ..Translated::default()
        })
    }

    fn translate_response(
        &self,
        context: &ReplyContext,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Reply, Failure> {
        let body = normalize(&context.dialect, body);
        let reply: ReplyBody<'_> = json::read(&body).map_err(|_| malformed())?;
        if let Some(failure) = find_error(&reply, &body, &context.dialect.errors) {
            return Err(failure);
        }
        let choices = reply.choices.as_deref().unwrap_or_default();
        if choices.is_empty() {
            return Err(Failure::new(
                Class::EmptyReply,
                "the provider's reply has no choices",
            ));
        }
        out.extend_from_slice(&body);
        let usage = reply.usage.and_then(read_usage).unwrap_or_default();
        Ok(Reply {
            usage: Usage {
                tier: reply.service_tier.map_or(usage.tier, tier),
                ..usage
            },
            model: reply
                .model
                .map_or_else(|| context.model.clone(), |m| m.to_string()),
            refused: choices.iter().all(ReplyChoice::is_refused),
        })
    }

    fn translate_stream(&self, context: ReplyContext) -> Box<dyn StreamTranslator> {
        Box::new(PassThrough::new(context))
    }

    fn read_error(&self, error: &ErrorReply<'_>) -> Failure {
        read_error(error)
    }
}

fn malformed() -> Failure {
    Failure::new(
        Class::MalformedReply,
        "the provider's reply is not a chat completion",
    )
}
