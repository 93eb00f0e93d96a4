//! How one speaker of OpenAI's schema differs from OpenAI: data, read by the splice and by the
//! reply's reader. Knows no vendor by name.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use crate::failure::Class;

/// A name or a word of the wire; borrowed when built in, owned when the user wrote it.
pub type Word = Cow<'static, str>;

/// Everything in which a speaker differs. The default differs in nothing.
#[derive(Clone, PartialEq)]
pub struct Dialect {
    /// The only request fields that it takes; `None` for a speaker that ignores others.
    pub accepts: Option<Vec<Word>>,
    /// Request fields that are left out.
    pub drops: Vec<Word>,
    /// Request fields that its models that think refuse.
    pub drops_if_thinking: Vec<Word>,
    /// Request fields that it knows under another name.
    pub renames: Vec<Rename>,
    /// Ranges of its numbers.
    pub limits: Vec<Limit>,
    /// Roles that it lacks, and the role that stands in.
    pub roles: Vec<(Word, Word)>,
    /// Fields of messages that it refuses.
    pub drops_in_messages: Vec<Word>,
    /// The extensions of other schemas that it knows; `None` when it ignores what it does not
    /// know. See [`REQUEST_EXTENSIONS`] and [`MESSAGE_EXTENSIONS`].
    pub extensions: Option<Vec<Word>>,
    /// Every message must have `content`, if only `null`.
    pub content_required: bool,
    /// What the assistant's reasoning is called in messages and in replies.
    pub reasoning_field: Word,
    /// Every assistant turn with tool calls must have its reasoning, if only an empty text.
    pub reasoning_required: bool,
    /// What an id of a tool call may look like.
    pub tool_call_ids: ToolCallIds,
    /// Files are `document_url` parts, audio is base64 alone, and there are no refusals.
    pub bare_media: bool,
    /// Every function must have `parameters`.
    pub parameters_required: bool,
    /// It takes `strict` on functions.
    pub strict_tools: bool,
    /// The forms of `tool_choice` that it knows.
    pub tool_choices: Vec<Word>,
    /// The types of `response_format` that it knows.
    pub response_formats: Vec<Word>,
    /// It takes `stream_options`; one that does not is taken to send usage unasked.
    pub stream_options: bool,
    /// How its models are told to think.
    pub thinking: ThinkingForm,
    /// Words of `reasoning_effort` that it lacks, and the word that stands in.
    pub efforts: Vec<(Word, Word)>,
    /// Field of `usage` that counts tokens read from the prompt cache, where it has a name of
    /// its own.
    pub cached_tokens_field: Option<Word>,
    /// Field of a chunk that holds `usage`, where that does not stand at the top.
    pub usage_parent: Option<Word>,
    /// `finish_reason`s of its own, and OpenAI's word for them.
    pub finish_reasons: Vec<(Word, Word)>,
    /// A reply's `content` may be a list of parts.
    pub content_parts_in_replies: bool,
    /// What its errors mean, where OpenAI's codes do not say it; the first that fits counts.
    pub errors: Vec<ErrorRule>,
}

/// A request field under another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// OpenAI's name.
    pub from: Word,
    /// The speaker's name.
    pub to: Word,
    /// How the meaning changes, as a reason in the report; `None` when it does not.
    pub changes: Option<Word>,
    /// Only for models that think.
    pub if_thinking: bool,
}

/// The range of a number, both ends included.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// The request field, under OpenAI's name.
    pub field: Word,
    /// Smallest value.
    pub min: Option<f64>,
    /// Largest value.
    pub max: Option<f64>,
}

/// What an id of a tool call may look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolCallIds {
    /// Any text.
    Any,
    /// Exactly nine of `a-z`, `A-Z`, `0-9`.
    NineAlphanumerics,
}

/// How a model is told to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThinkingForm {
    /// By `reasoning_effort`.
    Effort,
    /// `reasoning_effort` for how much, `thinking: {"type": "enabled" | "disabled"}` for
    /// whether at all.
    Toggle,
    /// `enable_thinking` for whether at all, `thinking_budget` in tokens for how much; only
    /// in streams.
    Switch,
}

/// What an error means: every condition that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorRule {
    /// The reply's status.
    pub status: Option<u16>,
    /// The error's code or type, or a part of its message, in lower case.
    pub says: Option<Word>,
    /// Why the attempt failed, then.
    pub class: Class,
}

/// No dialect at all: for schemas other than OpenAI's, and for servers that nothing is known of.
pub static PLAIN: LazyLock<Dialect> = LazyLock::new(Dialect::default);

/// Fields of the request that only other schemas know.
pub const REQUEST_EXTENSIONS: [&str; 2] = ["thinking", "top_k"];

/// Fields of a message, a part, a tool or a call that only other schemas know.
pub const MESSAGE_EXTENSIONS: [&str; 5] = [
    "is_error",
    "reasoning_content",
    "reasoning_details",
    "cache_control",
    "extra_content",
];

/// Every form of `tool_choice`.
pub const TOOL_CHOICES: &str = "none auto required function allowed_tools";

/// Every type of `response_format`.
pub const RESPONSE_FORMATS: &str = "text json_object json_schema";

/// The name of the assistant's reasoning in OpenAI-shaped messages of this gateway.
pub(super) const REASONING: &str = "reasoning_content";

// === impl Dialect ===

impl Dialect {
    /// Whether the extension may be sent.
    pub fn knows(&self, extension: &str) -> bool {
        let names = self.extensions.as_deref();
        names.is_none_or(|names| contains(names, extension))
    }

    /// Whether the request field may be sent at all.
    pub fn takes(&self, field: &str) -> bool {
        let accepted = self.accepts.as_deref();
        !contains(&self.drops, field) && accepted.is_none_or(|names| contains(names, field))
    }

    /// Whether a type of `response_format` may be sent.
    pub fn takes_format(&self, kind: &str) -> bool {
        contains(&self.response_formats, kind)
    }

    /// What stands in for `word` in one of the lists of pairs.
    pub fn stand_in<'d>(pairs: &'d [(Word, Word)], word: &str) -> Option<&'d str> {
        let pair = pairs.iter().find(|(from, _)| from == word);
        pair.map(|(_, to)| to.as_ref())
    }
}

impl Default for Dialect {
    fn default() -> Self {
        Dialect {
            accepts: None,
            drops: Vec::new(),
            drops_if_thinking: Vec::new(),
            renames: Vec::new(),
            limits: Vec::new(),
            roles: Vec::new(),
            drops_in_messages: Vec::new(),
            extensions: None,
            content_required: false,
            reasoning_field: Cow::Borrowed(REASONING),
            reasoning_required: false,
            tool_call_ids: ToolCallIds::Any,
            bare_media: false,
            parameters_required: false,
            strict_tools: true,
            tool_choices: words(TOOL_CHOICES),
            response_formats: words(RESPONSE_FORMATS),
            stream_options: true,
            thinking: ThinkingForm::Effort,
            efforts: Vec::new(),
            cached_tokens_field: None,
            usage_parent: None,
            finish_reasons: Vec::new(),
            content_parts_in_replies: false,
            errors: Vec::new(),
        }
    }
}

/// Shows only what differs from OpenAI.
impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = Dialect::default();
        let mut shown = f.debug_struct("Dialect");
        macro_rules! differing {
            ($($field:ident),* $(,)?) => {
                // Without `..`, so that no field is forgotten.
                let Dialect { $($field),* } = self;
                $( if *$field != plain.$field { shown.field(stringify!($field), $field); } )*
            };
        }
        differing!(
            accepts,
            drops,
            drops_if_thinking,
            renames,
            limits,
            roles,
            drops_in_messages,
            extensions,
            content_required,
            reasoning_field,
            reasoning_required,
            tool_call_ids,
            bare_media,
            parameters_required,
            strict_tools,
            tool_choices,
            response_formats,
            stream_options,
            thinking,
            efforts,
            cached_tokens_field,
            usage_parent,
            finish_reasons,
            content_parts_in_replies,
            errors,
        );
        shown.finish()
    }
}

/// Words that are built in, with spaces between them.
pub fn words(list: &'static str) -> Vec<Word> {
    list.split_whitespace().map(Cow::Borrowed).collect()
}

/// Pairs of words that are built in.
pub fn pairs(list: &[(&'static str, &'static str)]) -> Vec<(Word, Word)> {
    let borrow = |(a, b): &(&'static str, &'static str)| (Cow::Borrowed(*a), Cow::Borrowed(*b));
    list.iter().map(borrow).collect()
}

/// Renames that change no meaning.
pub fn renames(list: &[(&'static str, &'static str)]) -> Vec<Rename> {
    let rename = |(from, to): &(&'static str, &'static str)| Rename {
        from: Cow::Borrowed(*from),
        to: Cow::Borrowed(*to),
        changes: None,
        if_thinking: false,
    };
    list.iter().map(rename).collect()
}

/// What an error with this code, type or part of a message means.
pub fn says(text: &'static str, class: Class) -> ErrorRule {
    ErrorRule {
        status: None,
        says: Some(Cow::Borrowed(text)),
        class,
    }
}

/// What an error with this status means.
pub fn status(status: u16, class: Class) -> ErrorRule {
    ErrorRule {
        status: Some(status),
        says: None,
        class,
    }
}

/// A number's largest value.
pub fn at_most(field: &'static str, max: f64) -> Limit {
    Limit {
        field: Cow::Borrowed(field),
        min: None,
        max: Some(max),
    }
}

pub(super) fn contains(words: &[Word], word: &str) -> bool {
    words.iter().any(|w| w == word)
}
