//! Which requests a rule is for.

use super::expression::Expression;
use super::facts::{Facts, Reads, Script};
use crate::inspect::{Needs, RequestProfile};

/// What a request must be like; every condition that is set has to hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Match {
    /// What the client calls the model: any of these.
    pub models: Vec<Pattern>,
    /// Each of these headers with any of its values.
    pub headers: Vec<(String, Vec<Pattern>)>,
    /// A URI of the client's certificate: any of these.
    pub identities: Vec<Pattern>,
    /// Each of these claims with any of its values.
    pub claims: Vec<(String, Vec<Pattern>)>,
    /// The path without its query: any of these.
    pub paths: Vec<Pattern>,
    /// Estimated tokens of the prompt.
    pub prompt_tokens: Range,
    /// Complexity in thousandths; a request of which it is not known is outside of every range.
    pub complexity: Range,
    /// All that it must need.
    pub needs: Vec<&'static str>,
    /// Whether it wants a stream.
    pub streamed: Option<bool>,
    /// Each of these fields of the body's `metadata` with any of its values.
    pub metadata: Vec<(String, Vec<Pattern>)>,
    /// The script of the last user message: any of these.
    pub scripts: Vec<Script>,
    /// What it is meant to do: any of these.
    pub intents: Vec<String>,
    /// What lists of patterns cannot say.
    pub expression: Option<Expression>,
    /// Each of these classifiers tells any of these classes.
    pub classes: Vec<(String, Vec<String>)>,
    /// Days since Monday: any of these.
    pub weekdays: Vec<u8>,
    /// Minutes of the day, the end not included; over midnight when it ends before it begins.
    pub hours: Option<(u16, u16)>,
}

/// Whether a request is like a rule asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit<'m> {
    /// It is not.
    No,
    /// It is.
    Yes,
    /// This classifier must be asked.
    Unknown(&'m str),
}

/// A text in which each `*` stands for anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(pub String);

/// More than `over` and at most `up_to`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    /// The bound below, itself not included.
    pub over: Option<u64>,
    /// The bound above, itself included.
    pub up_to: Option<u64>,
}

/// A word, and whether it is true of a request's needs.
pub type Need = (&'static str, fn(&Needs) -> bool);

/// What a request can need, by the names of the capabilities.
pub const NEEDS: &[Need] = &[
    ("tools", |needs| needs.tools),
    ("parallel_tools", |needs| needs.parallel_tools),
    ("json_schema", |needs| needs.json_schema),
    ("json_mode", |needs| needs.json_mode),
    ("vision", |needs| needs.vision),
    ("audio", |needs| needs.audio),
    ("files", |needs| needs.files),
    ("thinking", |needs| needs.thinking),
];

impl Match {
    /// Whether a request is like that.
    pub fn is_met(&self, profile: &RequestProfile, facts: &Facts) -> bool {
        self.fit(profile, facts) == Fit::Yes
    }

    /// Whether a request is like that; no classifier is named unless all else holds.
    pub fn fit(&self, profile: &RequestProfile, facts: &Facts) -> Fit<'_> {
        let holds = |expression: &Expression| expression.holds(profile, facts);
        let fits = self.fits_profile(profile)
            && self.fits_facts(facts)
            && self.expression.as_ref().is_none_or(holds);
        match fits {
            true => self.fit_classes(facts),
            false => Fit::No,
        }
    }

    fn fit_classes(&self, facts: &Facts) -> Fit<'_> {
        let mut fit = Fit::Yes;
        for (classifier, classes) in &self.classes {
            let mut known = facts.classes.iter();
            match known.find(|(name, _)| name == classifier) {
                None => fit = Fit::Unknown(classifier),
                Some((_, Some(class))) if classes.contains(class) => {}
                Some(_) => return Fit::No,
            }
        }
        fit
    }

    fn fits_profile(&self, profile: &RequestProfile) -> bool {
        let complexity = profile.complexity.map(u64::from);
        self.streamed
            .is_none_or(|wanted| wanted == profile.streamed)
            && any(&self.models, &profile.model)
            && self.prompt_tokens.holds(Some(profile.input_tokens))
            && self.complexity.holds(complexity)
            && self.needs.iter().all(|need| has(&profile.needs, need))
    }

    fn fits_facts(&self, facts: &Facts) -> bool {
        any(&self.paths, &facts.path)
            && pairs(&self.headers, &facts.headers)
            && pairs(&self.claims, &facts.claims)
            && pairs(&self.metadata, &facts.metadata)
            && (self.identities.is_empty()
                || facts.identities.iter().any(|id| any(&self.identities, id)))
            && (self.scripts.is_empty()
                || facts
                    .script
                    .is_some_and(|script| self.scripts.contains(&script)))
            && (self.intents.is_empty()
                || facts
                    .intent
                    .as_ref()
                    .is_some_and(|intent| self.intents.contains(intent)))
            && (self.weekdays.is_empty() || self.weekdays.contains(&facts.weekday))
            && self.hours.is_none_or(|hours| within(hours, facts.minute))
    }

    /// Notes what must be known of a request to tell.
    pub fn reads(&self, reads: &mut Reads) {
        self.headers.iter().for_each(|(name, _)| reads.header(name));
        self.claims.iter().for_each(|(path, _)| reads.claim(path));
        reads.identity |= !self.identities.is_empty();
        reads.metadata |= !self.metadata.is_empty();
        reads.script |= !self.scripts.is_empty();
        reads.intent |= !self.intents.is_empty();
        reads.complexity |= self.complexity != Range::default();
        self.expression.iter().for_each(|each| each.reads(reads));
    }
}

/// Whether a request needs what a word of [`NEEDS`] says.
pub fn has(needs: &Needs, word: &str) -> bool {
    NEEDS
        .iter()
        .any(|(name, is_needed)| *name == word && is_needed(needs))
}

/// Whether one of the patterns fits; no patterns fit everything.
fn any(patterns: &[Pattern], text: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.fits(text))
}

fn pairs(wanted: &[(String, Vec<Pattern>)], given: &[(String, String)]) -> bool {
    wanted.iter().all(|(name, patterns)| {
        let mut values = given.iter().filter(|(known, _)| known == name);
        values.any(|(_, value)| any(patterns, value))
    })
}

fn within((from, to): (u16, u16), minute: u16) -> bool {
    match from <= to {
        true => (from..to).contains(&minute),
        false => minute >= from || minute < to,
    }
}

impl Pattern {
    /// Whether a text is like that; in time proportional to both lengths at worst.
    pub fn fits(&self, text: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        let Some(mut rest) = rest.strip_suffix(last) else {
            return false;
        };
        for part in parts {
            match rest.split_once(part) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        true
    }
}

impl Range {
    /// Whether a number is within; what is not known is only within no bounds at all.
    pub fn holds(&self, number: Option<u64>) -> bool {
        match (self.over, self.up_to, number) {
            (None, None, _) => true,
            (_, _, None) => false,
            (over, up_to, Some(n)) => {
                over.is_none_or(|bound| n > bound) && up_to.is_none_or(|bound| n <= bound)
            }
        }
    }
}

#[cfg(feature = "cli")]
mod cover;
#[cfg(test)]
mod tests;
