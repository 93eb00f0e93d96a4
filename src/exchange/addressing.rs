//! The head of a request to a provider: where it goes, with whose key, and nothing of others.

use super::credentials::is_withheld;
use super::handoff::{self, KEY_PREFIX};
use super::mutation::Mutation;
use crate::config::{Config, ProviderConfig};
use crate::provider::Auth;

/// Takes away what the provider must not see, and says where it is. `headers` are all headers of
/// the request.
pub(super) fn address_to(
    config: &Config,
    provider: &ProviderConfig,
    path: String,
    headers: &[(String, String)],
    mutation: &mut Mutation,
) {
    let withheld = |name: &String| is_withheld(name) || config.sets_header(name);
    for (name, _) in headers.iter().filter(|(name, _)| withheld(name)) {
        mutation.remove(name.clone());
    }
    mutation.set(":path", path);
    mutation.set(":authority", provider.endpoint.authority());
}

/// Sets the headers that every request to the provider carries, and its key. `token` is the access
/// token that an earlier attempt has kept.
pub(super) fn set_own(
    provider: &ProviderConfig,
    token: &str,
    headers: &[(String, String)],
    mutation: &mut Mutation,
) {
    for (name, value) in provider.kind.headers() {
        mutation.set(*name, *value);
    }
    for (name, value) in &provider.headers {
        mutation.set(name.clone(), value.clone());
    }
    set_key(provider, token, headers, mutation);
}

/// Moves the key from where Envoy's credential injector put it to where the provider
/// looks for it. Without a key the provider itself refuses, which leads to the next candidate.
fn set_key(
    provider: &ProviderConfig,
    kept: &str,
    headers: &[(String, String)],
    mutation: &mut Mutation,
) {
    let find = |header: &str| headers.iter().find(|(name, _)| name == header);
    // It stands in the headers of the first attempt, which removes it, for all.
    let token = find(handoff::TOKEN_HEADER).map(|(_, token)| token.as_str());
    if let Some(token) = token {
        mutation.store(handoff::TOKEN, token);
    }
    if provider.metadata_tokens {
        let token = token.unwrap_or(kept);
        if !token.is_empty() {
            mutation.set("authorization", format!("Bearer {token}"));
        }
    }
    if provider.key.is_none() {
        return;
    }
    let header = format!("{KEY_PREFIX}{}", provider.name);
    let Some((_, key)) = find(&header) else {
        return;
    };
    match &provider.auth {
        Auth::Bearer | Auth::AwsSigV4 { .. } => {
            mutation.set("authorization", format!("Bearer {}", key.trim()))
        }
        Auth::Header(name) => mutation.set(name.clone(), key.trim()),
    }
}
