//! Envoy's protocol: from descriptors to counters, and back to what is left of each limit.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use envoy_types::pb::envoy::extensions::common::ratelimit::v3::RateLimitDescriptor;
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_response::rate_limit::Unit;
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_response::{
    Code, DescriptorStatus, RateLimit,
};
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_service_server::RateLimitService;
use envoy_types::pb::envoy::service::ratelimit::v3::{RateLimitRequest, RateLimitResponse};
use envoy_types::pb::google::protobuf::Duration;
use limitador::counter::Counter;
use limitador::limit::{Context, Limit};
use tonic::{Request, Response, Status};

use crate::counts::{Change, Counts};

/// The service.
pub struct Service {
    limits: Vec<Limit>,
    counts: Counts,
    counts_refused: bool,
}

/// A limit that a descriptor is under.
struct Under<'l> {
    limit: &'l Limit,
    change: Change,
    /// When its window ends, in seconds from now.
    left: u64,
}

impl Service {
    pub fn new(limits: Vec<Limit>, counts: Counts, counts_refused: bool) -> Service {
        Service {
            limits,
            counts,
            counts_refused,
        }
    }

    fn under<'l>(
        &'l self,
        domain: &str,
        descriptor: &RateLimitDescriptor,
        now: u64,
    ) -> Result<Vec<Under<'l>>, Status> {
        let entries = descriptor.entries.iter();
        let entries: HashMap<String, String> = entries
            .map(|entry| (entry.key.clone(), entry.value.clone()))
            .collect();
        let mut context = Context::default();
        context.list_binding("descriptors".to_owned(), vec![entries]);
        let mut all = Vec::new();
        for limit in &self.limits {
            if limit.namespace().as_ref() != domain || !limit.applies(&context) {
                continue;
            }
            let counter = Counter::new(limit.clone(), &context)
                .map_err(|error| Status::invalid_argument(error.to_string()))?;
            all.extend(counter.map(|counter| Under::new(limit, &counter, descriptor, now)));
        }
        Ok(all)
    }
}

impl<'l> Under<'l> {
    fn new(
        limit: &'l Limit,
        counter: &Counter,
        descriptor: &RateLimitDescriptor,
        now: u64,
    ) -> Under<'l> {
        let (name, seconds) = (limit.name().unwrap_or_default(), limit.seconds());
        let accounts: Vec<&str> = counter
            .set_variables()
            .values()
            .map(String::as_str)
            .collect();
        // Windows are those of the clock.
        let start = now - now % seconds;
        let hits = descriptor.hits_addend.as_ref().map_or(1, |hits| hits.value);
        let hits = i64::try_from(hits).unwrap_or(i64::MAX);
        let key = format!(
            "{}:{name}:{}:{start}",
            counter.namespace().as_ref(),
            accounts.join(",")
        );
        Under {
            limit,
            change: Change {
                key,
                hits: if descriptor.is_negative_hits {
                    -hits
                } else {
                    hits
                },
                most: limit.max_value(),
                seconds,
            },
            left: start + seconds - now,
        }
    }

    /// How the limit stands with so much of it used.
    fn status(&self, used: u64) -> DescriptorStatus {
        let most = self.limit.max_value();
        let code = match used > most {
            true => Code::OverLimit,
            false => Code::Ok,
        };
        DescriptorStatus {
            code: code.into(),
            current_limit: Some(RateLimit {
                name: self.limit.name().unwrap_or_default().to_owned(),
                requests_per_unit: u32::try_from(most).unwrap_or(u32::MAX),
                unit: unit(self.limit.seconds()).into(),
            }),
            limit_remaining: u32::try_from(most.saturating_sub(used)).unwrap_or(u32::MAX),
            duration_until_reset: Some(Duration {
                seconds: i64::try_from(self.left).unwrap_or(0),
                nanos: 0,
            }),
            quota: None,
        }
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "native: windows are those of the clock"
)]
fn now_s() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}

fn unit(seconds: u64) -> Unit {
    match seconds {
        60 => Unit::Minute,
        3_600 => Unit::Hour,
        86_400 => Unit::Day,
        _ => Unit::Unknown,
    }
}

#[tonic::async_trait]
impl RateLimitService for Service {
    async fn should_rate_limit(
        &self,
        request: Request<RateLimitRequest>,
    ) -> Result<Response<RateLimitResponse>, Status> {
        let RateLimitRequest {
            domain,
            descriptors,
            ..
        } = request.into_inner();
        let now = now_s();
        let mut all = Vec::new();
        for descriptor in &descriptors {
            all.extend(self.under(&domain, descriptor, now)?);
        }
        let changes = all.iter().map(|under| &under.change);
        let counted = self.counts.change(changes, self.counts_refused).await;
        let (is_within, values) =
            counted.map_err(|error| Status::unavailable(error.to_string()))?;
        let statuses = all.iter().zip(values).map(|(under, value)| {
            let refused = !is_within && !self.counts_refused;
            let hits = u64::try_from(under.change.hits).unwrap_or(0);
            under.status(value.saturating_add(if refused { hits } else { 0 }))
        });
        let code = match is_within {
            true => Code::Ok,
            false => Code::OverLimit,
        };
        Ok(Response::new(RateLimitResponse {
            overall_code: code.into(),
            statuses: statuses.collect(),
            ..RateLimitResponse::default()
        }))
    }
}
