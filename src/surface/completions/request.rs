//! The request as a chat completion request.

use crate::fidelity::Report;
use crate::inspect::{InvalidRequest, diagnose};
use crate::json::ObjectWriter;
use crate::json::{self, Kind, Raw, Text};
use crate::wire;

wire! {
    /// `POST /v1/completions`, as far as a chat completion request differs. Whatever else is
    /// said (`temperature`, `stop`, `n`, `seed`, fields of model servers) means the same there.
    pub struct Request<'a> {
        /// What the client calls the model.
        model: Raw<'a>,
        /// A string, an array of strings, or tokens.
        prompt: Raw<'a>,
        /// What follows the gap that the model shall fill.
        suffix: Raw<'a>,
        /// How many are made, of which the best are told.
        best_of: Raw<'a>,
        /// Whether the reply starts with the prompt.
        echo: Raw<'a>,
        /// How many of the likeliest tokens are told.
        logprobs: Raw<'a>,
        /// Limit on output tokens.
        max_tokens: Raw<'a>,
        /// How many completions are told.
        n: Raw<'a>,
        /// Boolean.
        stream: Raw<'a>,
    }
}

/// What the reply must know of the request.
pub(super) struct Opened {
    pub is_streamed: bool,
    /// The prompt, when the reply starts with it.
    pub echo: Option<String>,
}

/// The most of the likeliest tokens that a chat completion tells.
const MAX_LOGPROBS: u64 = 20;

/// Fields of a chat completion request that would say something else, or twice.
const CHAT_ONLY: &[&str] = &[
    "messages",
    "tools",
    "tool_choice",
    "functions",
    "function_call",
    "modalities",
    "top_logprobs",
    "max_completion_tokens",
];

const PROMPT: &str = "must be a text: a string, or an array of one string";

/// Appends the chat completion request to `chat`.
pub(super) fn open(
    body: &[u8],
    chat: &mut Vec<u8>,
    report: &mut Report,
) -> Result<Opened, InvalidRequest> {
    let request: Request<'_> = json::read(body).map_err(|_| diagnose(body))?;
    let Request {
        model,
        prompt,
        suffix,
        best_of,
        echo,
        logprobs,
        max_tokens,
        n,
        stream,
        extra,
    } = request;
    let prompt = read_prompt(prompt)?;
    refuse_suffix(suffix)?;
    read_best_of(best_of, n, report)?;
    let is_streamed = flag("stream", stream)?;
    let echo = flag("echo", echo)?;
    let logprobs = count("logprobs", logprobs)?;
    if echo && logprobs.is_some() {
        let message = "cannot be told together with echo: only a completion's tokens are known";
        return Err(InvalidRequest::new("logprobs", message));
    }
    if max_tokens.is_none() {
        let reason = "the model's own limit holds in place of 16 tokens";
        report.defaulted("max_tokens", reason);
    }
    if let Some((name, _)) = extra.iter().find(|(name, _)| CHAT_ONLY.contains(&&**name)) {
        let message = "belongs to /chat/completions";
        return Err(InvalidRequest::new(name.to_string(), message));
    }
    let mut writer = ObjectWriter::begin(chat);
    let messages = writer.value("messages");
    messages.extend_from_slice(br#"[{"role":"user","content":"#);
    messages.extend_from_slice(prompt.get().as_bytes());
    messages.extend_from_slice(b"}]");
    for (name, value) in [
        ("model", model),
        ("max_completion_tokens", max_tokens),
        ("n", n),
        ("stream", stream),
    ] {
        if let Some(value) = value {
            writer.raw(name, value.get());
        }
    }
    if let Some(likeliest) = logprobs {
        writer.raw("logprobs", "true");
        if likeliest > 0 {
            json::write(writer.value("top_logprobs"), &likeliest);
        }
    }
    for (name, value) in &extra {
        writer.raw(name, value.get());
    }
    writer.end();
    let prompt = || json::parse(prompt).map(|text: Text<'_>| text.into_inner().into_owned());
    Ok(Opened {
        is_streamed,
        echo: echo.then(prompt).flatten(),
    })
}

/// The one prompt, a JSON string.
fn read_prompt(prompt: Option<Raw<'_>>) -> Result<Raw<'_>, InvalidRequest> {
    let wrong = |message| InvalidRequest::new("prompt", message);
    let prompt = prompt.ok_or_else(|| wrong("is missing"))?;
    if json::kind(prompt) == Kind::String {
        return Ok(prompt);
    }
    let mut prompts: Vec<Raw<'_>> = json::parse(prompt).ok_or_else(|| wrong(PROMPT))?;
    let first = prompts.pop().ok_or_else(|| wrong("must not be empty"))?;
    match json::kind(first) {
        Kind::String if prompts.is_empty() => Ok(first),
        Kind::String => Err(wrong(
            "must be one text: a chat completion continues one conversation; send a request for \
             each prompt",
        )),
        Kind::Number | Kind::Array => Err(wrong(
            "must be text, not tokens: the models that may answer have different tokens",
        )),
        _ => Err(wrong(PROMPT)),
    }
}

fn refuse_suffix(suffix: Option<Raw<'_>>) -> Result<(), InvalidRequest> {
    match suffix {
        Some(suffix) if json::kind(suffix) != Kind::String || !json::is_blank(suffix) => {
            let message = "cannot be served: a chat completion fills no gap in a text";
            Err(InvalidRequest::new("suffix", message))
        }
        _ => Ok(()),
    }
}

/// Making more than are told has no equal in a chat completion; making as many says nothing.
fn read_best_of(
    best_of: Option<Raw<'_>>,
    n: Option<Raw<'_>>,
    report: &mut Report,
) -> Result<(), InvalidRequest> {
    let Some(best_of) = count("best_of", best_of)? else {
        return Ok(());
    };
    let told = n.and_then(json::parse).unwrap_or(1);
    if best_of < told {
        return Err(InvalidRequest::new("best_of", "must not be less than n"));
    }
    if best_of > told {
        report.dropped("best_of", "a chat completion tells all that it makes");
    }
    Ok(())
}

fn flag(param: &str, value: Option<Raw<'_>>) -> Result<bool, InvalidRequest> {
    let wrong = || InvalidRequest::new(param, "must be true or false");
    value.map_or(Ok(false), |value| json::parse(value).ok_or_else(wrong))
}

fn count(param: &str, value: Option<Raw<'_>>) -> Result<Option<u64>, InvalidRequest> {
    let wrong = || {
        InvalidRequest::new(
            param,
            format!("must be an integer from 0 to {MAX_LOGPROBS}"),
        )
    };
    let Some(value) = value else {
        return Ok(None);
    };
    let count: Option<u64> = json::parse(value);
    count
        .filter(|count| *count <= MAX_LOGPROBS)
        .map(Some)
        .ok_or_else(wrong)
}
