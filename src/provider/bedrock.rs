//! Amazon Bedrock's runtime, whose host names the region:
//! `https://bedrock-runtime.<region>.amazonaws.com`.

use super::{Auth, Offer, Provider, encode_segment};
use crate::operation::Operation;
use crate::schema::bedrock_converse::BedrockConverse;
use crate::schema::cohere::operations::{Embed, Host, Rerank};
use crate::schema::titan::TitanEmbeddings;
use crate::schema::{OperationSchema, Schema};

/// `https://bedrock-runtime.<region>.amazonaws.com`.
///
/// Source: Amazon Bedrock API reference, "Converse" and "ConverseStream", and its user guide,
/// "API keys", read 2026-11-21.
pub struct Bedrock;

impl Provider for Bedrock {
    fn kind(&self) -> &'static str {
        "bedrock"
    }

    fn schema(&self) -> &'static dyn Schema {
        &BedrockConverse
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
        let operation = if streamed {
            "converse-stream"
        } else {
            "converse"
        };
        format!("/model/{}/{operation}", encode_segment(model))
    }

    fn offer(&self, operation: Operation, model: &str) -> Option<Offer> {
        let is = |family| model.contains(family);
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
    use super::{Bedrock, Provider};

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
            assert_eq!(Bedrock.chat_path(model, false), path);
            assert_eq!(Bedrock.chat_path(model, true), format!("{path}-stream"));
        }
    }
}
