//! What Envoy and the filter do around the core, in the order in which they do it.
//!
//! Mirrors `envoy/filter/src/{downstream,upstream}.rs`: one header map for all attempts of a
//! request, filter state by key, a body buffer that grows while the flow is paused.

use std::collections::BTreeMap;
use std::rc::Rc;

use pointsman::config::Config;
use pointsman::exchange::handoff::{
    ATTEMPTS, COST, ESCALATE, FAILED, FAILURE, LOCAL, PLAN, REJECTED_COST, REJECTED_TOKENS, TOKEN,
    TRAIL,
};
use pointsman::exchange::{
    Attempt, AttemptFacts, Downstream, FinalFacts, Flow, HeaderEdit, ImmediateResponse, Mutation,
    Refusal, RequestFacts, RequestHead, ResponseHead, Topology, Used, Verdict, tells_limit,
};
use pointsman::failure::Class;

pub type Headers = Vec<(String, String)>;

/// One client request, and what has become of it so far.
pub struct Mesh {
    pub config: Rc<Config>,
    pub topology: Topology,
    pub state: BTreeMap<String, Vec<u8>>,
    pub warnings: Vec<String>,
    /// What attempts came to, as observed.
    pub outcomes: Vec<Result<(), Class>>,
    /// Shared by all attempts, as Envoy does it.
    pub headers: Headers,
    pub body: Vec<u8>,
    downstream: Downstream,
    pub now_ms: u64,
}

/// What a provider or the client sees.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Message {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// What a provider does.
#[derive(Debug, Clone)]
pub struct Script {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub chunks: Vec<Vec<u8>>,
    pub end: End,
}

/// How a provider's reply ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With the last chunk, or with the headers when there is none.
    WithLastChunk,
    /// With an empty last chunk.
    Alone,
    /// With trailers.
    WithTrailers,
    /// Not at all: the attempt is torn down after so many milliseconds.
    After(u64),
    /// There was no connection.
    Unconnected,
}

/// An attempt whose request has been sent.
pub struct Sent {
    pub attempt: Attempt,
    pub path: String,
    pub request: Headers,
    pub body: Vec<u8>,
}

pub fn config(document: &str) -> Rc<Config> {
    let (config, _) = Config::from_json(document.as_bytes()).expect("a configuration");
    Rc::new(config)
}

pub fn head(method: &str, path: &str, headers: &Headers) -> RequestHead {
    RequestHead {
        method: method.to_owned(),
        path: path.to_owned(),
        betas: headers
            .iter()
            .filter(|(name, _)| name == "anthropic-beta")
            .map(|(_, value)| value.clone())
            .collect(),
        content_type: headers
            .iter()
            .find(|(name, _)| name == "content-type")
            .map(|(_, value)| value.clone()),
        names: headers.iter().map(|(name, _)| name.clone()).collect(),
        ..RequestHead::default()
    }
}

impl Mesh {
    /// A chat request, inspected and planned.
    pub fn start(
        config: &Rc<Config>,
        topology: Topology,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Mesh, ImmediateResponse> {
        Mesh::ask("/v1/chat/completions?x=1", config, topology, headers, body)
    }

    /// The same for any path.
    pub fn ask(
        path: &str,
        config: &Rc<Config>,
        topology: Topology,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Mesh, ImmediateResponse> {
        let headers: Headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut head = head("POST", path, &headers);
        let reads = &config.routing.reads.headers;
        let known = headers.iter().filter(|(name, _)| reads.contains(name));
        head.known.headers = known.cloned().collect();
        let (downstream, mutation) = match Downstream::start(config, topology, &head) {
            Verdict::Inspect(downstream, mutation) => (downstream, mutation),
            Verdict::Respond(response) => return Err(response),
            Verdict::Ignore => panic!("the request is ours"),
        };
        assert_eq!(mutation.flow, Flow::Pause, "held until the body is whole");
        let mut mesh = Mesh {
            config: Rc::clone(config),
            topology,
            state: BTreeMap::new(),
            warnings: Vec::new(),
            outcomes: Vec::new(),
            headers,
            body: body.to_vec(),
            downstream,
            now_ms: 1000,
        };
        mesh.apply_to_request(&mutation);
        let facts = RequestFacts {
            draw: 7,
            now_s: 1_700_000_000,
            now_ms: mesh.now_ms,
            request_id: "req-1",
            ..RequestFacts::default()
        };
        let mutation = mesh.downstream.on_body(body, facts)?;
        assert_eq!(mutation.flow, Flow::Continue);
        assert_eq!(
            mutation.body, None,
            "the body is what every attempt starts from"
        );
        mesh.apply_to_request(&mutation);
        Ok(mesh)
    }

    /// One attempt at `cluster`, up to its request. The key is where Envoy injects it.
    pub fn send(&mut self, number: usize, cluster: &str) -> Result<Sent, Refusal> {
        let provider = cluster.split('~').next().unwrap_or_default();
        let injected = format!("x-pointsman-key-{provider}");
        if self
            .config
            .provider(provider)
            .is_some_and(|p| p.key.is_some())
        {
            set(&mut self.headers, &injected, &format!(" KEY-{provider}\n"));
        }
        let facts = AttemptFacts {
            plan: self.state.get(PLAN).cloned().unwrap_or_default(),
            trail: self.text(TRAIL),
            failure: self.state.get(FAILURE).cloned().unwrap_or_default(),
            token: self.text(TOKEN),
            rejected: Used {
                tokens: self.text(REJECTED_TOKENS).parse().unwrap_or(0),
                nano_usd: self.text(REJECTED_COST).parse().unwrap_or(0),
                ..Used::default()
            },
            number,
            cluster: cluster.to_owned(),
            now_ms: self.now_ms,
        };
        let (mut attempt, mutation) = Attempt::start(&self.config, self.topology, facts)?;
        self.store(&mutation);
        let mutation = attempt.on_request_headers(&self.headers);
        assert_eq!(mutation.flow, Flow::Pause, "held until the body is whole");
        self.apply_to_request(&mutation);
        let mutation = attempt.on_request_body(&self.body)?;
        assert_eq!(mutation.flow, Flow::Continue);
        self.apply_to_request(&mutation);
        let path = self.header(":path").unwrap_or_default();
        Ok(Sent {
            attempt,
            path,
            request: self.headers.clone(),
            body: mutation.body.expect("a body"),
        })
    }

    /// The reply to an attempt; `None` when nothing was let through before it was torn down.
    pub fn reply(&mut self, attempt: &mut Attempt, script: &Script) -> Option<Message> {
        if script.end == End::Unconnected {
            self.done(attempt, true);
            return None;
        }
        let mut message = Message {
            status: script.status,
            headers: script
                .headers
                .iter()
                .map(|(n, v)| ((*n).to_owned(), v.clone()))
                .collect(),
            body: Vec::new(),
        };
        let value = |name: &str| message.headers.get(name).cloned();
        let head = ResponseHead {
            service_tier: None,
            status: script.status,
            retry_after: value("retry-after"),
            retry_after_ms: value("retry-after-ms"),
            limits: message
                .headers
                .iter()
                .filter(|(name, _)| tells_limit(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            content_encoding: value("content-encoding"),
            names: message.headers.keys().cloned().collect(),
            end_of_stream: script.end == End::WithLastChunk && script.chunks.is_empty(),
        };
        let mutation = attempt.on_response_headers(&head, self.now_ms);
        assert!(
            mutation.body.is_none(),
            "there is no buffer before the body"
        );
        self.apply_to_reply(&mutation, &mut message);
        let mut is_through = mutation.flow == Flow::Continue;
        assert!(
            !head.end_of_stream || is_through,
            "a finished reply must not be held"
        );
        let mut buffer = Vec::new();
        let mut receive = |mesh: &mut Mesh, bytes: &[u8], end: bool| {
            buffer.extend_from_slice(bytes);
            let Some(start) = attempt.reads_from(buffer.len(), end) else {
                assert!(!end, "a finished reply must be read");
                return;
            };
            let unread = buffer.get(start..).unwrap_or_default().to_vec();
            let mutation = attempt.on_response_body(&unread, end, mesh.now_ms);
            if is_through {
                assert!(
                    mutation.headers.is_empty(),
                    "headers are gone: {mutation:?}"
                );
            }
            mesh.apply_to_reply(&mutation, &mut message);
            if let Some(body) = mutation.body {
                buffer = body;
            }
            if mutation.flow == Flow::Continue {
                is_through = true;
                message.body.append(&mut buffer);
            }
            assert!(!end || is_through, "a finished reply must not be held");
        };
        let last = script.chunks.len();
        for (i, chunk) in script.chunks.iter().enumerate() {
            receive(
                self,
                chunk,
                i + 1 == last && script.end == End::WithLastChunk,
            );
        }
        match script.end {
            End::Alone => receive(self, b"", true),
            End::WithTrailers => receive(self, b"", true),
            End::After(elapsed_ms) => self.now_ms += elapsed_ms,
            End::WithLastChunk | End::Unconnected => {}
        }
        self.done(attempt, false);
        is_through.then_some(message)
    }

    /// All attempts, each with its cluster, as Envoy's retries make them; then what the client
    /// gets. The last one's failure stands, as does any that is not to be retried.
    pub fn run(&mut self, scripts: &[(&str, Script)]) -> (usize, Message) {
        for (i, (cluster, script)) in scripts.iter().enumerate() {
            let mut sent = self.send(i + 1, cluster).expect("an attempt");
            let reply = self.reply(&mut sent.attempt, script);
            let is_last = i + 1 == scripts.len();
            match reply {
                Some(reply) if is_last || !is_retried(&reply) => {
                    return (i + 1, self.answer(reply, ""));
                }
                None if is_last => {
                    let reply = Message {
                        status: 503,
                        ..Message::default()
                    };
                    return (i + 1, self.answer(reply, "upstream_reset"));
                }
                _ => {}
            }
        }
        panic!("a script for each attempt");
    }

    /// What the downstream role makes of a reply.
    pub fn answer(&mut self, mut reply: Message, details: &str) -> Message {
        let has = |name: &str| reply.headers.contains_key(name);
        if !has(FAILED) && (has(ATTEMPTS) || has(LOCAL)) {
            reply.headers.remove(ESCALATE);
            reply.headers.remove(LOCAL);
            return reply;
        }
        let facts = FinalFacts {
            status: reply.status,
            details: details.to_owned(),
            nano_usd: self.text(COST).parse().unwrap_or(0),
            trail: self.text(TRAIL),
            failure: self.state.get(FAILURE).cloned().unwrap_or_default(),
            ended: reply.headers.get(FAILED).cloned().unwrap_or_default(),
            ..FinalFacts::default()
        };
        let (mutation, body) = self.downstream.failure_response(&facts).in_place();
        self.apply_to_reply(&mutation, &mut reply);
        reply.body = body;
        reply
    }

    pub fn text(&self, key: &str) -> String {
        let bytes = self.state.get(key).cloned().unwrap_or_default();
        String::from_utf8(bytes).expect("text")
    }

    /// A header of the request as it is now.
    pub fn header(&self, name: &str) -> Option<String> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.clone())
    }

    fn done(&mut self, attempt: &mut Attempt, connect_failed: bool) {
        let mutation = attempt.on_done(connect_failed, self.now_ms);
        assert!(mutation.headers.is_empty() && mutation.body.is_none());
        self.store(&mutation);
    }

    fn store(&mut self, mutation: &Mutation) {
        for edit in &mutation.state {
            self.state.insert(edit.key.to_string(), edit.value.clone());
        }
        self.warnings.extend(mutation.warning.clone());
        let outcomes = mutation.observed.iter().filter_map(|o| o.update.outcome);
        self.outcomes.extend(outcomes);
    }

    fn apply_to_request(&mut self, mutation: &Mutation) {
        for edit in &mutation.headers {
            match edit {
                HeaderEdit::Set(name, value) => set(&mut self.headers, name, value),
                HeaderEdit::Remove(name) => self.headers.retain(|(n, _)| n != name),
            }
        }
        self.store(mutation);
    }

    fn apply_to_reply(&mut self, mutation: &Mutation, message: &mut Message) {
        for edit in &mutation.headers {
            match edit {
                HeaderEdit::Set(name, value) if name == ":status" => {
                    message.status = value.parse().expect("a status");
                }
                HeaderEdit::Set(name, value) => {
                    let visible = value.bytes().all(|b| (b' '..=b'~').contains(&b));
                    assert!(visible, "{name} cannot stand in a header: {value:?}");
                    message.headers.insert(name.to_string(), value.clone());
                }
                HeaderEdit::Remove(name) => {
                    message.headers.remove(&**name);
                }
            }
        }
        self.store(mutation);
    }
}

impl Message {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("text")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

impl Script {
    pub fn whole(status: u16, body: &str) -> Script {
        Script {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            chunks: vec![body.as_bytes().to_vec()],
            end: End::WithLastChunk,
        }
    }

    pub fn chunks(chunks: &[&str], end: End) -> Script {
        Script {
            status: 200,
            headers: vec![("content-type", "text/event-stream".to_owned())],
            chunks: chunks
                .iter()
                .map(|chunk| chunk.as_bytes().to_vec())
                .collect(),
            end,
        }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Script {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn ending(mut self, end: End) -> Script {
        self.end = end;
        self
    }
}

/// Whether Envoy retries: by status, or by header.
pub fn is_retried(reply: &Message) -> bool {
    reply.status == 503 || reply.headers.contains_key(ESCALATE)
}

fn set(headers: &mut Headers, name: &str, value: &str) {
    headers.retain(|(n, _)| n != name);
    headers.push((name.to_owned(), value.to_owned()));
}
