//! `pointsman simulate`: what traffic costs under a configuration, and what it would cost under
//! another.

mod args;
mod changes;
mod clock;
mod figures;
mod log;
mod mix;
mod play;
mod report;
mod table;
mod traffic;

use std::io::{self, Error, ErrorKind, Write};

use super::args::Format;
use super::explain::state::State;
use super::{Outcome, load, read};
use crate::config::{Config, yaml};
pub(super) use args::SimulateArgs;
use report::Played;
use traffic::Traffic;

pub(super) fn run(
    args: &SimulateArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Outcome> {
    let Some(configs) = configs(args, err)? else {
        return Ok(Outcome::Refused);
    };
    let [(_, first), ..] = configs.as_slice() else {
        return Err(usage("--config: expected one or two"));
    };
    let mut traffic = match traffic(args, first)? {
        Ok(traffic) => traffic,
        Err(problem) => {
            writeln!(err, "{}: {problem}", args.traffic)?;
            return Ok(Outcome::Refused);
        }
    };
    traffic.figures.state = args.state.as_deref().map(State::read).transpose()?;
    let played = configs.into_iter().map(|(name, config)| Played {
        name,
        outcome: play::play(config, &traffic, args.seed),
    });
    let played: Vec<Played> = played.collect();
    match args.format {
        Format::Text => report::write_text(&traffic, &played, args.seed, out)?,
        Format::Json => {
            writeln!(out, "{:#}", report::to_json(&traffic, &played, args.seed))?;
        }
    }
    Ok(Outcome::Done)
}

/// One or two configurations with their names; `None` when one is refused.
fn configs(args: &SimulateArgs, err: &mut dyn Write) -> io::Result<Option<Vec<(String, Config)>>> {
    let changes = args.changes();
    if args.configs.len() > 2 || (args.configs.len() == 2 && !changes.is_empty()) {
        return Err(usage(
            "expected one --config and what is changed of it, or two",
        ));
    }
    let mut configs = Vec::new();
    for file in &args.configs {
        let Some((config, mut document)) = load(file, err)? else {
            return Ok(None);
        };
        configs.push((file.clone(), config));
        if changes.is_empty() {
            continue;
        }
        changes.make(&mut document).map_err(usage)?;
        let name = format!("{file}, {}", changes.in_words());
        match yaml::load(&document.to_string()) {
            Ok((changed, _, _)) => configs.push((name, changed)),
            Err(problems) => {
                for mut problem in problems {
                    // It stands in no file.
                    problem.mark = None;
                    writeln!(err, "{}", problem.in_file(&name))?;
                }
                return Ok(None);
            }
        }
    }
    Ok(Some(configs))
}

fn usage(problem: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, problem.into())
}

/// A log when it begins like one, else a mix. The inner error is what is wrong with it.
fn traffic(args: &SimulateArgs, config: &Config) -> io::Result<Result<Traffic, String>> {
    let text = read(&args.traffic)?;
    if text.trim_start().starts_with('{') {
        return Ok(log::read(&text, config).map(|traffic| Traffic {
            name: args.traffic.clone(),
            ..traffic
        }));
    }
    Ok(yaml::read(&text)
        .map_err(|problem| problem.to_string())
        .and_then(|mix| mix::draw(mix, args.draws, args.seed)))
}
