//! What only needs another model's name: images, audio, moderations, counts of tokens.
//!
//! Bodies are JSON or forms; replies go to the client as they come, whatever they are. An
//! attempt is committed by its status and its first bytes.

use std::collections::BTreeMap;

use super::Relay;
use crate::failure::{Class, Failure};
use crate::fidelity::Report;
use crate::framing::multipart::{Parts, boundary};
use crate::json::{self, Raw};
use crate::schema::{
    OperationSchema, Progress, Reply, ReplyContext, StreamTranslator, Target, TranslateError,
    Translated,
};
use crate::usage::Usage;
use crate::wire;

/// The language of every such operation.
pub struct Passthrough {
    /// Whether the configuration's defaults for the model are filled in. They are meant for
    /// what makes something, not for what counts.
    takes_defaults: bool,
}

/// No defaults.
static NONE: BTreeMap<String, String> = BTreeMap::new();

/// How much of a reply's end is kept to find its usage in, in bytes.
const TAIL_BYTES: usize = 2048;

impl Passthrough {
    /// For what makes something.
    pub const PLAIN: Passthrough = Passthrough {
        takes_defaults: true,
    };

    /// For counts of tokens.
    pub const COUNT: Passthrough = Passthrough {
        takes_defaults: false,
    };
}

impl OperationSchema for Passthrough {
    fn translate_request(
        &self,
        target: &Target<'_>,
        media_type: &str,
        report: &mut Report,
    ) -> Result<Translated, TranslateError> {
        let body = match media_type {
            "" if self.takes_defaults => Relay::PLAIN.write(target, report)?,
            "" => {
                let defaults = &NONE;
                Relay::PLAIN.write(
                    &Target {
                        defaults,
                        ..*target
                    },
                    report,
                )?
            }
            media_type => rename(target, media_type)?,
        };
        Ok(Translated {
            body,
            ..Translated::default()
        })
    }

    fn translate_response(
        &self,
        context: &ReplyContext,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Reply, Failure> {
        let mut copier = Copier::new(context.clone());
        copier.copy(body, out);
        Ok(copier.reply())
    }

    fn translate_stream(&self, context: ReplyContext) -> Option<Box<dyn StreamTranslator>> {
        Some(Box::new(Copier::new(context)))
    }

    fn keeps_media_type(&self) -> bool {
        true
    }
}

/// The form with this target's model name; every other byte stays.
fn rename(target: &Target<'_>, media_type: &str) -> Result<Vec<u8>, TranslateError> {
    let form = || TranslateError::new("body", "a form");
    let source = target.source;
    let mut parts = Parts::new(source, boundary(media_type).ok_or_else(form)?);
    while let Some(part) = parts.next_part().map_err(|_| form())? {
        if part.name == "model" {
            let head = source.get(..part.range.start).ok_or_else(form)?;
            let tail = source.get(part.range.end..).ok_or_else(form)?;
            return Ok([head, target.model.as_bytes(), tail].concat());
        }
    }
    Err(form())
}

/// Copies a reply and keeps its end.
struct Copier {
    context: ReplyContext,
    tail: Vec<u8>,
    usage: Usage,
    has_begun: bool,
}

impl Copier {
    fn new(context: ReplyContext) -> Copier {
        Copier {
            context,
            tail: Vec::new(),
            usage: Usage::default(),
            has_begun: false,
        }
    }

    fn copy(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.has_begun |= !bytes.is_empty();
        out.extend_from_slice(bytes);
        let start = bytes.len().saturating_sub(TAIL_BYTES);
        self.tail
            .extend_from_slice(bytes.get(start..).unwrap_or_default());
        let excess = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..excess);
    }

    fn reply(&mut self) -> Reply {
        self.usage = find_usage(&self.tail).unwrap_or_default();
        Reply {
            usage: self.usage,
            model: self.context.model.clone(),
            refused: false,
        }
    }
}

impl StreamTranslator for Copier {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<Progress, Failure> {
        self.copy(chunk, out);
        Ok(match self.has_begun {
            true => Progress::Started,
            false => Progress::Waiting,
        })
    }

    fn finish(mut self: Box<Self>, _out: &mut Vec<u8>) -> Result<Reply, Failure> {
        match self.has_begun {
            true => Ok(self.reply()),
            false => {
                let message = "the provider's reply is empty";
                Err(Failure::new(Class::EmptyReply, message))
            }
        }
    }

    fn usage(&self) -> Usage {
        self.usage
    }
}

wire! {
    /// `usage`, as images, audio and completions have it.
    pub struct Tokens<'a> {
        /// Of images and audio.
        input_tokens: u64,
        /// Of images and audio.
        output_tokens: u64,
        /// Of completions.
        prompt_tokens: u64,
        /// Of completions.
        completion_tokens: u64,
    }
}

/// The last usage of a reply, which stands near its end. Its key cannot stand within a JSON
/// string: quotes are escaped there.
fn find_usage(tail: &[u8]) -> Option<Usage> {
    const KEY: &[u8] = b"\"usage\"";
    let at = tail.windows(KEY.len()).rposition(|window| window == KEY)?;
    let rest = tail.get(at.checked_add(KEY.len())?..)?.trim_ascii_start();
    let text = std::str::from_utf8(rest.strip_prefix(b":")?).ok()?;
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Raw<'_>>();
    let Tokens {
        input_tokens,
        output_tokens,
        prompt_tokens,
        completion_tokens,
        extra: _, // Details, and the client's to read.
    } = json::parse(values.next()?.ok()?)?;
    Some(Usage {
        input_tokens: input_tokens.or(prompt_tokens).unwrap_or(0),
        output_tokens: output_tokens.or(completion_tokens).unwrap_or(0),
        ..Usage::default()
    })
}

#[cfg(test)]
mod tests {
    use super::find_usage;

    #[test]
    fn usage_is_found_at_the_end_of_any_reply() {
        let found = |tail: &[u8]| find_usage(tail).map(|u| (u.input_tokens, u.output_tokens));
        let image = br#"0=="}],"usage": {"input_tokens":5,"output_tokens":7,"total_tokens":12}}"#;
        assert_eq!(found(image), Some((5, 7)));
        let event = b"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";
        assert_eq!(found(event), Some((5, 2)));
        assert_eq!(
            found(br#"{"usage":{"type":"duration","seconds":3}}"#),
            Some((0, 0))
        );
        assert_eq!(found(br#"{"text":"the \"usage\":{}"}"#), None);
        assert_eq!(found(br#"{"usage":null}"#), None);
        assert_eq!(found(b"\xff\xfb\"usage\":\x90"), None);
        assert_eq!(found(b""), None);
    }
}
