//! What is known of one model. What is not known is left out, never guessed.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::Thinking;
use super::cost::Percent;
use super::date::Date;
use super::price::Prices;

/// What is known of one model of one provider.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Facts {
    /// The family that it belongs to.
    pub family: Option<String>,
    /// Input and output together, in tokens.
    pub context_window: Option<u64>,
    /// The most output that may be asked for, in tokens.
    pub max_output_tokens: Option<u64>,
    /// Numbers in an embedding, when it makes embeddings.
    pub dimensions: Option<u32>,
    /// How it is told to think.
    #[serde(deserialize_with = "thinking")]
    pub thinking: Option<Thinking>,
    /// What it is known to be able to do.
    #[serde(deserialize_with = "abilities")]
    pub can: BTreeSet<Ability>,
    /// What it is known not to be able to do.
    #[serde(deserialize_with = "abilities")]
    pub cannot: BTreeSet<Ability>,
    /// What its tokens cost.
    pub prices: Option<Prices>,
    /// Other ways to pay, in percent of the prices.
    pub percent: Percent,
    /// Prices of long prompts.
    pub above: Vec<Above>,
    /// Prices that have been announced.
    pub later: Option<Later>,
    /// When it came out.
    pub released: Option<Date>,
    /// The last that it knows of; vendors say a day, a month or a year.
    pub knowledge: Option<String>,
    /// When its end was announced.
    pub deprecated: Option<Date>,
    /// From this day on it is not served.
    pub shutdown: Option<Date>,
    /// What the other fields cannot say; also where sources disagree.
    pub note: Option<String>,
}

/// Prices of all tokens of a request whose prompt is longer than some length.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Above {
    /// The length, in tokens.
    pub tokens: u64,
    /// The prices above it.
    pub prices: Prices,
}

/// Prices from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Later {
    /// The day.
    pub from: Date,
    /// The prices.
    pub prices: Prices,
}

/// Something that models can or cannot do; the names are those of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ability {
    /// Function tools.
    Tools,
    /// Several tool calls in one turn.
    ParallelTools,
    /// `response_format: json_schema`, enforced.
    JsonSchema,
    /// `response_format: json_object`, enforced.
    JsonMode,
    /// Images in messages.
    Vision,
    /// Audio in messages.
    Audio,
    /// PDF and other files in messages.
    Files,
    /// `temperature` and its kin.
    Sampling,
    /// Answers as streams.
    Stream,
    /// Embeddings instead of answers.
    Embeddings,
}

impl Ability {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Ability; 10] = [
        Ability::Tools,
        Ability::ParallelTools,
        Ability::JsonSchema,
        Ability::JsonMode,
        Ability::Vision,
        Ability::Audio,
        Ability::Files,
        Ability::Sampling,
        Ability::Stream,
        Ability::Embeddings,
    ];

    /// Its name in the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Ability::Tools => "tools",
            Ability::ParallelTools => "parallel_tools",
            Ability::JsonSchema => "json_schema",
            Ability::JsonMode => "json_mode",
            Ability::Vision => "vision",
            Ability::Audio => "audio",
            Ability::Files => "files",
            Ability::Sampling => "sampling",
            Ability::Stream => "stream",
            Ability::Embeddings => "embeddings",
        }
    }

    /// The ability of this name.
    pub fn find(name: &str) -> Option<Ability> {
        Ability::ALL.into_iter().find(|a| a.as_str() == name)
    }
}

impl Facts {
    /// Whether it can; `None` when that is not known.
    pub fn knows(&self, ability: Ability) -> Option<bool> {
        match (self.can.contains(&ability), self.cannot.contains(&ability)) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }

    /// Notes whether it can, whatever was known before.
    pub fn set(&mut self, ability: Ability, able: bool) {
        let (to, from) = match able {
            true => (&mut self.can, &mut self.cannot),
            false => (&mut self.cannot, &mut self.can),
        };
        to.insert(ability);
        from.remove(&ability);
    }

    /// Whether it is served no more on this day.
    pub fn is_shut_down(&self, today: Date) -> bool {
        self.shutdown.is_some_and(|day| day <= today)
    }
}

fn thinking<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Thinking>, D::Error> {
    let word = String::deserialize(deserializer)?;
    Thinking::find(&word)
        .map(Some)
        .ok_or_else(|| D::Error::custom("expected effort, budget or none"))
}

/// Abilities in one text, spaces between them: a list would take a line for each.
pub(super) fn abilities<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeSet<Ability>, D::Error> {
    let words = String::deserialize(deserializer)?;
    words
        .split(' ')
        .map(|word| Ability::find(word).ok_or_else(|| D::Error::custom("unknown ability")))
        .collect()
}
