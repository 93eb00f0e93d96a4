//! The texts that a document holds, each with its rule.

use std::net::IpAddr;

use super::endpoint;
use super::shape::{text, words};
use crate::budget::Window;
use crate::catalog::Trim;
use crate::classify::Phrase;
use crate::failure::Class;
use crate::operation::Operation;
use crate::provider;
use crate::routing::Script;
use crate::routing::constraint::LIMITS;
use crate::routing::rules::NEEDS;
use crate::schema::openai::dialect;
use crate::tokens::Family;

text! {
    /// The user's own name of a provider. It ends up in Envoy's cluster names.
    ProviderName: "a provider name: a-z, 0-9, _ and -, at most 40, not dead-end or via-…",
        r"^(?!via-|dead-end$)[a-z0-9][a-z0-9_-]{0,39}$", provider_name;
    /// A provider's name where it is referred to; whether it exists is checked later.
    ProviderRef: "a name under providers", r"^[\s\S]*$", anything;
    /// What clients send as `model`.
    ModelName: "a model name without spaces, at most 200 characters", r"^[^\s\p{Cc}]{1,200}$", model_name;
    /// A name of a model where it is referred to; whether it exists is checked later.
    ModelRef: "a name under models", r"^[\s\S]*$", anything;
    /// A model's name at its provider.
    UpstreamModel: "the model's name at the provider, without spaces, at most 200 characters",
        r"^[^\s\p{Cc}]{1,200}$", model_name;
    /// An `http` or `https` URL.
    EndpointUrl: "a URL such as https://api.example.com/v1", r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s?#%@]+$", endpoint_url;
    /// Name of an environment variable.
    EnvName: "the name of an environment variable, such as OPENAI_API_KEY",
        r"^[A-Za-z_][A-Za-z0-9_]{0,199}$", env_name;
    /// File that holds a key.
    KeyFile: "an absolute path of a file", r"^/[^\p{Cc}]{0,4094}[^\p{Cc}/]$", absolute_file;
    /// File that holds a certificate.
    CaFile: "an absolute path of a file", r"^/[^\p{Cc}]{0,4094}[^\p{Cc}/]$", absolute_file;
    /// Path of the wasm module, relative to Envoy's working directory or absolute.
    ModulePath: "the path of a file", r"^[^\p{Cc}]{0,4095}[^\p{Cc}/]$", file;
    /// A region of Amazon Web Services.
    AwsRegionName: "a region such as us-east-1", r"^[a-z]{2,3}(-[a-z]{2,12}){1,3}-[0-9]{1,2}$", aws_region;
    /// A project or a location of Google Cloud.
    GcpName: "a name such as my-project or europe-west4", r"^[a-z0-9][a-z0-9:.-]{0,99}$", gcp_name;
    /// A header that the user may set.
    HeaderName: "a header name other than those that carry keys or belong to HTTP or the mesh",
        r"^[A-Za-z0-9!#$&'*+.^_`|~-]{1,100}$", header_name;
    /// A header's value.
    HeaderValue: "a header value: printable ASCII, no spaces at its ends", r"^(?:[!-~](?:[ -~]{0,4094}[!-~])?)?$", header_value, private;
    /// A field of a provider's request.
    ParameterName: "a request field other than model, stream and those that hold messages",
        r"^(?!(?:model|stream|messages|contents|input)$)[^\p{Cc}]{1,100}$", parameter_name;
    /// Path of a request to a provider.
    RequestPath: "a path such as /v1/models", r"^/[A-Za-z0-9._~/?&=:@%+-]{0,300}$", request_path;
    /// Path of a chat request.
    ChatPath: "a path such as /chat/completions, with {model} where the model's name stands",
        r"^/[A-Za-z0-9._~/{}?&=:@%+-]{0,300}$", chat_path;
    /// Version of a provider's API.
    ApiVersion: "a version such as 2024-10-21", r"^[A-Za-z0-9._-]{1,40}$", api_version;
    /// The header that carries a key.
    AuthHeader: "a header name other than those that belong to HTTP or the mesh",
        r"^[A-Za-z0-9!#$&'*+.^_`|~-]{1,100}$", auth_header;
    /// A name or a word of a provider's API.
    DialectWord: "a word of a-z, A-Z, 0-9, _ and -", r"^[A-Za-z0-9_-]{1,100}$", dialect_word;
    /// What an error says.
    ErrorText: "a text of at most 200 characters", r"^[^\p{Cc}]{1,200}$", error_text;
    /// Name of a label.
    LabelName: "a label: a-z, 0-9, _ and -, at most 40", r"^[a-z0-9_-]{1,40}$", label_name;
    /// Value of a label.
    LabelValue: "a value: a-z, A-Z, 0-9, _, ., / and -, at most 60", r"^[A-Za-z0-9_./-]{1,60}$", label_value;
    /// What a request must be like.
    ConditionText: "a text of at most 200 characters, in which * stands for anything", r"^[^\p{Cc}]{1,200}$", error_text;
    /// A condition in the Common Expression Language; what it says is checked later.
    ExpressionText: "an expression of at most 2000 characters", r"^(?:[^\p{Cc}]|[\n\t]){1,2000}$", expression_text;
    /// The user's own name of a classifier. It ends up in a cluster's name.
    ClassifierName: "a classifier's name: a-z, 0-9, _ and -, at most 40", r"^[a-z0-9][a-z0-9_-]{0,39}$", template_name;
    /// Words that a request may hold.
    PhraseText: "words, each with at most a * at its end; at most 200 characters", r"^[^\p{Cc}]{1,200}$", phrase;
    /// A claim by its path.
    ClaimPath: "a claim such as sub or realm.role, at most 100 characters", r"^[!-~]{1,100}$", graphic;
    /// A field of the body's `metadata`, or of Envoy's.
    FieldName: "a name of at most 100 characters, without spaces", r"^[!-~]{1,100}$", graphic;
    /// A time of the day.
    Clock: "a time such as \"08:30\"", r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]$", clock;
    /// An offset from UTC.
    UtcOffset: "an offset such as \"+02:00\" or \"-05:30\"", r"^[+-](?:0[0-9]|1[0-4]):[0-5][0-9]$", utc_offset;
    /// A candidate where it is referred to; whether it exists is checked later.
    CandidateName: "provider/model of a candidate", r"^[^\s\p{Cc}]{1,241}$", candidate_name;
    /// Prefix of the paths that are ours.
    BasePath: "a path such as /v1, without a slash at its end", r"^(?:/(?!\.\.?(?:/|$))[A-Za-z0-9._~-]+)+$", base_path;
    /// The user's own name of a template. It is told in a header.
    TemplateName: "a template name: a-z, 0-9, _ and -, at most 40", r"^[a-z0-9][a-z0-9_-]{0,39}$", template_name;
    /// A template's name where it is referred to; whether it exists is checked later.
    TemplateRef: "a name under templates", r"^[\s\S]*$", anything;
    /// A piece of a system prompt.
    TemplateText: "a text of 1 to 16384 characters", r"^[\s\S]+$", template_text;
    /// A model of a provider, or all of them.
    CandidateRef: "provider/model, or provider/*", r"^[a-z0-9][a-z0-9_-]{0,39}/[^\s\p{Cc}]{1,200}$", candidate_ref;
    /// Address to listen on.
    ListenAddress: "an IP address, such as 127.0.0.1 or ::", r"^[0-9A-Fa-f.:]{2,45}$", ip_address;
}

#[cfg(feature = "cli")]
text! {
    /// A directory of Microsoft Entra ID.
    TenantName: "a directory's id or domain", r"^[A-Za-z0-9][A-Za-z0-9.-]{0,99}$", tenant_name;
    /// A client of an authorization server.
    ClientId: "a client's id, without spaces, at most 200 characters", r"^[!-~]{1,200}$", client_id;
    /// What a token is good for.
    ScopeName: "a scope, without spaces, at most 200 characters", r"^[!-~]{1,200}$", client_id;
}

words! {
    /// Which API a provider is.
    Kind: kinds;
    /// `on_unsupported`.
    OnUnsupportedWord: on_unsupported_words;
    /// What a model can be asked for.
    OperationWord: operation_words;
    /// `thinking`.
    ThinkingWord: thinking_words;
    /// Windows of time.
    WindowWord: window_words;
    /// Who keeps a budget.
    BudgetScopeWord: budget_scope_words;
    /// Families of tokenizers.
    TokenizerWord: tokenizer_words;
    /// Fields of other schemas.
    ExtensionWord: extension_words;
    /// `tool_call_ids`.
    ToolCallIdWord: tool_call_id_words;
    /// Forms of `tool_choice`.
    ToolChoiceWord: tool_choice_words;
    /// Types of `response_format`.
    ResponseFormatWord: response_format_words;
    /// How models are told to think.
    ThinkingFormWord: thinking_form_words;
    /// What becomes of what a model lacks.
    LackWord: lack_words;
    /// For whom a wait is worth it.
    WaitWord: wait_words;
    /// What may be left out of a conversation.
    TrimWord: trim_words;
    /// `prompt_cache`.
    PromptCacheWord: prompt_cache_words;
    /// What a request can need.
    NeedWord: need_words;
    /// Scripts.
    ScriptWord: script_words;
    /// Days of the week.
    WeekdayWord: weekday_words;
    /// Limits of a request.
    LimitWord: limit_words;
    /// Why an attempt failed.
    ClassWord: class_words;
}

/// Every kind of provider there is.
pub(super) fn kinds() -> Vec<&'static str> {
    provider::PROVIDERS.iter().map(|p| p.kind()).collect()
}

fn on_unsupported_words() -> Vec<&'static str> {
    vec!["reject", "report", "ignore"]
}

fn operation_words() -> Vec<&'static str> {
    Operation::ALL.into_iter().map(Operation::as_str).collect()
}

fn thinking_words() -> Vec<&'static str> {
    vec!["effort", "budget", "none"]
}

fn window_words() -> Vec<&'static str> {
    Window::NAMES.to_vec()
}

fn tokenizer_words() -> Vec<&'static str> {
    Family::NAMES.to_vec()
}

fn extension_words() -> Vec<&'static str> {
    let all = dialect::REQUEST_EXTENSIONS
        .iter()
        .chain(&dialect::MESSAGE_EXTENSIONS);
    all.copied().collect()
}

fn tool_call_id_words() -> Vec<&'static str> {
    vec!["any", "nine_alphanumerics"]
}

fn tool_choice_words() -> Vec<&'static str> {
    dialect::TOOL_CHOICES.split(' ').collect()
}

fn response_format_words() -> Vec<&'static str> {
    dialect::RESPONSE_FORMATS.split(' ').collect()
}

fn thinking_form_words() -> Vec<&'static str> {
    vec!["effort", "toggle", "switch"]
}

fn wait_words() -> Vec<&'static str> {
    vec!["last", "warm", "any"]
}

fn budget_scope_words() -> Vec<&'static str> {
    vec!["proxy", "fleet"]
}

fn lack_words() -> Vec<&'static str> {
    vec!["prompt", "skip"]
}

fn prompt_cache_words() -> Vec<&'static str> {
    vec!["auto", "off"]
}

fn trim_words() -> Vec<&'static str> {
    Trim::ALL.iter().map(|(_, word)| *word).collect()
}

fn need_words() -> Vec<&'static str> {
    NEEDS.iter().map(|(word, _)| *word).collect()
}

fn script_words() -> Vec<&'static str> {
    Script::NAMES.to_vec()
}

/// In the order of their numbers.
pub(super) fn weekday_words() -> Vec<&'static str> {
    vec!["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
}

fn limit_words() -> Vec<&'static str> {
    LIMITS.iter().map(|limit| limit.name).collect()
}

fn class_words() -> Vec<&'static str> {
    Class::ALL.iter().map(|class| class.as_str()).collect()
}

type Verdict = Result<(), &'static str>;

fn anything(_: &str) -> Verdict {
    Ok(())
}

fn verdict(fits: bool) -> Verdict {
    if fits { Ok(()) } else { Err("") }
}

fn provider_name(name: &str) -> Verdict {
    if name == "dead-end" || name.starts_with("via-") {
        return Err("Pointsman names clusters of its own so");
    }
    template_name(name)
}

fn template_name(name: &str) -> Verdict {
    let small = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let first = name.bytes().next().is_some_and(small);
    let rest = name.bytes().all(|b| small(b) || b == b'_' || b == b'-');
    verdict(first && rest && name.len() <= 40)
}

fn template_text(text: &str) -> Verdict {
    verdict((1..=16_384).contains(&text.chars().count()))
}

fn candidate_ref(text: &str) -> Verdict {
    let (provider, model) = text.split_once('/').ok_or("write provider/model")?;
    provider_name(provider)?;
    model_name(model)
}

fn model_name(name: &str) -> Verdict {
    let printable = |c: char| !c.is_whitespace() && !c.is_control() && c != '\u{feff}';
    verdict(name.chars().all(printable) && (1..=200).contains(&name.chars().count()))
}

fn endpoint_url(url: &str) -> Verdict {
    endpoint::parse(url).map(|_| ())
}

fn aws_region(region: &str) -> Verdict {
    let letters = |part: &str, range: std::ops::RangeInclusive<usize>| {
        range.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_lowercase())
    };
    let parts: Vec<&str> = region.split('-').collect();
    let [area, middle @ .., number] = parts.as_slice() else {
        return verdict(false);
    };
    let digits = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    let named = (1..=3).contains(&middle.len()) && middle.iter().all(|part| letters(part, 2..=12));
    verdict(letters(area, 2..=3) && named && digits)
}

fn gcp_name(name: &str) -> Verdict {
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b":.-".contains(&b);
    verdict(starts && name.len() <= 100 && name.bytes().all(fits))
}

#[cfg(feature = "cli")]
fn tenant_name(name: &str) -> Verdict {
    let starts = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let fits = |b: u8| b.is_ascii_alphanumeric() || b".-".contains(&b);
    verdict(starts && name.len() <= 100 && name.bytes().all(fits))
}

#[cfg(feature = "cli")]
fn client_id(id: &str) -> Verdict {
    let length = (1..=200).contains(&id.len());
    verdict(length && id.bytes().all(|b| b.is_ascii_graphic()))
}

fn env_name(name: &str) -> Verdict {
    let letter = |b: u8| b.is_ascii_alphabetic() || b == b'_';
    let first = name.bytes().next().is_some_and(letter);
    let rest = name.bytes().all(|b| letter(b) || b.is_ascii_digit());
    verdict(first && rest && name.len() <= 200)
}

fn absolute_file(path: &str) -> Verdict {
    file(path)?;
    verdict(path.starts_with('/'))
}

fn file(path: &str) -> Verdict {
    let length = (1..=4096).contains(&path.chars().count());
    verdict(length && !path.ends_with('/') && !path.chars().any(char::is_control))
}

/// Headers that are refused, with the reason.
///
/// Credentials have their own place; framing belongs to Envoy; the body's own headers to
/// the translation.
fn header_name(name: &str) -> Verdict {
    let lower = name.to_ascii_lowercase();
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$&'*+.^_`|~-".contains(&b);
    if is_credential_header(&lower) {
        return Err("keys are given by `key`");
    }
    if lower.starts_with("x-envoy-") || lower.starts_with("x-pointsman-") {
        return Err("the gateway sets these itself");
    }
    if MESSAGE_HEADERS.contains(&lower.as_str()) {
        return Err("it belongs to the message and its transport");
    }
    verdict((1..=100).contains(&name.len()) && name.bytes().all(token))
}

/// Whether a header carries a credential, for any provider that we know of.
fn is_credential_header(lower: &str) -> bool {
    let known = [
        "authorization",
        "proxy-authorization",
        "cookie",
        "api-key",
        "x-api-key",
    ];
    let of_provider =
        |auth: provider::Auth| matches!(auth, provider::Auth::Header(h) if h == *lower);
    known.contains(&lower) || provider::PROVIDERS.iter().any(|p| of_provider(p.auth()))
}

const MESSAGE_HEADERS: &[&str] = &[
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Any header may carry a key but those that mean something else.
fn auth_header(name: &str) -> Verdict {
    let lower = name.to_ascii_lowercase();
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$&'*+.^_`|~-".contains(&b);
    if lower.starts_with("x-envoy-") || lower.starts_with("x-pointsman-") {
        return Err("the gateway sets these itself");
    }
    if MESSAGE_HEADERS.contains(&lower.as_str()) || lower == "cookie" {
        return Err("it belongs to the message and its transport");
    }
    verdict((1..=100).contains(&name.len()) && name.bytes().all(token))
}

/// One query at most, and no placeholder but the model's.
fn chat_path(path: &str) -> Verdict {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._~/{}?&=:@%+-".contains(&b);
    let plain = path.replace("{model}", "");
    if plain.contains(['{', '}']) {
        return Err("{model} is the only placeholder");
    }
    let one_query = path.matches('?').count() <= 1;
    verdict(path.starts_with('/') && path.len() <= 301 && path.bytes().all(allowed) && one_query)
}

fn request_path(path: &str) -> Verdict {
    verdict(!path.contains('{') && chat_path(path).is_ok())
}

fn api_version(version: &str) -> Verdict {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    verdict((1..=40).contains(&version.len()) && version.bytes().all(allowed))
}

fn label_name(name: &str) -> Verdict {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
    verdict((1..=40).contains(&name.len()) && name.bytes().all(allowed))
}

fn label_value(value: &str) -> Verdict {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_./-".contains(&b);
    verdict((1..=60).contains(&value.len()) && value.bytes().all(allowed))
}

fn graphic(text: &str) -> Verdict {
    let fits = (1..=100).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    verdict(fits)
}

fn candidate_name(text: &str) -> Verdict {
    let printable = |c: char| !c.is_whitespace() && !c.is_control() && c != '\u{feff}';
    verdict(text.chars().all(printable) && (1..=241).contains(&text.chars().count()))
}

/// Minutes since midnight.
pub(super) fn minutes(clock: &str) -> Option<u16> {
    let (hours, minutes) = clock.split_once(':')?;
    let number = |text: &str, below: u16| -> Option<u16> {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|n| digits && *n < below)
    };
    Some(number(hours, 24)? * 60 + number(minutes, 60)?)
}

fn clock(text: &str) -> Verdict {
    verdict(minutes(text).is_some())
}

/// Minutes, at most 14 hours and 59 minutes.
pub(super) fn offset_minutes(text: &str) -> Option<i64> {
    let minutes = |clock| minutes(clock).filter(|m| *m < 15 * 60).map(i64::from);
    match text.strip_prefix('-') {
        Some(clock) => minutes(clock).map(|m| -m),
        None => minutes(text.strip_prefix('+')?),
    }
}

fn utc_offset(text: &str) -> Verdict {
    verdict(offset_minutes(text).is_some())
}

fn dialect_word(word: &str) -> Verdict {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    verdict((1..=100).contains(&word.len()) && word.bytes().all(allowed))
}

fn error_text(text: &str) -> Verdict {
    let length = (1..=200).contains(&text.chars().count());
    verdict(length && !text.chars().any(char::is_control))
}

fn expression_text(text: &str) -> Verdict {
    let fits = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    verdict((1..=2000).contains(&text.chars().count()) && text.chars().all(fits))
}

fn phrase(text: &str) -> Verdict {
    error_text(text)?;
    verdict(Phrase::parse(text).is_some())
}

fn header_value(value: &str) -> Verdict {
    let printable = value.bytes().all(|b| (b' '..=b'~').contains(&b));
    verdict(printable && value.trim() == value && value.len() <= 4096)
}

fn parameter_name(name: &str) -> Verdict {
    match name {
        "model" => Err("the candidate's `model` says it"),
        "stream" | "messages" | "contents" | "input" => Err("the client says it"),
        _ => verdict(
            (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control),
        ),
    }
}

fn base_path(path: &str) -> Verdict {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._~-".contains(&b);
    let segment = |s: &str| !matches!(s, "" | "." | "..") && s.bytes().all(allowed);
    let rest = path.strip_prefix('/').ok_or("begin with a slash")?;
    verdict(rest.split('/').all(segment))
}

fn ip_address(address: &str) -> Verdict {
    verdict(address.parse::<IpAddr>().is_ok())
}
