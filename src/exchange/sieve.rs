//! Who could serve a request only in part, or not at all: told before the plan is made, because
//! an attempt that found out too late could not hand over to the next candidate.

use std::borrow::Cow;
use std::fmt;

use super::counting;
use crate::adapt::{self, Candidate};
use crate::catalog::{Backend, Lack};
use crate::config::{Config, ProviderConfig};
use crate::fidelity::{self, Report};
use crate::inspect::RequestProfile;
use crate::routing::RoutePlan;
use crate::schema::openai::ChatCompletionRequest;
use crate::schema::{Target, TranslateError};

/// Why a candidate's translation would not do.
pub(super) enum Loss {
    /// Its tool work is for others.
    ComplexTools,
    /// It does not enforce JSON schemas, and is not to be asked for one in words.
    Schema,
    /// It cannot be written at all.
    Refused(TranslateError),
    /// Something would be lost, and the model asks for full fidelity.
    Unfaithful(Report),
}

/// Leaves out every candidate whose translation would not do; says why.
pub(super) fn leave_out_unfit<'a>(
    loss: &dyn Fn(&Backend) -> Option<Loss>,
    plan: &mut RoutePlan<'a>,
) -> Vec<(&'a Backend, Loss)> {
    let mut lost = Vec::new();
    plan.candidates.retain(|candidate| match loss(candidate) {
        None => true,
        Some(loss) => {
            lost.push((*candidate, loss));
            false
        }
    });
    lost
}

/// A chat completion request that candidates are tried with.
pub(super) struct Sieve<'s> {
    pub config: &'s Config,
    /// What the client asked for.
    pub alias: &'s str,
    pub request: &'s ChatCompletionRequest<'s>,
    pub body: &'s [u8],
    /// Values of the client's `anthropic-beta` header.
    pub betas: &'s [String],
    /// What the request has lost already.
    pub findings: &'s Report,
    /// Whether every schema can carry the request as it is.
    pub plain: bool,
}

impl Sieve<'_> {
    /// Why a candidate would not do; most need not be tried. `strict`: nothing may be lost.
    pub(super) fn loss(&self, backend: &Backend, strict: bool) -> Option<Loss> {
        let provider = self.config.providers.get(&backend.provider)?;
        let candidate = Candidate {
            backend,
            schema: provider.kind.schema(),
            dialect: &provider.dialect,
            alias: self.alias,
            is_fallback: true,
        };
        if let Some(loss) = self.forbidden(&candidate) {
            return Some(loss);
        }
        let demanding = adapt::is_demanding(self.request, self.body, &candidate);
        if !strict && self.plain && !demanding {
            return None;
        }
        judged(self.dry_run(&candidate, provider), strict)
    }

    /// What the candidate is kept from, whatever could be written for it.
    fn forbidden(&self, candidate: &Candidate<'_>) -> Option<Loss> {
        let adaptation = &candidate.backend.adaptation;
        if let Some(bounds) = &adaptation.complex_tools
            && adapt::is_complex(self.request, bounds)
        {
            return Some(Loss::ComplexTools);
        }
        let skips = adaptation.json_schema == Lack::Skip
            && adapt::wants_schema(self.request)
            && adapt::lacks_json_schema(candidate);
        skips.then_some(Loss::Schema)
    }

    /// What this candidate's translation could not carry.
    fn dry_run(
        &self,
        candidate: &Candidate<'_>,
        provider: &ProviderConfig,
    ) -> Result<Report, TranslateError> {
        let schema = candidate.schema;
        let mut report = self.findings.served_by(schema.name());
        match adapt::adapt(self.request, self.body, candidate, &mut report)? {
            None => {
                let target = Target {
                    betas: self.betas,
                    ..provider.target(candidate.backend, self.body)
                };
                schema.translate_request(self.request, &target, &mut report)?;
            }
            Some(adapted) => {
                let not_ours = || TranslateError::new("body", "a chat completion request");
                let request = ChatCompletionRequest::parse(&adapted.body).ok_or_else(not_ours)?;
                let target = Target {
                    betas: self.betas,
                    ..provider.target(candidate.backend, &adapted.body)
                };
                schema.translate_request(&request, &target, &mut report)?;
            }
        }
        Ok(report)
    }
}

/// The same for a request for anything but chat.
pub(super) fn operation_loss(
    config: &Config,
    profile: &RequestProfile,
    body: &[u8],
    media_type: &str,
    candidate: &Backend,
    strict: bool,
) -> Option<Loss> {
    if !strict && profile.plain {
        return None;
    }
    let provider = config.providers.get(&candidate.provider)?;
    let offer = provider.offer(profile.operation, &candidate.model)?;
    let mut report = Report::default();
    let readable = counting::readable(profile.operation, offer.schema, body, &mut report);
    let translated = readable.and_then(|source| {
        let target = provider.target(candidate, &source);
        let schema = offer.schema;
        schema.translate_request(&target, media_type, &mut report)
    });
    judged(translated.map(|_| report), strict)
}

fn judged(tried: Result<Report, TranslateError>, strict: bool) -> Option<Loss> {
    match tried {
        Err(error) => Some(Loss::Refused(error)),
        Ok(report) if strict && !carries_all(&report) => Some(Loss::Unfaithful(report)),
        Ok(_) => None,
    }
}

/// Whether everything that the client said is carried; what it left unsaid may be filled in.
fn carries_all(report: &Report) -> bool {
    let mut findings = report.findings().iter();
    findings.all(|finding| finding.verdict == fidelity::Verdict::Defaulted)
}

impl Loss {
    /// The first parameter at fault.
    pub(super) fn param(&self) -> Option<Cow<'static, str>> {
        match self {
            Loss::ComplexTools => Some("tools".into()),
            Loss::Schema => Some("response_format".into()),
            Loss::Refused(error) => Some(error.param.clone()),
            Loss::Unfaithful(report) => report.findings().first().map(|f| f.param.clone()),
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loss::ComplexTools => f.write_str("not for complex tool work"),
            Loss::Schema => f.write_str("no JSON schemas"),
            Loss::Refused(error) => error.fmt(f),
            Loss::Unfaithful(report) => report.fmt(f),
        }
    }
}
