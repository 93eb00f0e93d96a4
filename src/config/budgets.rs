//! Budgets that requests must keep.

use crate::budget::{Limit, Who};
use crate::catalog::cost::usd;
use crate::inspect::RequestProfile;
use crate::routing::rules::Match;
use crate::routing::{Facts, Reads};

/// How much requests may use in each window of time.
#[derive(Debug, Clone)]
pub struct Budget {
    /// Its name, one of a kind.
    pub name: String,
    /// What a request must be like.
    pub when: Match,
    /// Whose accounts there are.
    pub by: By,
    /// What is counted.
    pub unit: Unit,
    /// How much.
    pub limit: Limit,
    /// Tokens that are reserved for an answer whose client sets no limit.
    pub reserve_output: u64,
    /// From so much on another model serves, and which.
    pub downgrade: Option<(u64, String)>,
    /// Who keeps it.
    pub scope: Scope,
}

/// Who keeps a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// Each proxy for itself.
    #[default]
    Proxy,
    /// The rate limit service, for all proxies together.
    Fleet,
}

/// The service that keeps budgets for all proxies.
#[cfg(feature = "cli")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimitService {
    /// Where it is.
    pub endpoint: super::Endpoint,
    /// The domain of its limits.
    pub domain: String,
    /// How long Envoy waits for it, in milliseconds.
    pub timeout_ms: u64,
    /// Whether requests are refused when it does not answer.
    pub failure_mode_deny: bool,
    /// Whether it gives hits back.
    pub negative_hits: bool,
    /// Whether it counts requests that it refuses.
    pub counts_refused: bool,
}

/// What a budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Tokens, of prompts and answers together.
    Tokens,
    /// What answers cost, in nano-USD.
    Money,
    /// Requests that were answered.
    Requests,
}

/// Whose requests some are, for metrics and the access log.
#[derive(Debug, Clone)]
pub struct Team {
    /// Its name.
    pub name: String,
    /// What its requests are like.
    pub when: Match,
}

/// What tells one account from another; nothing of it when all share one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct By {
    /// A header.
    pub header: Option<String>,
    /// A claim.
    pub claim: Option<String>,
    /// The client's certificate.
    pub identity: bool,
    /// The body's `safety_identifier` or `user`.
    pub user: bool,
    /// A field of the body's `metadata`.
    pub metadata: Option<String>,
    /// The declared team.
    pub team: bool,
    /// The client's own key.
    pub key: bool,
}

/// Whose account a request is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Told apart by this.
    pub id: u64,
    /// For people. Users and keys are left out: the one are persons, the other secrets.
    pub name: String,
}

/// Where clients put keys.
const KEY_HEADERS: [&str; 3] = ["authorization", "x-api-key", "api-key"];

impl Budget {
    /// The account that a request is on; `None` when the budget is not for it.
    pub fn account(
        &self,
        profile: &RequestProfile,
        facts: &Facts,
        team: Option<&str>,
    ) -> Option<Holder> {
        let is_met = self.when.is_met(profile, facts);
        is_met.then(|| self.by.holder(facts, team))
    }

    /// An amount in its unit, for people.
    pub fn show(&self, amount: u64) -> String {
        match self.unit {
            Unit::Money => format!("{} USD", usd(amount)),
            Unit::Tokens => format!("{amount} tokens"),
            Unit::Requests => format!("{amount} requests"),
        }
    }

    /// An amount in its unit, as JSON: USD with all decimals.
    pub fn number(&self, amount: u64) -> String {
        match self.unit {
            Unit::Money => usd(amount),
            Unit::Tokens | Unit::Requests => amount.to_string(),
        }
    }
}

/// Counters of rate limit services have 32 bits: nano-USD would fill them at 4 USD.
const NANO_USD_PER_HIT: u64 = 1_000;

impl Unit {
    /// So much as hits of the rate limit service: those of money are micro-USD, of which begun
    /// ones count in full.
    pub fn hits(self, amount: u64) -> u64 {
        match self {
            Unit::Money => amount.div_ceil(NANO_USD_PER_HIT),
            Unit::Tokens | Unit::Requests => amount,
        }
    }

    /// So many hits of the rate limit service in this unit.
    pub fn of_hits(self, hits: u64) -> u64 {
        match self {
            Unit::Money => hits.saturating_mul(NANO_USD_PER_HIT),
            Unit::Tokens | Unit::Requests => hits,
        }
    }

    /// Its name in the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Unit::Tokens => "tokens",
            Unit::Money => "usd",
            Unit::Requests => "requests",
        }
    }
}

impl By {
    /// Notes what must be known of requests.
    pub(super) fn reads(&self, reads: &mut Reads) {
        self.header.iter().for_each(|name| reads.header(name));
        self.claim.iter().for_each(|path| reads.claim(path));
        reads.identity |= self.identity;
        reads.user |= self.user;
        reads.metadata |= self.metadata.is_some();
        if self.key {
            KEY_HEADERS.iter().for_each(|name| reads.header(name));
        }
    }

    /// Whether it tells nobody from anybody.
    pub fn is_nobody(&self) -> bool {
        *self == By::default()
    }

    /// Whether the name of a [`Holder`] tells all: there is one thing that counts, and it may be
    /// told.
    pub fn is_named(&self) -> bool {
        let named = [
            self.header.is_some(),
            self.claim.is_some(),
            self.identity,
            self.metadata.is_some(),
            self.team,
        ];
        let count = named.into_iter().filter(|counts| *counts).count();
        count == 1 && !self.user && !self.key
    }

    /// What a request says of each of them; `None` when it leaves one unsaid.
    pub(super) fn told<'f>(&self, facts: &'f Facts, team: &'f str) -> Option<Vec<&'f str>> {
        let mut told = Vec::new();
        if let Some(name) = &self.header {
            told.push(facts.header(name)?);
        }
        if let Some(path) = &self.claim {
            let claims = facts.claims.iter().filter(|(known, _)| known == path);
            let before = told.len();
            told.extend(claims.map(|(_, value)| value.as_str()));
            (told.len() > before).then_some(())?;
        }
        if self.identity {
            told.push(facts.identities.first()?);
        }
        if self.user {
            told.push(facts.user.as_deref()?);
        }
        if let Some(name) = &self.metadata {
            told.push(facts.metadata(name)?);
        }
        if self.team {
            told.push(team);
        }
        if self.key {
            told.push(key(facts)?);
        }
        told.iter().all(|part| !part.is_empty()).then_some(told)
    }

    fn holder(&self, facts: &Facts, team: Option<&str>) -> Holder {
        let claim = |path: &String| {
            let mut claims = facts.claims.iter();
            let found = claims.find(|(known, _)| known == path);
            found.map(|(_, value)| value.as_str())
        };
        let identity = facts.identities.first().map(String::as_str);
        let named = [
            self.header.as_ref().and_then(|name| facts.header(name)),
            self.claim.as_ref().and_then(claim),
            identity.filter(|_| self.identity),
            self.metadata.as_ref().and_then(|name| facts.metadata(name)),
            team.filter(|_| self.team),
        ];
        let unnamed = [
            facts.user.as_deref().filter(|_| self.user),
            key(facts).filter(|_| self.key),
        ];
        let parts = named.into_iter().chain(unnamed);
        let id = parts.fold(0xCBF2_9CE4_8422_2325, |hash, part| {
            let bytes = part.unwrap_or_default().bytes().chain([0]);
            bytes.fold(hash, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
            })
        });
        let named: Vec<&str> = named.into_iter().flatten().collect();
        Holder {
            id,
            name: named.join(" "),
        }
    }
}

impl Holder {
    /// As books know it.
    pub fn who(&self) -> Who<'_> {
        Who {
            id: self.id,
            name: &self.name,
        }
    }
}

/// The key that a client has sent.
fn key(facts: &Facts) -> Option<&str> {
    KEY_HEADERS.iter().find_map(|name| facts.header(name))
}
