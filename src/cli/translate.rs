//! `pointsman translate`: what a provider would be sent.

use std::io::{self, Write};

use serde_json::json;

use super::args::TranslateArgs;
use super::{Outcome, load, read};
use crate::catalog::Backend;
use crate::config::{Config, ProviderConfig};
use crate::fidelity::Report;
use crate::inspect::inspect;
use crate::schema::Translated;

pub(super) fn run(
    args: &TranslateArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Outcome> {
    let Some((config, _)) = load(&args.file, err)? else {
        return Ok(Outcome::Refused);
    };
    let input = read("-")?;
    if args.lines {
        return each_line(args, &config, &input, out);
    }
    match translate(args, &config, &input) {
        Ok(sent) => {
            writeln!(err, "POST {}", sent.url)?;
            for (name, value) in &sent.translated.headers {
                writeln!(err, "{name}: {value}")?;
            }
            for finding in sent.report.findings() {
                let (verdict, param) = (finding.verdict.as_str(), &finding.param);
                writeln!(err, "{verdict} {param}: {}", finding.reason)?;
            }
            let body = String::from_utf8_lossy(&sent.translated.body);
            writeln!(out, "{}", indented(&body))?;
            Ok(Outcome::Done)
        }
        Err(problem) => {
            writeln!(err, "{problem}")?;
            Ok(Outcome::Refused)
        }
    }
}

/// Every line of `input` is a request, and becomes one line that tells what came of it.
fn each_line(
    args: &TranslateArgs,
    config: &Config,
    input: &str,
    out: &mut dyn Write,
) -> io::Result<Outcome> {
    for body in input.lines() {
        match translate(args, config, body) {
            Ok(sent) => {
                let (url, report) = (json!(sent.url), json!(sent.report));
                // As it is: a tree of it would round its numbers.
                let body = String::from_utf8_lossy(&sent.translated.body);
                writeln!(out, r#"{{"url":{url},"body":{body},"report":{report}}}"#)?;
            }
            Err(problem) => writeln!(out, "{}", json!({"error": problem}))?,
        }
    }
    Ok(Outcome::Done)
}

/// JSON on several lines; its strings and numbers are left as they are.
fn indented(json: &str) -> String {
    let (mut out, mut depth, mut quoted, mut escaped) = (String::new(), 0_usize, false, false);
    let mut rest = json.chars().peekable();
    while let Some(c) = rest.next() {
        if quoted || !c.is_ascii_whitespace() {
            match c {
                '}' | ']' if !quoted => {
                    depth = depth.saturating_sub(1);
                    if !out.ends_with(['{', '[']) {
                        new_line(&mut out, depth);
                    }
                }
                _ => {}
            }
            out.push(c);
        }
        if quoted {
            (quoted, escaped) = (escaped || c != '"', !escaped && c == '\\');
            continue;
        }
        match c {
            '"' => quoted = true,
            ':' => out.push(' '),
            ',' => new_line(&mut out, depth),
            '{' | '[' => {
                depth += 1;
                while rest.next_if(char::is_ascii_whitespace).is_some() {}
                if !matches!(rest.peek(), Some('}' | ']')) {
                    new_line(&mut out, depth);
                }
            }
            _ => {}
        }
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
}

struct Sent {
    url: String,
    report: Report,
    translated: Translated,
}

fn translate(args: &TranslateArgs, config: &Config, body: &str) -> Result<Sent, String> {
    let (request, profile) = inspect(body.as_bytes())
        .map_err(|e| format!("{} {}", e.param, e.message).trim().to_owned())?;
    let name = args.model.as_deref().unwrap_or(&profile.model);
    let (provider, backend) = find(config, name, args.provider.as_deref())?;
    let kind = provider.kind;
    let mut report = Report::default();
    let target = provider.target(backend, body.as_bytes());
    let translated = kind
        .schema()
        .translate_request(&request, &target, &mut report)
        .map_err(|error| error.to_string())?;
    let endpoint = &provider.endpoint;
    let scheme = if endpoint.tls { "https" } else { "http" };
    let path = provider.chat_path(&backend.model, profile.streamed);
    let url = format!("{scheme}://{}{path}", endpoint.authority());
    Ok(Sent {
        url,
        report,
        translated,
    })
}

fn find<'c>(
    config: &'c Config,
    name: &str,
    provider: Option<&str>,
) -> Result<(&'c ProviderConfig, &'c Backend), String> {
    let model = config.model(name).ok_or_else(|| {
        let known: Vec<&str> = config.models.keys().map(String::as_str).collect();
        format!(
            "model: found {name:?}, expected one of {}",
            known.join(", ")
        )
    })?;
    let mut candidates = model.candidates.iter();
    let backend = candidates
        .find(|c| provider.is_none_or(|p| c.provider == p))
        .ok_or_else(|| {
            let known: Vec<&str> = model
                .candidates
                .iter()
                .map(|c| c.provider.as_str())
                .collect();
            format!(
                "--provider: {name} has no such candidate, expected one of {}",
                known.join(", ")
            )
        })?;
    let provider = config
        .provider(&backend.provider)
        .ok_or("the provider is gone")?;
    Ok((provider, backend))
}
