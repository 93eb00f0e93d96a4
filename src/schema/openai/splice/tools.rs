//! Tools and the choice among them in the target's dialect.

use crate::fidelity::Report;
use crate::json::{self, Raw, Text};
use crate::json::{Members, ObjectWriter};
use crate::schema::openai::dialect::{Dialect, contains};
use crate::schema::openai::request::{ChatCompletionRequest, Tool, ToolChoice};

use super::scrub;

/// `tool_choice` as it goes out, and what that means for `tools`.
pub(super) enum Choice<'a> {
    /// As it came.
    AsSent,
    /// Another word.
    Word(&'static str),
    /// This function.
    Named(Text<'a>),
    /// Another word, among these tools.
    Among(&'static str, Vec<Text<'a>>),
    /// No tools go out, so that none can be called.
    WithoutTools,
}

impl<'a> Choice<'a> {
    pub(super) fn read(
        request: &ChatCompletionRequest<'a>,
        dialect: &Dialect,
        report: &mut Report,
    ) -> Choice<'a> {
        let knows = |form: &str| contains(&dialect.tool_choices, form);
        let forced = if knows("required") {
            "required"
        } else {
            "auto"
        };
        match request.tool_choice() {
            // What this gateway cannot read, the provider may.
            Ok(None) | Err(_) => Choice::AsSent,
            Ok(Some(ToolChoice::Auto)) => Choice::AsSent,
            Ok(Some(ToolChoice::None)) if knows("none") => Choice::AsSent,
            Ok(Some(ToolChoice::Required)) if knows("required") => Choice::AsSent,
            Ok(Some(ToolChoice::Function(_))) if knows("function") => Choice::AsSent,
            Ok(Some(ToolChoice::Allowed { .. })) if knows("allowed_tools") => Choice::AsSent,
            Ok(Some(ToolChoice::None)) => {
                let reason = "this provider cannot be told so: no tools are sent";
                report.rewritten("tool_choice", reason);
                Choice::WithoutTools
            }
            Ok(Some(ToolChoice::Required)) if knows("function") && only(request).is_some() => {
                let reason = "this provider does not know this form: the only tool is named";
                report.rewritten("tool_choice", reason);
                only(request).map_or(Choice::AsSent, Choice::Named)
            }
            Ok(Some(ToolChoice::Required)) => {
                let reason = "this provider cannot be forced to call a tool";
                report.downgraded("tool_choice", reason);
                Choice::Word("auto")
            }
            Ok(Some(ToolChoice::Function(name))) => {
                narrowed(forced, report);
                Choice::Among(forced, vec![name])
            }
            Ok(Some(ToolChoice::Allowed { names, required })) => {
                let word = if required { forced } else { "auto" };
                narrowed(if required { forced } else { "" }, report);
                Choice::Among(word, names)
            }
        }
    }

    /// Whether a tool must be called.
    pub(super) fn is_forced(&self, request: &ChatCompletionRequest<'_>) -> bool {
        match self {
            Choice::AsSent => matches!(
                request.tool_choice(),
                Ok(Some(
                    ToolChoice::Required
                        | ToolChoice::Function(_)
                        | ToolChoice::Allowed { required: true, .. }
                ))
            ),
            Choice::Named(_) => true,
            Choice::Word(word) | Choice::Among(word, _) => *word != "auto",
            Choice::WithoutTools => false,
        }
    }

    /// Writes `tool_choice`.
    pub(super) fn write(&self, value: Raw<'_>, writer: &mut ObjectWriter<'_>) {
        match self {
            Choice::AsSent => writer.raw("tool_choice", value.get()),
            Choice::Word(word) | Choice::Among(word, _) => {
                json::write(writer.value("tool_choice"), word);
            }
            Choice::Named(name) => {
                let out = writer.value("tool_choice");
                out.extend_from_slice(br#"{"type":"function","function":{"name":"#);
                json::write(out, &**name);
                out.extend_from_slice(b"}}");
            }
            Choice::WithoutTools => {}
        }
    }

    /// Writes `tools`.
    pub(super) fn write_tools(
        &self,
        value: Raw<'_>,
        request: &ChatCompletionRequest<'_>,
        dialect: &Dialect,
        report: &mut Report,
        writer: &mut ObjectWriter<'_>,
    ) {
        if matches!(self, Choice::WithoutTools) {
            return;
        }
        let kept = |tool: &Tool<'_>| match self {
            Choice::Among(_, names) => {
                let name = tool.function.as_ref().and_then(|f| f.name.as_ref());
                name.is_some_and(|name| names.contains(name))
            }
            _ => true,
        };
        let changes = request
            .tools()
            .iter()
            .any(|t| !kept(t) || differs(t, dialect));
        if !changes && !scrub::has_extension(value.get(), dialect) {
            return writer.raw("tools", value.get());
        }
        let items: Vec<Raw<'_>> = json::parse(value).unwrap_or_default();
        let tools = items.into_iter().zip(request.tools());
        let out = writer.value("tools");
        out.push(b'[');
        for (i, (item, tool)) in tools.filter(|(_, tool)| kept(tool)).enumerate() {
            if i > 0 {
                out.push(b',');
            }
            write_tool(item, tool, dialect, report, out);
        }
        out.push(b']');
    }
}

/// The name of the only tool.
fn only<'a>(request: &ChatCompletionRequest<'a>) -> Option<Text<'a>> {
    match request.tools() {
        [tool] => tool.function.as_ref()?.name.clone(),
        _ => None,
    }
}

fn narrowed(forced: &str, report: &mut Report) {
    if forced == "auto" {
        let reason = "this provider cannot be forced to call a tool: only that one is sent";
        report.downgraded("tool_choice", reason);
    } else {
        let reason = "this provider does not know this form: only the tools it names are sent";
        report.rewritten("tool_choice", reason);
    }
}

fn differs(tool: &Tool<'_>, dialect: &Dialect) -> bool {
    tool.function.as_ref().is_some_and(|function| {
        (dialect.parameters_required && function.parameters.is_none())
            || (!dialect.strict_tools && function.strict.is_some())
    })
}

fn write_tool(
    item: Raw<'_>,
    tool: &Tool<'_>,
    dialect: &Dialect,
    report: &mut Report,
    out: &mut Vec<u8>,
) {
    if !differs(tool, dialect) {
        return scrub::item("tools[]", item, dialect, report, out);
    }
    let mut scrubbed = Vec::with_capacity(item.get().len());
    scrub::item("tools[]", item, dialect, report, &mut scrubbed);
    let Members(members) = json::read(&scrubbed).unwrap_or_default();
    let mut writer = ObjectWriter::begin(out);
    for (name, value) in &members {
        if *name == "function" {
            write_function(value, dialect, report, writer.value(name));
        } else {
            writer.raw(name, value.get());
        }
    }
    writer.end();
}

fn write_function(value: Raw<'_>, dialect: &Dialect, report: &mut Report, out: &mut Vec<u8>) {
    let Members(members) = json::parse(value).unwrap_or_default();
    let is_null = |value: Raw<'_>| value.get() == "null";
    let mut has_parameters = false;
    let mut writer = ObjectWriter::begin(out);
    for (name, value) in &members {
        match name.as_str() {
            "strict" if !dialect.strict_tools => {
                if value.get() == "true" {
                    let reason = "this provider does not hold arguments to their schema";
                    report.dropped("tools[].function.strict", reason);
                }
            }
            "parameters" if dialect.parameters_required && is_null(value) => {}
            _ => {
                has_parameters |= *name == "parameters";
                writer.raw(name, value.get());
            }
        }
    }
    if dialect.parameters_required && !has_parameters {
        // The same in OpenAI's words: no parameters.
        writer.raw("parameters", "{\"type\":\"object\",\"properties\":{}}");
    }
    writer.end();
}
