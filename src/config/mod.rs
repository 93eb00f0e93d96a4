//! `pointsman.yaml` to a checked configuration.
//!
//! The types that the rest of the core reads; they can only be built by checking a document.
//! On the way it is a tree with places (`document`), held against its shape (`walk`), read
//! (`raw`) and checked for meaning (`check`); each step adds to one list of problems.

mod budgets;
mod check;
mod classifier;
mod document;
mod endpoint;
#[cfg(feature = "cli")]
mod fill;
#[cfg(feature = "cli")]
pub mod json_schema;
mod names;
mod path;
mod policy;
mod problem;
mod raw;
mod raw_budgets;
mod raw_cache;
#[cfg(feature = "cli")]
mod raw_catalog;
mod raw_classifiers;
mod raw_prices;
mod raw_rules;
mod response_cache;
mod rules;
mod shape;
mod units;
mod values;
mod walk;
mod words;
#[cfg(feature = "cli")]
pub mod yaml;

#[cfg(feature = "cli")]
pub use budgets::RateLimitService;
pub use budgets::{Budget, By, Holder, Scope, Team, Unit};
pub use classifier::{Classifier, ModelSource, Scorer, Source, Webhook, webhook_cluster};
pub use document::Mark;
pub use problem::{Problem, Severity};
pub use response_cache::ResponseCache;
pub use rules::{ClientConstraints, ExplainWhen, Requirement, Routing, Rule, Serving};
#[cfg(feature = "cli")]
pub(crate) use words::slip_of;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cache::Bounds;
use crate::catalog::{Backend, Concurrency, Labels};
use crate::json;
use crate::observed::{Settings, Wants};
use crate::operation::Operation;
use crate::provider::{self, Auth, Offer, Provider};
use crate::routing::Policies;
use crate::routing::load::Ceiling;
use crate::schema::Target;
use crate::schema::openai::dialect::Dialect;

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Prefix of the paths that are ours, such as `/v1`.
    pub base_path: String,
    /// Who can be asked, by the user's own name.
    pub providers: BTreeMap<String, ProviderConfig>,
    /// What clients may ask for.
    pub models: BTreeMap<String, ModelConfig>,
    /// Who tells the class of requests, by the user's own name.
    pub classifiers: BTreeMap<String, Classifier>,
    /// Rules, requirements, and what of requests they read.
    pub routing: Routing,
    /// Buffer limits.
    pub limits: Limits,
    /// How much is kept of answers.
    pub cache: Bounds,
    /// By model, a number that changes with whatever its answers depend on; empty when none are
    /// kept.
    pub versions: BTreeMap<String, u64>,
    /// How targets are observed.
    pub observe: Settings,
    /// What must be recorded of targets, because a policy or a limit reads it.
    pub wants: Wants,
    /// Tokens of bodies of so many bytes, or more, are estimated closely: below it nobody could
    /// tell the difference.
    pub count_from: usize,
    /// What only the rendered Envoy configuration needs.
    pub envoy: EnvoySettings,
    /// Who keeps budgets of the fleet; the plugin has no use for it.
    #[cfg(feature = "cli")]
    pub rate_limit_service: Option<RateLimitService>,
}

impl Config {
    /// Checks a document that came as JSON, as the plugin gets it.
    ///
    /// Gives the configuration with its warnings, or every problem; never neither. Problems
    /// of syntax have a place in the text, others only a path.
    pub fn from_json(json: &[u8]) -> Result<(Config, Vec<Problem>), Vec<Problem>> {
        match json::deserialize(json) {
            Ok(root) => check::check(&root),
            Err(error) => Err(vec![no_json(&error)]),
        }
    }

    /// The model of this name.
    pub fn model(&self, name: &str) -> Option<&ModelConfig> {
        self.models.get(name)
    }

    /// Every webhook, with its cluster's name.
    #[cfg(feature = "cli")]
    pub fn webhooks(&self) -> impl Iterator<Item = (String, &Webhook)> {
        let of_classifiers = self.classifiers.iter().filter_map(|(name, classifier)| {
            let Source::Webhook(webhook) = &classifier.source else {
                return None;
            };
            Some((webhook_cluster(name), webhook))
        });
        let of_gates = self.models.values().filter_map(|model| {
            let scorer = model.quality_gate.as_ref()?.scorer.as_ref()?;
            Some((scorer.name.clone(), &scorer.webhook))
        });
        of_classifiers.chain(of_gates)
    }

    /// Whether a request header is set for some provider: it must not reach another one.
    pub fn sets_header(&self, name: &str) -> bool {
        self.providers.values().any(|provider| {
            let carries_key = matches!(&provider.auth, Auth::Header(header) if header == name);
            carries_key || provider.headers.contains_key(name)
        })
    }

    /// Whether Envoy fetches access tokens for some provider from Google's metadata server.
    pub fn wants_token(&self) -> bool {
        self.providers
            .values()
            .any(|provider| provider.metadata_tokens)
    }

    /// The provider of this name.
    pub fn provider(&self, name: &str) -> Option<&ProviderConfig> {
        self.providers.get(name)
    }
}

/// The error's own words are left out: they quote the document.
fn no_json(error: &serde_json::Error) -> Problem {
    Problem {
        path: String::new(),
        mark: Some(Mark {
            line: error.line(),
            column: error.column(),
        }),
        found: "something that is no JSON".to_owned(),
        expected: "a JSON document".to_owned(),
        hint: None,
        severity: Severity::Error,
    }
}

/// One provider account or model server.
#[derive(Debug, Clone)]
pub struct ProviderConfig {
    /// The user's own name for it.
    pub name: String,
    /// Which API it is.
    pub kind: &'static dyn Provider,
    /// Where it is.
    pub endpoint: Endpoint,
    /// Where its key is; `None` for servers that want none.
    pub key: Option<KeySource>,
    /// Path of a chat request after the endpoint's, with `{model}` where the model's name stands;
    /// `None` for the kind's own.
    pub path: Option<String>,
    /// How it wants to see its key.
    pub auth: Auth,
    /// How it differs from OpenAI, if it speaks OpenAI's schema.
    pub dialect: Arc<Dialect>,
    /// Whether Envoy fetches access tokens for it from Google's metadata server.
    pub metadata_tokens: bool,
    /// How Envoy fetches access tokens for it by OAuth 2; the plugin has no use for it.
    #[cfg(feature = "cli")]
    pub oauth: Option<OauthClient>,
    /// How Envoy signs what goes to it; `None` for providers that want a key or nothing.
    pub signing: Option<AwsSigning>,
    /// What it promises of data and content.
    pub labels: Labels,
    /// Headers of the user's own, sent with every request.
    pub headers: BTreeMap<String, String>,
    /// Time to connect, in milliseconds.
    pub connect_timeout_ms: u64,
    /// Whether the upstream connection speaks HTTP/2.
    pub http2: bool,
    /// How a failing provider is taken out of service.
    pub outlier_detection: OutlierDetection,
    /// Limits on what goes to it at once.
    pub circuit_breaker: CircuitBreaker,
    /// How many requests one of its models may be serving before others are asked first.
    pub concurrency: Option<Concurrency>,
    /// Connections that are opened ahead for a hundred in use.
    pub preconnect: u32,
    /// How its connections are kept open.
    pub keep_warm: Option<KeepWarm>,
}

/// What is asked for while there is no traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepWarm {
    /// Time between two requests of a proxy, in milliseconds.
    pub every_ms: u64,
    /// Path, with the endpoint's own; asking for it costs nothing.
    pub path: String,
}

/// AWS Signature Version 4, which Envoy computes after the translation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsSigning {
    /// The service that the signature names.
    pub service: &'static str,
    /// The region that the signature names.
    pub region: String,
}

/// A client of an authorization server, by OAuth 2's client credentials.
#[cfg(feature = "cli")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OauthClient {
    /// Where tokens are fetched.
    pub token_endpoint: Endpoint,
    /// The client's id.
    pub client: String,
    /// Where its secret is.
    pub secret: KeySource,
    /// What tokens shall be good for; may be empty.
    pub scopes: Vec<String>,
}

/// A URL, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// https or plain http.
    pub tls: bool,
    /// Host name or IP address, without brackets.
    pub host: String,
    /// Port; 443 or 80 when the URL had none.
    pub port: u16,
    /// Path prefix without a slash at its end; may be empty.
    pub path: String,
    /// File with the certificate authority that signed the server's certificate.
    pub ca_file: Option<String>,
}

/// Where Envoy finds a provider's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// An environment variable of the Envoy process.
    Env(String),
    /// A file that holds nothing but the key; read when Envoy starts.
    File(String),
}

/// Envoy's outlier detection, as far as it is ours to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutlierDetection {
    /// Failures in a row before the provider is taken out.
    pub consecutive_failures: u32,
    /// Time between sweeps, in milliseconds.
    pub interval_ms: u64,
    /// How long it stays out the first time, in milliseconds.
    pub ejection_ms: u64,
}

/// Envoy's circuit breaker thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitBreaker {
    /// Connections.
    pub max_connections: u32,
    /// Requests waiting for a connection.
    pub max_pending_requests: u32,
    /// Requests in flight.
    pub max_requests: u32,
    /// Retries in flight.
    pub max_retries: u32,
    /// In place of it, retries for a hundred requests in flight.
    pub retry_percent: Option<u32>,
}

/// One name that clients may ask for.
#[derive(Debug, Clone)]
pub struct ModelConfig {
    /// The name.
    pub name: String,
    /// Labels that whoever serves it must keep.
    pub require: Labels,
    /// What orders the candidates.
    pub policy: Policies,
    /// The candidates, in declared order; at least one.
    pub candidates: Vec<Backend>,
    /// What happens to a request that a candidate can only serve in part.
    pub on_unsupported: OnUnsupported,
    /// Whether a refusal leads to the next candidate.
    pub fallback_on_refusal: bool,
    /// Whether a request goes on whose reply may have been stored.
    pub repeat_stored: bool,
    /// Which answers pass, where not all do.
    pub quality_gate: Option<Arc<QualityGate>>,
    /// Times for this model.
    pub timeouts: Timeouts,
    /// Which answers are kept; `None` for none.
    pub cache: Option<ResponseCache>,
    /// Whether providers are told what to keep of prompts whose beginnings come again.
    pub prompt_cache: bool,
    /// What serves while it has too much to do.
    pub under_load: Option<UnderLoad>,
}

/// What serves while a model has too much to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnderLoad {
    /// How much is too much.
    pub ceiling: Ceiling,
    /// The other model.
    pub downgrade_to: String,
}

/// Which answers pass; the last candidate's always do.
#[derive(Debug, Clone)]
pub struct QualityGate {
    /// The score that an answer must reach, 0 to 1000.
    pub threshold: u16,
    /// How much of a stream is held to be scored, in bytes.
    pub held_stream_bytes: u64,
    /// Who is asked besides.
    pub scorer: Option<Scorer>,
}

/// What happens when a parameter cannot be carried to a candidate as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnUnsupported {
    /// The candidate is left out; a 400 when none is left.
    Reject,
    /// It is served, and the response says what was lost.
    Report,
    /// It is served; only the log says what was lost.
    Ignore,
}

/// Times of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// From the start of an attempt to the first meaningful event or the whole buffered
    /// reply, in milliseconds.
    pub per_try_ms: u64,
    /// Between two chunks of a stream, in milliseconds.
    pub idle_ms: u64,
    /// All attempts together, in milliseconds; 0 for no limit.
    pub total_ms: u64,
    /// Whether the limit on all attempts also ends a stream that has begun.
    pub cuts_streams: bool,
    /// The longest `Retry-After` that is waited for, in milliseconds; `None` when nobody says.
    pub wait_up_to_ms: Option<u64>,
    /// For whom it is waited.
    pub wait_for: WaitFor,
    /// Attempts end sooner where candidates are known to be quick.
    pub adaptive: Option<Adaptive>,
    /// When the next candidate is asked besides, in milliseconds; 0 for not at all.
    pub hedge_ms: u64,
}

/// For whom a short wait is worth it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WaitFor {
    /// For a candidate after which nobody is left.
    #[default]
    Last,
    /// For that, and for those that have the prompt in their cache.
    Warm,
    /// For everybody.
    Any,
}

/// The time for an attempt, by how long candidates took lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adaptive {
    /// So many times the time that 19 of 20 requests kept.
    pub times: u64,
    /// The shortest time, in milliseconds.
    pub at_least_ms: u64,
}

/// Buffer limits, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest request body.
    pub request_bytes: u64,
    /// The largest buffered reply, before and after translation.
    pub reply_bytes: u64,
    /// The most that is held of a stream before its first meaningful event.
    pub held_stream_bytes: u64,
}

impl Limits {
    /// What Envoy's listener must be able to hold. A buffered reply that outgrows Envoy's
    /// limit takes the proxy down, so the limit covers both directions.
    pub fn buffer_bytes(&self) -> u64 {
        self.request_bytes.max(self.reply_bytes)
    }
}

/// What only the rendered Envoy configuration needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvoySettings {
    /// Address to listen on.
    pub address: String,
    /// Port to listen on.
    pub port: u16,
    /// Port of the admin interface, always on loopback; `None` for no admin interface.
    pub admin_port: Option<u16>,
    /// Port of the page that shows what has been observed, always on loopback; `None` for no page.
    pub state_port: Option<u16>,
    /// Path of the wasm module.
    pub module: String,
    /// Folder of the files that say where secrets are, as Envoy finds it.
    pub secrets: Option<String>,
    /// What the rendering is asked for, and `pointsman.yaml` does not say.
    pub telemetry: Telemetry,
}

/// How logs and metrics are named, and where logs go besides standard output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Telemetry {
    /// The names.
    pub names: GenAiNames,
    /// A collector that takes OpenTelemetry's protocol by gRPC.
    pub otlp: Option<Endpoint>,
}

/// Which of OpenTelemetry's names for generative AI.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GenAiNames {
    /// `gen_ai.provider.name`.
    #[default]
    Latest,
    /// Those of version 1.36 and before: `gen_ai.system`.
    Legacy,
    /// Both in logs; metrics have the latest.
    Both,
}

impl Endpoint {
    /// Takes a URL apart; the error is a hint.
    #[cfg(feature = "cli")]
    pub fn parse(url: &str) -> Result<Endpoint, &'static str> {
        endpoint::parse(url)
    }

    /// Host and port as they stand in `:authority`; the scheme's own port is left out.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

impl ProviderConfig {
    /// What this provider's schema must know of a candidate; `source` is the client's body.
    pub fn target<'a>(&'a self, backend: &'a Backend, source: &'a [u8]) -> Target<'a> {
        Target {
            source,
            model: &backend.model,
            capabilities: &backend.capabilities,
            defaults: &backend.defaults,
            betas: &[],
            option_keys: [&self.name, self.kind.kind(), self.kind.schema().name()],
            dialect: &self.dialect,
        }
    }

    /// How it is asked for an operation besides chat, with the endpoint's own path before the
    /// operation's; `None` when it does not offer it for this model.
    pub fn offer(&self, operation: Operation, model: &str) -> Option<Offer> {
        let mut offer = self.kind.offer(operation, model)?;
        if let Some(path) = &self.path {
            offer.path = provider::beside_chat(path, model, operation);
        }
        offer.path.insert_str(0, &self.endpoint.path);
        Some(offer)
    }

    /// Path of a chat request, with the endpoint's own path before it.
    pub fn chat_path(&self, model: &str, streamed: bool) -> String {
        let path = match &self.path {
            Some(path) => provider::fill(path, model),
            None => self.kind.chat_path(model, streamed),
        };
        format!("{}{path}", self.endpoint.path)
    }
}
