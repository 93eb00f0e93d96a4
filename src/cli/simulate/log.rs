//! Records of the access log, as the rendered configuration writes them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::clock;
use super::figures::{Figure, Figures};
use super::traffic::{Repeat, Request, Spread, Traffic, Tried};
use crate::config::Config;
use crate::inspect::RequestProfile;
use crate::operation::Operation;
use crate::routing::Facts;
use crate::routing::rules::{Match, Pattern};
use crate::usage::{Tier, Usage};

/// So many reasons for leaving lines out are told.
const MOST_REASONS: usize = 10;

/// Reads lines; `config` is the one that they were written under. Lines that cannot be taken are
/// told; the error is that there is no other one.
pub(super) fn read(text: &str, config: &Config) -> Result<Traffic, String> {
    let mut reading = Reading::default();
    for (number, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        match reading.request(line, config) {
            Ok(request) => reading.traffic.requests.push(request),
            Err(reason) => reading.skip(number + 1, &reason),
        }
    }
    let Reading {
        mut traffic,
        samples,
    } = reading;
    if traffic.requests.is_empty() {
        let reasons = traffic.skipped.join("\n");
        return Err(format!("no line is a request that was answered\n{reasons}"));
    }
    traffic.requests.sort_by_key(|request| request.at_ms);
    traffic.total = traffic.requests.len() as u64;
    traffic.figures = Figures {
        known: samples
            .into_iter()
            .map(|(name, s)| (name, s.figure()))
            .collect(),
        state: None,
    };
    Ok(traffic)
}

#[derive(Default)]
struct Reading {
    traffic: Traffic,
    /// By `provider/model`.
    samples: BTreeMap<String, Samples>,
}

/// What a log shows of one target.
#[derive(Default)]
struct Samples {
    ttft_ms: Vec<u64>,
    total_ms: Vec<u64>,
    answered: u64,
    thrown_away: u64,
    failed: u64,
}

impl Samples {
    fn figure(mut self) -> Figure {
        let answers = self.answered + self.thrown_away;
        let attempts = answers + self.failed;
        Figure {
            ttft_ms: spread(&mut self.ttft_ms),
            total_ms: spread(&mut self.total_ms),
            error_rate: (attempts > 0).then(|| self.failed as f64 / attempts as f64),
            poor: (answers > 0).then(|| self.thrown_away as f64 / answers as f64),
        }
    }
}

fn spread(samples: &mut [u64]) -> Option<Spread> {
    samples.sort_unstable();
    let last = samples.len().checked_sub(1)?;
    let at = |share: f64| samples[(last as f64 * share).round() as usize] as f64;
    Some(Spread::Percentiles {
        min: at(0.0),
        p50: at(0.5),
        p95: Some(at(0.95)),
        max: Some(at(1.0)),
    })
}

impl Reading {
    fn skip(&mut self, line: usize, reason: &str) {
        self.traffic.skipped_lines += 1;
        let is_told = |told: &String| told.ends_with(reason);
        if self.traffic.skipped.len() < MOST_REASONS && !self.traffic.skipped.iter().any(is_told) {
            self.traffic.skipped.push(format!("line {line}: {reason}"));
        }
    }

    fn assume(&mut self, what: &str) {
        if !self.traffic.assumed.contains(what) {
            self.traffic.assumed.insert(what.to_owned());
        }
    }

    fn request(&mut self, line: &str, config: &Config) -> Result<Request, String> {
        let record: Value = serde_json::from_str(line)
            .map_err(|error| format!("no JSON at column {}", error.column()))?;
        let record = Record(record);
        let model = record.text("gen_ai.request.model");
        let model = model.ok_or("no gen_ai.request.model: not a request for a model")?;
        self.note_attempts(&record);
        let repeat = self.repeat(&record);
        let input_tokens = record.number("gen_ai.usage.input_tokens");
        let input_tokens = input_tokens.or((repeat != Repeat::None).then_some(0));
        let input_tokens = input_tokens.ok_or("no tokens: nobody answered")?;
        let number = |name: &str| record.number(name).unwrap_or(0);
        let usage = Usage {
            input_tokens,
            output_tokens: number("gen_ai.usage.output_tokens"),
            cached_input_tokens: number("gen_ai.usage.cache_read.input_tokens"),
            cache_write_tokens: number("gen_ai.usage.cache_creation.input_tokens"),
            reasoning_tokens: number("gen_ai.usage.reasoning.output_tokens"),
            tier: record
                .text("pointsman.service_tier")
                .map_or(Tier::Standard, Tier::named),
            ..Usage::default()
        };
        let operation = record.text("gen_ai.operation.name").unwrap_or("chat");
        let operation = match operation {
            "text_completion" => Operation::Completions,
            other => Operation::find(other).unwrap_or_default(),
        };
        let complexity = record.number("pointsman.complexity");
        let profile = RequestProfile {
            operation,
            streamed: record.is_streamed(),
            input_tokens,
            complexity: complexity.and_then(|n| u16::try_from(n).ok()),
            ..RequestProfile::of_model(model)
        };
        self.assume("a prompt has as many tokens at every model as at the one that answered");
        self.assume("needs, limits and metadata of requests are not in the log: none");
        let at_ms = record.text("start_time").and_then(clock::of_moment);
        if at_ms.is_none() {
            self.assume("records without a start_time are of 1970");
        }
        if record.text("content_type").is_none() {
            self.assume("records without a content_type are no streams");
        }
        if config.routing.reads.complexity && complexity.is_none() {
            self.assume("records without pointsman.complexity are of no known complexity");
        }
        Ok(Request {
            at_ms: at_ms.unwrap_or(0),
            known: self.facts(&record, config),
            usage,
            tried: record.tried_to_the_end(),
            profile,
            repeat,
        })
    }

    /// What was answered from the cache would be again, wherever one is kept.
    fn repeat(&mut self, record: &Record) -> Repeat {
        if record.text("pointsman.cache") != Some("hit") {
            return Repeat::None;
        }
        self.assume(
            "what came from the cache does so wherever answers of its model are kept, and else costs \
             what it cost when it was new; its tokens are not in the log",
        );
        Repeat::Was(record.number("pointsman.saved_nano_usd").unwrap_or(0))
    }

    /// What is known besides: where a rule or a team is named, what its conditions ask for.
    fn facts(&mut self, record: &Record, config: &Config) -> Facts {
        let classes = record.text("pointsman.classes").into_iter();
        let mut facts = Facts {
            path: record.text("path").unwrap_or_default().to_owned(),
            intent: record.text("pointsman.intent").map(str::to_owned),
            classes: classes
                .flat_map(|list| list.split(", ").filter_map(class))
                .collect(),
            ..Facts::default()
        };
        let rule = record
            .text("pointsman.rule")
            .and_then(|name| config.rule(name));
        let team = record.text("pointsman.team");
        let mut teams = config.routing.teams.iter();
        let team = team.and_then(|name| teams.find(|team| team.name == name));
        let conditions = [rule.map(|rule| &rule.when), team.map(|team| &team.when)];
        for when in conditions.into_iter().flatten() {
            meet(when, &mut facts);
            if when.expression.is_some() {
                self.assume("expressions of rules and teams read nothing that the log lacks");
            }
        }
        let reads = &config.routing.reads;
        if !reads.headers.is_empty() || !reads.claims.is_empty() || reads.identity || reads.user {
            self.assume(
                "headers, claims, identities and users are those that the conditions of the \
                 record's rule and team ask for",
            );
        }
        facts
    }

    /// How targets did.
    fn note_attempts(&mut self, record: &Record) {
        let tried = record.tried();
        let is_alone = tried.len() == 1;
        for each in tried {
            let samples = self.samples.entry(each.target).or_default();
            match (each.answered, each.thrown_away) {
                (true, _) => samples.answered += 1,
                (_, true) => samples.thrown_away += 1,
                _ => samples.failed += 1,
            }
            if !each.answered {
                continue;
            }
            if record.is_streamed() {
                samples.ttft_ms.push(each.ms);
            }
            if is_alone {
                samples.total_ms.extend(record.number("duration_ms"));
            }
        }
    }
}

/// `kind` and `hard` of `kind;outcome=asked;class=hard;ms=12`.
fn class(entry: &str) -> Option<(String, Option<String>)> {
    let mut fields = entry.split(';');
    let name = fields.next()?.to_owned();
    let class = fields.find_map(|field| field.strip_prefix("class="))?;
    Some((name, (class != "-").then(|| class.to_owned())))
}

/// Adds what a condition asks for: each text as the shortest that fits its first pattern.
fn meet(when: &Match, facts: &mut Facts) {
    let fitting = |patterns: &[Pattern]| patterns.first().map(|pattern| pattern.0.replace('*', ""));
    let add = |to: &mut Vec<(String, String)>, pairs: &[(String, Vec<Pattern>)]| {
        for (name, patterns) in pairs {
            if !to.iter().any(|(known, _)| known == name) {
                to.extend(fitting(patterns).map(|value| (name.clone(), value)));
            }
        }
    };
    add(&mut facts.headers, &when.headers);
    add(&mut facts.claims, &when.claims);
    add(&mut facts.metadata, &when.metadata);
    if facts.identities.is_empty() {
        facts.identities.extend(fitting(&when.identities));
    }
    facts.script = facts.script.or(when.scripts.first().copied());
}

/// One line.
struct Record(Value);

impl Record {
    /// `None` for what is not there, and for what the log writes when there is nothing.
    fn text(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)?
            .as_str()
            .filter(|text| !matches!(*text, "" | "-"))
    }

    fn number(&self, name: &str) -> Option<u64> {
        match self.0.get(name)? {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn is_streamed(&self) -> bool {
        let kind = self.text("content_type");
        kind.is_some_and(|kind| kind.starts_with("text/event-stream"))
    }

    /// Every attempt, by the names of the configuration; that which answered took until its verdict.
    fn tried(&self) -> Vec<Tried> {
        let attempts = self.text("pointsman.attempts").unwrap_or_default();
        attempts.split(", ").filter_map(tried).collect()
    }

    /// The same, where that which answered took until the end of its answer.
    fn tried_to_the_end(&self) -> Vec<Tried> {
        let mut tried = self.tried();
        let before: u64 = tried.iter().filter(|t| !t.answered).map(|t| t.ms).sum();
        if let (Some(last), Some(ms)) = (tried.last_mut(), self.number("duration_ms")) {
            last.ms = ms.saturating_sub(before);
        }
        tried
    }
}

/// One entry of a trail; `None` for who was left alone.
fn tried(entry: &str) -> Option<Tried> {
    let mut fields = entry.split(';');
    let target = fields.next()?.to_owned();
    let fields: BTreeMap<&str, &str> = fields.filter_map(|f| f.split_once('=')).collect();
    let class = *fields.get("class")?;
    (!matches!(class, "cooling_down" | "budget_downgrade")).then(|| Tried {
        target,
        answered: class == "ok",
        thrown_away: matches!(class, "low_quality" | "not_json" | "reply_too_large"),
        ms: fields.get("ms").and_then(|ms| ms.parse().ok()).unwrap_or(0),
    })
}
