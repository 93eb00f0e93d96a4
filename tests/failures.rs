//! `docs/failures.md`: what each vendor's errors mean, as the translations themselves tell.
//! `BLESS=1` rewrites it.
//!
//! `tests/failures/vendors.json` has the errors: status, body, and the class that they shall have.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::fmt::Write as _;

use pointsman::failure::{Class, Next};
use pointsman::provider::{PROVIDERS, Provider};
use pointsman::schema::ErrorReply;
use serde::Deserialize;
use serde_json::Value;

/// One vendor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vendor {
    /// Its name for people.
    vendor: String,
    /// Its kind in the configuration.
    kind: String,
    /// The page that its errors stand on.
    read: String,
    /// What it answers.
    errors: Vec<Answer>,
}

/// An error as a vendor answers it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    status: u16,
    /// What it means, for people.
    says: String,
    body: Value,
    class: String,
    /// When the status and its meaning were found on the vendor's page; `None` where the wording
    /// is as clients have met it.
    #[serde(default)]
    found: Option<String>,
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/failures.md");

const HEAD: &str = "\
# What vendors' errors mean

Written by a test from what the code does: `BLESS=1 cargo test --test failures` rewrites it, and a
page that is stale fails. Each error of [`vendors.json`](../tests/failures/vendors.json) is read by the
vendor's own schema and dialect, whose words come before its status. Source is where a vendor says what
its errors are; *found there* is the day on which the status and what it means were found on that page.
Where there is none, it was not looked up: the wording is as clients and SDKs have met it.
What follows each class: [failover.md](failover.md#what-leads-where). An error that is not here is told
by its status; `dialect.errors` of a provider adds words of its own ([configuration.md](configuration.md)).

A prompt that is too long leads on to candidates with more room: those whose window is known to be too
small are never asked. A refused key, a used-up quota, a model that is gone and a region that is not
served lead to the next candidate and to a warning in the log: only the operator can mend them.
";

fn vendors() -> Vec<Vendor> {
    serde_json::from_str(include_str!("failures/vendors.json")).expect("vendors")
}

fn provider(kind: &str) -> &'static dyn Provider {
    let mut known = PROVIDERS.iter();
    *known
        .find(|provider| provider.kind() == kind)
        .unwrap_or_else(|| panic!("no kind {kind}"))
}

fn class(provider: &dyn Provider, answer: &Answer) -> Class {
    let body = answer.body.to_string();
    let error = ErrorReply {
        status: answer.status,
        retry_after: None,
        body: body.as_bytes(),
        rules: &provider.dialect().errors,
    };
    provider.schema().read_error(&error).class
}

#[test]
fn every_error_has_the_class_that_its_vendor_means() {
    let mut wrong = Vec::new();
    for vendor in vendors() {
        let provider = provider(&vendor.kind);
        for answer in &vendor.errors {
            let found = class(provider, answer);
            if found.as_str() != answer.class {
                let found = found.as_str();
                wrong.push(format!("{}, {}: {found}", vendor.vendor, answer.says));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_class_that_a_provider_can_mean_has_an_error() {
    let vendors = vendors();
    let is_there = |class: Class| {
        let mut answers = vendors.iter().flat_map(|vendor| &vendor.errors);
        answers.any(|answer| answer.class == class.as_str())
    };
    let unmeant = [
        // These are told by how a reply comes, or by what it holds.
        Class::ConnectFailure,
        Class::Reset,
        Class::Ejected,
        Class::EmptyReply,
        Class::NotJson,
        Class::LowQuality,
        Class::ReplyTooLarge,
    ];
    for class in Class::ALL {
        assert_ne!(is_there(class), unmeant.contains(&class), "{class:?}");
    }
}

#[test]
fn the_page_says_what_the_code_does() {
    let page = page();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(PAGE, &page).expect("written");
    }
    let there = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(there == page, "docs/failures.md is stale: BLESS=1");
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for vendor in vendors() {
        let Vendor {
            vendor,
            kind,
            read,
            errors,
        } = vendor;
        let provider = provider(&kind);
        write!(page, "\n## {vendor}\n\n`kind: {kind}`. Source: {read}.\n\n").expect("text");
        page.push_str(
            "| status | it says | class | what follows | found there |\n|---|---|---|---|---|\n",
        );
        for answer in &errors {
            let class = class(provider, answer);
            let next = match class.next() {
                Next::NextCandidate => "the next candidate",
                Next::NextIfRefusalAllowed => "the next candidate with `fallback_on_refusal`",
                Next::Never => "the client is told",
            };
            let Answer {
                status,
                says,
                body: _,
                class: _, // what the code says is what counts
                found,
            } = answer;
            let (class, found) = (class.as_str(), found.as_deref().unwrap_or_default());
            writeln!(page, "| {status} | {says} | `{class}` | {next} | {found} |").expect("text");
        }
    }
    page
}
