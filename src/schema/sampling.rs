//! `temperature`, `top_p` and `top_k` for models that take a temperature of at most one.

use crate::fidelity::Report;
use crate::json::{self, Kind, Raw, RawValue};
use crate::schema::openai::ChatCompletionRequest;
use crate::schema::{Target, TranslateError};

/// What the model at hand makes of them.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// Who refuses what is dropped.
    pub vendor: &'static str,
    /// The model thinks: it takes only a `top_p` close to one.
    pub is_thinking: bool,
    /// It takes `temperature` or `top_p`, not both.
    pub is_exclusive: bool,
}

/// `temperature`, `top_p` and `top_k`.
#[derive(Default)]
pub(super) struct Sampling<'a> {
    pub temperature: Option<Raw<'a>>,
    pub top_p: Option<Raw<'a>>,
    pub top_k: Option<Raw<'a>>,
}

impl<'a> Sampling<'a> {
    /// Reads them.
    pub fn read(
        request: &ChatCompletionRequest<'a>,
        target: &Target<'_>,
        rules: Rules,
        report: &mut Report,
    ) -> Result<Sampling<'a>, TranslateError> {
        let mut sampling = Sampling {
            temperature: number("temperature", request.temperature)?,
            top_p: number("top_p", request.top_p)?,
            top_k: number("top_k", request.top_k)?,
        };
        if !target.capabilities.sampling {
            sampling.drop_all("this model takes no sampling parameters", report);
        } else if rules.is_thinking {
            let near_one = |raw: &Raw<'_>| value(raw).is_some_and(|p| (0.95..=1.0).contains(&p));
            let top_p = sampling.top_p.take_if(|raw| near_one(raw));
            sampling.drop_all("a model that thinks does not take it", report);
            sampling.top_p = top_p;
        }
        sampling.clamp_temperature(rules.vendor, report);
        let is_both = sampling.temperature.is_some() && sampling.top_p.is_some();
        if rules.is_exclusive && is_both {
            sampling.top_p = None;
            let reason = format!("{} takes it or temperature, not both", rules.vendor);
            report.dropped("top_p", reason);
        }
        Ok(sampling)
    }

    fn drop_all(&mut self, reason: &'static str, report: &mut Report) {
        let Sampling {
            temperature,
            top_p,
            top_k,
        } = std::mem::take(self);
        let fields = [
            ("temperature", temperature),
            ("top_p", top_p),
            ("top_k", top_k),
        ];
        for (name, _) in fields.into_iter().filter(|(_, raw)| raw.is_some()) {
            report.dropped(name, reason);
        }
    }

    fn clamp_temperature(&mut self, vendor: &str, report: &mut Report) {
        let too_hot = self.temperature.is_some_and(|raw| value(raw) > Some(1.0));
        if too_hot {
            self.temperature = json::parse_text("1");
            let reason = format!("lowered to {vendor}'s highest, 1");
            report.rewritten("temperature", reason);
        }
    }
}

fn number<'a>(
    param: &'static str,
    raw: Option<Raw<'a>>,
) -> Result<Option<Raw<'a>>, TranslateError> {
    match raw {
        Some(raw) if json::kind(raw) != Kind::Number => Err(TranslateError::new(param, "a number")),
        raw => Ok(raw),
    }
}

fn value(raw: &RawValue) -> Option<f64> {
    json::parse(raw)
}
