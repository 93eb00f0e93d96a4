//! Files and audio as bare strings, for speakers that have no objects for them.

use crate::fidelity::Report;
use crate::json::ObjectWriter;
use crate::json::{self, Raw};
use crate::schema::openai::request::{FilePart, InputAudio, Part};

/// Copies an array of parts, with its files, audio and refusals in their other form.
///
/// `None` when there is none of them.
pub(super) fn rewritten(content: Raw<'_>, report: &mut Report) -> Option<Vec<u8>> {
    let text = content.get();
    let kinds = ["file", "input_audio", "refusal"];
    if !text.starts_with('[') || !kinds.iter().any(|kind| text.contains(kind)) {
        return None;
    }
    let items: Vec<Raw<'_>> = json::parse(content)?;
    let mut out = vec![b'['];
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        let written = json::parse(item).and_then(|part: Part<'_>| part_of(&part, report));
        out.extend_from_slice(written.as_deref().unwrap_or(item.get().as_bytes()));
    }
    out.push(b']');
    Some(out)
}

fn part_of(part: &Part<'_>, report: &mut Report) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut writer = ObjectWriter::begin(&mut out);
    match part.kind.as_deref()? {
        "file" => file(part.file.as_ref()?, &mut writer)?,
        "input_audio" => audio(part.input_audio.as_ref()?, &mut writer)?,
        "refusal" => {
            let reason = "this provider has no refusals: sent as text";
            report.rewritten("messages[].content[].refusal", reason);
            writer.raw("type", "\"text\"");
            writer.raw("text", part.refusal?.get());
        }
        _ => return None,
    }
    if let Some(mark) = part.cache_control {
        writer.raw("cache_control", mark.get());
    }
    writer.end();
    Some(out)
}

fn file(file: &FilePart<'_>, writer: &mut ObjectWriter<'_>) -> Option<()> {
    if let Some(data) = &file.file_data {
        writer.raw("type", "\"document_url\"");
        json::write(writer.value("document_url"), data);
        if let Some(name) = &file.filename {
            json::write(writer.value("document_name"), name);
        }
        return Some(());
    }
    writer.raw("type", "\"file\"");
    json::write(writer.value("file_id"), file.file_id.as_ref()?);
    Some(())
}

/// The format shows in the data.
fn audio(audio: &InputAudio<'_>, writer: &mut ObjectWriter<'_>) -> Option<()> {
    writer.raw("type", "\"input_audio\"");
    json::write(writer.value("input_audio"), audio.data.as_ref()?);
    Some(())
}
