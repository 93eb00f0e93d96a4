//! What the gateway does, shown once: a request, a stream, a tool call, a failover.

use std::io::{self, BufRead, BufReader, Write};

use serde_json::{Value, json};

use super::standins::Standins;
use crate::config::{Config, ModelConfig};

/// How many events of a stream are shown.
const EVENTS_SHOWN: usize = 4;

pub(super) fn show(
    config: &Config,
    standins: &Standins,
    base: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let url = format!("{base}/chat/completions");
    let Some(model) = most_candidates(config) else {
        return Ok(());
    };
    let ask = |text: &str| {
        json!({
            "model": model.name,
            "messages": [{ "role": "user", "content": text }],
        })
    };
    writeln!(out, "\n== a request")?;
    whole(&url, &ask("Say hello."), out)?;
    writeln!(out, "\n== a stream")?;
    let mut streamed = ask("Say hello.");
    streamed["stream"] = json!(true);
    stream(&url, &streamed, out)?;
    writeln!(out, "\n== a tool call")?;
    let mut tool = ask("What is the weather in Lisbon?");
    tool["tools"] = json!([weather_tool()]);
    whole(&url, &tool, out)?;
    failover(model, standins, &url, &ask("Are you there?"), out)
}

fn most_candidates(config: &Config) -> Option<&ModelConfig> {
    config
        .models
        .values()
        .max_by_key(|m| (m.candidates.len(), m.policy.keeps_order()))
}

fn failover(
    model: &ModelConfig,
    standins: &Standins,
    url: &str,
    body: &Value,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Some(first) = model.candidates.first() else {
        return Ok(());
    };
    if model.candidates.len() < 2 || !standins.fail(&first.provider, 503) {
        return writeln!(
            out,
            "\n== a failover: not shown, {} is real",
            first.provider
        );
    }
    writeln!(out, "\n== a failover: {} now answers 503", first.provider)?;
    let shown = whole(url, body, out);
    standins.recover(&first.provider);
    shown
}

fn weather_tool() -> Value {
    json!({ "type": "function", "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": { "city": { "type": "string" } },
            "required": ["city"],
        },
    }})
}

fn post(url: &str, body: &Value) -> io::Result<ureq::http::Response<ureq::Body>> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    agent.post(url).send_json(body).map_err(io::Error::other)
}

fn head(response: &ureq::http::Response<ureq::Body>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "HTTP {}", response.status().as_u16())?;
    for (name, value) in response.headers() {
        if name.as_str().starts_with("x-pointsman-") {
            writeln!(out, "{name}: {}", value.to_str().unwrap_or_default())?;
        }
    }
    Ok(())
}

fn whole(url: &str, body: &Value, out: &mut dyn Write) -> io::Result<()> {
    let mut response = post(url, body)?;
    head(&response, out)?;
    let reply: Value = response.body_mut().read_json().map_err(io::Error::other)?;
    let message = reply
        .pointer("/choices/0/message")
        .or(reply.get("error"))
        .unwrap_or(&reply);
    let said = message
        .get("tool_calls")
        .or(message.get("content"))
        .unwrap_or(message);
    writeln!(out, "{said}")
}

fn stream(url: &str, body: &Value, out: &mut dyn Write) -> io::Result<()> {
    let mut response = post(url, body)?;
    head(&response, out)?;
    let lines = BufReader::new(response.body_mut().as_reader()).lines();
    let events: Vec<String> = lines
        .map_while(Result::ok)
        .filter(|line| line.starts_with("data:"))
        .collect();
    for event in events.iter().take(EVENTS_SHOWN) {
        writeln!(out, "{event}")?;
    }
    match events.len().saturating_sub(EVENTS_SHOWN) {
        0 => Ok(()),
        1 => writeln!(out, "{}", events.last().map_or("", String::as_str)),
        more => {
            let last = events.last().map_or("", String::as_str);
            writeln!(out, "... {} more ...\n{last}", more.saturating_sub(1))
        }
    }
}
