//! `pointsman check`: every problem of a document, or what was understood.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::args::{CheckArgs, Format};
use super::{Outcome, read};
use crate::catalog::Backend;
use crate::config::{Config, ModelConfig, Problem, Severity, yaml};
use crate::render::envoy;
use crate::routing::Policies;

pub(super) fn run(
    args: &CheckArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Outcome> {
    let text = read(&args.file)?;
    let (config, problems) = match yaml::load_on(args.today, &text) {
        Ok((config, _, warnings)) => (Some(config), warnings),
        Err(problems) => (None, problems),
    };
    let unable = match (&config, args.envoy) {
        (Some(config), Some(version)) => envoy::unable(config, version),
        _ => Vec::new(),
    };
    if !unable.is_empty() {
        for reason in &unable {
            writeln!(err, "{}: {reason}", args.file)?;
        }
        return Ok(Outcome::Refused);
    }
    match args.format {
        Format::Text => write_text(&args.file, config.as_ref(), &problems, out, err)?,
        Format::Json => writeln!(out, "{:#}", to_json(&args.file, config.as_ref(), &problems))?,
    }
    Ok(config.map_or(Outcome::Refused, |_| Outcome::Done))
}

fn write_text(
    file: &str,
    config: Option<&Config>,
    problems: &[Problem],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<()> {
    for problem in problems {
        writeln!(err, "{}", problem.in_file(file))?;
    }
    match config {
        Some(config) => write!(out, "{}", summary(config)),
        None => writeln!(err, "{file}: {}", count(problems)),
    }
}

fn count(problems: &[Problem]) -> String {
    let errors = problems
        .iter()
        .filter(|p| p.severity == Severity::Error)
        .count();
    match errors {
        1 => "1 problem".to_owned(),
        n => format!("{n} problems"),
    }
}

/// One line per model: name, policy, candidates.
fn summary(config: &Config) -> String {
    let width = |texts: &mut dyn Iterator<Item = &String>| {
        texts.map(|t| t.chars().count()).max().unwrap_or(0)
    };
    let models = || config.models.values();
    let name_width = width(&mut models().map(|m| &m.name));
    let policies: Vec<String> = models().map(|m| m.policy.names()).collect();
    let policy_width = width(&mut policies.iter());
    let line = |model: &ModelConfig| {
        let ModelConfig {
            name,
            policy,
            candidates,
            ..
        } = model;
        let who: Vec<String> = candidates.iter().map(|c| candidate(c, policy)).collect();
        let policy = policy.names();
        format!(
            "{name:name_width$}  {policy:policy_width$}  {}\n",
            who.join(", ")
        )
    };
    models().map(line).collect()
}

/// `openai/gpt-5`, with what differs from a plain candidate.
fn candidate(backend: &Backend, policy: &Policies) -> String {
    let mut text = format!("{}/{}", backend.provider, backend.model);
    if policy.has("weighted") {
        text.push_str(&format!(" (weight {})", backend.weight));
    }
    if backend.tries > 1 {
        text.push_str(&format!(" ({} tries)", backend.tries));
    }
    text
}

fn to_json(file: &str, config: Option<&Config>, problems: &[Problem]) -> Value {
    let models = config
        .into_iter()
        .flat_map(|c| c.models.values())
        .map(|model| {
            let who = model
                .candidates
                .iter()
                .map(|c| json!({"provider": c.provider, "model": c.model}));
            json!({
                "name": model.name,
                "policy": model.policy.names(),
                "candidates": who.collect::<Vec<_>>(),
            })
        });
    json!({
        "file": file,
        "accepted": config.is_some(),
        "problems": problems.iter().map(problem_to_json).collect::<Vec<_>>(),
        "models": models.collect::<Vec<_>>(),
    })
}

fn problem_to_json(problem: &Problem) -> Value {
    let Problem {
        path,
        mark,
        found,
        expected,
        hint,
        severity,
    } = problem;
    json!({
        "severity": severity.word(),
        "path": path,
        "line": mark.map(|m| m.line),
        "column": mark.map(|m| m.column),
        "found": found,
        "expected": expected,
        "hint": hint,
    })
}
