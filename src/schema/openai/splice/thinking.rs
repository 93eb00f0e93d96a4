//! How much the model shall think, in the target's dialect.

use crate::catalog::Thinking;
use crate::fidelity::Report;
use crate::json::ObjectWriter;
use crate::json::{Raw, Text};
use crate::schema::Target;
use crate::schema::openai::dialect::{Dialect, ThinkingForm};
use crate::schema::openai::request::ChatCompletionRequest;
use crate::{json, wire};

wire! {
    /// Anthropic's `thinking`, as far as others can follow it.
    pub struct ThinkingObject<'a> {
        /// `enabled`, `adaptive`, `disabled`.
        kind = "type": Text<'a>,
        /// Tokens.
        budget_tokens: u64,
    }
}

/// The fields about thinking that go out in place of the client's.
#[derive(Debug, Default)]
pub(super) struct Thought {
    fields: Vec<(&'static str, String)>,
    replaces_effort: bool,
    replaces_thinking: bool,
}

/// What the client wants.
struct Wanted {
    /// Whether to think; `None` when it did not say.
    on: Option<bool>,
    budget: Option<u64>,
    effort: bool,
    object: bool,
    /// The object says no more than `enabled` or `disabled`, or what only its provider knows.
    is_toggle: bool,
}

impl Thought {
    /// `sets` tells whether the configuration or an option of the provider sets a field;
    /// `obstacle` why a model whose thinking can be switched off cannot think now.
    pub(super) fn read(
        request: &ChatCompletionRequest<'_>,
        target: &Target<'_>,
        sets: &dyn Fn(&str) -> bool,
        obstacle: Option<&'static str>,
        report: &mut Report,
    ) -> Thought {
        let dialect = target.dialect;
        let effort = request.reasoning_effort.as_deref();
        if target.capabilities.thinking == Thinking::None {
            return Thought::none(request, report);
        }
        match dialect.thinking {
            ThinkingForm::Effort => Thought::by_effort(effort, dialect, report),
            ThinkingForm::Toggle => match obstacle.filter(|_| !sets("thinking")) {
                None => Thought::by_toggle(effort, request.thinking, dialect, report),
                Some(reason) => {
                    Wanted::read(effort, request.thinking).hinder("thinking", reason, report);
                    Thought::toggled_off()
                }
            },
            ThinkingForm::Switch => {
                let wanted = Wanted::read(effort, request.thinking);
                Thought::by_switch(&wanted, request.is_streamed(), sets, obstacle, report)
            }
        }
    }

    /// Whether the client's field of this name is not copied.
    pub(super) fn replaces(&self, name: &str) -> bool {
        match name {
            "reasoning_effort" => self.replaces_effort,
            _ => self.replaces_thinking,
        }
    }

    pub(super) fn write(&self, writer: &mut ObjectWriter<'_>) {
        for (name, value) in &self.fields {
            writer.raw(name, value);
        }
    }

    /// Who asks a model that cannot think not to think loses nothing.
    fn none(request: &ChatCompletionRequest<'_>, report: &mut Report) -> Thought {
        let effort = Wanted::read(request.reasoning_effort.as_deref(), None);
        let object = Wanted::read(None, request.thinking);
        for (wanted, field) in [(effort, "reasoning_effort"), (object, "thinking")] {
            if wanted.on == Some(true) {
                report.dropped(field, "this model cannot think");
            }
        }
        Thought {
            replaces_effort: true,
            replaces_thinking: true,
            ..Thought::default()
        }
    }

    fn by_effort(effort: Option<&str>, dialect: &Dialect, report: &mut Report) -> Thought {
        let stand_in = effort.and_then(|word| Dialect::stand_in(&dialect.efforts, word));
        let Some(word) = stand_in else {
            return Thought::default();
        };
        report.rewritten(
            "reasoning_effort",
            "the nearest word that this provider knows",
        );
        Thought {
            fields: vec![("reasoning_effort", json::to_string(word))],
            replaces_effort: true,
            replaces_thinking: false,
        }
    }

    fn by_toggle(
        effort: Option<&str>,
        object: Option<Raw<'_>>,
        dialect: &Dialect,
        report: &mut Report,
    ) -> Thought {
        let wanted = Wanted::read(None, object);
        if let Some(on) = wanted.on.filter(|_| !wanted.is_toggle) {
            if wanted.budget.is_some() {
                report.dropped("thinking.budget_tokens", "this provider takes no budget");
            } else {
                report.rewritten("thinking", "this provider knows only whether to think");
            }
            let mut thought = Thought::by_effort(effort, dialect, report);
            if effort == Some("none") {
                thought.replaces_effort = true;
            }
            thought.fields.push(("thinking", toggle(on)));
            thought.replaces_thinking = true;
            return thought;
        }
        if effort != Some("none") {
            return Thought::by_effort(effort, dialect, report);
        }
        let off = ("thinking", toggle(false));
        Thought {
            fields: object.map_or_else(|| vec![off], |_| Vec::new()),
            replaces_effort: true,
            replaces_thinking: false,
        }
    }

    fn toggled_off() -> Thought {
        Thought {
            fields: vec![("thinking", toggle(false))],
            replaces_effort: true,
            replaces_thinking: true,
        }
    }

    fn by_switch(
        wanted: &Wanted,
        streamed: bool,
        sets: &dyn Fn(&str) -> bool,
        obstacle: Option<&'static str>,
        report: &mut Report,
    ) -> Thought {
        let mut fields = Vec::new();
        if sets("enable_thinking") {
            wanted.is_overruled(report);
        } else if let Some(reason) = obstacle.filter(|_| streamed) {
            wanted.hinder("enable_thinking", reason, report);
            fields.push(("enable_thinking", "false".to_owned()));
        } else {
            let on = wanted.switch(streamed, report);
            fields.extend(on.map(|on| ("enable_thinking", on.to_string())));
            let budget = wanted.budget.filter(|_| on == Some(true));
            fields.extend(budget.map(|budget| ("thinking_budget", budget.to_string())));
        }
        Thought {
            fields,
            replaces_effort: true,
            replaces_thinking: true,
        }
    }
}

/// `thinking`, as those take it that know only whether to think.
fn toggle(on: bool) -> String {
    let word = if on { "enabled" } else { "disabled" };
    format!("{{\"type\":\"{word}\"}}")
}

impl Wanted {
    fn read(effort: Option<&str>, object: Option<Raw<'_>>) -> Wanted {
        let object: Option<ThinkingObject<'_>> = object.and_then(json::parse);
        let budget = object.as_ref().and_then(|object| object.budget_tokens);
        let kind = object
            .as_ref()
            .map(|object| object.kind.as_deref().unwrap_or_default());
        Wanted {
            on: kind
                .map(|kind| kind != "disabled")
                .or(effort.map(|word| word != "none")),
            budget,
            effort: effort.is_some(),
            object: object.is_some(),
            is_toggle: budget.is_none() && matches!(kind, Some("enabled" | "disabled")),
        }
    }

    /// Says that the model does not think now; `own` is the provider's field for it. Some
    /// models think unless they are told not to, so this is told to all.
    fn hinder(&self, own: &'static str, reason: &'static str, report: &mut Report) {
        match self.on {
            Some(false) => {}
            Some(true) if self.object => report.downgraded("thinking", reason),
            Some(true) => report.downgraded("reasoning_effort", reason),
            None => report.defaulted(own, reason),
        }
    }

    fn is_overruled(&self, report: &mut Report) {
        let said = [(self.effort, "reasoning_effort"), (self.object, "thinking")];
        for (_, field) in said.into_iter().filter(|(said, _)| *said) {
            report.dropped(field, "enable_thinking is set for this provider");
        }
    }

    /// The switch; `None` leaves it to the provider.
    fn switch(&self, streamed: bool, report: &mut Report) -> Option<bool> {
        if self.effort && self.object {
            report.dropped("reasoning_effort", "thinking says it too");
        }
        match (streamed, self.on) {
            (true, Some(true)) if self.effort && !self.object => {
                let reason = "this provider has no levels: thinking is on";
                report.rewritten("reasoning_effort", reason);
                Some(true)
            }
            (true, on) => on,
            (false, Some(true)) => {
                let field = if self.object {
                    "thinking"
                } else {
                    "reasoning_effort"
                };
                report.downgraded(field, "this provider thinks only in streams");
                Some(false)
            }
            (false, Some(false)) => Some(false),
            (false, None) => {
                let reason = "this provider thinks only in streams, and refuses otherwise";
                report.defaulted("enable_thinking", reason);
                Some(false)
            }
        }
    }
}
