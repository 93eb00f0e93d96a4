//! What a client asks a model to do: chat, or one of the other endpoints of OpenAI's API.
//!
//! Names and paths only. What a request of an operation looks like is told by `inspect`, how a
//! provider is asked by the provider.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One kind of request, with its own body and reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Chat completions, and whatever surface leads to them.
    #[default]
    Chat,
    /// Texts to vectors.
    Embeddings,
    /// Documents in order of relevance to a query.
    Rerank,
    /// Legacy completions by the model itself, where the configuration says so; else chat answers them.
    Completions,
    /// Images of a text.
    Images,
    /// Images of images and a text.
    ImageEdits,
    /// Images of an image.
    ImageVariations,
    /// Speech to text.
    Transcriptions,
    /// Speech to English text.
    Translations,
    /// Text to speech.
    Speech,
    /// What is objectionable in a text or an image.
    Moderations,
    /// How many tokens a Messages request has (Anthropic's).
    MessageTokens,
    /// How many tokens a Responses request has (OpenAI's).
    InputTokens,
}

/// A set of operations.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Operations(u32);

// === impl Operation ===

impl Operation {
    /// All of them; a new one is one line here and in the matches below.
    pub const ALL: [Operation; 13] = [
        Operation::Chat,
        Operation::Embeddings,
        Operation::Rerank,
        Operation::Completions,
        Operation::Images,
        Operation::ImageEdits,
        Operation::ImageVariations,
        Operation::Transcriptions,
        Operation::Translations,
        Operation::Speech,
        Operation::Moderations,
        Operation::MessageTokens,
        Operation::InputTokens,
    ];

    /// Its name in the configuration, in error texts and in fixtures.
    pub fn as_str(self) -> &'static str {
        match self {
            Operation::Chat => "chat",
            Operation::Embeddings => "embeddings",
            Operation::Rerank => "rerank",
            Operation::Completions => "completions",
            Operation::Images => "images",
            Operation::ImageEdits => "image_edits",
            Operation::ImageVariations => "image_variations",
            Operation::Transcriptions => "transcriptions",
            Operation::Translations => "translations",
            Operation::Speech => "speech",
            Operation::Moderations => "moderations",
            Operation::MessageTokens => "message_tokens",
            Operation::InputTokens => "input_tokens",
        }
    }

    /// Where clients find it, after the configuration's base path.
    pub fn path(self) -> &'static str {
        match self {
            Operation::Chat => "/chat/completions",
            Operation::Embeddings => "/embeddings",
            Operation::Rerank => "/rerank",
            Operation::Completions => "/completions",
            Operation::Images => "/images/generations",
            Operation::ImageEdits => "/images/edits",
            Operation::ImageVariations => "/images/variations",
            Operation::Transcriptions => "/audio/transcriptions",
            Operation::Translations => "/audio/translations",
            Operation::Speech => "/audio/speech",
            Operation::Moderations => "/moderations",
            Operation::MessageTokens => "/messages/count_tokens",
            Operation::InputTokens => "/responses/input_tokens",
        }
    }

    /// Versions that clients write between the base path and the operation's own: Cohere's do.
    pub fn versions(self) -> &'static [&'static str] {
        match self {
            Operation::Rerank => &["/v1", "/v2"],
            _ => &[],
        }
    }

    /// The operation of this name.
    pub fn find(name: &str) -> Option<Operation> {
        Operation::ALL.into_iter().find(|o| o.as_str() == name)
    }

    /// The operation that `path` asks for; `None` when it is not under `base_path`, or is no
    /// operation's.
    ///
    /// A base path's own version counts as a version too: Cohere's clients ask for `/v2/rerank`
    /// beside OpenAI's `/v1`.
    pub fn of_path(base_path: &str, path: &str) -> Option<Operation> {
        let find = |rest: &str, versioned: bool| {
            Operation::ALL.into_iter().find(|operation| {
                let Some(head) = rest.strip_suffix(operation.path()) else {
                    return false;
                };
                (head.is_empty() && !versioned) || operation.versions().contains(&head)
            })
        };
        let inside = path
            .strip_prefix(base_path)
            .and_then(|rest| find(rest, false));
        inside.or_else(|| {
            let beside = base_path.strip_suffix("/v1")?;
            find(path.strip_prefix(beside)?, true)
        })
    }

    /// Whether bodies and replies pass as they are, but for the model's name.
    pub fn passes_through(self) -> bool {
        !matches!(
            self,
            Operation::Chat | Operation::Embeddings | Operation::Rerank
        )
    }

    /// Whether only the size of a request is asked for.
    pub fn counts_tokens(self) -> bool {
        matches!(self, Operation::MessageTokens | Operation::InputTokens)
    }

    /// Whether it is chat, which is taken for granted where nothing is said.
    pub fn is_chat(&self) -> bool {
        *self == Operation::Chat
    }
}

// === impl Operations ===

impl Operations {
    /// Every operation.
    pub const ALL: Operations = Operations(u32::MAX);

    /// What a model is taken to do when nothing is said: completions are chat's work then.
    pub const UNSAID: Operations = Operations(!bit(Operation::Completions));

    /// No operation.
    pub const NONE: Operations = Operations(0);

    /// Whether the operation is in the set.
    pub fn contains(self, operation: Operation) -> bool {
        self.0 & bit(operation) != 0
    }

    /// The set with one more.
    #[must_use]
    pub fn with(self, operation: Operation) -> Operations {
        Operations(self.0 | bit(operation))
    }

    /// The set without those of which `keep` says no.
    #[must_use]
    pub fn only(self, keep: impl Fn(Operation) -> bool) -> Operations {
        let kept = Operation::ALL
            .into_iter()
            .filter(|o| self.contains(*o) && keep(*o));
        kept.fold(Operations::NONE, Operations::with)
    }
}

const fn bit(operation: Operation) -> u32 {
    1 << operation as u32
}

/// The names, as the configuration writes them.
impl fmt::Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = Operation::ALL.into_iter().filter(|o| self.contains(*o));
        f.debug_list()
            .entries(members.map(Operation::as_str))
            .finish()
    }
}

// A number, written by hand: a derived reader costs the module kilobytes.
impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(*self as u8)
    }
}

impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u8::deserialize(deserializer)?;
        let found = Operation::ALL.into_iter().find(|o| *o as u8 == number);
        found.ok_or_else(|| de::Error::custom("unknown operation"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Operation, Operations};

    #[test]
    fn paths_lead_to_operations_under_the_base_path_and_beside_its_version() {
        let cases = [
            ("/v1", "/v1/chat/completions", Some(Operation::Chat)),
            ("/v1", "/v1/embeddings", Some(Operation::Embeddings)),
            ("/v1", "/v1/rerank", Some(Operation::Rerank)),
            ("/v1", "/v2/rerank", Some(Operation::Rerank)),
            ("/v1", "/v1/v2/rerank", Some(Operation::Rerank)),
            ("/llm/v1", "/llm/v2/rerank", Some(Operation::Rerank)),
            ("/llm", "/llm/v2/rerank", Some(Operation::Rerank)),
            ("/v1", "/v2/embeddings", None),
            ("/v1", "/rerank", None),
            ("/v1", "/v1/embeddings/", None),
            ("/v1", "/v3/rerank", None),
            ("/v1", "/x/v1/rerank", None),
        ];
        for (base, path, operation) in cases {
            assert_eq!(Operation::of_path(base, path), operation, "{base} {path}");
        }
    }

    #[test]
    fn a_set_holds_what_was_put_into_it() {
        let set = Operations::NONE.with(Operation::Rerank);
        assert!(set.contains(Operation::Rerank) && !set.contains(Operation::Chat));
        assert_eq!(Operations::ALL.only(|o| o == Operation::Rerank), set);
        assert_eq!(format!("{set:?}"), r#"["rerank"]"#);
    }

    #[test]
    fn an_operation_survives_its_way_through_filter_state() {
        for operation in Operation::ALL {
            let text = serde_json::to_string(&operation).expect("JSON");
            assert_eq!(
                serde_json::from_str::<Operation>(&text).expect("it"),
                operation
            );
            assert_eq!(Operation::find(operation.as_str()), Some(operation));
        }
        assert!(serde_json::from_str::<Operation>("200").is_err());
    }
}
