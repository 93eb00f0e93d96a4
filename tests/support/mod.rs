//! Fixture folders: what a case holds, and comparison with `BLESS=1`.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use pointsman::catalog::{Capabilities, Thinking};
use pointsman::failure::Failure;
use pointsman::framing::event_stream::{HeaderValue, encode};
use pointsman::schema::openai::dialect::Dialect;
use pointsman::schema::{ErrorReply, Hints, Progress, Reply, Schema, Target};
use serde_json::{Value, json};

/// One folder.
pub struct Case {
    folder: PathBuf,
}

/// `target.json`, with defaults for what it leaves out.
pub struct Settings {
    pub dialect: Dialect,
    pub model: String,
    pub provider: String,
    /// The folder's: a schema, or a kind that speaks OpenAI's.
    pub kind: String,
    pub schema: &'static str,
    pub capabilities: Capabilities,
    pub defaults: BTreeMap<String, String>,
    /// The client's `anthropic-beta` header.
    pub betas: Vec<String>,
    /// For a reply without a request.
    pub hints: Hints,
}

/// `upstream_error.json`.
pub struct UpstreamError {
    status: u16,
    retry_after: Option<String>,
    body: Vec<u8>,
}

/// What came of a stream.
#[derive(Debug, PartialEq)]
pub struct Streamed {
    out: Vec<u8>,
    /// Unknown after a failure: it depends on where the chunks ended.
    progress: Option<Progress>,
    pub outcome: Result<Reply, Failure>,
}

/// The cases of a schema, in order of name; none when it has no folder.
pub fn cases(schema: &str) -> Vec<Case> {
    cases_in("translation", schema)
}

/// The same for what else has fixtures.
pub fn cases_in(subject: &str, name: &str) -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let Ok(entries) = fs::read_dir(root.join(subject).join(name)) else {
        return Vec::new();
    };
    let mut folders: Vec<_> = entries
        .map(|entry| entry.expect("a folder").path())
        .collect();
    folders.sort();
    folders.into_iter().map(|folder| Case { folder }).collect()
}

/// Every folder that holds cases.
pub fn folders() -> Vec<String> {
    names_in("translation")
}

/// Every folder in a folder of fixtures.
pub fn names_in(subject: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let entries = fs::read_dir(root.join(subject)).expect("fixtures");
    let names = entries.map(|entry| entry.expect("a folder").file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

/// JSON bytes as a value.
pub fn value(bytes: &[u8]) -> Value {
    let text = String::from_utf8_lossy(bytes);
    serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{error} in {text}"))
}

/// A failure, as fixtures write it.
pub fn failure(failure: &Failure) -> Value {
    json!({
        "class": failure.class.as_str(),
        "status": failure.status,
        "message": failure.message,
        "code": failure.code,
        "retry_after_s": failure.retry_after_s,
    })
}

/// The frames of a binary stream: each an event with its payload (`{"messageStart": {...}}`),
/// an exception (`{"exception": "...", "payload": {...}}`), an error of the transport
/// (`{"error": "...", "message": "..."}`) or bytes that are no frame (`{"raw": "..."}`). A
/// `chunk` holds its payload in base64, as Anthropic's models on Bedrock answer.
pub fn frames(events: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    for event in events.as_array().expect("an array of events") {
        frame(event.as_object().expect("an event"), &mut out);
    }
    out
}

fn frame(event: &serde_json::Map<String, Value>, out: &mut Vec<u8>) {
    let text = |key: &str| event.get(key).and_then(Value::as_str);
    let (head, payload) = if let Some(raw) = text("raw") {
        return out.extend_from_slice(raw.as_bytes());
    } else if let Some(kind) = text("exception") {
        let payload = event["payload"].to_string();
        (
            vec![(":message-type", "exception"), (":exception-type", kind)],
            payload,
        )
    } else if let Some(code) = text("error") {
        let message = text("message").expect("a message");
        let head = vec![
            (":message-type", "error"),
            (":error-code", code),
            (":error-message", message),
        ];
        (head, String::new())
    } else {
        let (name, payload) = event.iter().next().expect("a name");
        let payload = match (name.as_str(), payload) {
            ("chunk", Value::Object(_)) => &json!({
                "bytes": base64(payload.to_string().as_bytes()),
                "p": "abcdef",
            }),
            _ => payload,
        };
        // A text stands for itself: payloads that are not JSON.
        let payload = payload
            .as_str()
            .map_or_else(|| payload.to_string(), str::to_owned);
        (
            vec![(":message-type", "event"), (":event-type", name)],
            payload,
        )
    };
    let json = (":content-type", "application/json");
    let headers: Vec<_> = head
        .into_iter()
        .chain([json])
        .map(|(name, value)| (name, HeaderValue::Text(value)))
        .collect();
    encode(&headers, payload.as_bytes(), out);
}

/// Bytes in base64, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |group: &[u8]| {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let digit = |i: usize| char::from(DIGITS[(bits >> (18 - 6 * i)) as usize & 63]);
        (0..4)
            .map(|i| if i > group.len() { '=' } else { digit(i) })
            .collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

impl Case {
    pub fn has(&self, name: &str) -> bool {
        self.folder.join(name).exists()
    }

    /// The folder's.
    #[allow(dead_code, reason = "tool loops need it")]
    pub fn name(&self) -> String {
        name(&self.folder)
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        let path = self.folder.join(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Compares with a file of JSON, whatever its white space and order of keys.
    pub fn expect_json(&self, name: &str, actual: &Value) {
        let pretty = serde_json::to_string_pretty(actual).expect("JSON") + "\n";
        if is_blessing() {
            return self.write(name, &pretty);
        }
        assert!(self.has(name), "{self}: no {name}, but got {pretty}");
        let expected = value(&self.bytes(name));
        assert!(expected == *actual, "{self}/{name}: got {pretty}");
    }

    /// The same, where a missing file stands for `default`.
    pub fn expect_json_unless(&self, name: &str, actual: &Value, default: &Value) {
        if actual == default {
            self.expect_absent(name);
        } else {
            self.expect_json(name, actual);
        }
    }

    /// Compares with a file of text, byte for byte.
    pub fn expect_text(&self, name: &str, actual: &str) {
        if is_blessing() {
            return self.write(name, actual);
        }
        assert!(self.has(name), "{self}: no {name}, but got {actual}");
        let expected = String::from_utf8(self.bytes(name)).expect("text");
        assert!(expected == actual, "{self}/{name}: got {actual}");
    }

    /// Compares with a file of bytes.
    pub fn expect_bytes(&self, name: &str, actual: &[u8]) {
        if is_blessing() {
            return fs::write(self.folder.join(name), actual).expect("written");
        }
        assert!(self.bytes(name) == actual, "{self}/{name}: other bytes");
    }

    /// There is no such file, because nothing of the kind happened.
    pub fn expect_absent(&self, name: &str) {
        if is_blessing() && self.has(name) {
            fs::remove_file(self.folder.join(name)).expect("removed");
        }
        assert!(
            !self.has(name),
            "{self}: {name} expects what did not happen"
        );
    }

    pub fn target(&self, schema: &dyn Schema, dialect: &Dialect) -> Settings {
        let json = match self.has("target.json") {
            true => value(&self.bytes("target.json")),
            false => json!({}),
        };
        let text = |key: &str, default: &str| json[key].as_str().unwrap_or(default).to_owned();
        let defaults = json["defaults"].as_object().into_iter().flatten();
        Settings {
            model: text("model", "the-model"),
            provider: text("provider", "the-provider"),
            kind: name(self.folder.parent().unwrap_or(&self.folder)),
            schema: schema.name(),
            dialect: adjusted(dialect, schema, &json),
            capabilities: capabilities(&json["capabilities"]),
            defaults: defaults.map(|(k, v)| (k.clone(), v.to_string())).collect(),
            betas: strings(&json["betas"]),
            hints: Hints {
                structured_output_tool: json["structured_output_tool"] == true,
                base64: json["base64"] == true,
                vectors: 0,
            },
        }
    }

    pub fn error(&self, name: &str) -> UpstreamError {
        let json = value(&self.bytes(name));
        let body = &json["body"];
        UpstreamError {
            status: json["status"].as_u64().expect("a status") as u16,
            retry_after: json["retry_after"].as_str().map(str::to_owned),
            body: match body {
                Value::String(text) => text.clone().into_bytes(),
                body => body.to_string().into_bytes(),
            },
        }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).expect("written");
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.folder.parent().map(name).unwrap_or_default();
        write!(f, "{schema}/{}", name(&self.folder))
    }
}

impl Settings {
    pub fn target<'a>(&'a self, source: &'a [u8]) -> Target<'a> {
        Target {
            source,
            betas: &self.betas,
            dialect: &self.dialect,
            model: &self.model,
            capabilities: &self.capabilities,
            defaults: &self.defaults,
            option_keys: [&self.provider, &self.kind, self.schema],
        }
    }
}

impl UpstreamError {
    pub fn reply<'a>(&'a self, dialect: &'a Dialect) -> ErrorReply<'a> {
        ErrorReply {
            status: self.status,
            retry_after: self.retry_after.as_deref(),
            body: &self.body,
            rules: &dialect.errors,
        }
    }
}

impl Streamed {
    pub fn finished(out: Vec<u8>, progress: Progress, reply: Reply) -> Streamed {
        Streamed {
            out,
            progress: Some(progress),
            outcome: Ok(reply),
        }
    }

    pub fn failed(out: Vec<u8>, failure: Failure) -> Streamed {
        Streamed {
            out,
            progress: None,
            outcome: Err(failure),
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.out.clone()).expect("text")
    }
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.display().to_string()
}

fn strings(list: &Value) -> Vec<String> {
    let texts = list.as_array().into_iter().flatten();
    texts
        .map(|text| text.as_str().expect("a text").to_owned())
        .collect()
}

fn is_blessing() -> bool {
    std::env::var_os("BLESS").is_some_and(|value| value == "1")
}

/// A dialect, with what `target.json` says on top.
///
/// In the folder of OpenAI's own schema no dialect is spoken unless it is asked for by
/// `"dialect": true`.
fn adjusted(dialect: &Dialect, schema: &dyn Schema, json: &Value) -> Dialect {
    let of_openai = *dialect == pointsman::provider::find("openai").expect("it").dialect();
    let spoken = !of_openai || schema.name() != "openai" || json["dialect"] == true;
    let mut dialect = if spoken {
        dialect.clone()
    } else {
        Dialect::default()
    };
    if json["refuses_unknown_fields"] == true {
        dialect.extensions = Some(Vec::new());
    }
    let drops = json["drop"].as_array().into_iter().flatten();
    dialect
        .drops
        .extend(drops.map(|name| name.as_str().expect("a name").to_owned().into()));
    dialect
}

/// Capabilities by name; whatever is not named is the default.
fn capabilities(json: &Value) -> Capabilities {
    let mut capabilities = Capabilities::default();
    for (name, value) in json.as_object().into_iter().flatten() {
        let is_able = || value.as_bool().expect("a boolean");
        match name.as_str() {
            "tools" => capabilities.tools = is_able(),
            "parallel_tools" => capabilities.parallel_tools = is_able(),
            "json_schema" => capabilities.json_schema = is_able(),
            "json_mode" => capabilities.json_mode = is_able(),
            "vision" => capabilities.vision = is_able(),
            "audio" => capabilities.audio = is_able(),
            "files" => capabilities.files = is_able(),
            "sampling" => capabilities.sampling = is_able(),
            "context_window" => capabilities.context_window = value.as_u64(),
            "max_output_tokens" => capabilities.max_output_tokens = value.as_u64(),
            "thinking" => capabilities.thinking = thinking(value),
            _ => panic!("no capability {name}"),
        }
    }
    capabilities
}

fn thinking(json: &Value) -> Thinking {
    match json.as_str() {
        Some("none") => Thinking::None,
        Some("effort") => Thinking::Effort,
        Some("budget") => Thinking::Budget,
        _ => panic!("thinking is none, effort or budget"),
    }
}
