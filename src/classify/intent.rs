//! What a request is meant to do: the first intent that the operator declares and that fits, or
//! else the built-in kind that most of its words speak for.

use super::kinds::{KINDS, Kind};
use super::scan::{self, Scan};
use super::{Sample, complexity, words};

/// A kind needs so much to be told.
const LEAST: i32 = 2;

/// Longer texts are neither small talk nor a question for a fact, in words.
const SHORT: usize = 40;

/// All intents that a request may have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Intents {
    /// The operator's own, in their order; one that is named like a built-in kind takes its place.
    pub declared: Vec<Intent>,
}

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

/// Words in a row. A `*` at the end of a word stands for any ending; words of scripts without
/// spaces are found anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase(Vec<Stem>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Stem {
    text: String,
    fit: Fit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Whole,
    Prefix,
    /// Anywhere: the script has no spaces between words.
    Inside,
}

/// Names of the built-in kinds, and what each is.
pub fn built_in() -> impl Iterator<Item = (&'static str, &'static str)> {
    KINDS.iter().map(|kind| (kind.name, kind.description))
}

impl Intents {
    /// The intent of a request; `None` when nothing speaks for any.
    pub fn find(&self, sample: &Sample) -> Option<&str> {
        sample.tell(false, Some(self)).intent
    }

    pub(super) fn of_scan(&self, lower: &str, scan: &Scan) -> Option<&str> {
        self.declared(lower).or_else(|| self.built_in(scan))
    }

    /// Whether there is an intent of this name.
    pub fn has(&self, name: &str) -> bool {
        self.declares(name) || built_in().any(|(kind, _)| kind == name)
    }

    fn declares(&self, name: &str) -> bool {
        self.declared.iter().any(|intent| intent.name == name)
    }

    fn declared(&self, lower: &str) -> Option<&str> {
        if self.declared.is_empty() {
            return None;
        }
        let said: Vec<&str> = words(lower).collect();
        let found = self.declared.iter().find(|intent| intent.fits(&said));
        found.map(|intent| intent.name.as_str())
    }

    fn built_in(&self, scan: &Scan) -> Option<&str> {
        let mut best: Option<(i32, &'static str)> = None;
        for (i, kind) in KINDS.iter().enumerate() {
            let score = score(kind, i, scan);
            let leads = best.is_none_or(|(most, _)| score > most);
            if score >= LEAST && leads && !self.declares(kind.name) {
                best = Some((score, kind.name));
            }
        }
        best.map(|(_, name)| name)
    }
}

/// How much speaks for a kind. What opens a text says most often what shall be done.
fn score(kind: &Kind, index: usize, scan: &Scan) -> i32 {
    let group = complexity::CUES.len() + 2 * index;
    let count = |counts: &[u16; scan::GROUPS], group: usize| {
        counts
            .get(group)
            .copied()
            .map_or(0, |count| i32::from(count.min(6)))
    };
    let words = 2 * count(&scan.hits, group) + count(&scan.hits, group + 1);
    let opening = 2 * count(&scan.opening, group) + count(&scan.opening, group + 1);
    let looks = match kind.name {
        "code" => {
            if scan.fenced {
                4
            } else {
                scan.marks.min(24) as i32 / 6
            }
        }
        "math" => scan.operators.min(scan.digits).min(3) as i32,
        "chat" | "lookup" if scan.words > SHORT => -6,
        _ => 0,
    };
    words + opening + looks
}

impl Intent {
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
        let (text, fit) = match lower.strip_suffix('*') {
            Some(stem) => (stem, Fit::Prefix),
            None => (lower.as_str(), Fit::Whole),
        };
        let is_word = !text.is_empty() && words(text).eq([text]);
        let fit = if text.chars().any(is_unspaced) {
            Fit::Inside
        } else {
            fit
        };
        is_word.then(|| Stem {
            text: text.to_owned(),
            fit,
        })
    }

    fn fits(&self, word: &str) -> bool {
        let text = self.text.as_str();
        match self.fit {
            Fit::Whole => word == text,
            Fit::Prefix => word.starts_with(text),
            Fit::Inside => word.contains(text),
        }
    }
}

/// Thai, Lao, Khmer and Burmese have no spaces between words either.
fn is_unspaced(c: char) -> bool {
    scan::is_unspaced(c)
        || matches!(c, '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}')
}
