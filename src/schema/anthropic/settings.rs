//! Limits, sampling, stop sequences and labels of a request.

use super::host::Host;
use super::wire::MetadataParam;
use crate::fidelity::Report;
use crate::json::{self, Extra, Kind, Raw};
use crate::schema::openai::ChatCompletionRequest;
use crate::schema::{Target, TranslateError};
use crate::wire;

/// What Anthropic is told when nobody sets a limit, in tokens.
const DEFAULT_MAX_TOKENS: u64 = 4096;

/// The limit on output and reasoning together, in tokens.
pub(super) struct Limit {
    tokens: u64,
    /// Nobody asked for this very number.
    is_guess: bool,
    /// What the model can do at most.
    ceiling: u64,
}

impl Limit {
    /// The client's limit, else the operator's, else the model's, else a small one.
    pub fn read(
        request: &ChatCompletionRequest<'_>,
        overrides: &Extra<'_>,
        target: &Target<'_>,
        report: &mut Report,
    ) -> Result<Limit, TranslateError> {
        let overridden = overrides.iter().find(|(name, _)| *name == "max_tokens");
        let (param, asked) = match (overridden, request.max_completion_tokens) {
            (Some((_, raw)), _) => ("max_tokens", Some(*raw)),
            (None, Some(raw)) => ("max_completion_tokens", Some(raw)),
            (None, None) => ("max_tokens", request.max_tokens),
        };
        let ceiling = target.capabilities.max_output_tokens.unwrap_or(u64::MAX);
        let Some(raw) = asked else {
            return Ok(Limit::default_of(target, ceiling, report));
        };
        let tokens =
            tokens(raw).ok_or_else(|| TranslateError::new(param, "a whole number of tokens"))?;
        if overridden.is_none() && tokens > ceiling {
            report.rewritten(param, "lowered to what the model can do");
        }
        Ok(Limit {
            tokens: tokens.min(ceiling),
            is_guess: false,
            ceiling,
        })
    }

    fn default_of(target: &Target<'_>, ceiling: u64, report: &mut Report) -> Limit {
        report.defaulted("max_tokens", "Anthropic requires a limit");
        let configured = target.defaults.get("max_tokens");
        let configured = configured.and_then(|json| json.trim().parse().ok());
        Limit {
            tokens: configured
                .or(target.capabilities.max_output_tokens)
                .unwrap_or(DEFAULT_MAX_TOKENS)
                .min(ceiling),
            is_guess: true,
            ceiling,
        }
    }

    /// The limit, in tokens.
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// The part of `budget` that fits below the limit, with a quarter left for the answer
    /// when it does not fit whole. A limit that is only a guess is raised first.
    pub fn make_room(&mut self, budget: u64) -> u64 {
        if self.is_guess {
            let wanted = budget.saturating_add(DEFAULT_MAX_TOKENS);
            self.tokens = self.tokens.max(wanted).min(self.ceiling);
        }
        if budget < self.tokens {
            return budget;
        }
        self.tokens / 4 * 3
    }
}

fn tokens(raw: Raw<'_>) -> Option<u64> {
    json::parse(raw)
}

wire! {
    /// The client's `metadata`.
    pub struct ClientMetadata<'a> {
        /// The only one that Anthropic has.
        user_id: Raw<'a>,
    }
}

/// The end user's id: `safety_identifier`, else `user`, else `metadata.user_id`.
pub(super) fn metadata<'a>(
    request: &ChatCompletionRequest<'a>,
    report: &mut Report,
) -> Result<Option<MetadataParam<'a>>, TranslateError> {
    let metadata: ClientMetadata<'a> = match request.metadata {
        Some(raw) => {
            json::parse(raw).ok_or_else(|| TranslateError::new("metadata", "an object"))?
        }
        None => ClientMetadata::default(),
    };
    for (name, _) in &metadata.extra {
        let reason = "Anthropic's metadata has only a user_id";
        report.dropped(format!("metadata.{name}"), reason);
    }
    let candidates = [
        ("safety_identifier", request.safety_identifier),
        ("user", request.user),
        ("metadata.user_id", metadata.user_id),
    ];
    let mut user_id: Option<Raw<'a>> = None;
    for (name, raw) in candidates {
        let Some(raw) = raw else { continue };
        if json::kind(raw) != Kind::String {
            return Err(TranslateError::new(name, "a string"));
        }
        if user_id.get_or_insert(raw).get() != raw.get() {
            report.dropped(name, "Anthropic has one id for the end user");
        }
    }
    Ok(user_id.map(|user_id| MetadataParam { user_id }))
}

/// `service_tier` in Anthropic's words: `auto` uses what is reserved, `standard_only` does not.
///
/// Source: Claude API reference, "Service tiers", read 2026-11-21.
pub(super) fn service_tier(
    host: &Host,
    tier: Option<Raw<'_>>,
    report: &mut Report,
) -> Option<&'static str> {
    match tier?.get() {
        r#""auto""# | r#""default""# if !host.has_tiers => None,
        _ if !host.has_tiers => {
            report.dropped("service_tier", format!("{} has no tiers", host.name));
            None
        }
        r#""auto""# => Some("auto"),
        r#""default""# | r#""standard_only""# => Some("standard_only"),
        r#""priority""# => {
            report.rewritten("service_tier", "Anthropic decides: auto");
            Some("auto")
        }
        _ => {
            report.dropped("service_tier", "Anthropic has no such tier");
            None
        }
    }
}
