//! What a chat request is made of, for estimates of its tokens.

use crate::json::Raw;
use crate::schema::openai::{ChatCompletionRequest, Content, Message, Part};
use crate::tokens::{MOST_SCANNED, Media, Tally, image_size};

/// Tallies the texts, tools, images, files and audio of a request; `size` is that of its body.
pub fn tally(request: &ChatCompletionRequest<'_>, size: usize) -> Tally {
    let mut reader = Reader {
        tally: Tally::default(),
        size,
    };
    for message in request.messages() {
        reader.message(message);
    }
    for tool in request.tools() {
        reader.tally.note_tools();
        let Some(function) = &tool.function else {
            continue;
        };
        reader.text(function.name.as_deref());
        let parts = [function.description, function.parameters];
        parts.into_iter().flatten().for_each(|raw| reader.json(raw));
    }
    let format = request.response_format.as_ref();
    if let Some(schema) = format.and_then(|f| f.json_schema.as_ref()?.schema) {
        reader.json(schema);
    }
    reader.tally
}

/// Tallies one message of so many bytes.
pub fn tally_message(message: &Message<'_>, size: usize) -> Tally {
    let mut reader = Reader {
        tally: Tally::default(),
        size,
    };
    reader.message(message);
    reader.tally
}

/// Texts of a body, each read by its share of it.
struct Reader {
    tally: Tally,
    size: usize,
}

impl Reader {
    fn message(&mut self, message: &Message<'_>) {
        self.tally.add_message();
        match message.content() {
            Some(Content::Text(text)) => self.json(text),
            Some(Content::Parts(parts)) => parts.iter().for_each(|part| self.part(part)),
            Some(Content::Empty) | None => {}
        }
        let calls = message.tool_calls().iter();
        for call in calls.filter_map(|call| call.function.as_ref()) {
            self.text(call.name.as_deref());
            self.text(call.arguments.as_deref());
        }
    }

    /// JSON as it stands: a string without its quotes, anything else with all that it has.
    fn json(&mut self, raw: Raw<'_>) {
        let text = raw.get();
        let inside = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
        self.add(inside.unwrap_or(text), inside.is_some());
    }

    fn text(&mut self, text: Option<&str>) {
        self.add(text.unwrap_or_default(), false);
    }

    fn add(&mut self, text: &str, escaped: bool) {
        let share = (text.len() as u64).saturating_mul(MOST_SCANNED as u64);
        let most = share.checked_div(self.size as u64).unwrap_or(0);
        let most = usize::try_from(most).unwrap_or(MOST_SCANNED);
        self.tally.add_text(text.as_bytes(), escaped, most);
    }

    fn part(&mut self, part: &Part<'_>) {
        if let Some(text) = part.text {
            self.json(text);
        }
        if let Some(image) = &part.image_url {
            let size = image.url.as_deref().and_then(image_size);
            let low = image.detail.is_some_and(|raw| raw.get() == "\"low\"");
            self.tally.add_media(Media::Image(size, low));
        }
        // Three bytes are four characters of base64.
        let bytes = |text: Option<&str>| text.map_or(0, str::len) as u64 * 3 / 4;
        if let Some(audio) = &part.input_audio {
            let compressed = audio.format.as_deref() != Some("wav");
            let media = Media::Audio(bytes(audio.data.as_deref()), compressed);
            self.tally.add_media(media);
        }
        if let Some(file) = &part.file {
            let media = Media::Document(bytes(file.file_data.as_deref()));
            self.tally.add_media(media);
        }
    }
}

#[cfg(test)]
mod tests;
