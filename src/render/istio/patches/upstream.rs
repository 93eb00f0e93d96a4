//! Provider clusters with keys and the filter, and the clusters of servers that are no providers.

use serde_json::{Value, json};

use super::Part;
use crate::exchange::Topology;
use crate::exchange::handoff::{DEAD_END, VIA_PREFIX};
use crate::render::envoy::{
    TooManyChains, classifiers, clusters, filters, ratelimit, telemetry, tokens,
};
use crate::render::istio::places::Place;

impl Part<'_> {
    /// Provider clusters with the filter, and those that Istio has no word for.
    pub(super) fn clusters(&self) -> Result<Vec<Value>, TooManyChains> {
        let mut patches = match self.scene.topology {
            Topology::PerAttempt => self.wrapped(),
            Topology::StaticChain => clusters::clusters(&self.scene)?
                .into_iter()
                .map(|cluster| self.patch("CLUSTER", json!({}), "ADD", cluster))
                .collect(),
        };
        let servers = tokens::clusters(self.scene.config).into_iter();
        let servers = servers.chain(telemetry::cluster(self.scene.config));
        let servers = servers.chain(ratelimit::cluster(self.scene.config));
        let servers = servers.chain(classifiers::clusters(self.scene.config));
        patches.extend(servers.map(|cluster| self.patch("CLUSTER", json!({}), "ADD", cluster)));
        let comment = match self.scene.topology {
            Topology::PerAttempt => self.way.clone(),
            Topology::StaticChain => format!(
                "{} Its members say by metadata who they are, which the clusters that istiod makes \
                 cannot: here the DestinationRules have no effect, and pointsman.yaml has.",
                self.way
            ),
        };
        if let Some(first) = patches.first_mut() {
            *first = self.commented(comment, first.take());
        }
        Ok(patches)
    }

    fn wrapped(&self) -> Vec<Value> {
        let mut patches = vec![self.patch("CLUSTER", json!({}), "ADD", clusters::dead_end())];
        for place in self.places {
            let options = self.protocol_options(place);
            let via = format!("{VIA_PREFIX}{}", place.provider.name);
            let cluster = place.cluster();
            let mut aggregate =
                clusters::aggregate(&via, &[&cluster, DEAD_END], place.provider, options.clone());
            aggregate["metadata"] = metadata(place);
            let merged = json!({
                "metadata": metadata(place),
                "typed_extension_protocol_options": options,
            });
            let found = json!({ "cluster": {
                "service": place.host,
                "portNumber": place.port,
                "subset": place.subset,
            }});
            patches.push(self.commented(
                format!(
                    "Provider {}. What istiod says of HTTP to this cluster is replaced whole, and so \
                     said again: the protocol, and idle connections.",
                    place.provider.name
                ),
                self.patch("CLUSTER", found, "MERGE", merged),
            ));
            patches.push(
                self.commented(
                    "The same, but an ejected provider leads on to the next candidate at once."
                        .to_owned(),
                    self.patch("CLUSTER", json!({}), "ADD", aggregate),
                ),
            );
        }
        patches
    }

    fn protocol_options(&self, place: &Place<'_>) -> Value {
        let mut options = filters::protocol_options(&self.scene, &[place.provider]);
        let http = &mut options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
        http["common_http_protocol_options"] = json!({ "idle_timeout": IDLE_CONNECTION });
        options
    }
}

/// Envoy's own default, written down so that it can be found.
const IDLE_CONNECTION: &str = "3600s";

/// What the upstream filter is told of who it serves.
fn metadata(place: &Place<'_>) -> Value {
    json!({ "filter_metadata": { "pointsman": { "cluster": place.provider.name } } })
}
