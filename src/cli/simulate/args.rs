//! What may be typed for `pointsman simulate`. The doc comments are the help.

use super::changes::Changes;
use crate::cli::args::Format;

/// Show what traffic costs, and what it would cost if
///
/// Plays lines of the access log, or a description of a mix of requests, through the code that
/// decides in the filter, and prints for each route who serves it, shares, tokens, cost and
/// latency, and what budgets do. With a second configuration, or with something changed, the
/// difference too.
#[derive(Debug, clap::Args)]
#[command(after_help = SIMULATE_EXAMPLES)]
pub(in crate::cli) struct SimulateArgs {
    /// The configuration; a second one is compared with the first
    #[arg(long = "config", value_name = "FILE", required = true)]
    pub(in crate::cli) configs: Vec<String>,
    /// Lines of the access log, or a mix; - for standard input
    pub(in crate::cli) traffic: String,
    /// Compare with this provider removed; may be given several times
    #[arg(long, value_name = "PROVIDER")]
    pub(in crate::cli) without: Vec<String>,
    /// Compare with other prices, in USD for a million tokens, such as
    /// openai/gpt-5.4=input:1.25,output:10; may be given several times
    #[arg(long = "price", value_name = "TARGET=KIND:USD,...")]
    pub(in crate::cli) prices: Vec<String>,
    /// Compare with anything else changed, such as models.smart.candidates[0].max_complexity=0.4;
    /// may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    pub(in crate::cli) set: Vec<String>,
    /// How targets do, as /pointsman/state prints it, where neither log nor mix tells
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) state: Option<String>,
    /// The most requests that are drawn of a mix
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000)]
    pub(in crate::cli) draws: usize,
    /// Of the random draws: the same seed gives the same result
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(in crate::cli) seed: u64,
    /// How to write the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(in crate::cli) format: Format,
}

impl SimulateArgs {
    /// What is changed of the configuration.
    pub(super) fn changes(&self) -> Changes {
        Changes {
            without: self.without.clone(),
            prices: self.prices.clone(),
            set: self.set.clone(),
        }
    }
}

const SIMULATE_EXAMPLES: &str = "\
Examples:
  pointsman simulate --config pointsman.yaml access.log
  pointsman simulate --config pointsman.yaml --config next.yaml access.log
  pointsman simulate --config pointsman.yaml --without openai access.log
  pointsman simulate --config pointsman.yaml --price openai/gpt-5.4=input:1.25 access.log
  pointsman simulate --config examples/simulate/one-model.yaml \\
      --config examples/simulate/two-tiers.yaml examples/simulate/support.yaml";
