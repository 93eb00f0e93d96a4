//! What is done to requests for a candidate: degrading, fitting, templates.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalog::{Adaptation, ComplexTools, Fit, Lack, Template, Trim};
use crate::config::OnUnsupported;
use crate::config::names::{
    CandidateRef, LackWord, ProviderName, TemplateName, TemplateRef, TemplateText, TrimWord,
};
use crate::config::path::Path;
use crate::config::problem::{At, Finding, Findings};
use crate::config::raw::{
    RawCandidate, RawComplexTools, RawDefaults, RawDegrade, RawFit, RawModel, RawProvider,
    RawTemplate,
};
use crate::config::shape::Given;
use crate::config::values::Map;
use crate::config::words::{did_you_mean, one_of, quote};

/// Tokens kept free for the answer when the document does not say it.
const RESERVE_OUTPUT: u64 = 1024;

/// What a template may stand for.
const VARIABLES: [&str; 3] = ["model", "provider", "alias"];

/// What all models share.
pub(super) struct Adaptations<'d> {
    templates: BTreeMap<&'d str, Arc<Template>>,
    /// The template that each provider names.
    of_providers: BTreeMap<&'d str, Option<Arc<Template>>>,
    defaults: Option<&'d RawDefaults>,
}

/// What one model says of all its candidates.
pub(super) struct ModelAdaptation<'d> {
    shared: &'d Adaptations<'d>,
    tools: Lack,
    json_schema: Lack,
    fit: Option<Fit>,
    complex: Option<&'d RawComplexTools>,
}

impl<'d> Adaptations<'d> {
    pub(super) fn check(
        templates: &'d Given<Map<TemplateName, RawTemplate, 0>>,
        providers: &'d Given<Map<ProviderName, RawProvider, 1>>,
        defaults: Option<&'d RawDefaults>,
        findings: &mut Findings<'_>,
    ) -> Adaptations<'d> {
        let mut shared = Adaptations {
            templates: check_templates(templates, findings),
            of_providers: BTreeMap::new(),
            defaults,
        };
        let providers = providers.get().into_iter().flat_map(|map| &map.entries);
        for (name, raw) in providers {
            let Some(raw) = raw else { continue };
            let path = Path::default().key("providers").key(name).key("template");
            let template = shared.find(&raw.template, &path, findings);
            shared.of_providers.insert(name, template);
        }
        shared
    }

    /// The template that is referred to.
    fn find(
        &self,
        name: &Given<TemplateRef>,
        path: &Path,
        findings: &mut Findings<'_>,
    ) -> Option<Arc<Template>> {
        let TemplateRef(name) = name.get()?;
        let found = self.templates.get(name.as_str()).cloned();
        if found.is_none() {
            let names: Vec<&str> = self.templates.keys().copied().collect();
            let expected = match names.is_empty() {
                true => "a name under templates, of which there is none".to_owned(),
                false => one_of(&names),
            };
            let near = did_you_mean(name, names);
            let finding = Finding::new(quote(name), expected).hint(near.unwrap_or_default());
            findings.error(At::Value, path, finding);
        }
        found
    }

    pub(super) fn of_model(
        &'d self,
        raw: &'d RawModel,
        on_unsupported: OnUnsupported,
        path: &Path,
        findings: &mut Findings<'_>,
    ) -> ModelAdaptation<'d> {
        let unsaid = |degrade: Option<&'d RawDegrade>| {
            degrade.map_or((Lack::Unsaid, Lack::Unsaid), |degrade| {
                let RawDegrade { tools, json_schema } = degrade;
                (lack(tools), lack(json_schema))
            })
        };
        let (tools, json_schema) = unsaid(self.defaults.and_then(|d| d.degrade.get()));
        let (own_tools, own_schema) = unsaid(raw.degrade.get());
        let fit = raw.fit.get().or(self.defaults.and_then(|d| d.fit.get()));
        let complex = self.defaults.and_then(|d| d.complex_tools.get());
        if on_unsupported == OnUnsupported::Reject {
            let prompts = [own_tools, own_schema].contains(&Lack::Prompt);
            warn_if_rejected(prompts, &path.key("degrade"), findings);
            warn_if_rejected(raw.fit.get().is_some(), &path.key("fit"), findings);
        }
        ModelAdaptation {
            shared: self,
            tools: own_tools.or(tools),
            json_schema: own_schema.or(json_schema),
            fit: fit.map(check_fit),
            complex: raw.complex_tools.get().or(complex),
        }
    }
}

impl ModelAdaptation<'_> {
    /// What is done for one candidate.
    pub(super) fn of_candidate(
        &self,
        raw: &RawCandidate,
        (provider, model): (&str, &str),
        path: &Path,
        findings: &mut Findings<'_>,
    ) -> Adaptation {
        let find = |name, field, findings: &mut Findings<'_>| {
            self.shared.find(name, &path.key(field), findings)
        };
        let own = find(&raw.template, "template", findings);
        let of_provider = self.shared.of_providers.get(provider).cloned().flatten();
        Adaptation {
            tools: self.tools,
            json_schema: self.json_schema,
            fit: self.fit,
            template: own.or(of_provider),
            template_on_fallback: find(&raw.template_on_fallback, "template_on_fallback", findings),
            complex_tools: self.complex.and_then(|raw| kept_from(raw, provider, model)),
        }
    }
}

impl Lack {
    fn or(self, unsaid: Lack) -> Lack {
        match self {
            Lack::Unsaid => unsaid,
            said => said,
        }
    }
}

fn lack(word: &Given<LackWord>) -> Lack {
    match word.get().map(|word| word.0.as_str()) {
        Some("prompt") => Lack::Prompt,
        Some(_) => Lack::Skip,
        None => Lack::Unsaid,
    }
}

fn check_fit(raw: &RawFit) -> Fit {
    let RawFit {
        trim,
        keep_last,
        reserve_output,
    } = raw;
    let word = trim.get().map(|TrimWord(word)| word.as_str());
    let way = Trim::ALL.iter().find(|(_, known)| Some(*known) == word);
    Fit {
        trim: way.map_or(Trim::OldestTurns, |(way, _)| *way),
        keep_last: keep_last
            .get()
            .map_or(1, |n| usize::try_from(n.0).unwrap_or(usize::MAX)),
        reserve_output: reserve_output.get().map_or(RESERVE_OUTPUT, |n| n.0),
    }
}

/// The bounds for a candidate that is not among those that may do complex tool work.
fn kept_from(raw: &RawComplexTools, provider: &str, model: &str) -> Option<ComplexTools> {
    let RawComplexTools {
        over_tools,
        over_depth,
        parallel,
        only,
    } = raw;
    let named = only.get()?.0.iter().flatten();
    let may = named.into_iter().any(|CandidateRef(text)| {
        let named = text.split_once('/');
        named.is_some_and(|(p, m)| p == provider && (m == "*" || m == model))
    });
    let bound = |n: Option<u64>| n.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
    (!may).then(|| ComplexTools {
        over_tools: bound(over_tools.get().map(|n| n.0)),
        over_depth: bound(over_depth.get().map(|n| n.0)),
        parallel: parallel.get().copied().unwrap_or(false),
    })
}

fn warn_if_rejected(said: bool, path: &Path, findings: &mut Findings<'_>) {
    if said {
        let finding = Finding::new(
            "a setting that is never used",
            "on_unsupported other than reject",
        )
        .hint("reject leaves out every candidate for which something would be lost");
        findings.warning(At::Key, path, finding);
    }
}

fn check_templates<'d>(
    raw: &'d Given<Map<TemplateName, RawTemplate, 0>>,
    findings: &mut Findings<'_>,
) -> BTreeMap<&'d str, Arc<Template>> {
    let mut checked = BTreeMap::new();
    for (name, raw) in raw.get().into_iter().flat_map(|map| &map.entries) {
        let Some(raw) = raw else { continue };
        let path = Path::default().key("templates").key(name);
        let RawTemplate {
            prefix,
            suffix,
            replace,
        } = raw;
        let texts = [("prefix", prefix), ("suffix", suffix), ("replace", replace)];
        if texts.iter().all(|(_, text)| text.is_absent()) {
            let finding = Finding::new("an empty template", "prefix, suffix or replace");
            findings.error(At::Value, &path, finding);
        }
        for (field, text) in texts {
            warn_of_variable(text, &path.key(field), findings);
        }
        let text = |given: &Given<TemplateText>| given.get().map(|text| text.0.clone());
        let template = Template {
            name: name.clone(),
            prefix: text(prefix).unwrap_or_default(),
            suffix: text(suffix).unwrap_or_default(),
            replace: text(replace),
        };
        checked.insert(name.as_str(), Arc::new(template));
    }
    checked
}

/// Braces around a small word that is nearly a variable: it would stand in the prompt as it is.
fn warn_of_variable(text: &Given<TemplateText>, path: &Path, findings: &mut Findings<'_>) {
    let Some(TemplateText(text)) = text.get() else {
        return;
    };
    for piece in text.split('{').skip(1) {
        let Some((word, _)) = piece.split_once('}') else {
            continue;
        };
        let plain = word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        if !plain || word.is_empty() || VARIABLES.contains(&word) {
            continue;
        }
        if let Some(near) = did_you_mean(word, VARIABLES) {
            let finding = Finding::new(format!("{{{word}}}"), "{model}, {provider} or {alias}");
            findings.warning(At::Value, path, finding.hint(near));
        }
    }
}
