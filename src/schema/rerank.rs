//! Rerank, the client's side: Cohere's shape, which model servers have taken over.
//!
//! Source: Cohere API reference, "Rerank (v2)" and "Rerank (v1)", read 2026-11-21.

use crate::json::{Raw, Text};
use crate::wire;

wire! {
    /// The client's body.
    pub struct RerankRequest<'a> {
        /// Which model.
        model: Text<'a>,
        /// What the documents shall be relevant to.
        query: Raw<'a>,
        /// The documents: texts; objects in version 1.
        documents: Raw<'a>,
        /// How many of the best shall be told.
        top_n: Raw<'a>,
        /// Where documents are cut.
        max_tokens_per_doc: Raw<'a>,
        /// Whether the reply shall hold the documents (version 1).
        return_documents: Raw<'a>,
        /// Which fields of documents count (version 1).
        rank_fields: Raw<'a>,
        /// In how many chunks documents are ranked at most (version 1).
        max_chunks_per_doc: Raw<'a>,
        /// Whether the parts that count shall be told.
        relevant_spans: Raw<'a>,
        /// Which requests are served first.
        priority: Raw<'a>,
        /// Fields for one provider alone.
        provider_options: Raw<'a>,
    }
}
