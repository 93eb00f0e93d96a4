//! What embeddings are for: `input_type`, an extension that model servers and Cohere share.

/// Cohere's word, Gemini's word, and other words for it.
const PURPOSES: [(&str, &str, &[&str]); 4] = [
    (
        "search_document",
        "RETRIEVAL_DOCUMENT",
        &["document", "passage"],
    ),
    ("search_query", "RETRIEVAL_QUERY", &["query"]),
    ("classification", "CLASSIFICATION", &[]),
    ("clustering", "CLUSTERING", &[]),
];

/// Cohere's word; one that is not known is left to Cohere.
pub(in crate::schema) fn of_cohere(word: &str) -> &str {
    find(word).map_or(word, |(cohere, _)| cohere)
}

/// Gemini's word; `None` for one that is not known.
pub(in crate::schema) fn of_gemini(word: &str) -> Option<&'static str> {
    find(word).map(|(_, gemini)| gemini)
}

fn find(word: &str) -> Option<(&'static str, &'static str)> {
    let mut purposes = PURPOSES.iter();
    let found = purposes.find(|(cohere, _, others)| *cohere == word || others.contains(&word));
    found.map(|(cohere, gemini, _)| (*cohere, *gemini))
}
