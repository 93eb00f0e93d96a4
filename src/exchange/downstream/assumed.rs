//! Deciding for a request that nobody has sent: of which only the profile is known, not the body.

use super::{Downstream, RequestFacts};
use crate::exchange::caching::Source;
use crate::exchange::mutation::Mutation;
use crate::failure::Failure;
use crate::fidelity::Report;
use crate::inspect::RequestProfile;

impl Downstream {
    /// Who would serve a request like this, as [`Downstream::on_body`] decides it; what a body's
    /// translation would lose is not known, and no classifier is asked.
    pub fn on_profile(
        &mut self,
        mut profile: RequestProfile,
        facts: RequestFacts<'_>,
    ) -> Result<Mutation, Failure> {
        self.admit(&profile, facts)?;
        self.downgrade(&mut profile, facts);
        let nothing = Source {
            body: b"",
            chat: None,
            findings: &Report::default(),
        };
        self.decide(&profile, &|_, _| None, &|| None, nothing, facts)
    }
}
