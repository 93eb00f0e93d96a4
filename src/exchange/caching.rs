//! Answers out of the cache, and into it: which requests may have one, whose they are, and what the
//! client is told of it.

use super::downstream::RequestFacts;
use super::handoff;
use crate::cache::{Assembly, Directives, Entry, Kept, Shelf, canonical, judge, put_text};
use crate::config::{Config, ResponseCache, Serving};
use crate::fidelity::Report;
use crate::inspect::RequestProfile;
use crate::json::{self, Raw};
use crate::observed::Store;
use crate::operation::Operation;
use crate::routing::Facts;
use crate::schema::openai::{ChatCompletionRequest, Content};
use crate::usage::Usage;

/// Members of a body that say nothing of what the answer shall be: how it is to be sent, who asks,
/// what the provider shall note or charge it under; and the model, which is told by its alias.
const LEFT_OUT: [&str; 10] = [
    "model",
    "stream",
    "stream_options",
    "user",
    "safety_identifier",
    "metadata",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "store",
];

/// A request, as far as it decides on an answer.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// A chat completion request, or another operation's.
    pub body: &'a [u8],
    /// The same read, for chat.
    pub chat: Option<&'a ChatCompletionRequest<'a>>,
    /// What the client's request lost on its way to a chat completion request.
    pub findings: &'a Report,
}

/// Why a request has nothing to do with the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bypass {
    /// The client says so.
    Client,
    /// The request does not say whose it is.
    Tenant,
    /// Only chat, embeddings and rerank have answers that are kept.
    Operation,
    /// The provider shall store the answer.
    Store,
    /// What it asks for is another thing tomorrow: a search, sound, an image at an address.
    Live,
    /// It leaves something to chance.
    Chance,
    /// It is too large, or two readers could read it in two ways.
    Body,
}

/// The client's answer, in the place of one from a provider.
pub(super) struct Hit {
    pub entry: Entry,
    pub age_s: u64,
    pub ttl_s: u64,
}

/// An answer that is kept when it is whole.
pub(super) struct Filling {
    request: Vec<u8>,
    ttl_ms: u64,
    calls: bool,
    chat: bool,
    /// The most bytes that are held.
    most: u64,
    held: Held,
}

enum Held {
    Whole(Vec<u8>),
    Stream(Box<Assembly>),
    TooLarge,
}

/// What filter state tells of a reply when it is over.
struct Told {
    target: String,
    answered_by: String,
    fidelity: String,
    nano_usd: u64,
    usage: Usage,
}

impl Bypass {
    /// Its word in headers and logs.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Bypass::Client => "client",
            Bypass::Tenant => "tenant",
            Bypass::Operation => "operation",
            Bypass::Store => "store",
            Bypass::Live => "live",
            Bypass::Chance => "chance",
            Bypass::Body => "body",
        }
    }
}

/// What a request is known by in the cache: equal bytes for requests that may have the same answer.
pub(super) fn key(
    config: &Config,
    serving: Serving<'_>,
    cache: &ResponseCache,
    profile: &RequestProfile,
    source: Source<'_>,
    (facts, betas, directives): (&Facts, &[String], Directives),
) -> Result<Vec<u8>, Bypass> {
    if directives.no_store {
        return Err(Bypass::Client);
    }
    let kept = [Operation::Chat, Operation::Embeddings, Operation::Rerank];
    if !kept.contains(&profile.operation) {
        return Err(Bypass::Operation);
    }
    if let Some(chat) = source.chat {
        check(chat, cache)?;
    }
    let team = config.routing.team(profile, facts).unwrap_or_default();
    let tenant = cache.tenant(facts, team).ok_or(Bypass::Tenant)?;
    if source.body.len() as u64 > config.cache.entry {
        return Err(Bypass::Body);
    }
    let mut key = Vec::with_capacity(source.body.len() + 128);
    let name = &serving.model.name;
    put_text(&mut key, name);
    let version = config.versions.get(name).copied().unwrap_or(0);
    key.extend_from_slice(&version.to_le_bytes());
    key.push(profile.operation as u8);
    key.extend_from_slice(&(tenant.len() as u64).to_le_bytes());
    key.extend_from_slice(&tenant);
    put_text(&mut key, &betas.join(","));
    put_text(&mut key, &source.findings.to_string());
    canonical(source.body, &LEFT_OUT, &mut key).ok_or(Bypass::Body)?;
    Ok(key)
}

/// Whether the answer to a chat completion request would be one to keep.
fn check(chat: &ChatCompletionRequest<'_>, cache: &ResponseCache) -> Result<(), Bypass> {
    let is_said = |raw: Option<Raw<'_>>| raw.is_some_and(|raw| raw.get() != "null");
    if chat.store.is_some_and(|raw| raw.get() == "true") {
        return Err(Bypass::Store);
    }
    if is_said(chat.web_search_options) || is_said(chat.audio) {
        return Err(Bypass::Live);
    }
    if !cache.image_urls && shows_addresses(chat) {
        return Err(Bypass::Live);
    }
    let temperature = chat.temperature.and_then(json::parse::<f64>);
    match cache.deterministic_only && temperature != Some(0.0) {
        true => Err(Bypass::Chance),
        false => Ok(()),
    }
}

/// Whether an image or a file is only said by where it is.
fn shows_addresses(chat: &ChatCompletionRequest<'_>) -> bool {
    let is_address = |url: Option<&str>| url.is_some_and(|url| !url.starts_with("data:"));
    chat.messages()
        .iter()
        .any(|message| match message.content() {
            Some(Content::Parts(parts)) => parts.iter().any(|part| {
                let image = part
                    .image_url
                    .as_ref()
                    .and_then(|image| image.url.as_deref());
                let file = part
                    .file
                    .as_ref()
                    .and_then(|file| file.file_data.as_deref());
                is_address(image) || file.is_some_and(|file| file.starts_with("http"))
            }),
            _ => false,
        })
}

/// The answer that is kept for this request.
pub(super) fn find(config: &Config, facts: RequestFacts<'_>, key: &[u8]) -> Option<Hit> {
    let now_ms = facts.now_ms();
    let entry = Shelf::new(facts.answers?, config.cache, now_ms).find(key)?;
    Some(Hit {
        ttl_s: entry.until_ms.saturating_sub(now_ms) / 1000,
        age_s: entry.age_s(now_ms),
        entry,
    })
}

impl Filling {
    pub(super) fn new(
        config: &Config,
        cache: &ResponseCache,
        profile: &RequestProfile,
        request: Vec<u8>,
    ) -> Filling {
        Filling {
            most: config.cache.entry.saturating_sub(request.len() as u64),
            request,
            ttl_ms: cache.ttl_ms,
            calls: cache.tool_calls,
            chat: profile.operation.is_chat(),
            held: match profile.streamed {
                true => Held::Stream(Box::default()),
                false => Held::Whole(Vec::new()),
            },
        }
    }

    /// More of the reply.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        match &mut self.held {
            Held::Stream(assembly) => assembly.push(bytes, self.most),
            Held::Whole(held) if (held.len() + bytes.len()) as u64 > self.most => {
                self.held = Held::TooLarge;
            }
            Held::Whole(held) => held.extend_from_slice(bytes),
            Held::TooLarge => {}
        }
    }

    /// The reply is over: keeps it, if it is worth it. `state` reads filter state.
    pub(super) fn finish(
        self,
        config: &Config,
        store: &dyn Store,
        state: &dyn Fn(&str) -> String,
        now_ms: u64,
    ) -> Option<Kept> {
        let told = Told::read(state)?;
        let answer = match self.held {
            Held::Stream(assembly) => assembly.finish(&told.usage()).ok()?,
            Held::Whole(held) => held,
            Held::TooLarge => return None,
        };
        judge(&answer, self.chat, self.calls).ok()?;
        let entry = Entry {
            kept_ms: now_ms,
            until_ms: now_ms.saturating_add(self.ttl_ms),
            nano_usd: told.nano_usd,
            target: told.target,
            answered_by: told.answered_by,
            fidelity: told.fidelity,
            answer,
        };
        let kept = Shelf::new(store, config.cache, now_ms).keep(&self.request, &entry);
        (kept.bytes > 0).then_some(kept)
    }
}

impl Told {
    /// `None` when no attempt has answered well.
    fn read(state: &dyn Fn(&str) -> String) -> Option<Told> {
        let trail = state(handoff::TRAIL);
        let (target, outcome) = trail.rsplit(", ").next()?.split_once(';')?;
        let is_well = outcome.starts_with("class=ok") && !outcome.contains("broken=");
        let number = |key: &str| state(key).parse().unwrap_or(0_u64);
        let provider = state(handoff::PROVIDER);
        is_well.then(|| Told {
            target: target.to_owned(),
            answered_by: format!("{provider}/{}", state(handoff::RESPONSE_MODEL)),
            fidelity: state(handoff::FIDELITY),
            nano_usd: number(handoff::COST),
            usage: Usage {
                input_tokens: number(handoff::INPUT_TOKENS),
                output_tokens: number(handoff::OUTPUT_TOKENS),
                cached_input_tokens: number(handoff::CACHED_TOKENS),
                reasoning_tokens: number(handoff::REASONING_TOKENS),
                ..Usage::default()
            },
        })
    }

    /// `usage` as chat completions tell it.
    fn usage(&self) -> String {
        let Usage {
            input_tokens,
            output_tokens,
            cached_input_tokens,
            reasoning_tokens,
            ..
        } = self.usage;
        format!(
            r#"{{"prompt_tokens":{input_tokens},"completion_tokens":{output_tokens},"total_tokens":{},"prompt_tokens_details":{{"cached_tokens":{cached_input_tokens}}},"completion_tokens_details":{{"reasoning_tokens":{reasoning_tokens}}}}}"#,
            self.usage.total_tokens()
        )
    }
}
