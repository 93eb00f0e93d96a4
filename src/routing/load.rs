//! When a model has so much to do that another one serves, and when it serves again.

/// How much a model may have to do at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceiling {
    /// Estimated tokens of the requests that its candidates are serving.
    pub tokens: Option<u64>,
    /// Requests that its candidates are serving.
    pub requests: Option<u64>,
    /// It serves again when less than this share is left, in thousandths: so that it does not
    /// change its mind with every request.
    pub back: u64,
}

/// What candidates are serving now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Estimated tokens of prompts.
    pub tokens: u64,
    /// Requests.
    pub requests: u64,
}

impl Ceiling {
    /// Whether another model serves. `was` tells whether one did until now.
    pub fn is_passed(&self, now: Load, was: bool) -> bool {
        let passed = |most: Option<u64>, now: u64| {
            most.is_some_and(|most| match was {
                true => now > most.saturating_mul(self.back) / 1000,
                false => now > most,
            })
        };
        passed(self.tokens, now.tokens) || passed(self.requests, now.requests)
    }
}

#[cfg(test)]
mod tests {
    use super::{Ceiling, Load};

    #[test]
    fn between_both_thresholds_it_stays_as_it_is() {
        let ceiling = Ceiling {
            tokens: Some(1000),
            requests: None,
            back: 700,
        };
        let tokens = |tokens| Load {
            tokens,
            requests: 1_000_000,
        };
        let mut is_passed = false;
        let steps = [1000, 1001, 800, 701, 700, 900, 1000, 1001];
        let seen = steps.map(|now| {
            is_passed = ceiling.is_passed(tokens(now), is_passed);
            is_passed
        });
        assert_eq!(seen, [false, true, true, true, false, false, false, true]);
    }

    #[test]
    fn either_ceiling_counts() {
        let ceiling = Ceiling {
            tokens: Some(1000),
            requests: Some(2),
            back: 500,
        };
        let load = |tokens, requests| Load { tokens, requests };
        assert!(ceiling.is_passed(load(0, 3), false));
        assert!(ceiling.is_passed(load(1001, 0), false));
        assert!(!ceiling.is_passed(load(1000, 2), false));
        assert!(!ceiling.is_passed(load(500, 1), true));
    }
}
