//! OpenAI's models on Azure, under the v1 path or under a deployment's.
//!
//! The endpoint is the resource's own: `https://<resource>.openai.azure.com`, or
//! `https://<resource>.services.ai.azure.com` for Foundry. A model's name is its deployment's.

use crate::provider::speaker::{
    IMAGE_EDITS, IMAGES, OPENAI_EMBEDDINGS, SPEAKER, SPEECH, Speaker, TRANSCRIPTIONS, TRANSLATIONS,
};
use crate::schema::openai::dialect::{Dialect, says};

use super::openai::OUTPUT_LIMIT;
use crate::failure::Class;

/// Source: Azure OpenAI reference, "Chat completions" of the v1 API and of the data plane API 2024-10-21, read 2026-11-21.
pub const AZURE_OPENAI: Speaker = Speaker {
    kind: "azure_openai",
    path: "/openai/v1/chat/completions",
    versioned_path: Some("/openai/deployments/{model}/chat/completions?api-version={api_version}"),
    key_header: Some("api-key"),
    offers: &[
        OPENAI_EMBEDDINGS,
        IMAGES,
        IMAGE_EDITS,
        TRANSCRIPTIONS,
        TRANSLATIONS,
        SPEECH,
    ],
    dialect,
    ..SPEAKER
};

fn dialect() -> Dialect {
    Dialect {
        extensions: Some(Vec::new()),
        renames: vec![OUTPUT_LIMIT],
        errors: vec![
            says("deploymentnotfound", Class::ModelNotFound),
            says("responsibleaipolicyviolation", Class::ContentFilter),
            says("exceeded token rate limit", Class::RateLimited),
            says("exceeded call rate limit", Class::RateLimited),
        ],
        ..Dialect::default()
    }
}
