//! Intents that the operator declares by words and phrases; the first that fits is the request's.

use super::{Sample, words};

/// An intent and what tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Intent {
    /// The operator's name for it.
    pub name: String,
    /// One of these must be there; none declared: nothing must.
    pub any: Vec<Phrase>,
    /// All of these must be there.
    pub all: Vec<Phrase>,
    /// None of these may be there.
    pub none: Vec<Phrase>,
}

/// Words in a row. A `*` at the end of a word stands for any ending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase(Vec<Stem>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Stem {
    text: String,
    is_prefix: bool,
}

impl Intent {
    /// The first of `intents` that fits.
    pub fn find<'i>(intents: &'i [Intent], sample: &Sample) -> Option<&'i Intent> {
        if intents.is_empty() {
            return None;
        }
        let lower = sample.text.to_lowercase();
        let said: Vec<&str> = words(&lower).collect();
        intents.iter().find(|intent| intent.fits(&said))
    }

    fn fits(&self, said: &[&str]) -> bool {
        let is_said = |phrase: &Phrase| phrase.is_in(said);
        (self.any.is_empty() || self.any.iter().any(is_said))
            && self.all.iter().all(is_said)
            && !self.none.iter().any(is_said)
    }
}

impl Phrase {
    /// Reads a phrase; `None` when there is no word in it, or a `*` elsewhere than at a word's end.
    pub fn parse(text: &str) -> Option<Phrase> {
        let stems: Option<Vec<Stem>> = text.split_whitespace().map(Stem::parse).collect();
        stems.filter(|stems| !stems.is_empty()).map(Phrase)
    }

    fn is_in(&self, said: &[&str]) -> bool {
        said.windows(self.0.len()).any(|window| {
            window
                .iter()
                .zip(&self.0)
                .all(|(word, stem)| stem.fits(word))
        })
    }
}

impl Stem {
    fn parse(word: &str) -> Option<Stem> {
        let lower = word.to_lowercase();
        let (text, is_prefix) = match lower.strip_suffix('*') {
            Some(stem) => (stem.to_owned(), true),
            None => (lower, false),
        };
        let is_word = !text.is_empty() && words(&text).eq([text.as_str()]);
        is_word.then_some(Stem { text, is_prefix })
    }

    fn fits(&self, word: &str) -> bool {
        if self.is_prefix {
            word.starts_with(self.text.as_str())
        } else {
            word == self.text
        }
    }
}
