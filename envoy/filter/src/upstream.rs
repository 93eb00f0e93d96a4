//! The upstream role: one attempt, in the filter chain of a provider's cluster.

use std::rc::Rc;

use pointsman::config::Config;
use pointsman::exchange::handoff::{FAILURE, PLAN, TOKEN, TRAIL};
use pointsman::exchange::{Attempt, AttemptFacts, Mutation, Refusal, ResponseHead, Topology};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::host::{self, Recording, Side};
use crate::known;

/// One attempt.
pub(crate) struct UpstreamFilter {
    config: Rc<Config>,
    topology: Topology,
    attempt: Option<Attempt>,
    recording: Recording,
}

impl UpstreamFilter {
    pub(crate) fn new(config: Rc<Config>, topology: Topology, recording: Recording) -> Self {
        UpstreamFilter {
            config,
            recording,
            topology,
            attempt: None,
        }
    }

    fn refuse(&mut self, refusal: &Refusal) -> Action {
        log::error!("an attempt was refused: {}", refusal.reason);
        host::respond(&refusal.response);
        self.attempt = None;
        Action::Pause
    }

    /// While a new configuration comes in, the plan may have been made by another one.
    fn start_with_others(&self, refusal: Refusal) -> Result<(Attempt, Mutation), Refusal> {
        if !refusal.is_unknown() {
            return Err(refusal);
        }
        let mut others = known::others(&self.config).into_iter();
        let started = others.find_map(|config| {
            let facts = attempt_facts(&config);
            Attempt::start(&config, self.topology, facts).ok()
        });
        started.ok_or(refusal)
    }

    /// The body is whole.
    fn send(&mut self, size: usize) -> Action {
        let Some(attempt) = &mut self.attempt else {
            return Action::Continue;
        };
        let body = host::body(Side::Request, 0, size);
        match attempt.on_request_body(&body) {
            Ok(mutation) => host::apply(Side::Request, &mutation, size),
            Err(refusal) => self.refuse(&refusal),
        }
    }

    fn receive(&mut self, size: usize, end_of_stream: bool) -> Action {
        let Some(attempt) = &mut self.attempt else {
            return Action::Continue;
        };
        let Some(start) = attempt.reads_from(size, end_of_stream) else {
            return Action::Pause;
        };
        let bytes = host::body(Side::Response, start, size.saturating_sub(start));
        let now_ms = host::now_ms();
        let mutation = attempt.on_response_body(&bytes, end_of_stream, now_ms);
        self.recording.note(&mutation, now_ms);
        host::apply(Side::Response, &mutation, size)
    }
}

impl Context for UpstreamFilter {
    fn on_done(&mut self) -> bool {
        if let Some(mut attempt) = self.attempt.take().filter(|attempt| !attempt.is_over()) {
            let now_ms = host::now_ms();
            let mutation = if client_has_left() {
                attempt.on_abandoned()
            } else {
                let unconnected = host::property(&["upstream", "transport_failure_reason"]);
                let connect_failed = unconnected.is_some_and(|reason| !reason.is_empty());
                attempt.on_done(connect_failed, now_ms)
            };
            host::store(&mutation);
            self.recording.note(&mutation, now_ms);
        }
        true
    }
}

impl HttpContext for UpstreamFilter {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        let facts = attempt_facts(&self.config);
        let now_ms = facts.now_ms;
        match Attempt::start(&self.config, self.topology, facts)
            .or_else(|refusal| self.start_with_others(refusal))
        {
            Err(refusal) => self.refuse(&refusal),
            Ok((attempt, mutation)) => {
                host::store(&mutation);
                self.recording.note(&mutation, now_ms);
                let headers = attempt.on_request_headers(&host::headers(Side::Request));
                self.attempt = Some(attempt);
                let action = host::apply(Side::Request, &headers, 0);
                if end_of_stream { self.send(0) } else { action }
            }
        }
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if end_of_stream {
            self.send(size)
        } else {
            Action::Pause
        }
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        self.send(usize::MAX)
    }

    fn on_http_response_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        let Some(attempt) = &mut self.attempt else {
            return Action::Continue;
        };
        let head = response_head(end_of_stream);
        let now_ms = host::now_ms();
        let mutation = attempt.on_response_headers(&head, now_ms);
        self.recording.note(&mutation, now_ms);
        host::apply(Side::Response, &mutation, 0)
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        self.receive(size, end_of_stream)
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        // With trailers, the last body callback does not carry the end of the stream.
        self.receive(usize::MAX, true)
    }
}

/// Envoy tears attempts down when the client hangs up; `http2.remote_reset` and its kin are the
/// client's, too.
fn client_has_left() -> bool {
    let details = host::property(&["response", "code_details"]);
    let of_client =
        |details: &Vec<u8>| details.starts_with(b"downstream_") || details.starts_with(b"http");
    details.as_ref().is_some_and(of_client)
}

fn attempt_facts(config: &Config) -> AttemptFacts {
    let number = host::property_int(&["upstream", "request_attempt_count"]);
    let number = number.and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
    let is_first = number <= 1;
    AttemptFacts {
        plan: host::property(&[PLAN]).unwrap_or_default(),
        trail: if is_first {
            String::new()
        } else {
            host::property_text(&[TRAIL])
        },
        failure: if is_first {
            Vec::new()
        } else {
            host::property(&[FAILURE]).unwrap_or_default()
        },
        token: if !is_first && config.wants_token() {
            host::property_text(&[TOKEN])
        } else {
            String::new()
        },
        number,
        cluster: cluster(),
        now_ms: host::now_ms(),
    }
}

/// Who is asked: what the endpoint says of itself, or else what its cluster says. Endpoints that
/// a control plane makes say nothing of ours.
fn cluster() -> String {
    let said_by =
        |object| host::property_text(&["xds", object, "filter_metadata", "pointsman", "cluster"]);
    match said_by("upstream_host_metadata") {
        none if none.is_empty() => said_by("cluster_metadata"),
        cluster => cluster,
    }
}

fn response_head(end_of_stream: bool) -> ResponseHead {
    let mut head = ResponseHead {
        end_of_stream,
        ..ResponseHead::default()
    };
    for (name, value) in host::headers(Side::Response) {
        match name.as_str() {
            ":status" => head.status = value.parse().unwrap_or(0),
            "retry-after" => head.retry_after = Some(value),
            "content-encoding" => head.content_encoding = Some(value),
            _ => {}
        }
        head.names.push(name);
    }
    head
}
