//! `pointsman explain`: why a request would go where it goes.

pub(super) mod state;

use std::io::{self, Write};
use std::rc::Rc;

use serde_json::Value;

use super::args::{ExplainArgs, Format};
use super::{Outcome, load, read};
use crate::callout::{self, Answer};
use crate::config::Config;
use crate::exchange::{Downstream, Mutation, RequestFacts, RequestHead, Topology, Verdict};
use crate::observed::Memory;
use crate::observed::{Observed, Unobserved};
use state::State;

pub(super) fn run(
    args: &ExplainArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Outcome> {
    let Some((config, _)) = load(&args.file, err)? else {
        return Ok(Outcome::Refused);
    };
    if let Some(problem) = unknown_class(&config, &args.classes) {
        writeln!(err, "{problem}")?;
        return Ok(Outcome::Refused);
    }
    let body = read(&args.request)?;
    let state = args.state.as_deref().map(State::read).transpose()?;
    let told = decide(args, config, body.as_bytes(), state.as_ref());
    if let Some(explanation) = &told.explanation {
        let value: Value = serde_json::from_str(explanation)?;
        match args.format {
            Format::Json => writeln!(out, "{value:#}")?,
            Format::Text => write_text(&value, out)?,
        }
    }
    match told.refusal {
        Some(refusal) => writeln!(err, "{refusal}").map(|()| Outcome::Refused),
        None => Ok(Outcome::Done),
    }
}

/// A class on the command line that no classifier tells.
fn unknown_class(config: &Config, told: &[(String, String)]) -> Option<String> {
    told.iter().find_map(|(name, class)| {
        let names: Vec<&str> = config.classifiers.keys().map(String::as_str).collect();
        let Some(classifier) = config.classifiers.get(name) else {
            let known = if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            };
            return Some(format!(
                "--class: found the classifier {name:?}, known are: {known}"
            ));
        };
        let known = classifier.classes.join(", ");
        (!classifier.classes.contains(class))
            .then(|| format!("--class: found {class:?} for {name}, expected one of {known}"))
    })
}

/// What became of a request.
struct Told {
    explanation: Option<String>,
    refusal: Option<String>,
}

fn decide(args: &ExplainArgs, config: Config, body: &[u8], state: Option<&State>) -> Told {
    let config = Rc::new(config);
    let head = request_head(args, &config);
    let mut downstream = match Downstream::start(&config, Topology::PerAttempt, &head) {
        Verdict::Inspect(downstream, _) => downstream,
        Verdict::Respond(response) => return refused(None, &response.body),
        Verdict::Ignore => {
            let refusal = format!("{}: this path is none of the gateway's", head.path);
            return Told {
                explanation: None,
                refusal: Some(refusal),
            };
        }
    };
    let books = state.map_or_else(Memory::default, |state| state.books(&config));
    let seen_at = state.map(|state| state.now_ms / 1000);
    let facts = RequestFacts {
        draw: args.draw,
        now_s: args.at.or(seen_at).unwrap_or(0),
        books: Some(&books),
        observed: state.map_or(&Unobserved as &dyn Observed, |state| state),
        ..RequestFacts::default()
    };
    let mut outcome = downstream.on_body(body, facts);
    // Nobody is asked here: what is not said on the command line is what it is when nobody answers.
    while let Ok(Mutation {
        question: Some(question),
        ..
    }) = &outcome
    {
        let unasked = Answer::without(&question.classifier, callout::Outcome::Unasked);
        downstream.on_answer(&unasked, 0);
        outcome = downstream.on_body(body, facts);
    }
    let explanation = downstream.explanation().map(str::to_owned);
    match outcome {
        Ok(_) => Told {
            explanation,
            refusal: None,
        },
        Err(response) => refused(explanation, &response.body),
    }
}

fn refused(explanation: Option<String>, body: &[u8]) -> Told {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = value["error"]["message"].as_str().unwrap_or("refused");
    Told {
        explanation,
        refusal: Some(message.to_owned()),
    }
}

fn request_head(args: &ExplainArgs, config: &Config) -> RequestHead {
    let path = match &args.path {
        Some(path) => path.clone(),
        None => format!("{}/chat/completions", config.base_path),
    };
    let mut head = RequestHead {
        method: "POST".to_owned(),
        path,
        explain: true,
        ..RequestHead::default()
    };
    for (name, value) in &args.headers {
        let name = name.to_ascii_lowercase();
        head.names.push(name.clone());
        head.known.headers.push((name, value.clone()));
    }
    head.known.identities = args.identity.iter().cloned().collect();
    for (name, value) in &args.claims {
        head.add_claim(name, value.as_bytes());
    }
    let told = args.classes.iter();
    let told = told.map(|(name, class)| (name.clone(), Some(class.clone())));
    head.known.classes = told.collect();
    head
}

fn write_text(told: &Value, out: &mut dyn Write) -> io::Result<()> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let list = |value: &Value| {
        let items = value.as_array().into_iter().flatten().map(text);
        items.collect::<Vec<_>>().join(", ")
    };
    writeln!(out, "model       {}", text(&told["model"]))?;
    let rule = told["rule"].as_str();
    writeln!(
        out,
        "rule        {}",
        rule.unwrap_or("none fits: the model's own settings")
    )?;
    let request = &told["request"];
    write!(
        out,
        "request     about {} prompt tokens",
        request["prompt_tokens"]
    )?;
    for (name, value) in request.as_object().into_iter().flatten() {
        match (name.as_str(), value) {
            ("prompt_tokens", _) | (_, Value::Bool(false)) => {}
            ("needs", Value::Array(needs)) if needs.is_empty() => {}
            ("needs", needs) => write!(out, ", needs {}", list(needs))?,
            (name, Value::Bool(true)) => write!(out, ", {name}")?,
            (name, value) => write!(out, ", {name} {}", text(value))?,
        }
    }
    writeln!(out)?;
    let labels = list(&told["required_labels"]);
    if !labels.is_empty() {
        writeln!(out, "must keep   {labels}")?;
    }
    let limits = told["constraints"].as_object().into_iter().flatten();
    let limits: Vec<String> = limits
        .map(|(name, limit)| format!("{name} {limit}"))
        .collect();
    if !limits.is_empty() {
        writeln!(out, "limits      {}", limits.join(", "))?;
    }
    writeln!(out, "policy      {}", text(&told["policy"]))?;
    match told["cache"].as_str() {
        None => {}
        Some("keeps") => writeln!(
            out,
            "cache       the answer may come out of it, and is kept"
        )?,
        Some(why) => writeln!(out, "cache       passed by: {why}")?,
    }
    let timeouts = &told["timeouts_ms"];
    let total = match timeouts["total"].as_u64() {
        Some(0) | None => "no limit together".to_owned(),
        Some(ms) => format!("{ms} ms together"),
    };
    writeln!(
        out,
        "times       {} ms for an attempt, {total}",
        timeouts["per_try"]
    )?;
    writeln!(out, "candidates")?;
    for each in told["candidates"].as_array().into_iter().flatten() {
        write_candidate(each, out)?;
    }
    Ok(())
}

fn write_candidate(each: &Value, out: &mut dyn Write) -> io::Result<()> {
    let name = each["candidate"].as_str().unwrap_or_default();
    match each["place"].as_u64() {
        Some(place) => write!(out, "  {place:>2}. {name}")?,
        None => write!(out, "   -  {name}")?,
    }
    if let Some(cost) = each["cost_usd"].as_f64() {
        write!(out, "  about ${cost:.6}")?;
    }
    if let Some(window) = each["context_window"].as_u64() {
        write!(out, "  holds {window} tokens")?;
    }
    writeln!(out)?;
    if let Some(reason) = each["left_out"].as_str() {
        writeln!(out, "      left out: {reason}")?;
    }
    if let Some(reason) = each["last_resort"].as_str() {
        writeln!(out, "      only if all others fail: {reason}")?;
    }
    for score in each["scores"].as_array().into_iter().flatten() {
        let policy = score["policy"].as_str().unwrap_or_default();
        let reason = score["reason"].as_str().unwrap_or_default();
        match score["value"].as_f64() {
            Some(value) => writeln!(out, "      {policy}: {reason} ({value})")?,
            None => writeln!(out, "      {policy}: {reason}")?,
        }
    }
    Ok(())
}
