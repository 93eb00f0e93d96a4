//! `pointsman.yaml` version 1 as the user writes it.
//!
//! The doc comments of the fields are the descriptions in the JSON Schema.

mod dialect;

pub(super) use dialect::{RawDialect, RawErrorRule, RawLimit};

use super::names::{
    ApiVersion, AwsRegionName, BasePath, CaFile, CandidateRef, ClassifierName, EndpointUrl,
    EnvName, GcpName, HeaderName, HeaderValue, KeyFile, Kind, LabelName, LabelValue, LackWord,
    ListenAddress, ModelName, ModelRef, ModulePath, OnUnsupportedWord, OperationWord,
    ParameterName, PromptCacheWord, ProviderName, ProviderRef, RequestPath, TemplateName,
    TemplateRef, TemplateText, ThinkingWord, TokenizerWord, TrimWord, UpstreamModel, WaitWord,
};
#[cfg(feature = "cli")]
use super::names::{ClientId, ScopeName, TenantName};
use super::policy::RawPolicies;
#[cfg(feature = "cli")]
use super::raw_budgets::RawRateLimitService;
use super::raw_budgets::{RawBudget, RawTeam};
use super::raw_cache::RawCache;
#[cfg(feature = "cli")]
use super::raw_catalog::{CatalogName, RawCatalogModel};
use super::raw_classifiers::{RawClassifier, RawWebhook};
use super::raw_prices::{RawPercent, RawPrices, RawPricesAbove};
use super::raw_rules::{RawExplain, RawIntent, RawRequirement, RawRouting, RawRule, RawWhen};
use super::shape::object;
use super::values::{Any, Duration, Int, List, Map, OneOrMore, Ratio, Size};

const MILLISECOND: u64 = 1;
const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const MANY: u64 = 1_000_000;
/// Larger than any model's context.
const TOKENS: u64 = 1_000_000_000;

/// The most candidates that a model may have.
pub(super) const MAX_CANDIDATES: usize = 512;

object! {
    /// What Pointsman serves, and from whom.
    pub(super) struct Document {
        /// Version of this format.
        version: Int<1, 1> = required,
        /// Provider accounts and model servers, by names of your own.
        providers: Map<ProviderName, RawProvider, 1> = required,
        /// What clients may ask for, by the name that they send as `model`.
        models: Map<ModelName, RawModel, 1> = required,
        /// What models take that do not say it themselves.
        defaults: RawDefaults,
        /// Rewrites of the system prompt, by names of your own; providers and candidates name
        /// the one that they take.
        templates: Map<TemplateName, RawTemplate, 0>,
        /// What happens to requests that are like this; the first that fits counts.
        rules: List<RawRule, 1, 1_000>,
        /// What requests may be meant to do, for rules to read; the first that fits counts.
        intents: List<RawIntent, 1, 256>,
        /// Models and webhooks that are asked for the class of a request, by names of your own,
        /// for rules to read as `class`.
        classifiers: Map<ClassifierName, RawClassifier, 0>,
        /// Labels that requests like this require, whatever rule fits.
        requirements: List<RawRequirement, 1, 1_000>,
        /// Who may ask: requests that are like any of these. The rest is refused; everybody may
        /// ask when nothing is said.
        admit: List<RawWhen, 1, 1_000>,
        /// How much requests may use, by whom and in which time; all that are for a request
        /// count.
        budgets: List<RawBudget, 1, 100>,
        /// Whose requests these are, for metrics and the access log; the first that fits counts,
        /// and a request that fits none is nobody's.
        teams: List<RawTeam, 1, 1_000>,
        /// Who keeps budgets of `scope: fleet`.
        #[cfg(feature = "cli")]
        rate_limit_service: RawRateLimitService,
        /// Read by the rendering alone.
        #[cfg(not(feature = "cli"))]
        rate_limit_service: Any,
        /// How rules see requests, and what clients may say of theirs.
        routing: RawRouting,
        /// When the access log explains a decision.
        explain: RawExplain,
        /// Facts of models that the built-in catalogue lacks or has wrong, by `provider/model`;
        /// the provider is one of this file or one of the catalogue. Read by the command line,
        /// which writes what candidates take from it into the plugin's configuration.
        #[cfg(feature = "cli")]
        catalog: Map<CatalogName, RawCatalogModel, 0>,
        /// Prefix of the paths that are ours; `/v1` when not said.
        base_path: BasePath,
        /// Buffer limits.
        limits: RawLimits,
        /// What is remembered of providers, and for how long.
        observe: RawObserve,
        /// What the rendered Envoy configuration needs.
        envoy: RawEnvoy,
    }
}

object! {
    /// One provider account or model server.
    pub(super) struct RawProvider {
        /// Which API it is; may be left out when the provider's own name says it.
        kind: Kind,
        /// Where it is, with any path prefix that comes before the API's own paths; the
        /// vendor's public address when not said. IPv6 addresses stand in brackets.
        endpoint: EndpointUrl,
        /// Where its key is. Without it no key is sent.
        key: Key,
        /// For Amazon's providers: the region, and by it the endpoint. Without a key, requests
        /// are signed with the credentials that Envoy finds where AWS keeps them: environment,
        /// files, web identity, container and instance.
        aws: RawAws,
        /// For Google's models on Vertex AI: project and location, and by them the endpoint.
        /// Without a key, Envoy asks the metadata server for access tokens, from 1.40 on.
        gcp: RawGcp,
        /// Access tokens by OAuth 2, with client credentials, in place of a key: Envoy fetches
        /// and renews them. Wants `envoy.secrets`.
        #[cfg(feature = "cli")]
        oauth: RawOauth,
        /// File with the certificate authority that signed the server's certificate; the
        /// system's own when not said.
        ca_file: CaFile,
        /// Whether connections to it speak HTTP/2; false when not said.
        http2: bool,
        /// Time to connect; 2s when not said.
        connect_timeout: Duration<{ 10 * MILLISECOND }, { 60 * SECOND }>,
        /// Version of its API, for Azure's deployments: their own paths are used when it is said.
        api_version: ApiVersion,
        /// How it differs from OpenAI, for servers that speak OpenAI's API.
        dialect: RawDialect,
        /// What it promises, such as `residency: eu` or `retention: none`. Several values mean
        /// that any of them may hold.
        labels: Map<LabelName, OneOrMore<LabelValue>, 0>,
        /// One of the names under `templates`: how the system prompt of every request to it is
        /// rewritten.
        template: TemplateRef,
        /// Headers that go with every request to it.
        headers: Map<HeaderName, HeaderValue, 0>,
        /// How it is taken out of service when it fails.
        outlier_detection: RawOutlierDetection,
        /// Limits on what goes to it at once.
        circuit_breaker: RawCircuitBreaker,
        /// How many requests one of its models may be serving before others are asked first; any
        /// number when not said.
        concurrency: RawConcurrency,
        /// So many connections are opened ahead for a hundred in use, so that requests need not wait
        /// for a handshake; none when not said.
        preconnect: Int<1, 200>,
        /// Asks for something that costs nothing while nobody asks for anything else, so that
        /// connections stay open; not when not said.
        keep_warm: RawKeepWarm,
    }
}

object! {
    /// How a provider's connections are kept open while there is no traffic. One request a period
    /// for a proxy: its workers, which have connections of their own, take turns.
    pub(super) struct RawKeepWarm {
        /// Time between two requests.
        every: Duration<{ 100 * MILLISECOND }, HOUR> = required,
        /// The whole path that is asked for, on the provider's host; its list of models when not
        /// said, where the kind is known to have one.
        path: RequestPath,
    }
}

object! {
    /// Where a provider's key is. The key itself never stands in this file.
    pub(super) struct Key {
        /// An environment variable of the Envoy process.
        env: EnvName,
        /// A file that holds nothing but the key.
        file: KeyFile,
    }
}

object! {
    /// What Amazon's providers need.
    pub(super) struct RawAws {
        /// The region whose models are asked, and that signatures name.
        region: AwsRegionName = required,
    }
}

object! {
    /// What Google's models on Vertex AI need.
    pub(super) struct RawGcp {
        /// Id or number of the project that is billed.
        project: GcpName = required,
        /// Where the models are served: a region, `eu`, `us` or `global`.
        location: GcpName = required,
    }
}

#[cfg(feature = "cli")]
object! {
    /// A client of an authorization server, by OAuth 2's client credentials.
    pub(super) struct RawOauth {
        /// A directory of Microsoft Entra ID; stands for its `token_url` and the scope of
        /// Azure's models.
        tenant: TenantName,
        /// Where tokens are fetched.
        token_url: EndpointUrl,
        /// The client's id.
        client: ClientId = required,
        /// Where the client's secret is.
        secret: Key = required,
        /// What tokens shall be good for.
        scopes: List<ScopeName, 1, 20>,
        /// File with the certificate authority that signed the authorization server's
        /// certificate; the system's own when not said.
        ca_file: CaFile,
    }
}

object! {
    /// How a failing provider is taken out of service.
    pub(super) struct RawOutlierDetection {
        /// Failures in a row before it is taken out; 5 when not said.
        consecutive_failures: Int<1, 1_000>,
        /// Time between two looks; 5s when not said.
        interval: Duration<{ 10 * MILLISECOND }, HOUR>,
        /// How long it stays out the first time; 30s when not said.
        ejection: Duration<{ 10 * MILLISECOND }, { 24 * HOUR }>,
    }
}

object! {
    /// Limits on what goes to a provider at once.
    pub(super) struct RawCircuitBreaker {
        /// Connections; 1024 when not said.
        max_connections: Int<1, MANY>,
        /// Requests that wait for a connection; 1024 when not said.
        max_pending_requests: Int<1, MANY>,
        /// Requests in flight; 4096 when not said.
        max_requests: Int<1, MANY>,
        /// Retries in flight; 1024 when not said.
        max_retries: Int<1, MANY>,
        /// In place of it: so many retries for a hundred requests in flight that fail here. What
        /// is beyond is not asked elsewhere either.
        retry_percent: Int<1, 100>,
    }
}

object! {
    /// How many requests one of a provider's models may be serving. Where it serves as many, it is
    /// asked after all others.
    pub(super) struct RawConcurrency {
        /// Requests in flight when all are answered.
        most: Int<1, MANY> = required,
        /// Requests in flight when hardly any is answered: in between it is `most` times the square
        /// of the share that is; `most` when not said.
        least: Int<1, MANY>,
    }
}

object! {
    /// One name that clients may ask for.
    pub(super) struct RawModel {
        /// Labels that whoever serves it must keep, with the values that are allowed.
        require: Map<LabelName, OneOrMore<LabelValue>, 1>,
        /// How the candidates are ordered; `priority` when not said.
        policy: RawPolicies,
        /// Who may serve it.
        candidates: List<RawCandidate, 1, MAX_CANDIDATES> = required,
        /// What happens when a candidate can serve a request only in part; `report` when not
        /// said.
        on_unsupported: OnUnsupportedWord,
        /// Whether a refusal leads to the next candidate; false when not said.
        fallback_on_refusal: bool,
        /// Whether a request whose reply the provider stores (`store: true`) goes on after a failure
        /// that leaves open whether it did; false when not said.
        repeat_stored: bool,
        /// Lets only answers pass that look good enough; all when not said.
        quality_gate: RawQualityGate,
        /// Times of one request.
        timeouts: RawTimeouts,
        /// What serves while this model has too much to do; nothing when not said.
        under_load: RawUnderLoad,
        /// What becomes of a request that needs what a candidate's model lacks.
        degrade: RawDegrade,
        /// How a conversation is made to fit into a candidate's context window; a candidate
        /// whose window is too small is left out when not said.
        fit: RawFit,
        /// Which candidates complex tool work is for; all when not said.
        complex_tools: RawComplexTools,
        /// Which answers are kept and given again to equal requests; none when not said.
        cache: RawCache,
        /// `auto` marks for the provider's own cache what prompts begin with that come again, where
        /// the client sets no markers; `off` when not said.
        prompt_cache: PromptCacheWord,
    }
}

object! {
    /// When a model has too much to do, as this proxy sees it, and what serves then.
    pub(super) struct RawUnderLoad {
        /// More estimated tokens of prompts than these are under way at its candidates.
        in_flight_tokens: Int<1, 1_000_000_000>,
        /// More requests than these are under way at its candidates.
        in_flight_requests: Int<1, 1_000_000>,
        /// It serves again when no more than this share of that is left, 0 to 1; 0.7 when not
        /// said.
        back_at: Ratio,
        /// One of the names under `models`.
        downgrade_to: ModelRef = required,
    }
}

object! {
    /// A model of a provider.
    pub(super) struct RawCandidate {
        /// One of the names under `providers`.
        provider: ProviderRef = required,
        /// The model's name at that provider.
        model: UpstreamModel = required,
        /// Share of traffic under the `weighted` policy; 1 when not said. 0 makes it a
        /// fallback.
        weight: Int<0, 1_000_000>,
        /// How good its answers are, 0 to 1, by a measure of your own; for constraints.
        quality: Ratio,
        /// The most complex request that it is meant for, 0 to 1; for `tiers`.
        max_complexity: Ratio,
        /// What its tokens cost, in USD for a million; those of the catalogue of known models
        /// when not said.
        prices: RawPrices,
        /// What all tokens of a request cost whose prompt is long; those of the catalogue of known
        /// models when `prices` is not said either.
        prices_above: List<RawPricesAbove, 1, 8>,
        /// What other ways to be served cost, in percent of these prices; those of the catalogue of
        /// known models when not said. The way that the provider reports counts.
        price_percent: RawPercent,
        /// What it promises, such as `residency: eu`; over the labels of its provider.
        labels: Map<LabelName, OneOrMore<LabelValue>, 0>,
        /// Its name in an experiment, for the log; provider and model when not said.
        variant: LabelValue,
        /// Consecutive attempts at it before the next candidate; 1 when not said.
        tries: Int<1, 5>,
        /// What it can do. What is not said is taken from the catalogue of known models.
        capabilities: RawCapabilities,
        /// How it counts tokens, for estimates; that of the catalogue of known models when not
        /// said, else `o200k`.
        tokenizer: TokenizerWord,
        /// Request fields that are sent when the client did not set them, in the provider's
        /// own schema.
        defaults: Map<ParameterName, Any, 0>,
        /// One of the names under `templates`: how the system prompt is rewritten; its
        /// provider's when not said.
        template: TemplateRef,
        /// The same for a request that another candidate was to serve first, in place of
        /// `template`.
        template_on_fallback: TemplateRef,
    }
}

object! {
    /// What a candidate can do.
    pub(super) struct RawCapabilities {
        /// Function tools; true when not said.
        tools: bool,
        /// Several tool calls in one turn; as `tools` when not said.
        parallel_tools: bool,
        /// `response_format: json_schema`, enforced; true when not said.
        json_schema: bool,
        /// `response_format: json_object`, enforced; true when not said.
        json_mode: bool,
        /// Images in messages; true when not said.
        vision: bool,
        /// Audio in messages; true when not said.
        audio: bool,
        /// PDF and other files in messages; true when not said.
        files: bool,
        /// How it is told to think: by a word, by a budget in tokens, or not at all; `effort`
        /// when not said.
        thinking: ThinkingWord,
        /// Whether it takes temperature and its kin; true when not said.
        sampling: bool,
        /// What it can be asked for; whatever its provider offers when not said.
        operations: List<OperationWord, 1, 20>,
        /// Input and output together, in tokens.
        context_window: Int<1, TOKENS>,
        /// The most output that may be asked for, in tokens.
        max_output_tokens: Int<1, TOKENS>,
    }
}

object! {
    /// What models take that do not say it themselves.
    pub(super) struct RawDefaults {
        /// What happens when a candidate can serve a request only in part.
        on_unsupported: OnUnsupportedWord,
        /// Whether a refusal leads to the next candidate.
        fallback_on_refusal: bool,
        /// Whether a request goes on whose reply may have been stored.
        repeat_stored: bool,
        /// Times of one request.
        timeouts: RawTimeouts,
        /// What becomes of a request that needs what a candidate's model lacks.
        degrade: RawDegrade,
        /// How a conversation is made to fit into a candidate's context window.
        fit: RawFit,
        /// Which candidates complex tool work is for.
        complex_tools: RawComplexTools,
    }
}

object! {
    /// What becomes of a request that needs what a candidate's model lacks.
    pub(super) struct RawDegrade {
        /// Function tools for a model without them: `prompt` tells them in the system prompt and
        /// reads calls from the answer's text; `skip`, also when not said, leaves the candidate
        /// out.
        tools: LackWord,
        /// A JSON schema that is not enforced: `prompt` tells it in the system prompt, takes off
        /// what is no JSON and checks what remains; `skip` leaves the candidate out. When not
        /// said, what the provider's schema has comes nearest.
        json_schema: LackWord,
    }
}

object! {
    /// How a conversation is made to fit into a candidate's context window.
    pub(super) struct RawFit {
        /// What may be left out. Calls stay with their results; the system prompt and the last
        /// user turn stay.
        trim: TrimWord = required,
        /// User turns at the end that are kept whole; 1 when not said.
        keep_last: Int<1, 1_000>,
        /// Tokens that are kept free for the answer; 1024 when not said. A client's own limit is
        /// lowered to what is left of the window, never below this.
        reserve_output: Int<1, TOKENS>,
    }
}

object! {
    /// Which candidates complex tool work is for.
    pub(super) struct RawComplexTools {
        /// Complex is what has more tools than this; any number when not said.
        over_tools: Int<0, MANY>,
        /// Complex are tools whose arguments nest deeper than this: `{a: {b: 1}}` has two
        /// levels; any depth when not said.
        over_depth: Int<0, MANY>,
        /// Whether `parallel_tool_calls: true` is complex; false when not said.
        parallel: bool,
        /// Who may do complex tool work: `provider/model`, or `provider/*`.
        only: List<CandidateRef, 1, 100> = required,
    }
}

object! {
    /// A rewrite of the system prompt. `{model}`, `{provider}` and `{alias}` stand for the
    /// model's name at the provider, the provider's name, and what the client asked for.
    pub(super) struct RawTemplate {
        /// Stands before the client's system prompt.
        prefix: TemplateText,
        /// Stands after it.
        suffix: TemplateText,
        /// Stands in its place.
        replace: TemplateText,
    }
}

object! {
    /// An answer that looks poor goes on to the next candidate; the last one's is delivered as it
    /// is. Let a cheap candidate come first, and a better one after it.
    pub(super) struct RawQualityGate {
        /// The score that an answer must reach, 0 to 1; 0.7 when not said.
        threshold: Ratio,
        /// How much of a stream is held to be scored, as the client would get it; 1KiB when not
        /// said.
        held_stream: Size<1, MIB>,
        /// Who is asked for the score of what looks good enough; nobody when not said. Whatever goes
        /// wrong, the answer passes.
        webhook: RawWebhook,
        /// The longest that an answer waits for the webhook's score; 500ms when not said.
        deadline: Duration<10, 10_000>,
        /// The most of the prompt, and of the answer, that the webhook is shown; 2KiB when not said.
        excerpt: Size<16, 16_384>,
    }
}

object! {
    /// Times of one request.
    pub(super) struct RawTimeouts {
        /// From the start of an attempt to the first meaningful event of a stream, or to the
        /// end of a reply that is no stream; 60s when not said.
        per_try: Duration<{ 10 * MILLISECOND }, HOUR>,
        /// Silence from a provider, before its first chunk and between two; when not said 60s, or
        /// `per_try` if that is longer.
        idle: Duration<{ 10 * MILLISECOND }, HOUR>,
        /// All attempts together, up to the first meaningful event of a stream; 0s, no limit, when
        /// not said.
        total: Duration<0, { 24 * HOUR }>,
        /// Whether `total` also ends a stream that the client has begun to see; false when not
        /// said.
        cut_streams: bool,
        /// The longest `Retry-After` that is waited for before the same candidate is asked again,
        /// once for a request; 0s for never. 2s when not said, but 0s where candidates are static
        /// chains (Envoy 1.37 and 1.38), which need a cluster more for it.
        wait_up_to: Duration<0, { 30 * SECOND }>,
        /// For whom it is waited: for the `last` candidate, also when not said; for those that
        /// have the prompt in their cache, too (`warm`); for `any`.
        wait_for: WaitWord,
        /// Ends attempts sooner than `per_try` where candidates are known to be quick; not when
        /// not said.
        adaptive: RawAdaptive,
        /// When the next candidate is asked besides, if nothing has come from the first: whoever
        /// answers first is taken. 0s, not at all, when not said. Needs static chains, and
        /// replies that are not held.
        hedge: Duration<0, HOUR>,
    }
}

object! {
    /// The time for an attempt, by how long candidates took lately: to the first token for
    /// streams, to the end for other replies. `per_try` stays the longest, and holds as long as
    /// nothing is known of the first candidate.
    pub(super) struct RawAdaptive {
        /// So many times the time that 19 of 20 requests kept, of the slowest candidate that is
        /// known; 3 when not said.
        times: Int<1, 100>,
        /// The shortest time, which also a candidate that was not asked lately must do with; 5s
        /// when not said.
        at_least: Duration<{ 10 * MILLISECOND }, HOUR>,
    }
}

object! {
    /// Buffer limits.
    pub(super) struct RawLimits {
        /// The largest request body; 32MiB when not said.
        request_body: Size<KIB, { 256 * MIB }>,
        /// The largest buffered reply; 16MiB when not said.
        reply: Size<KIB, { 256 * MIB }>,
        /// The most that is held of a stream before its first meaningful event; 64KiB when not
        /// said.
        held_stream: Size<KIB, MIB>,
        /// The most that is kept of answers for equal requests, all models together; 64MiB when
        /// not said.
        cache: Size<MIB, { 4096 * MIB }>,
        /// The largest answer that is kept, its request included; 256KiB when not said, and at
        /// most a 32nd of `cache`.
        cache_entry: Size<KIB, { 16 * MIB }>,
    }
}

object! {
    /// What is remembered of providers, and for how long.
    pub(super) struct RawObserve {
        /// Time in which what has been seen loses half of its weight; 60s when not said.
        half_life: Duration<{ 100 * MILLISECOND }, HOUR>,
        /// The longest that a provider is left alone after it has asked for it; 10m when not
        /// said, 0s for never.
        longest_cool_down: Duration<0, { 24 * HOUR }>,
        /// How long a provider is left alone that has no quota left or refuses its key, and
        /// does not say until when; 30s when not said, 0s for not at all.
        quota_cool_down: Duration<0, { 24 * HOUR }>,
        /// Whether a provider whose reply says that nothing of its limit remains is left alone until
        /// the limit is reset; true when not said.
        heed_limits: bool,
        /// How long a provider is taken to keep the beginning of a prompt in its cache; 5m when
        /// not said.
        prompt_cache: Duration<{ 100 * MILLISECOND }, { 24 * HOUR }>,
    }
}

object! {
    /// What the rendered Envoy configuration needs.
    pub(super) struct RawEnvoy {
        /// IP address to listen on; 127.0.0.1 when not said.
        address: ListenAddress,
        /// Port to listen on; 10000 when not said.
        port: Int<1, 65_535>,
        /// Port of the admin interface, on loopback; 9901 when not said, 0 for none.
        admin_port: Int<0, 65_535>,
        /// Port of the page that shows what has been observed of providers, on loopback; 0, no
        /// page, when not said.
        state_port: Int<0, 65_535>,
        /// Path of the wasm module; pointsman.wasm when not said.
        module: ModulePath,
        /// Folder of the files that `pointsman render envoy --secrets` writes, as Envoy finds it.
        /// With it, keys in files are read again when these change.
        secrets: ModulePath,
    }
}
