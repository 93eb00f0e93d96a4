//! Amazon Bedrock's runtime, whose host names the region:
//! `https://bedrock-runtime.<region>.amazonaws.com`.

use super::{Auth, Offer, Provider, counting, encode_segment};
use crate::operation::Operation;
use crate::schema::anthropic::{Anthropic, BEDROCK};
use crate::schema::bedrock_converse::BedrockConverse;
use crate::schema::cohere::operations::{Embed, Host, Rerank};
use crate::schema::counting::{CountTokens, Form};
use crate::schema::titan::TitanEmbeddings;
use crate::schema::{OperationSchema, Schema};

/// One API of the runtime.
pub struct Bedrock {
    kind: &'static str,
    schema: &'static dyn Schema,
    /// The last segment of the path, for whole replies and for streams.
    operations: [&'static str; 2],
    /// Whether it is for the models of every vendor, those that embed and rerank too.
    is_general: bool,
}

/// One language for the models of many vendors.
///
/// Source: Amazon Bedrock API reference, "Converse" and "ConverseStream", and its user guide,
/// "API keys", read 2026-11-21.
pub const CONVERSE: Bedrock = Bedrock {
    kind: "bedrock",
    schema: &BedrockConverse,
    operations: ["converse", "converse-stream"],
    is_general: true,
};

/// Anthropic's models in their own language.
///
/// Source: Amazon Bedrock API reference, "InvokeModel" and "InvokeModelWithResponseStream", and
/// the client of Anthropic's SDK 2.11, read 2026-11-21.
pub const ANTHROPIC: Bedrock = Bedrock {
    kind: "bedrock_anthropic",
    schema: &Anthropic(&BEDROCK),
    operations: ["invoke", "invoke-with-response-stream"],
    is_general: false,
};

/// Claude's too: what it would be sent in its own language is counted alike.
static COUNTS: [CountTokens; 2] = CountTokens::both(Form::Converse(&BedrockConverse));

impl Provider for Bedrock {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn schema(&self) -> &'static dyn Schema {
        self.schema
    }

    fn default_endpoint(&self) -> Option<&'static str> {
        None
    }

    fn regional_endpoint(&self, region: &str) -> Option<String> {
        let domain = if region.starts_with("cn-") {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        Some(format!("https://bedrock-runtime.{region}.{domain}"))
    }

    /// The model's name or ARN is one segment: colons and slashes are encoded once here, and a
    /// signature encodes that again, as AWS does.
    fn chat_path(&self, model: &str, streamed: bool) -> String {
        let [whole, stream] = self.operations;
        let operation = if streamed { stream } else { whole };
        format!("/model/{}/{operation}", encode_segment(model))
    }

    fn offer(&self, operation: Operation, model: &str) -> Option<Offer> {
        if operation.counts_tokens() {
            // Of the others it counts nothing, and of profiles only by the model that they are of.
            let at = model.find("anthropic.claude")?;
            let model = encode_segment(model.get(at..)?);
            let path = format!("/model/{model}/count-tokens");
            return counting(operation, path, &COUNTS);
        }
        let is = |family| self.is_general && model.contains(family);
        let schema: &dyn OperationSchema = match operation {
            Operation::Embeddings if is("titan-embed-text") => &TitanEmbeddings,
            Operation::Embeddings if is("cohere.embed") => &Embed(Host::Bedrock),
            Operation::Rerank if is("cohere.rerank") => &Rerank(Host::Bedrock),
            _ => return None,
        };
        let path = format!("/model/{}/invoke", encode_segment(model));
        Some(Offer::new(path, schema))
    }

    fn auth(&self) -> Auth {
        Auth::AwsSigV4 { service: "bedrock" }
    }

    fn stream_media_type(&self) -> &'static str {
        "application/vnd.amazon.eventstream"
    }
}

#[cfg(test)]
mod tests {
    use super::{ANTHROPIC, CONVERSE, Provider};

    #[test]
    fn names_and_arns_are_one_segment_encoded_once() {
        let cases = [
            (
                "anthropic.claude-sonnet-4-5-20250929-v1:0",
                "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse",
            ),
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-pro-v1:0",
                "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.amazon.nova-pro-v1%3A0/converse",
            ),
        ];
        for (model, path) in cases {
            assert_eq!(CONVERSE.chat_path(model, false), path);
            assert_eq!(CONVERSE.chat_path(model, true), format!("{path}-stream"));
            let path = path.replace("converse", "invoke");
            assert_eq!(ANTHROPIC.chat_path(model, false), path);
            let stream = format!("{path}-with-response-stream");
            assert_eq!(ANTHROPIC.chat_path(model, true), stream);
        }
    }
}
