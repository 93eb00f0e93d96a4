//! How good an answer looks, told without asking a model: a cheap candidate may try first, and
//! an answer that looks poor goes on to the next.
//!
//! A score from 0 to 1000 begins at 1000; every fault that is seen takes its weight off. What is
//! seen is light on purpose: an empty or cut answer, a refusal or doubt at its beginning, JSON
//! and tool calls that are not what was asked for, sentences that repeat, tokens that the model
//! itself found unlikely.

mod fault;
mod reply;
mod text;

use fault::Fault;
use text::{faults_of_beginning, faults_of_whole};

use crate::schema::openai::ChatCompletionRequest;

/// The score of an answer without a fault.
pub const BEST: u16 = 1000;

/// What the request asks an answer to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// The text shall be JSON.
    pub json: bool,
    /// The functions that may be called.
    pub functions: Vec<String>,
}

/// How good an answer looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// 0 to [`BEST`].
    pub value: u16,
    /// What took most off; empty when nothing did.
    pub reason: &'static str,
    /// The same in a word.
    pub signal: &'static str,
}

/// An answer that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// How good it looks.
    pub score: Score,
    /// What it says; empty for tool calls and sound.
    pub text: String,
}

impl Expected {
    /// What this request asks for.
    pub fn by(request: &ChatCompletionRequest<'_>) -> Expected {
        reply::expected(request)
    }

    /// Scores a whole chat completion in OpenAI's form. What cannot be read has no score.
    pub fn look(&self, completion: &[u8]) -> Option<Look> {
        let (faults, text) = reply::faults(self, completion)?;
        let score = Score::of(&faults);
        Some(Look { score, text })
    }

    /// Scores the beginning of a stream of chat completion chunks, as server-sent events; with
    /// `is_whole`, all of it.
    pub fn look_at_stream(&self, events: &[u8], is_whole: bool) -> Look {
        let seen = reply::read_stream(events);
        if seen.is_more_than_text {
            let (score, text) = (Score::of(&[]), String::new());
            return Look { score, text };
        }
        let mut faults = faults_of_beginning(&seen.text);
        if is_whole {
            faults.extend(faults_of_whole(&seen.text, self.json));
        }
        Look {
            score: Score::of(&faults),
            text: seen.text,
        }
    }
}

impl Score {
    fn of(faults: &[Fault]) -> Score {
        let worst = faults.iter().max_by_key(|fault| fault.weight());
        let lost: u16 = faults
            .iter()
            .fold(0, |sum, fault| sum.saturating_add(fault.weight()));
        Score {
            value: BEST.saturating_sub(lost),
            reason: worst.map_or("", |fault| fault.as_str()),
            signal: worst.map_or("", |fault| fault.signal()),
        }
    }
}

#[cfg(test)]
mod tests;
