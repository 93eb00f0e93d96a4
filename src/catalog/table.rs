//! The facts of known models, by provider.
//!
//! `models.json` is kept by hand: providers and models sorted, a number only with a source
//! that was read, nothing where sources say nothing. Where two sources disagree the vendor's own
//! page wins and a note says so. The tests hold the file to what a number may be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::date::Date;
use super::facts::{Ability, Facts, abilities};

/// Every provider that we know models of, by its name in the catalogue.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Catalog {
    /// The providers.
    pub groups: BTreeMap<String, Group>,
}

/// One provider and its models.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Kinds of provider that it is, besides that of its own name.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Its hosts; one that begins with a dot or a hyphen stands for all that end so.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// What may stand before a model's name without making it another model.
    #[serde(default)]
    pub prefixes: Vec<String>,
    /// The provider whose models it has as well, under the same names without a day.
    #[serde(default)]
    pub like: Option<String>,
    /// Where the facts come from.
    pub source: Source,
    /// Whether users name the models themselves, so that an unknown name is no slip.
    #[serde(default)]
    pub own_names: bool,
    /// What holds for all of its facts.
    #[serde(default)]
    pub note: Option<String>,
    /// What all of its chat models can do that do not say otherwise.
    #[serde(default, deserialize_with = "abilities")]
    pub can: BTreeSet<Ability>,
    /// What none of its chat models can do that does not say otherwise.
    #[serde(default, deserialize_with = "abilities")]
    pub cannot: BTreeSet<Ability>,
    /// The models, by the name that the provider knows.
    pub models: BTreeMap<String, Facts>,
}

/// Where facts come from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The provider's own page about models or prices, without its scheme.
    pub page: String,
    /// Further pages.
    #[serde(default)]
    pub more: Vec<String>,
    /// Published tables that carry the pages' facts and were held against each other.
    #[serde(default)]
    pub via: Vec<String>,
    /// When.
    pub read: Date,
}

static BUILT_IN: LazyLock<Catalog> = LazyLock::new(|| {
    // A test holds the file to being readable.
    Catalog::parse(include_str!("models.json")).unwrap_or_default()
});

/// The catalogue that comes with this build.
pub fn built_in() -> &'static Catalog {
    &BUILT_IN
}

impl Catalog {
    /// Reads a catalogue from JSON; the error says the line.
    fn parse(json: &str) -> Result<Catalog, serde_json::Error> {
        let mut catalog: Catalog = serde_json::from_str(json)?;
        for group in catalog.groups.values_mut() {
            group.tell_models();
        }
        catalog.share_models();
        Ok(catalog)
    }

    /// Gives groups the models of those that they are like. Each vendor ends models when it
    /// likes.
    fn share_models(&mut self) {
        let shared: Vec<_> = self
            .groups
            .iter()
            .map(|(name, group)| (name, &group.like))
            .collect();
        let shared = shared.into_iter().filter_map(|(name, like)| {
            let models = self.groups.get(like.as_ref()?)?.models.iter();
            let named = models.filter(|(model, _)| without_day(model) == model.as_str());
            let named = named.map(|(model, facts)| {
                let facts = Facts {
                    deprecated: None,
                    shutdown: None,
                    ..facts.clone()
                };
                (model.clone(), facts)
            });
            Some((name.clone(), named.collect::<Vec<_>>()))
        });
        for (name, models) in shared.collect::<Vec<_>>() {
            if let Some(group) = self.groups.get_mut(&name) {
                group.models.extend(models);
            }
        }
    }

    /// The group of a provider that a document declares: told by its kind where no host tells,
    /// by its host, by its kind, then by the user's own name for it.
    pub fn group_of(&self, kind: &str, host: &str, name: &str) -> Option<(&str, &Group)> {
        let find = |fits: &dyn Fn(&str, &Group) -> bool| {
            let groups = self.groups.iter().map(|(own, group)| (own.as_str(), group));
            groups.into_iter().find(|(own, group)| fits(own, group))
        };
        let is_of_kind = |own: &str, g: &Group| own == kind || g.kinds.iter().any(|k| k == kind);
        find(&|own, group| group.hosts.is_empty() && is_of_kind(own, group))
            .or_else(|| find(&|_, group| group.is_at(host)))
            .or_else(|| find(&is_of_kind))
            .or_else(|| find(&|own, _| own == name))
    }
}

impl Group {
    /// Whether it is served from this host.
    fn is_at(&self, host: &str) -> bool {
        let mut hosts = self.hosts.iter();
        hosts.any(|known| match known.starts_with(['.', '-']) {
            true => host.ends_with(known.as_str()),
            false => host == known,
        })
    }

    /// The facts of a model: of exactly this name, or of the name without a region before it
    /// or a day behind it. Prices may differ then.
    pub fn model(&self, name: &str) -> Option<&Facts> {
        let mut prefixes = self.prefixes.iter();
        let bare = prefixes.find_map(|p| name.strip_prefix(p.as_str()));
        let bare = bare.unwrap_or(name);
        [name, bare, without_day(bare)]
            .into_iter()
            .find_map(|name| self.models.get(name))
    }

    /// Writes what holds for all chat models into each.
    fn tell_models(&mut self) {
        for facts in self.models.values_mut() {
            if facts.can.contains(&Ability::Embeddings) {
                continue;
            }
            let unsaid = |ability: &&Ability| facts.knows(**ability).is_none();
            let can: Vec<Ability> = self.can.iter().filter(unsaid).copied().collect();
            let cannot: Vec<Ability> = self.cannot.iter().filter(unsaid).copied().collect();
            facts.can.extend(can);
            facts.cannot.extend(cannot);
        }
    }
}

/// `gpt-5` of `gpt-5-2025-08-07`, `claude-opus-4-5` of `claude-opus-4-5-20251101` and of
/// `claude-opus-4-5@20251101`.
fn without_day(name: &str) -> &str {
    let fits = |text: &str, shape: &str| {
        text.bytes().zip(shape.bytes()).all(|(b, s)| match s {
            b'0' => b.is_ascii_digit(),
            s => b == s,
        })
    };
    let bare = |shape: &'static str| {
        let (bare, day) = name.split_at_checked(name.len().checked_sub(shape.len())?)?;
        fits(day, shape).then_some(bare)
    };
    let mut shapes = ["-0000-00-00", "-00000000", "@00000000", "@default"].into_iter();
    shapes.find_map(bare).unwrap_or(name)
}

#[cfg(test)]
mod tests;
