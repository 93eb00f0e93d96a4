//! Rules, requirements and what clients may say, as the document writes them.

use super::document::Node;
use super::names::{
    CandidateName, ClaimPath, Clock, ConditionText, ExpressionText, FieldName, HeaderName,
    LabelName, LabelValue, LimitWord, NeedWord, OnUnsupportedWord, PhraseText, ScriptWord,
    UtcOffset, WeekdayWord,
};
use super::policy::{self, RawPolicies};
use super::raw::{MAX_CANDIDATES, RawTimeouts};
use super::raw_cache::RawCache;
use super::shape::{Shape, Shaped, object};
use super::values::{Int, List, Map, OneOrMore, Ratio};
use crate::routing::Constraints;
use crate::routing::constraint::LIMITS;

/// Larger than any prompt.
const TOKENS: u64 = 1_000_000_000;

object! {
    /// What happens to requests that are like this. The first rule that fits counts; without one
    /// the model's own settings do.
    pub(super) struct RawRule {
        /// Its name in the log; `rule-1` and so on when not said.
        name: LabelValue,
        /// What a request must be like; every request when not said.
        when: RawWhen,
        /// What it must not be like.
        unless: RawWhen,
        /// How the candidates are ordered.
        policy: RawPolicies,
        /// Who may serve it instead of the model's candidates: some of them, or others, in this
        /// order. Each stands as `provider/model` under some model.
        candidates: List<CandidateName, 1, MAX_CANDIDATES>,
        /// Labels that whoever serves it must keep, with the values that are allowed.
        require: Map<LabelName, OneOrMore<LabelValue>, 1>,
        /// Limits that come before the policy.
        constraints: RawConstraints,
        /// What happens when a candidate can serve a request only in part.
        on_unsupported: OnUnsupportedWord,
        /// Whether a refusal leads to the next candidate.
        fallback_on_refusal: bool,
        /// Times of one request; what is not said here is that of `defaults`.
        timeouts: RawTimeouts,
        /// Which answers are kept and given again to equal requests; as the model has it when not
        /// said.
        cache: RawCache,
    }
}

object! {
    /// Conditions; all that are said must hold. In texts `*` stands for anything; of a list, any
    /// may fit.
    pub(super) struct RawWhen {
        /// What the client calls the model.
        model: OneOrMore<ConditionText>,
        /// Request headers.
        headers: Map<HeaderName, OneOrMore<ConditionText>, 1>,
        /// URI in the client's certificate, such as `spiffe://cluster.local/ns/search/*`; or
        /// what `routing.identity_header` tells.
        identity: OneOrMore<ConditionText>,
        /// Claims of the client's token, as Envoy's `jwt_authn` has checked it; inner ones with
        /// dots between.
        claims: Map<ClaimPath, OneOrMore<ConditionText>, 1>,
        /// Path without its query, such as `/v1/messages`.
        path: OneOrMore<ConditionText>,
        /// Estimated tokens of the prompt.
        prompt_tokens: RawTokens,
        /// How complex the request is, 0 to 1.
        complexity: RawComplexity,
        /// What it needs; all of these.
        needs: OneOrMore<NeedWord>,
        /// Whether it wants a stream.
        stream: bool,
        /// Fields of the body's `metadata`.
        metadata: Map<FieldName, OneOrMore<ConditionText>, 1>,
        /// Script of most letters of the last user message.
        script: OneOrMore<ScriptWord>,
        /// What it is meant to do: names under `intents`, or built-in ones, which are translate,
        /// summarize, extract, code, math, write, chat and lookup.
        intent: OneOrMore<LabelValue>,
        /// What must be true besides, in a part of the Common Expression Language, such as
        /// `claims.tier == "gold" && prompt_tokens > 1000`.
        expression: ExpressionText,
        /// Classes that classifiers tell, by the classifiers' names under `classifiers`. One is
        /// asked only when everything else of a rule holds.
        class: Map<FieldName, OneOrMore<LabelValue>, 1>,
        /// Days of the week.
        weekdays: OneOrMore<WeekdayWord>,
        /// Hours of the day, over midnight when they end before they begin.
        hours: RawHours,
    }
}

object! {
    /// An intent that is told by words of the last user message; the first that fits is the
    /// request's.
    pub(super) struct RawIntent {
        /// Its name in rules and in the log; a built-in intent of this name is replaced.
        name: LabelValue = required,
        /// Phrases of which one must be there.
        any: List<PhraseText, 1, 256>,
        /// Phrases that must all be there.
        all: List<PhraseText, 1, 256>,
        /// Phrases of which none may be there.
        none: List<PhraseText, 1, 256>,
    }
}

object! {
    /// A range of tokens.
    pub(super) struct RawTokens {
        /// More than this.
        over: Int<0, TOKENS>,
        /// At most this.
        up_to: Int<0, TOKENS>,
    }
}

object! {
    /// A range of complexity.
    pub(super) struct RawComplexity {
        /// More than this.
        over: Ratio,
        /// At most this.
        up_to: Ratio,
    }
}

object! {
    /// Hours of the day.
    pub(super) struct RawHours {
        /// Beginning, such as `"08:30"`.
        from: Clock = required,
        /// End, itself not included.
        to: Clock = required,
    }
}

object! {
    /// Labels that are required of whoever serves requests that are like this; every requirement
    /// that fits counts, whatever rule does.
    pub(super) struct RawRequirement {
        /// What a request must be like; every request when not said.
        when: RawWhen,
        /// What it must not be like.
        unless: RawWhen,
        /// Labels, with the values that are allowed.
        require: Map<LabelName, OneOrMore<LabelValue>, 1> = required,
    }
}

object! {
    /// How rules see requests, and what clients may say of theirs.
    pub(super) struct RawRouting {
        /// Offset of weekdays and hours from UTC, such as `"+02:00"`; UTC when not said.
        utc_offset: UtcOffset,
        /// Under which name Envoy's `jwt_authn` keeps the payload (`payload_in_metadata`);
        /// `jwt_payload` when not said.
        jwt_payload: FieldName,
        /// Header in which a proxy before Envoy tells whose request it is, in the place of the
        /// certificate: `x-forwarded-client-cert` as Envoy writes it, any other holds nothing
        /// but the identity. Whoever reaches Envoy directly can write it, too.
        identity_header: HeaderName,
        /// Header in which clients may require labels, such as `residency=eu|uk, retention=none`.
        client_labels: HeaderName,
        /// What clients may limit, and where they say it.
        client_constraints: RawClientConstraints,
    }
}

object! {
    /// What clients may limit. They can only tighten the limits of rules and policies.
    pub(super) struct RawClientConstraints {
        /// Header such as `cost_usd<=0.01, latency_ms<=800, quality>=0.9`.
        header: HeaderName,
        /// Field of the body's `metadata` that says the same.
        metadata: FieldName,
        /// The limits that they may set; all when not said.
        allow: OneOrMore<LimitWord>,
    }
}

object! {
    /// When the access log explains a decision.
    pub(super) struct RawExplain {
        /// For requests that have this header.
        header: HeaderName,
        /// For this share of all requests.
        sample: Ratio,
    }
}

/// The limits of a rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawConstraints(pub(super) Constraints);

impl Shaped for RawConstraints {
    const SHAPE: Shape = Shape::Params(LIMITS);

    fn read(node: &Node) -> Option<Self> {
        let params = policy::read_params(LIMITS, node)?;
        Some(RawConstraints(Constraints::of(&params)))
    }
}
