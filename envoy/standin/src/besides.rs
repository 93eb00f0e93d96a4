//! What OpenAI serves besides chat and only passes through a gateway: images, audio,
//! moderations, counts of tokens, legacy completions.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::ask::Ask;
use crate::reply::{Reply, Script};
use crate::vendors::Head;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Besides {
    /// Images, however they came about.
    Images,
    /// The text of an upload.
    Text,
    /// A sound.
    Speech,
    /// Judgements.
    Moderations,
    /// A count of tokens.
    InputTokens,
    /// The same in Anthropic's form.
    MessageTokens,
    /// Legacy completions.
    Completions,
    /// The list of models.
    Models,
}

impl Besides {
    /// By the end of the path.
    pub fn of(path: &str) -> Option<Self> {
        let ends = [
            ("/images/generations", Self::Images),
            ("/images/edits", Self::Images),
            ("/images/variations", Self::Images),
            ("/audio/transcriptions", Self::Text),
            ("/audio/translations", Self::Text),
            ("/audio/speech", Self::Speech),
            ("/moderations", Self::Moderations),
            ("/responses/input_tokens", Self::InputTokens),
            ("/messages/count_tokens", Self::MessageTokens),
        ];
        let chat = path.ends_with("/chat/completions");
        let legacy = !chat && path.ends_with("/completions");
        let found = ends.into_iter().find(|(end, _)| path.ends_with(end));
        found
            .map(|(_, besides)| besides)
            .or(legacy.then_some(Self::Completions))
    }

    /// A list of no models.
    pub fn models() -> Value {
        json!({"object": "list", "data": []})
    }

    /// Reads a JSON body or a form; `None` when it is neither, or names no model.
    pub fn examine(self, head: &Head, body: &[u8]) -> Option<Ask> {
        let media_type = head.header("content-type").unwrap_or_default();
        let (model, stream) = match media_type.split_once("boundary=") {
            Some((_, boundary)) => (field(body, boundary, "model")?, false),
            None => {
                let body: Value = serde_json::from_slice(body).ok()?;
                (body["model"].as_str()?.to_owned(), body["stream"] == true)
            }
        };
        Some(Ask {
            model,
            stream,
            sse: stream,
            input_bytes: body.len(),
            besides: Some(self),
            ..Ask::default()
        })
    }

    /// The reply, which names the model that was asked for.
    pub fn reply(self, ask: &Ask) -> Reply {
        let model = &ask.model;
        let tokens = ask.input_bytes;
        let usage = json!({"input_tokens": 3, "output_tokens": 4, "total_tokens": 7});
        let whole = match self {
            Self::Images if ask.stream => {
                let event = |kind: &str| {
                    let event =
                        json!({"type": kind, "b64_json": "QUJD", "model": model, "usage": usage});
                    Bytes::from(format!("event: {kind}\ndata: {event}\n\n"))
                };
                let events = [
                    "image_generation.partial_image",
                    "image_generation.completed",
                ];
                return Reply::events("text/event-stream", events.map(event).to_vec());
            }
            Self::Images => {
                json!({"created": 1, "data": [{"b64_json": "QUJD", "revised_prompt": model}], "usage": usage})
            }
            Self::Text => json!({"text": format!("{model} heard {tokens} bytes"), "usage": usage}),
            Self::Speech => {
                return Reply {
                    status: 200,
                    content_type: "audio/mpeg",
                    headers: Vec::new(),
                    body: Script::Whole(Bytes::from([SOUND, model.as_bytes()].concat())),
                };
            }
            Self::Moderations => {
                json!({"id": "modr-1", "model": model, "results": [{"flagged": false, "categories": {}, "category_scores": {}}]})
            }
            Self::InputTokens => {
                json!({"object": "response.input_tokens", "input_tokens": tokens})
            }
            Self::MessageTokens => json!({"input_tokens": tokens}),
            Self::Models => Self::models(),
            Self::Completions => json!({
                "id": "cmpl-1", "object": "text_completion", "created": 1, "model": model,
                "choices": [{"text": " itself", "index": 0, "logprobs": null, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
            }),
        };
        Reply::json(200, whole.to_string().into_bytes())
    }
}

/// No text in any encoding.
const SOUND: &[u8] = b"\xff\xfb\x90\x00\r\n\x00";

/// A field of a form.
fn field(body: &[u8], boundary: &str, name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let boundary = format!("--{}", boundary.trim_matches('"'));
    let head = format!("name=\"{name}\"");
    let part = text.split(&boundary).find(|part| part.contains(&head))?;
    let (_, value) = part.split_once("\r\n\r\n")?;
    Some(value.trim_end_matches("\r\n").to_owned())
}
