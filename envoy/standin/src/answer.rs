//! What a stand-in answers, in terms that all vendors share. Always the same
//! answer for the same request.

use serde_json::{Value, json};

use crate::ask::{Ask, Choice, Format, Thinking, Tool};
use crate::schema_instance;

/// Tokens billed for reasoning, when there is any.
const THINKING_TOKENS: u64 = 7;

/// How much of the user's text is repeated, in characters.
const ECHO: usize = 200;

/// The content of a reply.
pub struct Answer {
    /// The text; empty when tools are called.
    pub text: String,
    /// The thoughts, when they are shown.
    pub thinking: Option<String>,
    /// Whether reasoning happened at all.
    pub thinking_tokens: u64,
    /// The tool calls.
    pub calls: Vec<Call>,
    /// Why the answer ends.
    pub stop: Stop,
}

/// A call of one of the client's functions.
pub struct Call {
    /// An id that is unique within the conversation, without a vendor's prefix.
    pub id: String,
    /// The function.
    pub name: String,
    /// Its arguments, an instance of its schema.
    pub arguments: Value,
}

/// Why an answer ends.
#[derive(Debug, PartialEq)]
pub enum Stop {
    /// Nothing more to say.
    End,
    /// The token limit.
    Length,
    /// One of the client's stop texts.
    Text(String),
    /// The client has to run tools.
    Tools,
    /// The vendor's content policy.
    Refused,
}

impl Answer {
    /// Answers a request.
    pub fn to(ask: &Ask, vendor: &str) -> Self {
        let calls = calls(ask);
        let mut answer = Self {
            stop: if calls.is_empty() {
                Stop::End
            } else {
                Stop::Tools
            },
            text: String::new(),
            thinking: (ask.thinking == Thinking::Shown)
                .then(|| "The user wants an answer, so I will give one.".to_owned()),
            thinking_tokens: if ask.thinking == Thinking::Off {
                0
            } else {
                THINKING_TOKENS
            },
            calls,
        };
        if answer.calls.is_empty() {
            answer.say(ask, vendor);
        }
        answer
    }

    /// Replaces the content by a text of exactly this many bytes.
    pub fn pad(&mut self, bytes: usize) {
        const FILLER: &str = "lorem ipsum dolor sit amet ";
        self.calls.clear();
        self.stop = Stop::End;
        self.text = FILLER.repeat(bytes / FILLER.len() + 1);
        self.text.truncate(bytes);
    }

    /// Replaces the content by nothing, and ends all the same.
    pub fn say_nothing(&mut self) {
        self.refuse();
        self.stop = Stop::End;
    }

    /// Replaces the content by nothing, as a content policy does.
    pub fn refuse(&mut self) {
        self.calls.clear();
        self.text.clear();
        self.thinking = None;
        self.stop = Stop::Refused;
    }

    /// The words of the text and the call arguments, at least one, with reasoning.
    pub fn output_tokens(&self) -> u64 {
        self.visible_tokens() + self.thinking_tokens
    }

    /// The words of the text and of the call arguments, at least one.
    pub fn visible_tokens(&self) -> u64 {
        let words = self.text.split_whitespace().count();
        let calls: usize = self
            .calls
            .iter()
            .map(|call| 1 + call.arguments.to_string().split_whitespace().count())
            .sum();
        (words + calls).max(1) as u64
    }

    /// The text of one alternative; all but the first say which one they are.
    pub fn alternative(&self, index: usize) -> String {
        match index {
            0 => self.text.clone(),
            _ => format!("{} (choice {})", self.text, index + 1),
        }
    }

    fn say(&mut self, ask: &Ask, vendor: &str) {
        match &ask.format {
            Format::Json => self.text = json!({"ok": true, "from": vendor}).to_string(),
            Format::Schema(schema) => {
                self.text = schema_instance::minimal(schema).to_string();
            }
            Format::Text => {
                self.text = speech(ask, vendor);
                self.stop_at_texts(&ask.stops);
                self.stop_at_length(ask.max_tokens);
            }
        }
    }

    fn stop_at_texts(&mut self, stops: &[String]) {
        let first = stops
            .iter()
            .filter(|stop| !stop.is_empty())
            .filter_map(|stop| Some((self.text.find(stop.as_str())?, stop)))
            .min_by_key(|(at, _)| *at);
        if let Some((at, stop)) = first {
            self.text.truncate(at);
            self.stop = Stop::Text(stop.clone());
        }
    }

    fn stop_at_length(&mut self, limit: Option<u64>) {
        let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) else {
            return;
        };
        if self.text.split_whitespace().count() > limit {
            let words: Vec<_> = self.text.split(' ').take(limit).collect();
            self.text = words.join(" ");
            self.stop = Stop::Length;
        }
    }
}

/// Cuts a text into the pieces in which it is streamed.
pub fn pieces(text: &str) -> Vec<&str> {
    // About five pieces for a short text, and never more than 1 KiB in one.
    let size = (text.len() / 5).clamp(1, 1024);
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut at = size.min(rest.len());
        while !rest.is_char_boundary(at) {
            at += 1;
        }
        let (piece, tail) = rest.split_at(at);
        pieces.push(piece);
        rest = tail;
    }
    pieces
}

fn speech(ask: &Ask, vendor: &str) -> String {
    let greeting = format!("Hello from {vendor} ({}).", ask.model);
    if ask.tool_results.is_empty() {
        let said: String = ask.user_text.chars().take(ECHO).collect();
        return format!("{greeting} You said: {said}");
    }
    let results: String = ask.tool_results.join("; ").chars().take(ECHO).collect();
    format!("{greeting} The tool said: {results}")
}

fn calls(ask: &Ask) -> Vec<Call> {
    let tool = match &ask.choice {
        Choice::Never => None,
        Choice::Named(name) => ask.tools.iter().find(|tool| tool.name == *name),
        Choice::Any => ask.tools.first(),
        Choice::Auto => ask.tools.first().filter(|_| wants_tool(ask)),
    };
    let Some(tool) = tool.filter(|_| ask.tool_results.is_empty()) else {
        return Vec::new();
    };
    let several = ask.user_text.contains("parallel") && !ask.one_call;
    let count = if several { 2 } else { 1 };
    (0..count).map(|index| call(ask, tool, index)).collect()
}

fn wants_tool(ask: &Ask) -> bool {
    let text = ask.user_text.to_lowercase();
    text.contains("weather") || text.contains("tool")
}

fn call(ask: &Ask, tool: &Tool, index: usize) -> Call {
    Call {
        id: format!("{}_{index}", ask.turns),
        name: tool.name.clone(),
        arguments: schema_instance::minimal(&tool.schema),
    }
}
