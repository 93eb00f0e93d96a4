//! The client's reply, for providers that speak another language.

use super::write_vector;
use crate::failure::{Class, Failure};
use crate::json::{self, Raw};
use crate::schema::{Hints, Reply};
use crate::usage::Usage;

/// Writes one reply: its vectors in the order of the request's items, then the rest.
pub(in crate::schema) struct EmbeddingsReply<'o> {
    out: &'o mut Vec<u8>,
    hints: Hints,
    count: usize,
}

impl<'o> EmbeddingsReply<'o> {
    pub(in crate::schema) fn begin(hints: Hints, out: &'o mut Vec<u8>) -> EmbeddingsReply<'o> {
        out.extend_from_slice(br#"{"object":"list","data":["#);
        EmbeddingsReply {
            out,
            hints,
            count: 0,
        }
    }

    /// Adds the next vector.
    pub(in crate::schema) fn vector(&mut self, vector: Raw<'_>) -> Result<(), Failure> {
        let comma = if self.count == 0 { "" } else { "," };
        let head = format!(
            r#"{comma}{{"object":"embedding","index":{},"embedding":"#,
            self.count
        );
        self.out.extend_from_slice(head.as_bytes());
        write_vector(vector, self.hints.base64, self.out).ok_or_else(no_vector)?;
        self.out.push(b'}');
        self.count += 1;
        Ok(())
    }

    /// Writes what follows the vectors.
    ///
    /// Errors: no vector, or not one for each item.
    pub(in crate::schema) fn end(self, model: &str, usage: Usage) -> Result<Reply, Failure> {
        check_count(self.count, self.hints)?;
        self.out.extend_from_slice(br#"],"model":"#);
        json::write(self.out, model);
        let (input, total) = (usage.input_tokens, usage.total_tokens());
        let tail = format!(r#","usage":{{"prompt_tokens":{input},"total_tokens":{total}}}}}"#);
        self.out.extend_from_slice(tail.as_bytes());
        Ok(Reply {
            usage,
            model: model.to_owned(),
            refused: false,
        })
    }
}

/// A vector for each item, or nobody knows which is missing.
pub(in crate::schema) fn check_count(count: usize, hints: Hints) -> Result<(), Failure> {
    let (class, message) = match (count, hints.vectors) {
        (0, _) => (Class::EmptyReply, "the provider's reply has no embeddings"),
        (count, asked) if asked > 0 && count != asked => (
            Class::MalformedReply,
            "the provider's reply has not one embedding for each input",
        ),
        _ => return Ok(()),
    };
    Err(Failure::new(class, message))
}

fn no_vector() -> Failure {
    let message = "the provider's reply holds something that is no vector";
    Failure::malformed(message)
}
