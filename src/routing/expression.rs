//! Conditions that lists of patterns cannot say: a small part of CEL, the Common Expression
//! Language (<https://cel.dev>, read 2026-11-21).
//!
//! Parsed and checked when the configuration is loaded; evaluated for every request without
//! allocating, failing or looping: an expression has no more than [`MOST_PARTS`] parts.

mod parse;

use std::cmp::Ordering;

use super::facts::{Facts, Reads};
use super::rules::NEEDS;
use crate::inspect::RequestProfile;

pub use parse::Mistake;

/// The most operands and operators of one expression.
pub const MOST_PARTS: usize = 256;

/// Names of weekdays, since Monday.
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A condition that has been checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression(Node);

/// A part of it. What the parser has checked is not asked again.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Truth(bool),
    Number(f64),
    Text(String),
    /// Texts, each a literal.
    List(Vec<Node>),
    Field(Field),
    Not(Box<Node>),
    Both(Op, Box<(Node, Node)>),
}

/// What takes two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    And,
    Or,
    /// Of truths.
    Same,
    /// Of numbers.
    Equal,
    Less,
    LessOrEqual,
    Add,
    Subtract,
    Multiply,
    /// Of texts: any of those on the left with any of those on the right.
    Is,
    StartsWith,
    EndsWith,
    Contains,
    /// Of a text that may be there; the right operand is the left one.
    IsThere,
}

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Field {
    Stream,
    /// A place in [`NEEDS`].
    Needs(usize),
    PromptTokens,
    Complexity,
    Hour,
    Minute,
    Model,
    Path,
    Identity,
    Script,
    Intent,
    Weekday,
    Header(String),
    Claim(String),
    Metadata(String),
}

/// What a request is known by.
type Known<'a> = (&'a RequestProfile, &'a Facts);

impl Expression {
    /// Parses and checks.
    pub fn parse(text: &str) -> Result<Expression, Mistake> {
        parse::parse(text).map(Expression)
    }

    /// Whether it holds.
    pub fn holds(&self, profile: &RequestProfile, facts: &Facts) -> bool {
        self.0.holds((profile, facts))
    }

    /// Notes what must be known of a request to tell.
    pub fn reads(&self, reads: &mut Reads) {
        self.0.reads(reads);
    }
}

impl Node {
    fn holds(&self, known: Known<'_>) -> bool {
        match self {
            Node::Truth(truth) => *truth,
            Node::Not(node) => !node.holds(known),
            Node::Field(Field::Stream) => known.0.streamed,
            Node::Field(Field::Needs(place)) => {
                let need = NEEDS.get(*place);
                need.is_some_and(|(_, is_needed)| is_needed(&known.0.needs))
            }
            Node::Both(op, both) => op.holds(&both.0, &both.1, known),
            _ => false,
        }
    }

    /// `None` for what is not known.
    fn number(&self, known: Known<'_>) -> Option<f64> {
        match self {
            Node::Number(number) => Some(*number),
            Node::Field(Field::PromptTokens) => Some(known.0.input_tokens as f64),
            Node::Field(Field::Complexity) => {
                known.0.complexity.map(|parts| f64::from(parts) / 1000.0)
            }
            Node::Field(Field::Hour) => Some(f64::from(known.1.minute / 60)),
            Node::Field(Field::Minute) => Some(f64::from(known.1.minute % 60)),
            Node::Both(op, both) => {
                let (a, b) = (both.0.number(known)?, both.1.number(known)?);
                Some(match op {
                    Op::Add => a + b,
                    Op::Subtract => a - b,
                    _ => a * b,
                })
            }
            _ => None,
        }
    }

    /// Whether one of its texts is like that; none is there when it is not known.
    fn any(&self, (profile, facts): Known<'_>, is_it: &dyn Fn(&str) -> bool) -> bool {
        let named = |pairs: &[(String, String)], name: &String| {
            let mut found = pairs.iter().filter(|(known, _)| known == name);
            found.any(|(_, value)| is_it(value))
        };
        match self {
            Node::Text(text) => is_it(text),
            Node::List(items) => items.iter().any(|item| item.any((profile, facts), is_it)),
            Node::Field(field) => match field {
                Field::Model => is_it(&profile.model),
                Field::Path => is_it(&facts.path),
                Field::Identity => facts.identities.iter().any(|each| is_it(each)),
                Field::Script => facts.script.is_some_and(|script| is_it(script.as_str())),
                Field::Intent => facts.intent.as_deref().is_some_and(is_it),
                Field::Weekday => WEEKDAYS
                    .get(usize::from(facts.weekday))
                    .is_some_and(|d| is_it(d)),
                Field::Header(name) => named(&facts.headers, name),
                Field::Claim(name) => named(&facts.claims, name),
                Field::Metadata(name) => named(&facts.metadata, name),
                _ => false,
            },
            _ => false,
        }
    }

    fn reads(&self, reads: &mut Reads) {
        match self {
            Node::Not(node) => node.reads(reads),
            Node::Both(_, both) => {
                both.0.reads(reads);
                both.1.reads(reads);
            }
            Node::Field(field) => match field {
                Field::Header(name) => reads.header(name),
                Field::Claim(name) => reads.claim(name),
                Field::Metadata(_) => reads.metadata = true,
                Field::Identity => reads.identity = true,
                Field::Script => reads.script = true,
                Field::Intent => reads.intent = true,
                Field::Complexity => reads.complexity = true,
                _ => {}
            },
            _ => {}
        }
    }
}

impl Op {
    fn holds(self, a: &Node, b: &Node, known: Known<'_>) -> bool {
        let texts = |test: fn(&str, &str) -> bool| a.any(known, &|a| b.any(known, &|b| test(a, b)));
        match self {
            Op::And => a.holds(known) && b.holds(known),
            Op::Or => a.holds(known) || b.holds(known),
            Op::Same => a.holds(known) == b.holds(known),
            Op::Is => texts(|a, b| a == b),
            Op::StartsWith => texts(|a, b| a.starts_with(b)),
            Op::EndsWith => texts(|a, b| a.ends_with(b)),
            Op::Contains => texts(|a, b| a.contains(b)),
            Op::IsThere => a.any(known, &|_| true),
            Op::Equal | Op::Less | Op::LessOrEqual => {
                let numbers = a.number(known).zip(b.number(known));
                match numbers.and_then(|(a, b)| a.partial_cmp(&b)) {
                    Some(Ordering::Less) => self != Op::Equal,
                    Some(Ordering::Equal) => self != Op::Less,
                    _ => false,
                }
            }
            Op::Add | Op::Subtract | Op::Multiply => false,
        }
    }
}

#[cfg(test)]
mod tests;
