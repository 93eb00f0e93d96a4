//! Operations besides chat, for speakers of OpenAI's schema: bodies are copied, and change only
//! where the speaker has it otherwise.

mod embeddings;
mod passthrough;
mod relay;
mod rerank;

pub use embeddings::Embeddings;
pub use passthrough::Passthrough;
pub use relay::Relay;
pub use rerank::Rerank;
