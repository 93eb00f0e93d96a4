//! A request and the cache of answers.

use super::decision::Choice;
use super::{Downstream, RequestFacts};
use crate::cache::{Kept, replay};
use crate::catalog::Backend;
use crate::catalog::cost::usd;
use crate::config::{OnUnsupported, Serving};
use crate::exchange::caching::{self, Bypass, Filling, Hit, Source};
use crate::exchange::mutation::{ImmediateResponse, Mutation};
use crate::exchange::{handoff, trail};
use crate::failure::{Class, Failure};
use crate::inspect::RequestProfile;
use crate::observed::Store;
use crate::routing::Facts;

impl Downstream {
    /// What the request is known by in the cache; `None` where answers are not kept.
    pub(super) fn cache_key(
        &self,
        serving: Serving<'_>,
        profile: &RequestProfile,
        source: Source<'_>,
        known: &Facts,
    ) -> Option<Result<Vec<u8>, Bypass>> {
        let said = (known, self.asked.betas.as_slice(), self.asked.directives);
        let cache = serving.cache()?;
        Some(caching::key(
            &self.config,
            serving,
            cache,
            profile,
            source,
            said,
        ))
    }

    /// The answer that is kept for this request, given only if who gave it could still be asked.
    /// Where there is none, notes that one is to be kept.
    pub(super) fn kept_answer(
        &mut self,
        key: Option<Result<Vec<u8>, Bypass>>,
        serving: Serving<'_>,
        profile: &RequestProfile,
        choice: &Choice<'_>,
        facts: RequestFacts<'_>,
    ) -> Result<Option<Mutation>, Failure> {
        let directives = self.asked.directives;
        let hit = match &key {
            Some(Ok(key)) if directives.allow(0) => caching::find(&self.config, facts, key),
            _ => None,
        };
        let is_too_old = hit.as_ref().is_some_and(|hit| !directives.allow(hit.age_s));
        let hit = hit.filter(|_| !is_too_old);
        let may_answer = |c: &&Backend, hit: &Hit| trail::of_target(c) == hit.entry.target;
        let mut allowed = choice.plan.candidates.iter().chain(&choice.avoided);
        if let Some(hit) = hit.filter(|hit| allowed.any(|c| may_answer(c, hit))) {
            return Ok(Some(self.given(hit, serving, profile)));
        }
        if directives.only_if_cached {
            return Err(not_cached());
        }
        let (outcome, status) = match &key {
            None => return Ok(None),
            Some(Err(bypass)) => {
                let why = bypass.as_str();
                ("bypass", format!("pointsman; fwd=bypass; detail={why}"))
            }
            // What there is, or may be, is too old for this client.
            Some(Ok(_)) if is_too_old || !directives.allow(0) => {
                ("refresh", "pointsman; fwd=request".to_owned())
            }
            Some(Ok(_)) => ("miss", "pointsman; fwd=miss".to_owned()),
        };
        self.asked.counted.cache = outcome;
        self.asked.cache_status = status;
        if let (Some(cache), Some(Ok(key))) = (serving.cache(), key) {
            let filling = Filling::new(&self.config, cache, profile, key);
            self.asked.filling = Some(Box::new(filling));
        }
        Ok(None)
    }

    fn given(&mut self, hit: Hit, serving: Serving<'_>, profile: &RequestProfile) -> Mutation {
        let Hit {
            entry,
            age_s,
            ttl_s,
        } = hit;
        let mut headers = vec![
            (
                handoff::CACHE_STATUS,
                format!("pointsman; hit; ttl={ttl_s}"),
            ),
            ("age", age_s.to_string()),
            (handoff::COST_HEADER, usd(0)),
        ];
        let mut body = Vec::with_capacity(entry.answer.len());
        if profile.streamed {
            headers.push(("content-type", "text/event-stream".to_owned()));
            replay(&entry.answer, profile.include_usage, &mut body);
        } else {
            body = entry.answer;
        }
        let mut mutation = Mutation::default();
        if let Some((provider, model)) = entry.answered_by.split_once('/') {
            mutation.store(handoff::PROVIDER, provider);
            mutation.store(handoff::RESPONSE_MODEL, model);
        }
        mutation.store(handoff::COST, "0");
        mutation.store(handoff::SAVED, entry.nano_usd.to_string());
        headers.push((handoff::ANSWERED_BY, entry.answered_by));
        if !entry.fidelity.is_empty() {
            mutation.store(handoff::FIDELITY, entry.fidelity.as_bytes());
            if serving.on_unsupported() != OnUnsupported::Ignore {
                headers.push((handoff::FIDELITY_HEADER, entry.fidelity));
            }
        }
        self.asked.counted.cache = "hit";
        self.asked.counted.saved_nano_usd = entry.nano_usd;
        mutation.answer = Some(Box::new(ImmediateResponse {
            status: 200,
            headers,
            body,
        }));
        mutation
    }

    /// What the client is told of the cache; empty where it has nothing to do with it.
    pub fn cache_status(&self) -> &str {
        &self.asked.cache_status
    }

    /// The reply is over: keeps it where that is wanted and it is worth it. `state` reads filter
    /// state.
    pub fn keep_reply(
        &mut self,
        store: &dyn Store,
        state: &dyn Fn(&str) -> String,
        now_ms: u64,
    ) -> Option<Kept> {
        let filling = self.asked.filling.take()?;
        filling.finish(&self.config, store, state, now_ms)
    }
}

fn not_cached() -> Failure {
    let message = "no answer to this request is kept, and the client wants no other";
    Failure::new(Class::InvalidRequest, message)
        .with_status(504)
        .with_code("not_cached")
}
