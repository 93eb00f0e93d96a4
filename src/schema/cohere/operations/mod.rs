//! Cohere's other endpoints: embed and rerank, as Cohere and Bedrock serve them.

mod embed;
mod rerank;

pub use embed::Embed;
pub use rerank::Rerank;

/// Whose endpoint it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// Cohere: the model's name stands in the body.
    Cohere,
    /// Bedrock's `InvokeModel`: it stands in the path.
    Bedrock,
}
