//! What the filter has not got from Envoy: noticed while it serves, told once, and never served
//! around.

use super::handoff::LOCAL;
use super::mutation::ImmediateResponse;
use crate::failure::{Class, Failure};

/// Something that Envoy was not told, or that a control plane has dropped on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// The downstream role has not seen the request.
    NoPlan,
    /// The plan was made with another document.
    OtherPlan,
    /// A retry goes to the candidate that has just failed.
    NoRefresh,
    /// The endpoint does not say whose it is.
    UnknownHost,
    /// Envoy has chosen somebody else than the plan.
    OtherCluster,
    /// Envoy holds the body back while the headers are held.
    NoStopIteration,
}

impl Misfit {
    /// Its name in metrics.
    pub fn kind(self) -> &'static str {
        self.words().0
    }

    /// What is wrong, for the operator.
    pub fn cause(self) -> &'static str {
        self.words().1
    }

    /// What mends it.
    pub fn cure(self) -> &'static str {
        self.words().2
    }

    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Misfit::NoPlan => (
                "no_plan",
                "the filter has not seen the request in its downstream role",
                "put it before the router and turn it on for the route",
            ),
            Misfit::OtherPlan => (
                "other_plan",
                "the plan names what this configuration does not have",
                "give both roles the same document",
            ),
            Misfit::NoRefresh => (
                "no_refresh",
                "a retry stays with the candidate that has failed",
                "set refresh_cluster_on_retry: true in the route's retry_policy (Envoy 1.39, Istio \
                 1.31 and later)",
            ),
            Misfit::UnknownHost => (
                "unknown_host",
                "the endpoint does not say which provider it is",
                "give the cluster the metadata filter_metadata.pointsman.cluster that `pointsman \
                 render` writes",
            ),
            Misfit::OtherCluster => (
                "other_cluster",
                "plan and endpoint disagree: Envoy has chosen another cluster",
                "give the route the candidate map that `pointsman render` writes",
            ),
            Misfit::NoStopIteration => (
                "no_stop_iteration",
                "no body comes while the headers are held",
                "set allow_on_headers_stop_iteration: true for the filter (passed on by Istio 1.28 \
                 and later)",
            ),
        }
    }

    /// For the client, whoever asked.
    pub fn response(self) -> ImmediateResponse {
        let (cause, cure) = (self.cause(), self.cure());
        let message = format!("the gateway is not set up to serve this request: {cause}; {cure}");
        let failure = Failure::new(Class::ServerError, message).with_status(503);
        let mut response = ImmediateResponse::error(&failure.with_code("gateway_misconfigured"));
        if self != Misfit::NoPlan {
            // The downstream role takes it away; without a plan nobody does.
            response.headers.push((LOCAL, "1".to_owned()));
        }
        response
    }
}
