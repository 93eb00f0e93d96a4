use std::collections::BTreeSet;

use super::{Catalog, built_in, without_day};
use crate::catalog::price::Prices;
use crate::catalog::{Ability, Facts, Thinking};

const TEXT: &str = include_str!("../models.json");

fn models() -> impl Iterator<Item = (String, &'static Facts)> {
    let groups = built_in().groups.iter();
    groups.flat_map(|(name, group)| {
        let named = move |(model, facts)| (format!("{name}/{model}"), facts);
        group.models.iter().map(named)
    })
}

#[test]
fn the_file_is_readable() {
    Catalog::parse(TEXT).expect("models.json");
    assert!(models().count() >= 250, "{}", models().count());
}

/// Names of the objects that are indented by so many spaces, by the object around them.
fn names(indent: usize) -> Vec<Vec<&'static str>> {
    let mut lists = vec![Vec::new()];
    for line in TEXT.lines() {
        let depth = line.len() - line.trim_start().len();
        if depth < indent {
            lists.push(Vec::new());
        }
        let named = line.trim_start().strip_prefix('"');
        let named = named.and_then(|line| line.split_once("\": {"));
        if let (true, Some((name, _))) = (depth == indent, named) {
            lists.last_mut().expect("one").push(name);
        }
    }
    lists.retain(|list| !list.is_empty());
    lists
}

#[test]
fn providers_and_models_are_sorted_and_stand_once() {
    let (providers, models) = (names(1), names(3));
    assert_eq!(providers.len(), 1);
    assert_eq!(providers[0].len(), built_in().groups.len());
    let alike = built_in()
        .groups
        .values()
        .filter(|group| group.like.is_some());
    assert_eq!(models.len() + alike.count(), providers[0].len());
    let listed: usize = models.iter().map(Vec::len).sum();
    let alike = built_in()
        .groups
        .values()
        .filter(|group| group.like.is_some());
    let shared: usize = alike.map(|group| group.models.len()).sum();
    assert_eq!(listed + shared, self::models().count());
    for list in providers.iter().chain(&models) {
        let unsorted: Vec<_> = list.windows(2).filter(|pair| pair[0] >= pair[1]).collect();
        assert!(unsorted.is_empty(), "{unsorted:?}");
    }
}

#[test]
fn every_provider_says_where_its_facts_come_from() {
    for (name, group) in &built_in().groups {
        let pages = [&group.source.page].into_iter().chain(&group.source.more);
        for page in pages {
            let host = page.split('/').next().expect("a host");
            assert!(
                host.contains('.') && !page.contains("://"),
                "{name}: {page}"
            );
        }
        assert!(!group.source.via.is_empty(), "{name}");
        for package in &group.source.via {
            let words: Vec<&str> = package.split(' ').collect();
            assert!(
                matches!(words[..], ["PyPI" | "npm", _, _]),
                "{name}: {package}"
            );
        }
        assert!(
            group.source.read >= "2026-11-21".parse().expect("a day"),
            "{name}"
        );
    }
}

#[test]
fn the_providers_that_documents_declare_are_there() {
    for name in [
        "anthropic",
        "azure",
        "bedrock",
        "cerebras",
        "cohere",
        "deepseek",
        "fireworks",
        "gemini",
        "groq",
        "mistral",
        "moonshot",
        "nvidia",
        "ollama",
        "openai",
        "openrouter",
        "perplexity",
        "qwen",
        "sambanova",
        "together",
        "vertex_gemini",
        "vllm",
        "xai",
    ] {
        let group = built_in().groups.get(name).expect(name);
        assert!(group.models.len() >= 4, "{name}");
    }
}

#[test]
fn output_fits_into_the_context() {
    for (name, facts) in models() {
        if let (Some(window), Some(output)) = (facts.context_window, facts.max_output_tokens) {
            assert!(output <= window, "{name}: {output} of {window}");
        }
        let window = facts.context_window.unwrap_or(4096);
        assert!((512..=10_000_000).contains(&window), "{name}: {window}");
    }
}

#[test]
fn nothing_is_both_possible_and_impossible() {
    for (name, facts) in models() {
        assert!(facts.can.is_disjoint(&facts.cannot), "{name}");
    }
}

#[test]
fn prices_are_plausible() {
    let check = |name: &str, prices: &Prices| {
        let input = prices.input.expect(name);
        assert!(input.pico_usd() > 0, "{name}");
        assert!(prices.output.is_none_or(|output| output >= input), "{name}");
        assert!(
            prices.cached_input.is_none_or(|cached| cached <= input),
            "{name}"
        );
        for write in [prices.cache_write, prices.cache_write_1h]
            .into_iter()
            .flatten()
        {
            assert!(write.pico_usd() <= 3 * input.pico_usd(), "{name}");
        }
        for (kind, price) in prices.named() {
            assert!(price.pico_usd() <= 600_000_000, "{name} {kind} {price}");
        }
    };
    for (name, facts) in models() {
        if let Some(prices) = &facts.prices {
            check(&name, prices);
        }
        for above in &facts.above {
            check(&name, &above.prices);
            let plain = facts.prices.as_ref().and_then(|p| p.input);
            assert!(above.prices.input >= plain, "{name}");
        }
        if let Some(later) = &facts.later {
            check(&name, &later.prices);
        }
        let percent = [facts.percent.batch, facts.percent.flex];
        let low = percent.into_iter().flatten();
        assert!(low.into_iter().all(|p| (10..=100).contains(&p)), "{name}");
    }
}

#[test]
fn days_come_in_the_order_of_a_models_life() {
    for (name, facts) in models() {
        let life = [facts.released, facts.deprecated, facts.shutdown];
        let days: Vec<_> = life.into_iter().flatten().collect();
        assert!(days.is_sorted(), "{name}: {days:?}");
    }
}

#[test]
fn embeddings_alone_have_dimensions() {
    for (name, facts) in models() {
        let embeds = facts.can.contains(&Ability::Embeddings);
        assert!(embeds || facts.dimensions.is_none(), "{name}");
        assert!(!embeds || facts.thinking.is_none(), "{name}");
    }
}

#[test]
fn a_few_facts_that_everybody_knows() {
    let facts = |provider: &str, model: &str| {
        let group = built_in().groups.get(provider).expect(provider);
        group.model(model).expect(model)
    };
    let gpt = facts("openai", "gpt-5");
    assert_eq!(gpt.context_window, Some(400_000));
    assert_eq!(gpt.thinking, Some(Thinking::Effort));
    assert_eq!(gpt.knows(Ability::Sampling), Some(false));
    let opus = facts("anthropic", "claude-opus-4-5");
    assert_eq!(opus.thinking, Some(Thinking::Budget));
    assert_eq!(opus.knows(Ability::Files), Some(true));
    assert_eq!(opus.knows(Ability::Audio), Some(false));
    let flash = facts("gemini", "gemini-2.5-flash");
    assert_eq!(flash.thinking, Some(Thinking::Budget));
    let small = facts("openai", "text-embedding-3-small");
    assert_eq!((small.dimensions, small.can.len()), (Some(1536), 1));
}

#[test]
fn regions_and_days_do_not_make_another_model() {
    let bedrock = built_in().groups.get("bedrock").expect("bedrock");
    let plain = bedrock.model("anthropic.claude-opus-5-5").expect("plain");
    assert_eq!(bedrock.model("eu.anthropic.claude-opus-5-5"), Some(plain));
    let openai = built_in().groups.get("openai").expect("openai");
    assert_eq!(openai.model("gpt-5-2025-08-07"), openai.model("gpt-5"));
    assert_ne!(openai.model("gpt-4o-2024-05-13"), openai.model("gpt-4o"));
    assert_eq!(openai.model("eu.gpt-5"), None);
    for (name, bare) in [
        ("gpt-5-2025-08-07", "gpt-5"),
        ("claude-x-20251101", "claude-x"),
        ("claude-x-2025110", "claude-x-2025110"),
        ("-20251101", ""),
        ("é-20251101", "é"),
        ("éééééé", "éééééé"),
        ("x", "x"),
    ] {
        assert_eq!(without_day(name), bare, "{name}");
    }
}

#[test]
fn providers_are_told_by_host_then_kind_then_name() {
    let group = |kind, host, name| built_in().group_of(kind, host, name).map(|(name, _)| name);
    let other = "openai_compatible";
    assert_eq!(group(other, "api.groq.com", "fast"), Some("groq"));
    assert_eq!(group("openai", "api.mistral.ai", "mine"), Some("mistral"));
    assert_eq!(group("openai", "proxy.example.com", "mine"), Some("openai"));
    assert_eq!(group(other, "llm.example.com", "vllm"), Some("vllm"));
    assert_eq!(group(other, "llm.example.com", "mine"), None);
    assert_eq!(group(other, "x.openai.azure.com", "mine"), Some("azure"));
    assert_eq!(group(other, "notapi.groq.com", "mine"), None);
    let vertex = "europe-west1-aiplatform.googleapis.com";
    assert_eq!(
        group("vertex_gemini", vertex, "mine"),
        Some("vertex_gemini")
    );
    assert_eq!(group(other, vertex, "mine"), Some("vertex_gemini"));
    let claude = group("vertex_anthropic", vertex, "mine");
    assert_eq!(claude, Some("vertex_anthropic"));
    let foundry = "my-resource.services.ai.azure.com";
    let claude = group("foundry_anthropic", foundry, "mine");
    assert_eq!(claude, Some("foundry_anthropic"));
    assert_eq!(group("azure_openai", foundry, "mine"), Some("azure"));
}

#[test]
fn models_that_are_served_elsewhere_too_are_known_there() {
    let groups = &built_in().groups;
    let at_home = groups["anthropic"]
        .model("claude-sonnet-4-5-20250929")
        .expect("known");
    for (group, name) in [
        ("vertex_anthropic", "claude-sonnet-4-5@20250929"),
        ("vertex_anthropic", "claude-sonnet-4-5@default"),
        ("foundry_anthropic", "claude-sonnet-4-5"),
    ] {
        let there = groups[group].model(name).expect(name);
        assert_eq!(there.prices, at_home.prices);
        assert_eq!(there.context_window, at_home.context_window);
        assert_eq!(there.shutdown, None, "each vendor has days of its own");
    }
}

#[test]
fn kinds_and_hosts_belong_to_one_provider_each() {
    let mut seen = BTreeSet::new();
    for (name, group) in &built_in().groups {
        for word in group.kinds.iter().chain(&group.hosts).chain([name]) {
            assert!(seen.insert(word.clone()), "{word} again");
        }
    }
}
