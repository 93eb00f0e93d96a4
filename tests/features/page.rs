//! The page that tells it.

use std::fmt::Write;

use pointsman::operation::Operation;
use pointsman::provider::PROVIDERS;

use super::verdict::Outcome;
use super::{Column, Probe};

const HEAD: &str = "# What each provider gets of a chat request

Written by a test from what the code does: `BLESS=1 cargo test --test features` rewrites it, and a
page that is stale fails. One request for each feature
([`probes.json`](../tests/features/probes.json)) is translated for each kind of provider, for a
model that can do everything but what the row says it cannot.

| sign | meaning |
|---|---|
| yes | it stands in the provider's own request |
| always | the provider does so unasked |
| ≈ | a part of it is sent, or something that stands in for it; the note says what |
| no | the provider has nothing like it, or the note says why; it is left out |
| next | this provider is not asked: the next candidate is, or the client gets a 400 |

Each ≈ and no is told in `x-pointsman-fidelity` and in the access log, never silent: a feature that
is in neither the request nor the report fails the test. With `on_unsupported: reject` a
candidate at which a row says ≈ or no is left out.
That, and what happens when a *model* lacks tools, images, audio, files or a schema:
[fidelity.md](fidelity.md). Everything else of the provider's own goes through `provider_options`.
";

/// The notes of a table, each once.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn number(&mut self, note: &str) -> usize {
        let found = self.0.iter().position(|known| known == note);
        found.unwrap_or_else(|| {
            self.0.push(note.to_owned());
            self.0.len() - 1
        }) + 1
    }

    fn cell(&mut self, outcome: &Outcome) -> String {
        let (sign, reasons) = match outcome {
            Outcome::Carried(reasons) => ("yes", reasons.as_slice()),
            Outcome::Implied => ("always", &[][..]),
            Outcome::Emulated(reasons) => ("≈", reasons.as_slice()),
            Outcome::Reported(reasons) => ("no", reasons.as_slice()),
            Outcome::Refused => ("next", &[][..]),
            Outcome::Lost => ("LOST", &[][..]),
        };
        let numbers = reasons.iter().map(|reason| self.number(reason).to_string());
        let numbers: Vec<_> = numbers.collect();
        format!("{sign} {}", numbers.join(" "))
            .trim_end()
            .to_owned()
    }

    fn list(&self, page: &mut String) {
        page.push('\n');
        for (i, note) in self.0.iter().enumerate() {
            _ = writeln!(page, "{}. {note}", i + 1);
        }
    }
}

/// The whole page.
pub fn write(probes: &[Probe], columns: &[Column]) -> String {
    let mut page = HEAD.to_owned();
    let is_openai = |column: &&Column| column.schema == "openai";
    let first = columns.iter().find(|c| c.kinds.contains(&"openai"));
    let others = columns.iter().filter(|c| !is_openai(c));
    let schemas: Vec<_> = first.into_iter().chain(others).collect();
    page.push_str("\n## By schema\n");
    table(&mut page, probes, &schemas, false);
    let dialects: Vec<_> = columns
        .iter()
        .filter(is_openai)
        .filter(|c| !c.kinds.contains(&"openai"))
        .collect();
    page.push_str(
        "\n## Dialects of OpenAI's schema\n\nFeatures that are not here stand in the request of all \
         of them, as OpenAI has them.\n",
    );
    table(&mut page, probes, &dialects, true);
    operations(&mut page);
    page
}

fn table(page: &mut String, probes: &[Probe], columns: &[&Column], differing: bool) {
    let mut notes = Notes::default();
    let heads = columns.iter().map(|c| kinds(&c.kinds));
    row(page, "", heads.collect());
    row(page, "---", vec!["---".to_owned(); columns.len()]);
    let mut section = "";
    for (i, probe) in probes.iter().enumerate() {
        let outcomes = columns.iter().map(|c| &c.outcomes[i]);
        if differing && outcomes.clone().all(|o| *o == Outcome::Carried(Vec::new())) {
            continue;
        }
        if section != probe.section {
            section = &probe.section;
            row(
                page,
                &format!("**{section}**"),
                vec![String::new(); columns.len()],
            );
        }
        row(
            page,
            &probe.feature,
            outcomes.map(|o| notes.cell(o)).collect(),
        );
    }
    notes.list(page);
}

fn operations(page: &mut String) {
    page.push_str(
        "\n## Besides chat\n\nWhich kinds offer it, some of them for some models only. Embeddings and \
         rerank are\ntranslated ([endpoints.md](endpoints.md)); the others pass through\n\
         ([passthrough.md](passthrough.md)).\n\n| operation | kinds |\n|---|---|\n",
    );
    for operation in Operation::ALL {
        let offers = PROVIDERS.iter().filter(|provider| {
            let offer = |model: &&str| provider.offer(operation, model).is_some();
            MODELS.iter().any(offer)
        });
        let offering: Vec<_> = offers.map(|provider| provider.kind()).collect();
        if operation != Operation::Chat {
            let name = operation.as_str();
            _ = writeln!(
                page,
                "| {name} | {} |",
                kinds(&offering).replace("<br>", ", ")
            );
        }
    }
}

/// Names of models by which some kinds decide what they offer.
const MODELS: [&str; 4] = [
    "the-model",
    "amazon.titan-embed-text-v2:0",
    "cohere.embed-v4:0",
    "cohere.rerank-v3-5:0",
];

fn kinds(kinds: &[&str]) -> String {
    let quoted: Vec<_> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
    quoted.join("<br>")
}

fn row(page: &mut String, head: &str, cells: Vec<String>) {
    _ = match head {
        "---" => writeln!(page, "|---|{}|", cells.join("|")),
        "" => writeln!(page, "\n| | {} |", cells.join(" | ")),
        head => writeln!(page, "| {head} | {} |", cells.join(" | ")),
    };
}
