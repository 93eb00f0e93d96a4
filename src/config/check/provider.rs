//! Providers: kind, endpoint, key, headers.

use std::collections::BTreeMap;

use super::candidate::check_labels;
use super::dialect::{Spoken, check_dialect};
use super::{aws, tokens};
use crate::catalog::Concurrency;
use crate::config::endpoint;
use crate::config::names::{
    ApiVersion, EndpointUrl, EnvName, HeaderName, HeaderValue, KeyFile, Kind, ProviderName,
    RequestPath, kinds,
};
use crate::config::path::Path;
use crate::config::problem::{At, Finding, Findings};
use crate::config::raw::{
    Key, RawCircuitBreaker, RawConcurrency, RawKeepWarm, RawOutlierDetection, RawProvider,
};
use crate::config::shape::Given;
use crate::config::values::{Int, Map};
use crate::config::words::{did_you_mean, one_of, quote};
use crate::config::{
    CircuitBreaker, Endpoint, KeepWarm, KeySource, OutlierDetection, ProviderConfig,
};
use crate::provider::{self, API_VERSION, Provider};

pub(super) fn providers(
    raw: &Given<Map<ProviderName, RawProvider, 1>>,
    findings: &mut Findings<'_>,
) -> BTreeMap<String, ProviderConfig> {
    let top = Path::default().key("providers");
    let mut checked = BTreeMap::new();
    for (name, raw) in raw.get().into_iter().flat_map(|map| &map.entries) {
        let Some(raw) = raw else { continue };
        if let Some(provider) = check_provider(name, raw, &top.key(name), findings) {
            checked.insert(name.clone(), provider);
        }
    }
    checked
}

fn check_provider(
    name: &str,
    raw: &RawProvider,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Option<ProviderConfig> {
    let RawProvider {
        kind,
        endpoint,
        key,
        aws,
        gcp,
        #[cfg(feature = "cli")]
            oauth: _, // checked as a whole
        ca_file,
        http2,
        connect_timeout,
        api_version,
        dialect,
        labels,
        template: _, // its candidates take it
        headers,
        outlier_detection,
        circuit_breaker,
        concurrency,
        preconnect,
        keep_warm,
    } = raw;
    let headers = check_headers(headers, path, findings);
    let kind = check_kind(name, kind, path, findings)?;
    let mut spoken = check_dialect(kind, dialect, path, findings);
    check_api_version(kind, api_version, &mut spoken, path, findings);
    let region = aws::region(kind, aws, path, findings);
    let project = tokens::project_endpoint(kind, gcp, path, findings);
    let told = |said: bool, known: bool| said && !known && endpoint.is_absent();
    if told(!aws.is_absent(), region.is_some()) || told(!gcp.is_absent(), project.is_some()) {
        return None; // A mistake in `aws` or `gcp` is told already.
    }
    let own = region
        .and_then(|region| kind.regional_endpoint(region))
        .or(project);
    let mut endpoint = check_endpoint(kind, endpoint, own, path, findings)?;
    leave_out_what_the_path_has(kind, &spoken, &mut endpoint);
    endpoint.ca_file = ca_file.get().map(|file| file.0.clone());
    refuse_ca_without_tls(&endpoint, path, findings);
    #[cfg(feature = "cli")]
    let oauth = tokens::check_oauth(kind, raw, path, findings);
    #[cfg(feature = "cli")]
    if raw.oauth.is_absent() {
        warn_of_key(kind, key, &endpoint, path, findings);
    }
    let signing = match key.is_absent() {
        true => aws::signing(kind, aws, &endpoint, path, findings)?,
        false => None,
    };
    let listing = listing(kind, spoken.path.as_deref(), &endpoint);
    Some(ProviderConfig {
        keep_warm: check_keep_warm(keep_warm.get(), listing, path, findings),
        metadata_tokens: key.is_absent() && gcp.get().is_some(),
        #[cfg(feature = "cli")]
        oauth,
        signing,
        name: name.to_owned(),
        kind,
        endpoint,
        key: key.get().and_then(key_source),
        path: spoken.path,
        auth: spoken.auth,
        dialect: spoken.dialect,
        labels: check_labels(labels),
        headers,
        connect_timeout_ms: connect_timeout.get().map_or(2_000, |d| d.0),
        http2: http2.get().copied().unwrap_or(false),
        outlier_detection: check_outlier_detection(outlier_detection.get()),
        circuit_breaker: check_circuit_breaker(circuit_breaker.get()),
        concurrency: check_concurrency(concurrency.get(), path, findings),
        preconnect: number(preconnect, 0),
    })
}

fn check_kind(
    name: &str,
    kind: &Given<Kind>,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Option<&'static dyn Provider> {
    match kind {
        Given::As(Kind(kind)) => provider::find(kind),
        Given::Broken => None,
        Given::Absent => provider::find(name).or_else(|| {
            let words = kinds();
            let expected = one_of(&words);
            let near = did_you_mean(name, words);
            let hint = near.unwrap_or_else(|| {
                "servers that speak OpenAI's API are openai_compatible".to_owned()
            });
            let finding = Finding::new("nothing", expected).hint(hint);
            findings.error(At::Key, &path.key("kind"), finding);
            None
        }),
    }
}

fn check_endpoint(
    kind: &'static dyn Provider,
    endpoint: &Given<EndpointUrl>,
    own: Option<String>,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Option<Endpoint> {
    let url = match endpoint {
        Given::As(url) => Some(url.0.as_str()),
        Given::Broken => return None,
        Given::Absent => kind.default_endpoint().or(own.as_deref()),
    };
    if url.is_none() {
        let finding = Finding::new("nothing", "a URL such as https://api.example.com/v1").hint(
            if kind.regional_endpoint("us-east-1").is_some() {
                "or write aws: {region: us-east-1}".to_owned()
            } else if kind.project_endpoint("", "").is_some() {
                "or write gcp: {project: my-project, location: eu}".to_owned()
            } else {
                format!("{} has no address of its own", kind.kind())
            },
        );
        findings.error(At::Key, &path.key("endpoint"), finding);
    }
    endpoint::parse(url?).ok()
}

fn check_api_version(
    kind: &'static dyn Provider,
    api_version: &Given<ApiVersion>,
    spoken: &mut Spoken,
    path: &Path,
    findings: &mut Findings<'_>,
) {
    let Some(ApiVersion(version)) = api_version.get() else {
        return;
    };
    let expected = match (kind.versioned_path(), &spoken.path) {
        (Some(versioned), None) => {
            spoken.path = Some(versioned.replace(API_VERSION, version));
            return;
        }
        (Some(_), Some(_)) => "nothing, because dialect.path says it",
        (None, _) => "nothing, because its paths have no version",
    };
    let finding = Finding::new(quote(version), expected);
    findings.error(At::Key, &path.key("api_version"), finding);
}

/// Vendors show addresses with a part of the path at their end; it counts once.
fn leave_out_what_the_path_has(
    kind: &'static dyn Provider,
    spoken: &Spoken,
    endpoint: &mut Endpoint,
) {
    let path = spoken.path.clone();
    let path = path.unwrap_or_else(|| kind.chat_path("", false));
    let rest = path.strip_prefix(endpoint.path.as_str());
    if rest.is_some_and(|rest| rest.starts_with('/')) {
        endpoint.path.clear();
    }
}

pub(super) fn refuse_ca_without_tls(endpoint: &Endpoint, path: &Path, findings: &mut Findings<'_>) {
    if endpoint.ca_file.is_some() && !endpoint.tls {
        let finding = Finding::new("a file", "nothing, because the endpoint is plain http");
        findings.error(At::Value, &path.key("ca_file"), finding);
    }
}

/// A public address without a key, or a key in the clear over a public network.
#[cfg(feature = "cli")]
fn warn_of_key(
    kind: &'static dyn Provider,
    key: &Given<Key>,
    endpoint: &Endpoint,
    path: &Path,
    findings: &mut Findings<'_>,
) {
    let public = kind
        .default_endpoint()
        .and_then(|url| endpoint::parse(url).ok());
    let vendor = public.is_some_and(|public| public.host == endpoint.host);
    if key.is_absent() && vendor && !stays_inside(&endpoint.host) {
        let finding = Finding::new("no key", "a key, because this is the vendor's own address")
            .hint("write key: {env: NAME}");
        findings.warning(At::Key, path, finding);
    }
    if !key.is_absent() && !endpoint.tls && !stays_inside(&endpoint.host) {
        let finding = Finding::new(
            "plain http",
            "https, so that the key does not travel in clear",
        );
        findings.warning(At::Value, &path.key("endpoint"), finding);
    }
}

/// Whether a host is on this machine or in this cluster, as far as its name tells.
#[cfg(feature = "cli")]
fn stays_inside(host: &str) -> bool {
    let inside = [".svc", ".local", ".internal", ".localhost"];
    let address = host.parse::<std::net::IpAddr>().is_ok();
    address
        || !host.contains('.')
        || host.contains(".svc.")
        || inside.iter().any(|end| host.ends_with(end))
}

pub(super) fn key_source(key: &Key) -> Option<KeySource> {
    let Key { env, file } = key;
    match (env.get(), file.get()) {
        (Some(EnvName(name)), None) => Some(KeySource::Env(name.clone())),
        (None, Some(KeyFile(path))) => Some(KeySource::File(path.clone())),
        _ => None,
    }
}

/// Header names in lower case, as HTTP/2 and Envoy write them.
fn check_headers(
    raw: &Given<Map<HeaderName, HeaderValue, 0>>,
    path: &Path,
    findings: &mut Findings<'_>,
) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    for (name, value) in raw.get().into_iter().flat_map(|map| &map.entries) {
        let Some(HeaderValue(value)) = value else {
            continue;
        };
        if headers
            .insert(name.to_ascii_lowercase(), value.clone())
            .is_some()
        {
            let found = format!("{} again", quote(name));
            let finding =
                Finding::new(found, "each header once").hint("capitals make no difference");
            findings.error(At::Key, &path.key("headers").key(name), finding);
        }
    }
    headers
}

fn check_outlier_detection(raw: Option<&RawOutlierDetection>) -> OutlierDetection {
    let unsaid = RawOutlierDetection::default();
    let RawOutlierDetection {
        consecutive_failures,
        interval,
        ejection,
    } = raw.unwrap_or(&unsaid);
    OutlierDetection {
        consecutive_failures: number(consecutive_failures, 5),
        interval_ms: interval.get().map_or(5_000, |d| d.0),
        ejection_ms: ejection.get().map_or(30_000, |d| d.0),
    }
}

fn check_circuit_breaker(raw: Option<&RawCircuitBreaker>) -> CircuitBreaker {
    let unsaid = RawCircuitBreaker::default();
    let RawCircuitBreaker {
        max_connections,
        max_pending_requests,
        max_requests,
        max_retries,
        retry_percent,
    } = raw.unwrap_or(&unsaid);
    CircuitBreaker {
        max_connections: number(max_connections, 1_024),
        max_pending_requests: number(max_pending_requests, 1_024),
        max_requests: number(max_requests, 4_096),
        max_retries: number(max_retries, 1_024),
        retry_percent: retry_percent.get().map(|_| number(retry_percent, 0)),
    }
}

fn check_concurrency(
    raw: Option<&RawConcurrency>,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Option<Concurrency> {
    let RawConcurrency { most, least } = raw?;
    let most = number(most, u32::MAX);
    let least = number(least, most);
    if least > most {
        let finding = Finding::new(
            least.to_string(),
            format!("at most {most}, which is `most`"),
        );
        findings.error(At::Value, &path.key("concurrency").key("least"), finding);
    }
    Some(Concurrency { most, least })
}

/// Where a provider lists its models, beside its chat.
fn listing(kind: &'static dyn Provider, chat: Option<&str>, endpoint: &Endpoint) -> Option<String> {
    let beside = |chat: &str| match chat.contains(['{', '?']) {
        true => None,
        false => Some(format!(
            "{}/models",
            chat.strip_suffix("/chat/completions")?
        )),
    };
    let path = match (kind.models_path(), chat) {
        (Some(path), _) => Some(path.to_owned()),
        (None, Some(chat)) => beside(chat),
        (None, None) => beside(kind.path()?),
    };
    path.map(|path| endpoint.path.clone() + &path)
}

fn check_keep_warm(
    raw: Option<&RawKeepWarm>,
    listing: Option<String>,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Option<KeepWarm> {
    let RawKeepWarm { every, path: said } = raw?;
    let asked = match said {
        Given::As(RequestPath(path)) => Some(path.clone()),
        Given::Broken => return None,
        Given::Absent => listing,
    };
    if asked.is_none() {
        let finding = Finding::new("nothing", "a path that costs nothing to ask for")
            .hint("any answer will do, a 404 as well");
        findings.error(At::Key, &path.key("keep_warm").key("path"), finding);
    }
    Some(KeepWarm {
        every_ms: every.get()?.0,
        path: asked?,
    })
}

/// The shape's range holds it within 32 bits already.
pub(super) fn number<const MIN: u64, const MAX: u64>(
    given: &Given<Int<MIN, MAX>>,
    default: u32,
) -> u32 {
    given
        .get()
        .map_or(default, |n| u32::try_from(n.0).unwrap_or(u32::MAX))
}
