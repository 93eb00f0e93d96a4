//! Budgets that requests must keep.

use crate::budget::Limit;
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
    /// Whether it is of money, in nano-USD, and not of tokens.
    pub money: bool,
    /// How much.
    pub limit: Limit,
    /// Tokens that are reserved for an answer whose client sets no limit.
    pub reserve_output: u64,
    /// From so much on another model serves, and which.
    pub downgrade: Option<(u64, String)>,
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
}

impl Budget {
    /// The account that a request is on; `None` when the budget is not for it.
    pub fn account(&self, profile: &RequestProfile, facts: &Facts) -> Option<u64> {
        self.when
            .is_met(profile, facts)
            .then(|| self.by.hash(facts))
    }
}

impl By {
    /// Notes what must be known of requests.
    pub(super) fn reads(&self, reads: &mut Reads) {
        self.header.iter().for_each(|name| reads.header(name));
        self.claim.iter().for_each(|path| reads.claim(path));
        reads.identity |= self.identity;
        reads.user |= self.user;
    }

    /// Whether it tells nobody from anybody.
    pub(super) fn is_nobody(&self) -> bool {
        *self == By::default()
    }

    /// What a request says of each of them; `None` when it leaves one unsaid.
    pub(super) fn told<'f>(&self, facts: &'f Facts) -> Option<Vec<&'f str>> {
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
        told.iter().all(|part| !part.is_empty()).then_some(told)
    }

    fn hash(&self, facts: &Facts) -> u64 {
        let claim = |path: &String| facts.claims.iter().find(|(known, _)| known == path);
        let parts = [
            self.header.as_ref().and_then(|name| facts.header(name)),
            self.claim
                .as_ref()
                .and_then(claim)
                .map(|(_, value)| value.as_str()),
            facts
                .identities
                .first()
                .map(String::as_str)
                .filter(|_| self.identity),
            facts.user.as_deref().filter(|_| self.user),
        ];
        parts.into_iter().fold(0xCBF2_9CE4_8422_2325, |hash, part| {
            let bytes = part.unwrap_or_default().bytes().chain([0]);
            bytes.fold(hash, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
            })
        })
    }
}
