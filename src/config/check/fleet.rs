//! Budgets of the fleet: what a rate limit service can keep, and where it is. Native only.

use crate::budget::Window;
use crate::config::budgets::{Budget, RateLimitService, Scope, Unit};
use crate::config::endpoint;
use crate::config::path::Path;
use crate::config::problem::{At, Finding, Findings};
use crate::config::raw_budgets::RawRateLimitService;
use crate::config::shape::Given;

use super::provider::refuse_ca_without_tls;

/// What a counter of the service holds at most: the protocol has 32 bits for it.
const MOST_UNITS: u64 = u32::MAX as u64;

const TIMEOUT_MS: u64 = 500;

/// The service, and whether the budgets that it shall keep are such as it can.
pub(super) fn check(
    raw: &Given<RawRateLimitService>,
    budgets: &[Budget],
    findings: &mut Findings<'_>,
) -> Option<RateLimitService> {
    let mut fleet = budgets.iter().enumerate();
    let mut is_used = false;
    for (i, budget) in fleet.by_ref().filter(|(_, b)| b.scope == Scope::Fleet) {
        let path = Path::default().key("budgets").index(i);
        is_used = true;
        if raw.is_absent() {
            let finding = Finding::new("fleet", "a rate_limit_service, which keeps it")
                .hint("say where it is: rate_limit_service: {endpoint: http://HOST:PORT}");
            findings.error(At::Value, &path.key("scope"), finding);
        }
        refuse_what_it_cannot_keep(budget, &path, findings);
    }
    let path = Path::default().key("rate_limit_service");
    if !is_used && !raw.is_absent() {
        let finding = Finding::new("no budget that it keeps", "a budget of scope: fleet");
        findings.warning(At::Key, &path, finding);
    }
    service(raw.get()?, &path, findings)
}

fn refuse_what_it_cannot_keep(budget: &Budget, path: &Path, findings: &mut Findings<'_>) {
    if budget.limit.window == Window::Month {
        let finding = Finding::new("month", "minute, hour or day for scope: fleet")
            .hint("months of rate limit services have 30 days, and begin on any day");
        findings.error(At::Value, &path.key("per"), finding);
    }
    if budget.unit.hits(budget.limit.most) > MOST_UNITS {
        let expected = match budget.unit {
            Unit::Money => "at most 4294.967295 for scope: fleet".to_owned(),
            Unit::Tokens | Unit::Requests => format!("at most {MOST_UNITS} for scope: fleet"),
        };
        let finding = Finding::new("more than a rate limit service counts", expected).hint(
            "its counters have 32 bits; money is counted in micro-USD: take a shorter window",
        );
        findings.error(At::Value, &path.key(budget.unit.as_str()), finding);
    }
}

fn service(
    raw: &RawRateLimitService,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Option<RateLimitService> {
    let RawRateLimitService {
        endpoint: url,
        ca_file,
        domain,
        timeout,
        failure_mode_deny,
        negative_hits,
        counts_refused,
    } = raw;
    let mut endpoint = endpoint::parse(&url.get()?.0).ok()?;
    endpoint.ca_file = ca_file.get().map(|file| file.0.clone());
    refuse_ca_without_tls(&endpoint, path, findings);
    if !endpoint.path.is_empty() {
        let finding = Finding::new("a path", "an address without a path: gRPC has its own");
        findings.error(At::Value, &path.key("endpoint"), finding);
    }
    Some(RateLimitService {
        endpoint,
        domain: domain.get().map_or("pointsman", |name| &name.0).to_owned(),
        timeout_ms: timeout.get().map_or(TIMEOUT_MS, |time| time.0),
        failure_mode_deny: failure_mode_deny.get().copied().unwrap_or(true),
        negative_hits: negative_hits.get().copied().unwrap_or(true),
        counts_refused: counts_refused.get().copied().unwrap_or(true),
    })
}
