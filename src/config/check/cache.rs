//! Caches of answers: who shares, how much is kept, and what makes old answers useless.

use std::collections::BTreeMap;

use super::budgets::check_by;
use super::size;
use crate::cache::{Bounds, SETS};
use crate::config::document::{Node, Value};
use crate::config::path::Path;
use crate::config::problem::{At, Finding, Findings};
use crate::config::raw::RawLimits;
use crate::config::raw_cache::RawCache;
use crate::config::shape::Given;
use crate::config::units::show_size;
use crate::config::{Config, ResponseCache};
use crate::routing::hash::{extend, mix};
use crate::sorted::by_name;

const TOTAL_BYTES: u64 = 64 << 20;
const ENTRY_BYTES: u64 = 256 << 10;

/// Parts of the document that answers of all models depend on.
const COMMON: [&str; 4] = ["providers", "defaults", "templates", "rules"];

pub(super) fn check(
    raw: &Given<RawCache>,
    path: &Path,
    findings: &mut Findings<'_>,
) -> Option<ResponseCache> {
    let RawCache {
        ttl,
        by,
        shared,
        tool_calls,
        image_urls,
        deterministic_only,
    } = raw.get()?;
    let told = by.get().map(check_by);
    let is_shared = shared.get().copied().unwrap_or(false);
    let says_who = told.as_ref().is_some_and(|by| !by.is_nobody());
    let ttl_ms = ttl.get().map_or(0, |ttl| ttl.0);
    if says_who == is_shared && ttl_ms > 0 && (by.is_absent() || by.get().is_some()) {
        let found = match says_who {
            true => "by and shared",
            false => "neither by nor shared: true",
        };
        let finding = Finding::new(found, "who shares answers: by, or shared: true");
        let hint = "say by: {header: ...}, {claim: ...} or {identity: true} to keep tenants apart";
        findings.error(At::Value, path, finding.hint(hint));
    }
    let is_so = |given: &Given<bool>| given.get().copied().unwrap_or(false);
    Some(ResponseCache {
        ttl_ms,
        by: told.filter(|_| !is_shared),
        tool_calls: is_so(tool_calls),
        image_urls: is_so(image_urls),
        deterministic_only: is_so(deterministic_only),
    })
}

pub(super) fn check_bounds(raw: Option<&RawLimits>, findings: &mut Findings<'_>) -> Bounds {
    let unsaid = RawLimits::default();
    let raw = raw.unwrap_or(&unsaid);
    let total = size(&raw.cache, TOTAL_BYTES);
    let most = total / SETS;
    let entry = size(&raw.cache_entry, ENTRY_BYTES.min(most));
    if entry > most {
        let expected = format!("at most {}, a {SETS}nd of limits.cache", show_size(most));
        let place = Path::default().key("limits").key("cache_entry");
        findings.error(At::Value, &place, Finding::new(show_size(entry), expected));
    }
    Bounds { total, entry }
}

/// For each model a number that changes with whatever its answers depend on; none when no answer
/// is kept.
pub(super) fn versions(root: &Node, config: &Config) -> BTreeMap<String, u64> {
    let mut of_models = config.models.values().map(|model| &model.cache);
    let mut of_rules = config.routing.rules.iter().map(|rule| &rule.cache);
    if !of_models.any(Option::is_some) && !of_rules.any(Option::is_some) {
        return BTreeMap::new();
    }
    let common = COMMON.iter().fold(0, |hash, name| {
        root.entry(name)
            .map_or(hash, |entry| hash_of(hash, &entry.node))
    });
    let models = root.entry("models");
    let version = |name: &String| {
        let own = models.and_then(|models| models.node.entry(name));
        own.map_or(common, |entry| hash_of(common, &entry.node))
    };
    let names = config.models.keys();
    by_name(names.map(|name| (name.clone(), version(name))))
}

fn hash_of(hash: u64, node: &Node) -> u64 {
    let (kind, hash) = match &node.value {
        Value::Null => (0, hash),
        Value::Bool(value) => (1 + u64::from(*value), hash),
        Value::Number(number) => (3, extend(hash, &number.to_string())),
        Value::Text(text) => (4, extend(hash, text)),
        Value::List(items) => (5, items.iter().fold(hash, hash_of)),
        Value::Map(entries) => {
            let each = |hash, name: &str, node| hash_of(mix(extend(hash, name)), node);
            let all = entries.iter();
            (
                6,
                all.fold(hash, |hash, entry| each(hash, &entry.key, &entry.node)),
            )
        }
    };
    mix(hash ^ kind)
}
