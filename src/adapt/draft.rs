//! A chat completion request that is being rewritten; what is left alone stays a slice of it.

use std::borrow::Cow;

use crate::inspect::{tally, tally_message};
use crate::json::{self, Extra, Members, ObjectWriter, Raw};
use crate::schema::openai::{ChatCompletionRequest, Message, Role};
use crate::tokens::{Family, MOST_SCANNED};

/// The request on its way.
pub(super) struct Draft<'a> {
    pub(super) request: &'a ChatCompletionRequest<'a>,
    pub(super) items: Vec<Item<'a>>,
    members: Extra<'a>,
    /// What fields become; `None` leaves one out.
    changes: Vec<(&'static str, Option<String>)>,
}

/// One message.
#[derive(Clone)]
pub(super) struct Item<'a> {
    /// Where it stands in the client's body; `None` for our own.
    pub(super) source: Option<usize>,
    pub(super) role: Role,
    /// The message as JSON text.
    pub(super) json: Cow<'a, str>,
}

impl<'a> Draft<'a> {
    /// `None` when `body` is not what `request` was read from.
    pub(super) fn read(request: &'a ChatCompletionRequest<'a>, body: &'a [u8]) -> Option<Self> {
        let Members(members) = json::read(body).ok()?;
        let (_, messages) = members.iter().rev().find(|(name, _)| *name == "messages")?;
        let raws: Vec<Raw<'a>> = json::parse(messages)?;
        let items = raws.into_iter().zip(request.messages()).enumerate();
        let items = items
            .map(|(i, (raw, message))| {
                Some(Item {
                    source: Some(i),
                    role: message.role()?,
                    json: Cow::Borrowed(raw.get()),
                })
            })
            .collect::<Option<_>>()?;
        Some(Draft {
            request,
            items,
            members,
            changes: Vec::new(),
        })
    }

    /// Gives a field another value, as JSON text.
    pub(super) fn set(&mut self, name: &'static str, value: String) {
        self.changes.push((name, Some(value)));
    }

    /// Leaves a field out.
    pub(super) fn remove(&mut self, name: &'static str) {
        self.changes.push((name, None));
    }

    /// The whole request as JSON.
    pub(super) fn write(&self) -> Vec<u8> {
        let size = self.items.iter().map(|item| item.json.len() + 1).sum();
        let mut out = Vec::with_capacity(size);
        let mut writer = ObjectWriter::begin(&mut out);
        let kept = self.members.iter().filter(|(name, _)| {
            *name != "messages" && !self.changes.iter().any(|(changed, _)| name == changed)
        });
        for (name, value) in kept {
            writer.raw(name, value.get());
        }
        for (i, (name, value)) in self.changes.iter().enumerate() {
            let mut later = self.changes.iter().skip(i + 1);
            if let Some(value) = value.as_ref().filter(|_| !later.any(|(n, _)| n == name)) {
                writer.raw(name, value);
            }
        }
        write_items(&self.items, writer.value("messages"));
        writer.end();
        out
    }

    /// Estimated tokens of all of it.
    pub(super) fn tokens(&self, family: Family) -> u64 {
        let body = self.write();
        let request = ChatCompletionRequest::parse(&body);
        request.map_or(0, |request| {
            tally(&request, body.len(), MOST_SCANNED).tokens(family)
        })
    }
}

fn write_items(items: &[Item<'_>], out: &mut Vec<u8>) {
    out.push(b'[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(item.json.as_bytes());
    }
    out.push(b']');
}

impl<'a> Item<'a> {
    /// A message of our own; `content` is JSON text.
    pub(super) fn new(source: Option<usize>, role: Role, content: &str) -> Item<'a> {
        let word = match role {
            Role::System => "\"system\"",
            Role::Assistant => "\"assistant\"",
            Role::User | Role::Tool => "\"user\"",
        };
        let json = object(|writer| {
            writer.raw("role", word);
            writer.raw("content", content);
        });
        Item {
            source,
            role,
            json: Cow::Owned(json),
        }
    }

    /// Estimated tokens of it.
    pub(super) fn tokens(&self, family: Family) -> u64 {
        let message: Option<Message<'_>> = json::parse_text(&self.json);
        message.map_or(0, |m| tally_message(&m, self.json.len()).tokens(family))
    }

    /// Its members, in the order they came.
    pub(super) fn members(&self) -> Extra<'_> {
        let members: Option<Members<'_>> = json::parse_text(&self.json);
        members.unwrap_or_default().0
    }

    /// The same message with other content, which is JSON text, and without some fields.
    pub(super) fn with_content(&self, content: &str, without: &[&str]) -> Item<'a> {
        let json = object(|writer| {
            for (name, value) in self.members() {
                if *name != *"content" && !without.contains(&name.as_str()) {
                    writer.raw(&name, value.get());
                }
            }
            writer.raw("content", content);
        });
        Item {
            json: Cow::Owned(json),
            ..self.clone()
        }
    }
}

/// An object as JSON text.
pub(super) fn object(write: impl FnOnce(&mut ObjectWriter<'_>)) -> String {
    let mut out = Vec::new();
    let mut writer = ObjectWriter::begin(&mut out);
    write(&mut writer);
    writer.end();
    String::from_utf8(out).unwrap_or_default()
}

/// `text` as it stands inside a JSON string, without the quotes.
pub(super) fn escaped(text: &str) -> String {
    let quoted = json::to_string(text);
    inside(&quoted).to_owned()
}

/// What stands between the quotes of a JSON string.
pub(super) fn inside(quoted: &str) -> &str {
    let quoted = quoted.trim();
    let rest = quoted.strip_prefix('"').unwrap_or(quoted);
    rest.strip_suffix('"').unwrap_or(rest)
}
