//! `weighted`: each candidate is first in proportion to its weight, and so on for the rest.

use std::sync::Arc;

use super::{Misuse, Param, ParamShape, Params, Policy, PolicyKind, Reads, Score, View, hash};
use crate::catalog::Backend;

pub(super) const KIND: PolicyKind = PolicyKind {
    name: "weighted",
    description: "Each is first in proportion to its weight; weight 0 is only a fallback.",
    params: &[
        Param {
            name: "sticky",
            shape: ParamShape::Object(&[
                Param {
                    name: "header",
                    shape: ParamShape::Text,
                    description: "The value of this request header.",
                },
                Param {
                    name: "metadata",
                    shape: ParamShape::Text,
                    description: "This field of the body's `metadata`.",
                },
                Param {
                    name: "user",
                    shape: ParamShape::Bool,
                    description: "The body's `safety_identifier`, or its `user`.",
                },
            ]),
            description: "By what requests stay together: the first of these that a request has; \
                          one that has none is drawn.",
        },
        Param {
            name: "experiment",
            shape: ParamShape::Text,
            description: "A name that shuffles who stays where: another experiment, other groups.",
        },
    ],
    build,
};

/// Weighted draw without replacement. A candidate of weight 0 is only ever a fallback.
#[derive(Debug)]
struct Weighted {
    header: Option<String>,
    metadata: Option<String>,
    user: bool,
    experiment: u64,
}

fn build(params: &Params) -> Result<Arc<dyn Policy>, Misuse> {
    let sticky = params.object("sticky");
    let text = |name| sticky.and_then(|s| s.text(name));
    let weighted = Weighted {
        header: text("header").map(str::to_ascii_lowercase),
        metadata: text("metadata").map(str::to_owned),
        user: sticky.and_then(|s| s.bool("user")).unwrap_or(false),
        experiment: params.text("experiment").map_or(0, hash::text),
    };
    if sticky.is_some()
        && weighted.header.is_none()
        && weighted.metadata.is_none()
        && !weighted.user
    {
        return Err(Misuse {
            found: "sticky by nothing",
            expected: "sticky with header, metadata or user",
        });
    }
    Ok(Arc::new(weighted))
}

impl Weighted {
    /// The same for all requests that stay together.
    fn draw(&self, view: &View<'_>) -> u64 {
        let facts = view.facts;
        let header = self.header.as_deref().and_then(|name| facts.header(name));
        let metadata = || facts.metadata(self.metadata.as_deref()?);
        let user = || facts.user.as_deref().filter(|_| self.user);
        let key = header.or_else(metadata).or_else(user);
        key.filter(|key| !key.is_empty()).map_or(view.draw, |key| {
            hash::mix(hash::text(key) ^ self.experiment)
        })
    }
}

impl Policy for Weighted {
    fn score(&self, candidates: &[&Backend], view: &View<'_>) -> Vec<Score> {
        let draw = self.draw(view);
        let tickets = candidates.iter().map(|candidate| {
            let own = hash::extend(hash::text(&candidate.provider), &candidate.model);
            Score::new(ticket(draw ^ own, candidate.weight), "drawn by weight")
        });
        tickets.collect()
    }

    fn reads(&self, reads: &mut Reads) {
        if let Some(name) = &self.header {
            reads.header(name);
        }
        reads.metadata |= self.metadata.is_some();
        reads.user |= self.user;
    }

    fn assigns(&self) -> bool {
        true
    }
}

/// The waiting time of a candidate that arrives `weight` times as often as one of weight 1: who
/// comes first is then a weighted draw, and so is who comes next. The ticket depends on nothing
/// but the draw, the candidate and its weight, so a changed weight moves no more than it must.
fn ticket(draw: u64, weight: u32) -> f64 {
    if weight == 0 {
        return f64::MAX;
    }
    -hash::fraction(draw).ln() / f64::from(weight)
}
