//! The `catalog` section: the user's own facts of models. Native only.

use super::names::ThinkingWord;
use super::raw_prices::{RawPrices, over};
use super::shape::{Given, object, text};
use super::values::Int;
use crate::catalog::date::Date;
use crate::catalog::{Ability, Facts, Thinking};

/// Larger than any model's context.
const TOKENS: u64 = 1_000_000_000;

text! {
    /// A model of a provider.
    CatalogName: "a provider, a slash, and the model's name at it, such as openai/gpt-5",
        r"^[a-z0-9][a-z0-9_-]{0,39}/[^\s\p{Cc}]{1,200}$", catalog_name;
    /// A day of the calendar.
    Day: "a day such as \"2026-11-21\"", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", day;
}

object! {
    /// Facts of a model; what is not said stays as the built-in catalogue has it.
    pub(super) struct RawCatalogModel {
        /// Input and output together, in tokens.
        context_window: Int<1, TOKENS>,
        /// The most output that may be asked for, in tokens.
        max_output_tokens: Int<1, TOKENS>,
        /// Function tools.
        tools: bool,
        /// Several tool calls in one turn.
        parallel_tools: bool,
        /// `response_format: json_schema`, enforced.
        json_schema: bool,
        /// `response_format: json_object`, enforced.
        json_mode: bool,
        /// Images in messages.
        vision: bool,
        /// Audio in messages.
        audio: bool,
        /// PDF and other files in messages.
        files: bool,
        /// How it is told to think: by a word, by a budget in tokens, or not at all.
        thinking: ThinkingWord,
        /// Whether it takes temperature and its kin.
        sampling: bool,
        /// What its tokens cost.
        prices: RawPrices,
        /// The day from which on it is not served.
        shutdown: Day,
    }
}

impl RawCatalogModel {
    /// Writes the user's words over what is known.
    pub(super) fn tell(&self, facts: &mut Facts) {
        let RawCatalogModel {
            context_window,
            max_output_tokens,
            tools,
            parallel_tools,
            json_schema,
            json_mode,
            vision,
            audio,
            files,
            thinking,
            sampling,
            prices,
            shutdown,
        } = self;
        for (ability, said) in [
            (Ability::Tools, tools),
            (Ability::ParallelTools, parallel_tools),
            (Ability::JsonSchema, json_schema),
            (Ability::JsonMode, json_mode),
            (Ability::Vision, vision),
            (Ability::Audio, audio),
            (Ability::Files, files),
            (Ability::Sampling, sampling),
        ] {
            if let Given::As(able) = said {
                facts.set(ability, *able);
            }
        }
        over(&mut facts.context_window, context_window.get().map(|n| n.0));
        over(
            &mut facts.max_output_tokens,
            max_output_tokens.get().map(|n| n.0),
        );
        over(
            &mut facts.thinking,
            thinking.get().and_then(|word| Thinking::find(&word.0)),
        );
        over(
            &mut facts.shutdown,
            shutdown.get().and_then(|day| day.0.parse().ok()),
        );
        if let Given::As(prices) = prices {
            prices.tell(facts.prices.get_or_insert_default());
        }
    }
}

fn catalog_name(name: &str) -> Result<(), &'static str> {
    let (provider, model) = name.split_once('/').ok_or("write provider/model")?;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let first = provider.bytes().next().is_some_and(plain);
    let rest = provider.bytes().all(|b| plain(b) || b == b'_' || b == b'-');
    let printable = |c: char| !c.is_whitespace() && !c.is_control() && c != '\u{feff}';
    let model = model.chars().all(printable) && (1..=200).contains(&model.chars().count());
    let fits = first && rest && provider.len() <= 40 && model;
    if fits { Ok(()) } else { Err("") }
}

fn day(text: &str) -> Result<(), &'static str> {
    text.parse::<Date>().map(|_| ()).map_err(|_| "")
}
