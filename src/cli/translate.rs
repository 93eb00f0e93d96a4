//! `pointsman translate`: what a provider would be sent.

use std::io::{self, Write};

use serde_json::json;

use super::args::TranslateArgs;
use super::{Outcome, load, read};
use crate::adapt::{self, Candidate};
use crate::catalog::Backend;
use crate::config::{Config, ProviderConfig};
use crate::exchange::readable;
use crate::fidelity::Report;
use crate::inspect::{InvalidRequest, inspect, inspect_operation};
use crate::operation::Operation;
use crate::schema::Translated;
use crate::surface::{SURFACES, SurfaceContext};

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
    let base_path = config.base_path.as_str();
    let path = args.path.as_deref().unwrap_or(CHAT);
    let path = path.strip_prefix(base_path).unwrap_or(path);
    let mut report = Report::default();
    let surface = SURFACES.iter().find(|surface| surface.path() == path);
    if let Some(surface) = surface {
        let (mut chat, context) = (Vec::new(), SurfaceContext::default());
        let opened = surface.open(body.as_bytes(), &context, &mut chat, &mut report);
        opened.map_err(|error| wrong(&error))?;
        return of_chat(args, config, &chat, report);
    }
    let whole = format!("{base_path}{path}");
    let operation = Operation::of_path(base_path, &whole);
    match operation.ok_or_else(|| format!("--path: {path} is not served here"))? {
        Operation::Chat => of_chat(args, config, body.as_bytes(), report),
        operation => of_operation(args, config, operation, body.as_bytes()),
    }
}

/// Where chat is asked for.
const CHAT: &str = "/chat/completions";

fn wrong(error: &InvalidRequest) -> String {
    format!("{} {}", error.param, error.message)
        .trim()
        .to_owned()
}

/// A chat completion request, reshaped for the candidate as an attempt would.
fn of_chat(
    args: &TranslateArgs,
    config: &Config,
    body: &[u8],
    found: Report,
) -> Result<Sent, String> {
    let (request, profile) = inspect(body).map_err(|error| wrong(&error))?;
    let name = args.model.as_deref().unwrap_or(&profile.model);
    let (provider, backend) = find(config, name, args.provider.as_deref())?;
    let schema = provider.kind.schema();
    let mut report = found.served_by(schema.name());
    let first = config
        .model(name)
        .and_then(|model| model.candidates.first());
    let candidate = Candidate {
        backend,
        schema,
        dialect: &provider.dialect,
        alias: name,
        is_fallback: first.is_some_and(|first| first != backend),
    };
    let adapted = adapt::adapt(&request, body, &candidate, &mut report);
    let adapted = adapted.map_err(|error| error.to_string())?;
    let body = adapted.as_ref().map_or(body, |adapted| &adapted.body);
    let (request, _) = inspect(body).map_err(|error| wrong(&error))?;
    let target = provider.target(backend, body);
    let translated = schema.translate_request(&request, &target, &mut report);
    Ok(Sent {
        url: url(
            provider,
            &provider.chat_path(&backend.model, profile.streamed),
        ),
        translated: translated.map_err(|error| error.to_string())?,
        report,
    })
}

/// A request for anything but chat.
fn of_operation(
    args: &TranslateArgs,
    config: &Config,
    operation: Operation,
    body: &[u8],
) -> Result<Sent, String> {
    let profile = inspect_operation(operation, body, "").map_err(|error| wrong(&error))?;
    let name = args.model.as_deref().unwrap_or(&profile.model);
    let (provider, backend) = find(config, name, args.provider.as_deref())?;
    let offer = provider.offer(operation, &backend.model).ok_or_else(|| {
        let (who, what) = (&backend.provider, operation.as_str());
        format!("{who}/{}: offers no {what}", backend.model)
    })?;
    let mut report = Report::default();
    let source = readable(operation, offer.schema, body, &mut report);
    let translated = source.and_then(|source| {
        let target = provider.target(backend, &source);
        offer.schema.translate_request(&target, "", &mut report)
    });
    Ok(Sent {
        url: url(provider, &offer.path),
        translated: translated.map_err(|error| error.to_string())?,
        report,
    })
}

fn url(provider: &ProviderConfig, path: &str) -> String {
    let scheme = if provider.endpoint.tls {
        "https"
    } else {
        "http"
    };
    format!("{scheme}://{}{path}", provider.endpoint.authority())
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
