//! One pass over a text: what is counted in it, for complexity and for intents alike.

use std::sync::OnceLock;

use super::cues::Cues;
use super::kinds::KINDS;
use super::{complexity, is_word};
use crate::sorted::sort_by;

/// Meanings that words and phrases are looked for of: complexity's, then two of each kind.
pub(super) const GROUPS: usize = complexity::CUES.len() + 2 * KINDS.len();

/// So many bytes from the start, a hit counts for the instruction that opens a text.
const OPENING_BYTES: usize = 60;

/// Stems up to so many bytes are whole words: "at" is no cue in "attach".
const SHORT_STEM: usize = 4;

/// What was counted.
#[derive(Debug, Clone, Default)]
pub(super) struct Scan {
    /// Words; a run of a script without spaces is one.
    pub words: usize,
    /// Characters of scripts without spaces.
    pub unspaced: usize,
    /// Ends of sentences and clauses, and line breaks.
    pub breaks: usize,
    /// Punctuation that code has much of.
    pub marks: usize,
    /// There is a code fence.
    pub fenced: bool,
    /// Digits.
    pub digits: usize,
    /// Signs of arithmetic between them.
    pub operators: usize,
    /// Words and phrases of each group.
    pub hits: [u16; GROUPS],
    /// Those of them in the opening.
    pub opening: [u16; GROUPS],
}

/// A stem or a phrase, and what it stands for.
struct Entry {
    text: &'static str,
    group: usize,
    is_stem: bool,
}

/// Entries by their first byte.
struct Index {
    entries: Vec<Entry>,
    starts: Vec<usize>,
}

impl Scan {
    /// Counts in a text in lower case.
    pub(super) fn of(lower: &str) -> Scan {
        let index = index();
        let mut scan = Scan {
            fenced: lower.contains("```"),
            ..Scan::default()
        };
        // What has been counted of the word that goes on.
        let (mut in_word, mut counted) = (false, [false; GROUPS]);
        for (at, c) in lower.char_indices() {
            let starts = is_word(c) && !in_word;
            let unspaced = is_unspaced(c);
            if starts {
                scan.words += 1;
                counted = [false; GROUPS];
            }
            if starts || unspaced {
                let rest = lower.get(at..).unwrap_or_default();
                scan.look(index, rest, at, starts, &mut counted);
            }
            scan.unspaced += usize::from(unspaced);
            scan.note(c);
            in_word = is_word(c);
        }
        scan
    }

    fn note(&mut self, c: char) {
        match c {
            '.' | '?' | '!' | ';' | ':' | '\n' | '。' | '？' | '，' | '、' => self.breaks += 1,
            '0'..='9' => self.digits += 1,
            '+' | '*' | '/' | '^' | '%' | '√' | '∫' => self.operators += 1,
            _ => {}
        }
        if matches!(
            c,
            '{' | '}' | '(' | ')' | ';' | '=' | '<' | '>' | '_' | '\\'
        ) {
            self.marks += 1;
        }
    }

    /// Counts what begins here; each word once for a group, however many of its stems fit.
    fn look(
        &mut self,
        index: &Index,
        rest: &str,
        at: usize,
        starts_word: bool,
        counted: &mut [bool; GROUPS],
    ) {
        for entry in index.beginning_like(rest) {
            let fits = match entry.is_stem {
                true => starts_word && stem_fits(entry.text, rest),
                false => rest.starts_with(entry.text),
            };
            let mut is_again = || {
                let seen = counted.get_mut(entry.group);
                entry.is_stem && seen.is_none_or(|seen| std::mem::replace(seen, true))
            };
            if !fits || is_again() {
                continue;
            }
            add(&mut self.hits, entry.group);
            if at < OPENING_BYTES {
                add(&mut self.opening, entry.group);
            }
        }
    }
}

fn add(counts: &mut [u16; GROUPS], group: usize) {
    if let Some(count) = counts.get_mut(group) {
        *count = count.saturating_add(1);
    }
}

fn stem_fits(stem: &str, rest: &str) -> bool {
    let Some(after) = rest.strip_prefix(stem) else {
        return false;
    };
    stem.len() > SHORT_STEM || !after.starts_with(is_word)
}

/// Han, kana and their kin.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}')
}

// === impl Index ===

impl Index {
    fn beginning_like(&self, rest: &str) -> &[Entry] {
        let first = rest.bytes().next().map_or(0, usize::from);
        let start = |at: usize| self.starts.get(at).copied();
        let range = start(first).zip(start(first + 1));
        range
            .and_then(|(from, to)| self.entries.get(from..to))
            .unwrap_or_default()
    }
}

/// Made once, when the first text is looked at.
fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let of_kinds = KINDS.iter().flat_map(|kind| [&kind.strong, &kind.weak]);
        let groups = complexity::CUES.into_iter().chain(of_kinds);
        let mut entries: Vec<Entry> = groups
            .enumerate()
            .flat_map(|(i, c)| of_group(i, c))
            .collect();
        sort_by(&mut entries, |a, b| a.text.cmp(b.text));
        let first = |entry: &Entry| entry.text.bytes().next().map_or(0, usize::from);
        let starts = (0..=256).map(|byte| entries.partition_point(|entry| first(entry) < byte));
        Index {
            starts: starts.collect(),
            entries,
        }
    })
}

fn of_group(group: usize, cues: &'static Cues) -> impl Iterator<Item = Entry> {
    let entry = move |is_stem| {
        move |text: &&'static str| Entry {
            text,
            group,
            is_stem,
        }
    };
    let stems = cues.stems.iter().map(entry(true));
    stems.chain(cues.phrases.iter().map(entry(false)))
}
