//! One kept answer as bytes, with the request that it is to.

/// First byte. A new layout takes the next number, and so ignores what it finds.
const VERSION: u8 = 1;

/// One kept answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// When it was kept, in Unix milliseconds.
    pub kept_ms: u64,
    /// When it is stale, in Unix milliseconds.
    pub until_ms: u64,
    /// What it has cost, in nano-USD; 0 when that is not known.
    pub nano_usd: u64,
    /// Who answered, as the attempts' trail tells it: provider and model that was asked for.
    pub target: String,
    /// Provider and model that answered, as clients are told.
    pub answered_by: String,
    /// What could not be carried to the provider.
    pub fidelity: String,
    /// The whole reply, a chat completion or what other operations reply with; JSON.
    pub answer: Vec<u8>,
}

impl Entry {
    /// Its bytes, with the request's.
    pub(super) fn encode(&self, request: &[u8]) -> Vec<u8> {
        let Entry {
            kept_ms,
            until_ms,
            nano_usd,
            target,
            answered_by,
            fidelity,
            answer,
        } = self;
        let mut bytes = vec![VERSION];
        for number in [*kept_ms, *until_ms, *nano_usd] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        let texts = [target, answered_by, fidelity].map(String::as_bytes);
        for part in [request].into_iter().chain(texts) {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
        }
        bytes.extend_from_slice(answer);
        bytes
    }

    /// Reads what [`Entry::encode`] wrote; `None` for anything else, and for the answer to another
    /// request.
    pub(super) fn decode(bytes: &[u8], request: &[u8]) -> Option<Entry> {
        let mut rest = bytes.strip_prefix(&[VERSION])?;
        let [kept_ms, until_ms, nano_usd] =
            [number(&mut rest)?, number(&mut rest)?, number(&mut rest)?];
        if part(&mut rest)? != request {
            return None;
        }
        let mut text = || Some(String::from_utf8_lossy(part(&mut rest)?).into_owned());
        let (target, answered_by, fidelity) = (text()?, text()?, text()?);
        Some(Entry {
            kept_ms,
            until_ms,
            nano_usd,
            target,
            answered_by,
            fidelity,
            answer: rest.to_vec(),
        })
    }

    /// How old it is, in seconds.
    pub fn age_s(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.kept_ms) / 1000
    }
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u64::from_le_bytes(*number))
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(number(rest)?).ok()?;
    let (part, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(part)
}
