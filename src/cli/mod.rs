//! The command line: one file per subcommand, arguments in `args`.
#![allow(
    clippy::indexing_slicing,
    reason = "native, and only into JSON objects"
)]

mod args;
mod check;
mod explain;
mod lint;
mod models;
mod reference;
mod render;
mod run;
mod schema;
mod simulate;
mod translate;

use std::io::{self, Read, Write};
use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};

use crate::config::{Config, yaml};

/// What a subcommand came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done: exit code 0.
    Done,
    /// The document is refused: exit code 1.
    Refused,
}

/// Runs the process's own arguments. Exit code 2 means that nothing was done: wrong usage, or
/// a file that cannot be read.
pub fn main() -> ExitCode {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    match run(Args::parse(), &mut out, &mut err) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Refused) => ExitCode::from(1),
        // The reader has seen enough, as in `pointsman schema | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when this fails too.
            let _ = writeln!(err, "pointsman: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(args: Args, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Outcome> {
    match args.command {
        Command::Check(args) => check::run(&args, out, err),
        Command::Render(command) => render::run(&command, out, err),
        Command::Lint(args) => lint::run(&args, out, err),
        Command::Explain(args) => explain::run(&args, out, err),
        Command::Translate(args) => translate::run(&args, out, err),
        Command::Simulate(args) => simulate::run(&args, out, err),
        Command::Run(args) => run::run(&args, out, err),
        Command::Schema(args) => schema::run(&args, out),
        Command::Models(args) => models::run(&args, out),
    }
}

/// The checked document in `file` and its JSON; `None` when it is refused, after the problems
/// have been listed. Warnings are listed too.
fn load(file: &str, err: &mut dyn Write) -> io::Result<Option<(Config, serde_json::Value)>> {
    let text = read(file)?;
    let (loaded, problems) = match yaml::load(&text) {
        Ok((config, document, warnings)) => (Some((config, document)), warnings),
        Err(problems) => (None, problems),
    };
    for problem in &problems {
        writeln!(err, "{}", problem.in_file(file))?;
    }
    Ok(loaded)
}

/// The text of `file`, or of standard input when it is `-`. The error names the file.
fn read(file: &str) -> io::Result<String> {
    let mut text = String::new();
    let read = match file {
        "-" => io::stdin().read_to_string(&mut text).map(|_| text),
        file => std::fs::read_to_string(file),
    };
    read.map_err(|error| io::Error::new(error.kind(), format!("{file}: {error}")))
}
