//! Whether one condition holds whenever another does: a rule behind a wider one is never asked.
//! Native only. Errs on the safe side: what is hard to tell is not covered.

use super::{Match, Pattern, Range};

impl Match {
    /// Whether every request that `other` is for, this one is for as well.
    pub fn covers(&self, other: &Match) -> bool {
        wider(&self.models, &other.models)
            && wider(&self.paths, &other.paths)
            && wider(&self.identities, &other.identities)
            && each(&self.headers, &other.headers)
            && each(&self.claims, &other.claims)
            && each(&self.metadata, &other.metadata)
            && self.prompt_tokens.covers(other.prompt_tokens)
            && self.complexity.covers(other.complexity)
            && self.needs.iter().all(|need| other.needs.contains(need))
            && (self.streamed.is_none() || self.streamed == other.streamed)
            && subset(&self.scripts, &other.scripts)
            && subset(&self.intents, &other.intents)
            && (self.expression.is_none() || self.expression == other.expression)
            && self.classes.iter().all(|(name, classes)| {
                let mut same = other.classes.iter().filter(|(other, _)| other == name);
                same.any(|(_, others)| subset(classes, others))
            })
            && subset(&self.weekdays, &other.weekdays)
            && (self.hours.is_none() || self.hours == other.hours)
    }
}

/// Whether all of the narrower ones are among the wider ones; no condition is the widest.
fn subset<T: PartialEq>(wide: &[T], narrow: &[T]) -> bool {
    wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(|each| wide.contains(each)))
}

fn wider(wide: &[Pattern], narrow: &[Pattern]) -> bool {
    let covered = |pattern: &Pattern| wide.iter().any(|w| w.covers(pattern));
    wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(covered))
}

/// Whether each condition of the wider rule is one of the narrower rule as well.
fn each(wide: &[(String, Vec<Pattern>)], narrow: &[(String, Vec<Pattern>)]) -> bool {
    wide.iter().all(|(name, patterns)| {
        let mut same = narrow.iter().filter(|(other, _)| other == name);
        same.any(|(_, others)| wider(patterns, others))
    })
}

impl Pattern {
    /// Whether it fits every text that `other` fits.
    pub fn covers(&self, other: &Pattern) -> bool {
        // A star is like any text that holds none of the letters asked for.
        self == other || self.0 == "*" || self.fits(&other.0.replace('*', "\u{0}"))
    }
}

impl Range {
    fn covers(self, other: Range) -> bool {
        let below = self.over.is_none_or(|o| other.over.is_some_and(|p| p >= o));
        let above = self
            .up_to
            .is_none_or(|u| other.up_to.is_some_and(|v| v <= u));
        below && above
    }
}
