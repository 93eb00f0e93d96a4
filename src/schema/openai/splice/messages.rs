//! The conversation in the target's dialect.

use crate::fidelity::Report;
use crate::json::{self, Kind, Raw, Text};
use crate::json::{Members, ObjectWriter};
use crate::schema::openai::dialect::{Dialect, REASONING, contains};
use crate::schema::openai::request::{ChatCompletionRequest, Message};

use super::tool_ids::ToolIds;
use super::{media, scrub};

/// What is known when the messages are copied.
pub(super) struct Messages<'s, 'a> {
    pub(super) request: &'s ChatCompletionRequest<'a>,
    pub(super) dialect: &'s Dialect,
    /// Stands before everything else, as a system message.
    pub(super) instruction: Option<&'s str>,
}

impl Messages<'_, '_> {
    /// Copies `value`, the array of messages, changing what the dialect must have otherwise.
    pub(super) fn write(&self, value: Raw<'_>, report: &mut Report, out: &mut Vec<u8>) {
        let ids = ToolIds::of(self.request, self.dialect.tool_call_ids);
        if !self.must_change(value.get(), &ids) {
            out.extend_from_slice(value.get().as_bytes());
            return;
        }
        let items: Vec<Raw<'_>> = json::parse(value).unwrap_or_default();
        out.push(b'[');
        if let Some(words) = self.instruction {
            let mut writer = ObjectWriter::begin(out);
            writer.raw("role", "\"system\"");
            json::write(writer.value("content"), words);
            writer.end();
        }
        for (i, item) in items.into_iter().enumerate() {
            if i > 0 || self.instruction.is_some() {
                out.push(b',');
            }
            self.message(item, &ids, report, out);
        }
        out.push(b']');
    }

    fn must_change(&self, text: &str, ids: &ToolIds) -> bool {
        let dialect = self.dialect;
        let quoted = |field: &str| text.contains(&format!("\"{field}\""));
        let messages = self.request.messages();
        self.instruction.is_some()
            || !ids.is_empty()
            || messages.iter().any(|message| self.differs(message))
            || dialect.drops_in_messages.iter().any(|field| quoted(field))
            || scrub::has_extension(text, dialect)
    }

    /// Whether the dialect says this message in another way, its fields left aside.
    fn differs(&self, message: &Message<'_>) -> bool {
        let dialect = self.dialect;
        let role = message.role.as_deref().unwrap_or_default();
        let reasons = message.reasoning_content.is_some();
        Dialect::stand_in(&dialect.roles, role).is_some()
            || (dialect.content_required && message.content.is_none())
            || (dialect.reasoning_required && !message.tool_calls().is_empty() && !reasons)
            || (dialect.reasoning_field != REASONING && reasons)
            || (dialect.bare_media && message.content.is_some_and(|c| c.get().starts_with('[')))
    }

    fn message(&self, value: Raw<'_>, ids: &ToolIds, report: &mut Report, out: &mut Vec<u8>) {
        let Some(Members(members)) = json::parse(value) else {
            out.extend_from_slice(value.get().as_bytes());
            return;
        };
        let mut writer = ObjectWriter::begin(out);
        let refusal = self.only_refusal(&members);
        if let Some(refusal) = refusal {
            let reason = "this provider has no refusals: sent as content";
            report.rewritten("messages[].refusal", reason);
            writer.raw("content", refusal.get());
        }
        let is_said = |name: &str| refusal.is_some() && matches!(name, "content" | "refusal");
        for (name, value) in members.iter().filter(|(name, _)| !is_said(name)) {
            self.field(name, value, ids, report, &mut writer);
        }
        let has = |field: &str| members.iter().any(|(name, _)| name == field);
        let calls = members.iter().find(|(name, _)| *name == "tool_calls");
        if self.dialect.content_required && refusal.is_none() && !has("content") {
            writer.raw("content", "null");
        }
        let reasons = |(name, value): &(Text<'_>, Raw<'_>)| {
            *name == REASONING && json::kind(value) != Kind::Null
        };
        if self.dialect.reasoning_required
            && calls.is_some_and(|(_, calls)| !matches!(calls.get(), "null" | "[]"))
            && !members.iter().any(reasons)
        {
            let reason = "this provider wants reasoning beside every tool call: it is empty";
            report.defaulted(format!("messages[].{REASONING}"), reason);
            writer.raw(&self.dialect.reasoning_field, "\"\"");
        }
        writer.end();
    }

    /// A refusal that the provider does not take, in a message that says nothing else.
    fn only_refusal<'m>(&self, members: &[(Text<'_>, Raw<'m>)]) -> Option<Raw<'m>> {
        let of = |field: &str| {
            let (_, value) = members.iter().find(|(name, _)| name == field)?;
            (json::kind(value) != Kind::Null).then_some(*value)
        };
        let says = ["content", "tool_calls"]
            .into_iter()
            .any(|field| of(field).is_some());
        let refusal = of("refusal").filter(|refusal| json::kind(refusal) == Kind::String)?;
        (!says && contains(&self.dialect.drops_in_messages, "refusal")).then_some(refusal)
    }

    fn content(&self, value: Raw<'_>, report: &mut Report, out: &mut Vec<u8>) {
        let bare = self
            .dialect
            .bare_media
            .then(|| media::rewritten(value, report));
        let bare = bare.flatten();
        let bare = bare.as_ref().and_then(|bare| json::read(bare).ok());
        let value = bare.unwrap_or(value);
        scrub::items("messages[].content", value, self.dialect, report, out);
    }

    fn field(
        &self,
        name: &str,
        value: Raw<'_>,
        ids: &ToolIds,
        report: &mut Report,
        writer: &mut ObjectWriter<'_>,
    ) {
        let dialect = self.dialect;
        match name {
            "role" => match role(value, dialect) {
                Some(word) => json::write(writer.value(name), word),
                None => writer.raw(name, value.get()),
            },
            "tool_call_id" => id(value, ids, writer.value(name)),
            "tool_calls" => calls(value, dialect, ids, report, writer.value(name)),
            "content" => self.content(value, report, writer.value(name)),
            _ if contains(&dialect.drops_in_messages, name) => {
                if !matches!(value.get(), "null" | "[]") {
                    let reason = "this provider takes no such field in a message";
                    report.dropped(format!("messages[].{name}"), reason);
                }
            }
            _ if scrub::is_extension(name, dialect) => {
                scrub::note("messages[]", name, value, report);
            }
            // One that must be there is written at the end.
            REASONING if dialect.reasoning_required && json::kind(value) == Kind::Null => {}
            REASONING => writer.raw(&dialect.reasoning_field, value.get()),
            _ => writer.raw(name, value.get()),
        }
    }
}

fn role<'d>(value: Raw<'_>, dialect: &'d Dialect) -> Option<&'d str> {
    let word: Text<'_> = json::parse(value)?;
    Dialect::stand_in(&dialect.roles, &word)
}

fn id(value: Raw<'_>, ids: &ToolIds, out: &mut Vec<u8>) {
    let given = json::parse::<Text<'_>>(value);
    match given.as_ref().and_then(|id| ids.replacement(id)) {
        Some(new) => json::write(out, new),
        None => out.extend_from_slice(value.get().as_bytes()),
    }
}

fn calls(value: Raw<'_>, dialect: &Dialect, ids: &ToolIds, report: &mut Report, out: &mut Vec<u8>) {
    let Some(items) = json::parse::<Vec<Members<'_>>>(value) else {
        out.extend_from_slice(value.get().as_bytes());
        return;
    };
    out.push(b'[');
    for (i, Members(call)) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        let mut writer = ObjectWriter::begin(out);
        for (name, value) in &call {
            if *name == "id" {
                id(value, ids, writer.value(name));
            } else if scrub::is_extension(name, dialect) {
                scrub::note("messages[].tool_calls[]", name, value, report);
            } else {
                writer.raw(name, value.get());
            }
        }
        writer.end();
    }
    out.push(b']');
}
