//! What a chat request is made of, for estimates of its tokens.

use crate::json::Raw;
use crate::schema::openai::{ChatCompletionRequest, Content, Message, Part};
use crate::tokens::{MOST_SCANNED, Media, Tally, image_size};

/// The least of a text that is worth reading, in bytes, unless it is shorter.
const LEAST_READ: usize = 512;

/// Tallies the texts, tools, images, files and audio of a request; `size` is that of its body, of
/// whose texts about `most` bytes are read, and at most a quarter more.
pub fn tally(request: &ChatCompletionRequest<'_>, size: usize, most: usize) -> Tally {
    let mut reader = Reader::new(size, most);
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
    reader.finish()
}

/// Tallies one message of so many bytes.
pub fn tally_message(message: &Message<'_>, size: usize) -> Tally {
    let mut reader = Reader::new(size, MOST_SCANNED);
    reader.message(message);
    reader.finish()
}

/// Texts of a body, of which some are read, and stand for the others.
struct Reader {
    tally: Tally,
    /// Bytes of the body.
    size: u64,
    /// Bytes to be read of it.
    most: u64,
    /// Bytes that may be read by now.
    credit: usize,
    /// Bytes of texts that nothing stands for yet.
    owed: u64,
    /// Bytes of all texts.
    seen: u64,
}

impl Reader {
    fn new(size: usize, most: usize) -> Reader {
        Reader {
            tally: Tally::default(),
            size: (size as u64).max(1),
            most: most as u64,
            // A long body may be an image, and the first text all that there is.
            credit: most / 4,
            owed: 0,
            seen: 0,
        }
    }

    /// What has been read stands for the texts at the end, too.
    fn finish(mut self) -> Tally {
        let stood_for = self.seen.saturating_sub(self.owed);
        if stood_for > 0 {
            self.tally.stretch(self.seen, stood_for);
        }
        self.tally
    }

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
        let length = text.len();
        let share = (length as u64).saturating_mul(self.most) / self.size;
        self.credit = self
            .credit
            .saturating_add(usize::try_from(share).unwrap_or(usize::MAX));
        self.seen = self.seen.saturating_add(length as u64);
        self.owed = self.owed.saturating_add(length as u64);
        let most = match self.size <= self.most {
            true => length,
            false => self.credit,
        };
        if length == 0 || most < length.min(LEAST_READ) {
            return;
        }
        self.credit = self.credit.saturating_sub(length.min(most));
        let stands_for = std::mem::take(&mut self.owed);
        self.tally
            .add_sample(text.as_bytes(), escaped, most, stands_for);
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
