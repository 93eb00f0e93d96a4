//! A request's headers, as far as they matter.

use crate::cache::Directives;
use crate::config::{Config, Routing};
use crate::exchange::credentials::is_reserved;
use crate::exchange::identity::told_by;
use crate::exchange::mutation::Mutation;
use crate::exchange::{claims, handoff};
use crate::routing::Facts;

/// A request's headers, as far as they matter.
#[derive(Debug, Clone, Default)]
pub struct RequestHead {
    /// Envoy's request id; empty when it gave none.
    pub request_id: String,
    /// HTTP method.
    pub method: String,
    /// Path with its query.
    pub path: String,
    /// `content-length`.
    pub content_length: Option<u64>,
    /// `content-type`.
    pub content_type: Option<String>,
    /// `content-encoding`.
    pub content_encoding: Option<String>,
    /// The client wants another protocol.
    pub upgrade: bool,
    /// Values of `anthropic-beta`.
    pub betas: Vec<String>,
    /// `cache-control`.
    pub cache_control: Option<String>,
    /// Names of all headers.
    pub names: Vec<String>,
    /// No body follows.
    pub end_of_stream: bool,
    /// What rules need to know of it; what [`Reads`](crate::routing::Reads) of the configuration
    /// asks for.
    pub known: Facts,
    /// Whether the decision shall be explained in any case.
    pub explain: bool,
}

impl RequestHead {
    /// What the client says of caches.
    pub(super) fn directives(&self) -> Directives {
        let said = self.cache_control.as_deref();
        said.map(Directives::parse).unwrap_or_default()
    }

    /// What the access log tells of the client's request: the attempts change the headers.
    pub fn for_the_log(&self) -> Mutation {
        let mut mutation = Mutation::default();
        mutation.store(handoff::REQUEST_ID, self.request_id.as_bytes());
        mutation.store(handoff::REQUEST_PATH, self.path.as_bytes());
        mutation
    }

    /// Notes a claim of the client's token, as the host hands it over.
    pub fn add_claim(&mut self, path: &str, bytes: &[u8]) {
        let values = claims::values(bytes).into_iter();
        let named = values.map(|value| (path.to_owned(), value));
        self.known.claims.extend(named);
    }

    /// What rules know of the request so far.
    pub(super) fn facts(&self, config: &Config) -> Facts {
        let mut facts = self.known.clone();
        let routing = &config.routing;
        let conditions = [
            routing.rules.len(),
            routing.requirements.len(),
            routing.admit.len(),
            routing.budgets.len(),
            routing.teams.len(),
        ];
        if conditions != [0; 5] {
            let path = self.path.split(['?', '#']).next();
            facts.path = path.unwrap_or_default().to_owned();
        }
        if let Some(header) = routing.identity_header.as_deref() {
            let told = facts.headers.iter().rev().find(|(name, _)| name == header);
            if let Some((name, value)) = told {
                facts.identities = told_by(name, value);
            }
        }
        facts
    }

    /// The media type of a form; empty for any other body, which is taken to be JSON.
    pub(super) fn multipart_type(&self) -> String {
        let media_type = self.content_type.as_deref().unwrap_or_default();
        let is_form = media_type
            .get(..10)
            .is_some_and(|m| m.eq_ignore_ascii_case("multipart/"));
        let form = if is_form { media_type } else { "" };
        form.to_owned()
    }

    /// Holds the request, without the headers that only we may set, and without the client's
    /// identity, which is no provider's business.
    pub(super) fn held(&self, routing: &Routing) -> Mutation {
        let mut mutation = Mutation::pause();
        let identity = routing.identity_header.as_ref();
        let is_ours = |name: &&String| is_reserved(name) || Some(*name) == identity;
        for name in self.names.iter().filter(is_ours) {
            mutation.remove(name.clone());
        }
        mutation
    }
}
