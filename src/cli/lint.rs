//! `pointsman lint`: mistakes in manifests, bootstraps and dumps.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::args::{Format, LintArgs};
use super::{Outcome, read};
use crate::lint::{Finding, is_checked, lint};
use crate::render::from_yaml;

pub(super) fn run(
    args: &LintArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Outcome> {
    let mut objects = Vec::new();
    for file in &args.files {
        match from_yaml(&read(file)?) {
            Ok(found) if found.iter().any(is_checked) => objects.extend(found),
            Ok(_) => {
                let expected = "manifests, a bootstrap, resources or a config dump";
                writeln!(err, "{file}: found nothing to check, expected {expected}")?;
                return Ok(Outcome::Refused);
            }
            Err(problem) => {
                writeln!(err, "{file}: {problem}")?;
                return Ok(Outcome::Refused);
            }
        }
    }
    let findings = lint(&objects);
    match args.format {
        Format::Json => writeln!(out, "{:#}", to_json(&findings))?,
        Format::Text => {
            for finding in &findings {
                let Finding {
                    place,
                    code,
                    cause,
                    cure,
                } = finding;
                writeln!(out, "{place}: {code}: {cause}\n  -> {cure}")?;
            }
        }
    }
    match findings.len() {
        0 => {
            writeln!(
                err,
                "no mistakes found in {}",
                count(objects.len(), "object")
            )?;
            Ok(Outcome::Done)
        }
        n => {
            writeln!(err, "{}", count(n, "mistake"))?;
            Ok(Outcome::Refused)
        }
    }
}

fn count(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

fn to_json(findings: &[Finding]) -> Value {
    let findings = findings.iter().map(|finding| {
        let Finding {
            place,
            code,
            cause,
            cure,
        } = finding;
        json!({ "place": place, "code": code, "cause": cause, "cure": cure })
    });
    json!({ "findings": findings.collect::<Vec<_>>() })
}
