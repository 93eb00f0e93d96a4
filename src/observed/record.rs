//! What is kept of one target: durations, outcomes and what it is serving, in some 550 bytes.

use super::bytes::{Reader, Writer};
use super::calibration::Calibration;
use super::in_flight::InFlight;
use super::sketch::Sketch;
use super::{TargetState, Update, decay};
use crate::failure::Class;

/// First byte of a record. A new layout takes the next number, and so ignores what it finds.
const VERSION: u8 = 2;

const CLASSES: usize = Class::ALL.len();

/// What is kept of one target.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Record {
    /// To when all has been faded, in Unix milliseconds.
    faded_ms: u64,
    ttft: Sketch,
    total: Sketch,
    answered: f32,
    failed: [f32; CLASSES],
    in_flight: InFlight,
    calibration: Calibration,
    /// Attempts that have ended, ever.
    attempts: u64,
    /// Of these, those that failed.
    failures: u64,
}

/// The figures of one target, for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// As policies see it.
    pub state: TargetState,
    /// Means, younger ones counting more: to the first token, to the end; in milliseconds.
    pub means_ms: (Option<f64>, Option<f64>),
    /// Share of attempts that failed so, for each class that did lately.
    pub failed: Vec<(Class, f64)>,
    /// Attempts and failed ones since Envoy has been started.
    pub ever: (u64, u64),
}

impl Record {
    /// Reads what [`Record::encode`] wrote; anything else is as if nothing had been seen.
    pub fn decode(bytes: &[u8]) -> Record {
        read(&mut Reader(bytes)).unwrap_or_default()
    }

    /// Its bytes, always as many.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer(Vec::with_capacity(576));
        writer.u8(VERSION);
        writer.u64(self.faded_ms);
        self.ttft.write(&mut writer);
        self.total.write(&mut writer);
        writer.f32(self.answered);
        self.failed.iter().for_each(|share| writer.f32(*share));
        self.in_flight.write(&mut writer);
        self.calibration.write(&mut writer);
        writer.u64(self.attempts);
        writer.u64(self.failures);
        writer.0
    }

    /// Takes an update in.
    pub fn apply(&mut self, update: &Update, half_life_ms: u64, now_ms: u64) {
        self.fade_to(now_ms, half_life_ms);
        if let Some(tokens) = update.begins {
            self.in_flight.begin(tokens, now_ms);
        }
        if let Some((tokens, began_ms)) = update.ends {
            self.in_flight.end(tokens, began_ms);
        }
        if let Some(ms) = update.ttft_ms {
            self.ttft.add(ms);
        }
        if let Some(ms) = update.total_ms {
            self.total.add(ms);
        }
        if let Some((estimated, counted)) = update.counted {
            self.calibration.add(estimated, counted);
        }
        match update.outcome {
            Some(Ok(())) => self.count(None),
            Some(Err(class)) => self.count(Some(class)),
            None => {}
        }
    }

    fn count(&mut self, failed: Option<Class>) {
        self.fade_outcomes(decay::PER_OBSERVATION);
        self.attempts = self.attempts.saturating_add(1);
        let blamed = failed.filter(|class| is_to_blame(*class));
        match blamed.and_then(|class| self.failed.get_mut(index(class))) {
            Some(share) => {
                *share += 1.0;
                self.failures = self.failures.saturating_add(1);
            }
            None => self.answered += 1.0,
        }
    }

    fn fade_to(&mut self, now_ms: u64, half_life_ms: u64) {
        let age_ms = now_ms.saturating_sub(self.faded_ms);
        if !decay::is_a_step(age_ms, half_life_ms) {
            return;
        }
        let remains = decay::remains(age_ms, half_life_ms);
        self.ttft.fade(remains);
        self.total.fade(remains);
        self.fade_outcomes(remains);
        self.faded_ms = now_ms;
    }

    fn fade_outcomes(&mut self, remains: f32) {
        self.answered *= remains;
        self.failed.iter_mut().for_each(|share| *share *= remains);
    }

    /// What policies see of it.
    pub fn state(&self, half_life_ms: u64, now_ms: u64) -> TargetState {
        let remains = decay::remains(now_ms.saturating_sub(self.faded_ms), half_life_ms);
        let failed: f32 = self.failed.iter().sum();
        let outcomes = self.answered + failed;
        let (in_flight_requests, in_flight_tokens) = self.in_flight.now(now_ms);
        TargetState {
            ttft_p50_ms: self.ttft.quantile(0.5, remains),
            ttft_p95_ms: self.ttft.quantile(0.95, remains),
            latency_p50_ms: self.total.quantile(0.5, remains),
            latency_p95_ms: self.total.quantile(0.95, remains),
            error_rate: (outcomes * remains >= 0.1).then(|| f64::from(failed / outcomes)),
            in_flight_tokens,
            in_flight_requests,
            tokens_ratio: self.calibration.ratio(),
        }
    }

    /// What people see of it.
    pub fn figures(&self, half_life_ms: u64, now_ms: u64) -> Figures {
        let remains = decay::remains(now_ms.saturating_sub(self.faded_ms), half_life_ms);
        let outcomes = self.answered + self.failed.iter().sum::<f32>();
        let share = |class: Class| {
            self.failed
                .get(index(class))
                .map(|failed| failed / outcomes)
        };
        let failed = Class::ALL.into_iter().filter_map(|class| {
            let share = share(class).filter(|share| *share >= 0.005)?;
            Some((class, f64::from(share)))
        });
        Figures {
            state: self.state(half_life_ms, now_ms),
            means_ms: (self.ttft.mean(remains), self.total.mean(remains)),
            failed: failed.collect(),
            ever: (self.attempts, self.failures),
        }
    }
}

fn read(reader: &mut Reader<'_>) -> Option<Record> {
    if reader.u8()? != VERSION {
        return None;
    }
    let mut record = Record {
        faded_ms: reader.u64()?,
        ttft: Sketch::read(reader)?,
        total: Sketch::read(reader)?,
        answered: reader.amount()?,
        ..Record::default()
    };
    for share in &mut record.failed {
        *share = reader.amount()?;
    }
    record.in_flight = InFlight::read(reader)?;
    record.calibration = Calibration::read(reader)?;
    record.attempts = reader.u64()?;
    record.failures = reader.u64()?;
    reader.is_at_end().then_some(record)
}

fn index(class: Class) -> usize {
    let same = |each: &Class| *each == class;
    Class::ALL.iter().position(same).unwrap_or(CLASSES)
}

/// Whether the target could have done better: not when the request was at fault.
fn is_to_blame(class: Class) -> bool {
    !matches!(
        class,
        Class::InvalidRequest
            | Class::ContextLengthExceeded
            | Class::ContentFilter
            | Class::ReplyTooLarge
    )
}
