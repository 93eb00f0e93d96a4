//! What a client says of caches.

/// A request's `cache-control`, as far as it matters here.
///
/// Source: RFC 9111, "HTTP Caching", 5.2.1, read 2026-11-21. `min-fresh` and `max-stale` ask for
/// nothing that is not done anyway: nothing stale is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Directives {
    /// Not out of a cache.
    pub no_cache: bool,
    /// Not out of a cache, nor into it.
    pub no_store: bool,
    /// Out of a cache or not at all.
    pub only_if_cached: bool,
    /// Not older than this, in seconds.
    pub max_age_s: Option<u64>,
}

impl Directives {
    /// Reads the header's value; what is not known asks for nothing.
    pub fn parse(value: &str) -> Directives {
        let mut all = Directives::default();
        for part in value.split(',') {
            let (name, argument) = part.split_once('=').unwrap_or((part, ""));
            let name = name.trim();
            let is = |other: &str| name.eq_ignore_ascii_case(other);
            if is("no-cache") {
                all.no_cache = true;
            } else if is("no-store") {
                all.no_store = true;
            } else if is("only-if-cached") {
                all.only_if_cached = true;
            } else if is("max-age") {
                let seconds = argument.trim().trim_matches('"').parse();
                // What cannot be read is taken to be stale.
                let seconds = seconds.unwrap_or(0);
                all.max_age_s = Some(all.max_age_s.map_or(seconds, |s: u64| s.min(seconds)));
            }
        }
        all
    }

    /// Whether an answer of this age may be given.
    pub fn allow(&self, age_s: u64) -> bool {
        !self.no_cache && !self.no_store && self.max_age_s.is_none_or(|most| age_s <= most)
    }
}
