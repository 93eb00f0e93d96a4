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

impl Unit {
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
    pub(super) fn is_nobody(&self) -> bool {
        *self == By::default()
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
