//! What a client says of its own request besides the body's meaning: labels that it requires,
//! limits that it sets. Both can only tighten what the configuration says.

use serde_json::Value;

use crate::catalog::Labels;
use crate::classify::Sample;
use crate::config::Routing;
use crate::failure::{Class, Failure};
use crate::framing::multipart::{Parts, boundary};
use crate::inspect::RequestProfile;
use crate::json;
use crate::routing::{Constraints, Facts, Script};
use crate::schema::openai::ChatCompletionRequest;

/// The most labels or limits that one header may name.
const MOST: usize = 32;

/// What a body says of whoever stands behind it, whatever it asks for.
#[derive(Clone, Copy, Default)]
struct Said<'a> {
    metadata: Option<json::Raw<'a>>,
    safety_identifier: Option<json::Raw<'a>>,
    user: Option<json::Raw<'a>>,
}

/// Adds to `facts` what the configuration reads of a chat request's body.
pub(super) fn read_body(routing: &Routing, request: &ChatCompletionRequest<'_>, facts: &mut Facts) {
    let said = Said {
        metadata: request.metadata,
        safety_identifier: request.safety_identifier,
        user: request.user,
    };
    said.read(routing, facts);
}

/// The same of a request for anything but chat: of a JSON body, or of a form when `media_type`
/// is one.
pub(super) fn read_other_body(routing: &Routing, body: &[u8], media_type: &str, facts: &mut Facts) {
    let reads = &routing.reads;
    if !reads.user && !reads.metadata {
        return;
    }
    if !media_type.is_empty() {
        facts.user = user_of_form(body, media_type).filter(|_| reads.user);
        return;
    }
    let json::Members(members) = json::read(body).unwrap_or_default();
    let find = |name| {
        let mut latest = members.iter().rev();
        let found = latest.find(|(known, _)| known.as_str() == name);
        found.map(|(_, value)| *value)
    };
    let said = Said {
        metadata: find("metadata"),
        safety_identifier: find("safety_identifier"),
        user: find("user"),
    };
    said.read(routing, facts);
}

fn user_of_form(body: &[u8], media_type: &str) -> Option<String> {
    let mut parts = Parts::new(body, boundary(media_type)?);
    while let Some(part) = parts.next_part().ok()? {
        if part.name == "user" {
            return String::from_utf8(part.value.to_vec()).ok();
        }
    }
    None
}

impl Said<'_> {
    fn read(self, routing: &Routing, facts: &mut Facts) {
        let reads = &routing.reads;
        let value = |raw: json::Raw<'_>| json::deserialize(raw.get().as_bytes()).ok();
        let text = |raw: json::Raw<'_>| match value(raw) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        if reads.metadata
            && let Some(Value::Object(fields)) = self.metadata.and_then(value)
        {
            let texts = fields.into_iter().filter_map(|(name, value)| match value {
                Value::String(text) => Some((name, text)),
                _ => None,
            });
            facts.metadata = texts.collect();
        }
        if reads.user {
            let user = self.safety_identifier.or(self.user);
            facts.user = user.and_then(text);
        }
    }
}

/// Adds what the configuration reads of what the user says last.
pub(super) fn read_text(
    routing: &Routing,
    request: &ChatCompletionRequest<'_>,
    profile: &mut RequestProfile,
    facts: &mut Facts,
) {
    let reads = &routing.reads;
    if !reads.of_text() {
        return;
    }
    let sample = Sample::of(request);
    let intents = reads.intent.then_some(&routing.intents);
    let told = sample.tell(reads.complexity, intents);
    profile.complexity = told.complexity.map(|complexity| complexity.score);
    facts.intent = told.intent.map(str::to_owned);
    facts.script = reads.script.then(|| Script::of(&sample.text));
}

/// The labels that the client requires, such as `residency=eu|uk, retention=none`.
///
/// A requirement that cannot be read is refused: ignoring it could send data where it must not go.
pub(super) fn required_labels(routing: &Routing, facts: &Facts) -> Result<Labels, Failure> {
    let header = routing.client_labels.as_deref();
    let Some((name, text)) = header.and_then(|name| Some((name, facts.all_of_header(name)?)))
    else {
        return Ok(Labels::default());
    };
    let word = |text: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"_./-".contains(&b);
        (1..=60).contains(&text.len()) && text.bytes().all(fits)
    };
    let mut labels = Vec::new();
    for part in text.split(',').take(MOST + 1) {
        let pair = part.trim().split_once('=');
        let read = pair.map(|(label, values)| {
            let values = values.split('|').map(|v| v.trim().to_owned());
            (label.trim().to_owned(), values.collect::<Vec<String>>())
        });
        let right = |(label, values): &(String, Vec<String>)| {
            word(label) && values.iter().all(|value| word(value))
        };
        labels.push(read.filter(right).ok_or_else(|| {
            refusal(format!(
                "header {name} must be like residency=eu|uk, retention=none"
            ))
        })?);
    }
    if labels.len() > MOST {
        return Err(refusal(format!(
            "header {name} may name at most {MOST} labels"
        )));
    }
    Ok(Labels::new(labels))
}

/// The limits that the client sets, such as `cost_usd<=0.01, latency_ms<=800, quality>=0.9`; in
/// the header, in the body's metadata, or in both.
pub(super) fn constraints(routing: &Routing, facts: &Facts) -> Result<Constraints, Failure> {
    let mut limits = Constraints::default();
    let Some(clients) = &routing.client_constraints else {
        return Ok(limits);
    };
    let header = clients.header.as_deref();
    let metadata = clients.metadata.as_deref();
    let texts = [
        header.and_then(|name| Some(("header", name, facts.all_of_header(name)?))),
        metadata.and_then(|name| Some(("metadata", name, facts.metadata(name)?.to_owned()))),
    ];
    for (kind, name, text) in texts.into_iter().flatten() {
        for part in text.split(',').take(MOST) {
            let wrong = || {
                refusal(format!(
                    "{kind} {name} must be like cost_usd<=0.01, latency_ms<=800, quality>=0.9; \
                     limits that may be set: {}",
                    clients.allow.join(", ")
                ))
            };
            let (limit, value) = parse_limit(part).ok_or_else(wrong)?;
            if !clients.allow.iter().any(|allowed| allowed == limit) {
                return Err(wrong());
            }
            let mut one = Constraints::default();
            *one.limit(limit).ok_or_else(wrong)? = Some(value);
            limits = limits.tightened(one);
        }
    }
    Ok(limits)
}

fn parse_limit(text: &str) -> Option<(&str, f64)> {
    let (name, value) = text.split_once("<=").or_else(|| text.split_once(">="))?;
    let name = name.trim();
    // Quality has a floor, everything else a ceiling.
    let is_floor = text.contains(">=");
    let value: f64 = value.trim().parse().ok()?;
    let is_sane = value.is_finite() && (0.0..=1e9).contains(&value);
    (is_sane && is_floor == (name == "quality")).then_some((name, value))
}

fn refusal(message: String) -> Failure {
    Failure::new(Class::InvalidRequest, message).with_code("invalid_routing_wish")
}

#[cfg(test)]
mod tests;
