//! `POST /v1/messages`, as it is written.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::json::{self, Extra, Json, Kind, Raw, Text, owned};
use crate::schema::claude_thinking::ThinkingParam;

/// The body, with what the client and the operator merge into it.
pub(in super::super) struct MessagesRequest<'a> {
    /// Where no header says it.
    pub version: Option<&'static str>,
    /// Where no header says them.
    pub betas: &'a [Cow<'a, str>],
    /// Where the path does not name it.
    pub model: Option<&'a str>,
    pub max_tokens: u64,
    pub system: Vec<Block<'a>>,
    pub messages: Vec<Turn<'a>>,
    pub tools: Vec<ToolParam<'a>>,
    pub tool_choice: Option<ToolChoiceParam<'a>>,
    pub thinking: Option<ThinkingParam<'a>>,
    pub output_config: OutputConfig<'a>,
    /// Only older generations of models take it, as they do `top_p` and `top_k`.
    pub temperature: Option<Raw<'a>>,
    pub top_p: Option<Raw<'a>>,
    pub top_k: Option<Raw<'a>>,
    pub stop_sequences: Vec<Text<'a>>,
    pub metadata: Option<MetadataParam<'a>>,
    pub service_tier: Option<&'static str>,
    pub stream: bool,
    /// Fields that replace those above; `null` leaves one out.
    pub overrides: Extra<'a>,
    /// Fields for those that are neither above nor overridden.
    pub defaults: Vec<(&'a str, Raw<'a>)>,
}

/// One turn.
#[derive(Serialize)]
pub(in super::super) struct Turn<'a> {
    pub role: Speaker,
    pub content: Vec<Block<'a>>,
}

/// Who speaks in a turn.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Speaker {
    User,
    Assistant,
}

/// One content block.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in super::super) enum Block<'a> {
    Text {
        text: Json<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<Raw<'a>>,
    },
    Image {
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<Raw<'a>>,
    },
    Document {
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<Cow<'a, str>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<Raw<'a>>,
    },
    Thinking {
        thinking: Raw<'a>,
        signature: Raw<'a>,
    },
    RedactedThinking {
        data: Raw<'a>,
    },
    ToolUse {
        id: Cow<'a, str>,
        name: &'a str,
        input: Json<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<Raw<'a>>,
    },
    ToolResult {
        tool_use_id: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<ToolResultContent<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        is_error: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<Raw<'a>>,
    },
}

/// What a tool said.
#[derive(Serialize)]
#[serde(untagged)]
pub(in super::super) enum ToolResultContent<'a> {
    Text(Raw<'a>),
    Blocks(Vec<Block<'a>>),
}

/// Where an image or a document is.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in super::super) enum Source<'a> {
    Base64 {
        media_type: &'static str,
        data: Cow<'a, str>,
    },
    Url {
        url: Cow<'a, str>,
    },
}

/// A client tool.
#[derive(Serialize)]
pub(in super::super) struct ToolParam<'a> {
    pub name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Raw<'a>>,
    pub input_schema: Json<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<Raw<'a>>,
}

/// `tool_choice`; `none` cannot say anything of parallel calls.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in super::super) enum ToolChoiceParam<'a> {
    Auto {
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        disable_parallel_tool_use: bool,
    },
    Any {
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        disable_parallel_tool_use: bool,
    },
    Tool {
        name: Cow<'a, str>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        disable_parallel_tool_use: bool,
    },
    None,
}

/// `output_config`.
#[derive(Default, Serialize)]
pub(in super::super) struct OutputConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<OutputFormat<'a>>,
}

/// `output_config.format`.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in super::super) enum OutputFormat<'a> {
    JsonSchema { schema: Json<'a> },
}

/// `metadata`; it has no other field.
#[derive(Serialize)]
pub(in super::super) struct MetadataParam<'a> {
    pub user_id: Raw<'a>,
}

// === impl MessagesRequest ===

impl Serialize for MessagesRequest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = Fields {
            map: serializer.serialize_map(None)?,
            overrides: &self.overrides,
            written: Vec::new(),
        };
        body.field("anthropic_version", self.version)?;
        body.field("anthropic_beta", filled(self.betas))?;
        body.field("model", self.model)?;
        body.field("max_tokens", Some(self.max_tokens))?;
        body.field("system", filled(&self.system))?;
        body.field("messages", Some(&self.messages))?;
        body.field("tools", filled(&self.tools))?;
        body.field("tool_choice", self.tool_choice.as_ref())?;
        body.field("thinking", self.thinking)?;
        let has_output_config =
            self.output_config.effort.is_some() || self.output_config.format.is_some();
        let output_config = has_output_config.then_some(&self.output_config);
        body.field("output_config", output_config)?;
        body.field("temperature", self.temperature)?;
        body.field("top_p", self.top_p)?;
        body.field("top_k", self.top_k)?;
        body.field("stop_sequences", filled(&self.stop_sequences))?;
        body.field("metadata", self.metadata.as_ref())?;
        body.field("service_tier", self.service_tier)?;
        body.field("stream", self.stream.then_some(true))?;
        body.end(&self.defaults)
    }
}

/// Writes top-level fields, each at most once.
struct Fields<'f, M> {
    map: M,
    overrides: &'f Extra<'f>,
    written: Vec<&'static str>,
}

impl<M: SerializeMap> Fields<'_, M> {
    fn field<T: Serialize>(
        &mut self,
        name: &'static str,
        value: Option<T>,
    ) -> Result<(), M::Error> {
        let is_overridden = self.overrides.iter().any(|(key, _)| *key == name);
        match value {
            Some(value) if !is_overridden => {
                self.written.push(name);
                self.map.serialize_entry(name, &value)
            }
            _ => Ok(()),
        }
    }

    fn end(mut self, defaults: &[(&str, Raw<'_>)]) -> Result<M::Ok, M::Error> {
        let is_set = |(_, value): &&(Text<'_>, Raw<'_>)| json::kind(value) != Kind::Null;
        for (name, value) in self.overrides.iter().filter(is_set) {
            self.map.serialize_entry(name, value)?;
        }
        for (name, value) in defaults {
            let is_overridden = self.overrides.iter().any(|(key, _)| key == name);
            if !is_overridden && !self.written.contains(name) {
                self.map.serialize_entry(name, value)?;
            }
        }
        self.map.end()
    }
}

fn filled<T>(list: &[T]) -> Option<&[T]> {
    (!list.is_empty()).then_some(list)
}

// === impl Block ===

impl<'a> Block<'a> {
    /// A text block of a JSON string.
    pub fn text(text: Raw<'a>, cache_control: Option<Raw<'a>>) -> Block<'a> {
        Block::Text {
            text: Cow::Borrowed(text),
            cache_control,
        }
    }

    /// A text block with words of ours.
    pub fn of_words(words: &str) -> Block<'static> {
        Block::Text {
            text: owned(json::to_string(words)),
            cache_control: None,
        }
    }

    /// Puts `marker` on the block unless it has one; `false` when this kind takes none.
    pub fn mark(&mut self, marker: Raw<'a>) -> bool {
        match self {
            Block::Text { cache_control, .. }
            | Block::Image { cache_control, .. }
            | Block::Document { cache_control, .. }
            | Block::ToolUse { cache_control, .. }
            | Block::ToolResult { cache_control, .. } => {
                cache_control.get_or_insert(marker);
                true
            }
            Block::Thinking { .. } | Block::RedactedThinking { .. } => false,
        }
    }

    /// Whether it is reasoning.
    pub fn is_thinking(&self) -> bool {
        matches!(
            self,
            Block::Thinking { .. } | Block::RedactedThinking { .. }
        )
    }
}
