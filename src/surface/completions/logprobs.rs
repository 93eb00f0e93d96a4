//! Log probabilities in the legacy form: one list for each fact, in step with each other.

use crate::json::{self, Raw, Text};
use crate::json::{ObjectWriter, write_list};
use crate::surface::completion::Token;

/// What a token is told of.
struct Told<'a> {
    text: Text<'a>,
    logprob: Option<Raw<'a>>,
    likeliest: Vec<Token<'a>>,
}

/// Appends the object. `offset` is where the first token starts in the choice's text, in
/// characters; it is moved on by what was written.
pub(super) fn write(tokens: Vec<Token<'_>>, offset: &mut usize, out: &mut Vec<u8>) {
    let told: Vec<Told<'_>> = tokens.into_iter().map(told).collect();
    let mut writer = ObjectWriter::begin(out);
    write_list(writer.value("tokens"), &told, |token, out| {
        json::write(out, &token.text);
    });
    write_list(writer.value("token_logprobs"), &told, |token, out| {
        number(token.logprob, out);
    });
    match told.iter().all(|token| token.likeliest.is_empty()) {
        true => writer.raw("top_logprobs", "null"),
        false => write_list(writer.value("top_logprobs"), &told, likeliest),
    }
    write_list(writer.value("text_offset"), &told, |token, out| {
        json::write(out, offset);
        *offset = offset.saturating_add(token.text.chars().count());
    });
    writer.end();
}

fn told(token: Token<'_>) -> Told<'_> {
    let Token {
        token,
        bytes: _, // A legacy completion tells text only.
        logprob,
        top_logprobs,
        extra: _, // Nobody knows it.
    } = token;
    Told {
        text: token.unwrap_or_default(),
        logprob,
        likeliest: top_logprobs.unwrap_or_default(),
    }
}

fn likeliest(token: &Told<'_>, out: &mut Vec<u8>) {
    let mut writer = ObjectWriter::begin(out);
    for likely in &token.likeliest {
        let text = likely.token.as_deref().unwrap_or_default();
        number(likely.logprob, writer.value(text));
    }
    writer.end();
}

fn number(logprob: Option<Raw<'_>>, out: &mut Vec<u8>) {
    let number = logprob.map_or("null", |raw| raw.get());
    out.extend_from_slice(number.as_bytes());
}
