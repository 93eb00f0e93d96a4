//! Where Anthropic's language is spoken, and what is different there. Data, no translation.
//!
//! Source: Claude API reference and platform guides "Claude on Amazon Bedrock", "Claude on
//! Google Cloud", "Claude in Microsoft Foundry", "Vision", "Beta headers"; Amazon Bedrock user
//! guide, "Anthropic Claude Messages API"; the clients of the official SDK 2.11, read
//! 2026-11-21.

use super::error;
use crate::failure::Failure;
use crate::schema::{ErrorReply, bedrock_converse, gemini};

/// How a host of Anthropic's models differs from others.
pub struct Host {
    /// Who is named where something is lost.
    pub(super) name: &'static str,
    /// `anthropic_version` of the body; such a host reads the model from the path. `None` where
    /// a header says the version.
    pub(super) version: Option<&'static str>,
    /// Whether the body says that a stream is wanted; else the path alone.
    pub(super) says_stream: bool,
    /// Whether images and documents may be at an address.
    pub(super) takes_addresses: bool,
    /// Whether it has service tiers.
    pub(super) has_tiers: bool,
    /// Which beta features it knows.
    pub(super) betas: Betas,
    /// What its streams are made of.
    pub(super) frames: Frames,
    /// Reads a non-2xx reply.
    pub(super) read_error: fn(&ErrorReply<'_>) -> Failure,
}

/// Which beta features a host knows, and where it wants to read of them.
pub(super) struct Betas {
    /// In the body's `anthropic_beta`; else in the header `anthropic-beta`.
    pub in_body: bool,
    /// Names without their dates; `None` where it is left to the host to refuse one.
    pub known: Option<&'static [&'static str]>,
}

/// What a stream is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Frames {
    /// Server-sent events.
    Events,
    /// AWS event streams, each chunk an event in base64.
    Chunks,
}

/// Anthropic itself, and whoever takes what it takes.
pub const DIRECT: Host = Host {
    name: super::VENDOR,
    version: None,
    says_stream: true,
    takes_addresses: true,
    has_tiers: true,
    betas: Betas {
        in_body: false,
        known: None,
    },
    frames: Frames::Events,
    read_error: error::read,
};

/// Amazon Bedrock's `InvokeModel`, which answers 400 to a beta that it does not know.
pub const BEDROCK: Host = Host {
    name: "Bedrock",
    version: Some("bedrock-2023-05-31"),
    says_stream: false,
    takes_addresses: false,
    has_tiers: false,
    betas: Betas {
        in_body: true,
        known: Some(&[
            "compact",
            "computer-use",
            "context-1m",
            "context-management",
            "dev-full-thinking",
            "effort",
            "fine-grained-tool-streaming",
            "interleaved-thinking",
            "mid-conversation-output-config",
            "mid-conversation-tool-changes",
            "output-128k",
            "thinking-binding-controls",
            "thinking-display-updates",
            "token-efficient-tools",
            "tool-examples",
            "tool-search-tool",
        ]),
    },
    frames: Frames::Chunks,
    read_error: bedrock_converse::read_error,
};

/// Vertex AI's `rawPredict`.
pub const VERTEX: Host = Host {
    name: "Vertex AI",
    version: Some("vertex-2023-10-16"),
    says_stream: true,
    takes_addresses: false,
    has_tiers: false,
    betas: Betas {
        in_body: false,
        known: Some(&[
            "compact",
            "computer-use",
            "context-1m",
            "context-management",
            "interleaved-thinking",
            "per-turn-control",
            "thinking-binding-controls",
            "thinking-display-updates",
            "tool-search-tool",
            "web-search",
        ]),
    },
    frames: Frames::Events,
    read_error: read_vertex_error,
};

/// The model's own errors are Anthropic's, those of the front end Google's.
fn read_vertex_error(reply: &ErrorReply<'_>) -> Failure {
    if error::is_own(reply.body) {
        error::read(reply)
    } else {
        gemini::read_error(reply)
    }
}
