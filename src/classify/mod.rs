//! What kind of request this is, told by its text: how complex, and which intent.
//!
//! Cheap and explainable instead of clever: a scan of the last thing the user said, counted
//! against documented features. Nothing of the text is kept.

mod complexity;
mod cues;
mod intent;
mod kinds;
mod scan;

pub use complexity::{Complexity, FEATURES, Feature};
pub use intent::{Intent, Intents, Phrase, built_in};

use scan::Scan;

use crate::json::{self, Raw, Text};
use crate::schema::openai::{ChatCompletionRequest, Content, Part, Role};

/// The most of a text that is looked at, in bytes: what kind of request it is shows early.
const MAX_TEXT_BYTES: usize = 16 * 1024;

/// What a request looks like, as far as its kind can be told from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// What the user said last, cut at a limit.
    pub text: String,
    /// Size of all messages, in bytes.
    pub conversation_bytes: usize,
    /// What the user has said so far, in messages.
    pub turns: usize,
    /// Tools that may be called.
    pub tools: usize,
    /// The reply must follow a JSON schema.
    pub json_schema: bool,
    /// Much reasoning was asked for.
    pub high_effort: bool,
}

impl Sample {
    /// Takes the sample of a chat completion request.
    pub fn of(request: &ChatCompletionRequest<'_>) -> Sample {
        let messages = request.messages();
        let of_user = || messages.iter().filter(|m| m.role() == Some(Role::User));
        let mut text = String::new();
        if let Some(content) = of_user().next_back().and_then(|last| last.content()) {
            collect(&content, &mut text);
        }
        let format = request.response_format.as_ref();
        Sample {
            text,
            conversation_bytes: messages
                .iter()
                .filter_map(|message| Some(message.content?.get().len()))
                .sum(),
            turns: of_user().count(),
            tools: request.tools().len(),
            json_schema: format.and_then(|f| f.kind.as_deref()) == Some("json_schema"),
            high_effort: matches!(
                request.reasoning_effort.as_deref(),
                Some("high" | "xhigh" | "max")
            ),
        }
    }
}

/// What a sample tells of its request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Told<'i> {
    /// How complex it is, when that was asked for.
    pub complexity: Option<Complexity>,
    /// What it is meant to do, when that was asked for and something speaks for it.
    pub intent: Option<&'i str>,
}

impl Sample {
    /// Tells what is asked for, in one pass over the text.
    pub fn tell<'i>(&self, complexity: bool, intents: Option<&'i Intents>) -> Told<'i> {
        if !complexity && intents.is_none() {
            return Told {
                complexity: None,
                intent: None,
            };
        }
        let lower = self.text.to_lowercase();
        let scan = Scan::of(&lower);
        Told {
            complexity: complexity.then(|| Complexity::of_scan(self, &scan)),
            intent: intents.and_then(|intents| intents.of_scan(&lower, &scan)),
        }
    }
}

fn collect(content: &Content<'_>, text: &mut String) {
    match content {
        Content::Text(raw) => append(raw, text),
        Content::Parts(parts) => {
            let texts = parts.iter().filter_map(|part: &Part<'_>| part.text);
            texts.for_each(|raw| append(raw, text));
        }
        Content::Empty => {}
    }
}

/// Appends what fits.
fn append(raw: Raw<'_>, text: &mut String) {
    let Some(said) = json::parse::<Text<'_>>(raw) else {
        return;
    };
    let room = MAX_TEXT_BYTES.saturating_sub(text.len());
    let end = (0..=room.min(said.len()))
        .rev()
        .find(|end| said.is_char_boundary(*end))
        .unwrap_or(0);
    text.push_str(said.get(..end).unwrap_or_default());
    text.push('\n');
}

/// The words of a text in lower case, in the order they stand.
fn words(lower: &str) -> impl Iterator<Item = &str> {
    lower
        .split(|c: char| !is_word(c))
        .filter(|word| !word.is_empty())
}

/// Whether a character can be part of a word; signs that scripts put on letters can.
fn is_word(c: char) -> bool {
    let is_sign = matches!(
        c,
        '\'' | '\u{300}'..='\u{36F}' | '\u{900}'..='\u{963}' | '\u{966}'..='\u{DFF}' | '\u{E31}'..='\u{E4E}'
    );
    is_sign || c.is_alphanumeric()
}

#[cfg(test)]
mod tests;
