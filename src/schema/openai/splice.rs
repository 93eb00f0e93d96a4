//! OpenAI to OpenAI: values are copied byte for byte, only what the target's dialect must have
//! otherwise changes.

mod format;
mod legacy;
mod media;
mod messages;
mod numbers;
mod patch;
mod scrub;
mod thinking;
mod tool_ids;
mod tools;

use crate::catalog::Thinking;
use crate::fidelity::Report;
use crate::json::{self, Extra, Kind, Raw, Text};
use crate::schema::{Target, TranslateError, provider_options};

use super::dialect::{Dialect, REQUEST_EXTENSIONS, Rename, ThinkingForm, contains};
use super::request::ChatCompletionRequest;
use crate::json::{Members, ObjectWriter};
use format::Format;
use messages::Messages;
use thinking::Thought;
use tools::Choice;

const SAMPLING: [&str; 5] = [
    "temperature",
    "top_p",
    "top_k",
    "presence_penalty",
    "frequency_penalty",
];

/// Two names for one limit; OpenAI refuses them together.
const OUTPUT_LIMITS: [&str; 2] = ["max_tokens", "max_completion_tokens"];

/// The client's body with this target's model name and options, in its dialect.
///
/// Fails when the body is no JSON object, or `provider_options` are not objects.
pub(super) fn splice(
    request: &ChatCompletionRequest<'_>,
    target: &Target<'_>,
    report: &mut Report,
) -> Result<Vec<u8>, TranslateError> {
    if let Some(body) = patch::patch(request, target) {
        return Ok(body);
    }
    if let Some(modern) = legacy::modern(request, target.source, target.dialect) {
        let request = ChatCompletionRequest::parse(&modern);
        let request = request.ok_or_else(|| TranslateError::new("functions", "an array"))?;
        let source = &modern;
        return splice(&request, &Target { source, ..*target }, report);
    }
    let Members(members) =
        json::read(target.source).map_err(|_| TranslateError::new("body", "a JSON object"))?;
    let options = provider_options::read(request.provider_options, target, is_ours, report)?;
    let said = |name: &str| has(&members, name) || has(&options, name);
    let sets = |name: &str| has(&options, name) || target.defaults.contains_key(name);
    let mut out = Vec::with_capacity(target.source.len() + 64);
    let choice = Choice::read(request, target.dialect, report);
    let format = Format::read(request, target, report);
    let obstacle = if choice.is_forced(request) {
        Some("this provider does not think when a tool must be called")
    } else if target.dialect.thinking == ThinkingForm::Switch && format.is_held(request) {
        Some("this provider does not think when it is held to a format")
    } else {
        None
    };
    let mut copy = Copy {
        request,
        target,
        dialect: target.dialect,
        choice,
        format,
        thought: Thought::read(request, target, &sets, obstacle, report),
        said: &said,
        report,
        writer: ObjectWriter::begin(&mut out),
    };
    for (name, value) in members.iter().filter(|(name, _)| !has(&options, name)) {
        copy.member(name, value);
    }
    copy.thought.write(&mut copy.writer);
    copy.options(&options);
    if request.is_streamed() && target.dialect.stream_options && !said("stream_options") {
        copy.writer
            .raw("stream_options", r#"{"include_usage":true}"#);
    }
    copy.defaults();
    copy.writer.end();
    Ok(out)
}

/// One body on its way.
struct Copy<'s, 'a, 'o> {
    request: &'s ChatCompletionRequest<'a>,
    target: &'s Target<'s>,
    dialect: &'s Dialect,
    choice: Choice<'a>,
    format: Format,
    thought: Thought,
    /// Whether the client set a field, or an option for this provider did.
    said: &'s dyn Fn(&str) -> bool,
    report: &'s mut Report,
    writer: ObjectWriter<'o>,
}

// === impl Copy ===

impl<'s> Copy<'s, '_, '_> {
    fn member(&mut self, name: &Text<'_>, value: Raw<'_>) {
        match name.as_str() {
            "model" => json::write(self.writer.value(name), self.target.model),
            "stream" => self.writer.raw(name, value.get()),
            "provider_options" => {}
            "stream_options" if !self.dialect.stream_options => {}
            "stream_options" if self.request.is_streamed() => self.stream_options(value),
            "messages" => self.messages(value),
            "tools" => self.choice.write_tools(
                value,
                self.request,
                self.dialect,
                self.report,
                &mut self.writer,
            ),
            "tool_choice" => self.choice.write(value, &mut self.writer),
            "response_format" => self.format.write(value, &mut self.writer),
            "reasoning_effort" | "thinking" if self.thought.replaces(name) => {}
            _ => self.parameter(name, value),
        }
    }

    fn messages(&mut self, value: Raw<'_>) {
        let messages = Messages {
            request: self.request,
            dialect: self.dialect,
            instruction: self.format.instruction(),
        };
        messages.write(value, self.report, self.writer.value("messages"));
    }

    fn parameter(&mut self, name: &str, value: Raw<'_>) {
        let dialect = self.dialect;
        let rename = self.rename(name);
        let to = rename.map_or(name, |rename| rename.to.as_ref());
        if let Some(reason) = self.why_left_out(name, to) {
            return self.drop(name, value, reason);
        }
        if let Some(change) = rename.and_then(|rename| rename.changes.clone()) {
            self.report.rewritten(name.to_owned(), change);
        }
        let limit = dialect.limits.iter().find(|limit| limit.field == name);
        if let Some(number) = limit.and_then(|limit| numbers::held_within(limit, value)) {
            let reason = "held within this provider's range";
            self.report.rewritten(name.to_owned(), reason);
            self.writer.raw(to, &number);
        } else if OUTPUT_LIMITS.contains(&name) {
            self.output_limit(name, to, value);
        } else {
            self.writer.raw(to, value.get());
        }
    }

    /// `to` is the field's name at the provider.
    fn why_left_out(&self, name: &str, to: &str) -> Option<&'static str> {
        if SAMPLING.contains(&name) && !self.target.capabilities.sampling {
            Some("this model takes no sampling parameters")
        } else if REQUEST_EXTENSIONS.contains(&name) && !self.dialect.knows(name) {
            Some("not a field of OpenAI's API")
        } else if !self.dialect.takes(to) {
            Some("this provider has no such parameter")
        } else if self.thinks() && contains(&self.dialect.drops_if_thinking, name) {
            Some("models of this provider that think refuse it")
        } else if to != name && (self.said)(to) {
            Some("it stands under its other name too")
        } else {
            None
        }
    }

    fn rename(&self, name: &str) -> Option<&'s Rename> {
        let fits = |r: &&Rename| r.from == name && (!r.if_thinking || self.thinks());
        self.dialect.renames.iter().find(fits)
    }

    fn thinks(&self) -> bool {
        self.target.capabilities.thinking != Thinking::None
    }

    /// Leaves a field out; `null` says nothing, so nothing is lost with it.
    fn drop(&mut self, name: &str, value: Raw<'_>, reason: &'static str) {
        if json::kind(value) != Kind::Null {
            self.report.dropped(name.to_owned(), reason);
        }
    }

    /// Usage is always asked for: the gateway counts it, and hides it from who did not ask.
    fn stream_options(&mut self, value: Raw<'_>) {
        let Members(members) = json::parse(value).unwrap_or_default();
        let mut writer = ObjectWriter::begin(self.writer.value("stream_options"));
        let others = members.iter().filter(|(name, _)| *name != "include_usage");
        for (name, value) in others {
            writer.raw(name, value.get());
        }
        writer.raw("include_usage", "true");
        writer.end();
    }

    fn output_limit(&mut self, name: &str, to: &str, value: Raw<'_>) {
        let asked: Option<u64> = json::parse(value);
        match self.target.capabilities.max_output_tokens {
            Some(most) if asked > Some(most) => {
                let reason = "lowered to the most that the model can write";
                self.report.rewritten(name.to_owned(), reason);
                self.writer.raw(to, &most.to_string());
            }
            _ => self.writer.raw(to, value.get()),
        }
    }

    fn options(&mut self, options: &Extra<'_>) {
        for (name, value) in options {
            match name.as_str() {
                "stream_options" if self.request.is_streamed() => self.stream_options(value),
                _ => self.writer.raw(name, value.get()),
            }
        }
    }

    fn defaults(&mut self) {
        for (name, value) in self.target.defaults {
            let is_limit = OUTPUT_LIMITS.contains(&name.as_str());
            let is_said = if is_limit {
                OUTPUT_LIMITS.into_iter().any(self.said)
            } else {
                (self.said)(name) || (name == "stream_options" && self.request.is_streamed())
            };
            if !is_said {
                let reason = "set for this model in the configuration";
                self.report.defaulted(name.clone(), reason);
                self.writer.raw(name, value);
            }
        }
    }
}

/// Whether the route or the reply's translation depends on the field.
fn is_ours(name: &str) -> bool {
    matches!(name, "model" | "stream" | "messages" | "provider_options")
}

fn has(fields: &Extra<'_>, name: &str) -> bool {
    fields.iter().any(|(known, _)| *known == name)
}

#[cfg(test)]
mod tests;
