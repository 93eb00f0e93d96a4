//! What an answer's text shows.

use super::fault::Fault;
use crate::json;

/// How much of the beginning is searched for a refusal, in bytes.
const BEGINNING: usize = 240;

/// Segments shorter than this may repeat: list marks, "Yes.", closing brackets.
const SHORTEST_REPEAT: usize = 12;

const REFUSALS: [&str; 22] = [
    "i can't assist",
    "i can't help",
    "i can't provide",
    "i cannot assist",
    "i cannot help",
    "i cannot provide",
    "i cannot fulfill",
    "i'm unable to",
    "i am unable to",
    "i'm not able to",
    "i am not able to",
    "i won't be able to",
    "as an ai",
    "as a language model",
    "ich kann dir dabei nicht",
    "ich kann ihnen dabei nicht",
    "je ne peux pas vous aider",
    "je ne suis pas en mesure",
    "no puedo ayudar",
    "non posso aiutar",
    "não posso ajudar",
    "я не могу помочь",
];

const DOUBTS: [&str; 9] = [
    "i'm not sure",
    "i am not sure",
    "i don't know",
    "i do not know",
    "i don't have access to",
    "i do not have access to",
    "i don't have enough information",
    "i do not have enough information",
    "it is unclear what you",
];

/// What shows in the beginning already.
pub(super) fn faults_of_beginning(text: &str) -> Vec<Fault> {
    let end = text.floor_char_boundary(BEGINNING);
    let beginning = text
        .get(..end)
        .unwrap_or(text)
        .to_lowercase()
        .replace('’', "'");
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| beginning.contains(phrase));
    let mut faults = Vec::new();
    if says(&REFUSALS) {
        faults.push(Fault::Refuses);
    }
    if says(&DOUBTS) {
        faults.push(Fault::Unsure);
    }
    faults
}

/// What shows only in the whole text.
pub(super) fn faults_of_whole(text: &str, shall_be_json: bool) -> Vec<Fault> {
    let mut faults = Vec::new();
    if text.trim().is_empty() {
        faults.push(Fault::Empty);
    } else if shall_be_json && json::read::<json::Raw<'_>>(text.as_bytes()).is_err() {
        faults.push(Fault::NotJson);
    }
    if repeats(text) {
        faults.push(Fault::Repeats);
    }
    faults
}

/// Whether a line or sentence comes three times running.
fn repeats(text: &str) -> bool {
    let segments = text.split(['\n', '.', '!', '?']).map(str::trim);
    let mut last = ("", 0);
    for segment in segments.filter(|segment| segment.len() >= SHORTEST_REPEAT) {
        last = if segment == last.0 {
            (segment, last.1 + 1)
        } else {
            (segment, 1)
        };
        if last.1 >= 3 {
            return true;
        }
    }
    false
}
