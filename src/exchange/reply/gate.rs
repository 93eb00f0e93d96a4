//! Whether an answer looks good enough to be committed.

use super::ReplyState;
use crate::config::QualityGate;
use crate::failure::{Class, Failure};
use crate::quality::{Expected, Score};

/// What one attempt's answer must be.
#[derive(Debug, Clone)]
pub(in crate::exchange) struct Gate {
    pub bounds: QualityGate,
    pub expected: Expected,
}

impl Gate {
    /// Whether so many bytes of a stream tell enough.
    pub(super) fn is_content_with(&self, bytes: usize) -> bool {
        bytes as u64 >= self.bounds.held_stream_bytes
    }

    fn judge(&self, score: Score) -> Result<(), Failure> {
        if score.value >= self.bounds.threshold {
            return Ok(());
        }
        let Score { value, reason } = score;
        let message = format!(
            "the answer scores {} where {} is asked for: {reason}",
            ratio(value),
            ratio(self.bounds.threshold)
        );
        Err(Failure::new(Class::LowQuality, message))
    }
}

impl ReplyState {
    /// Lets only an answer pass that looks good enough.
    pub(in crate::exchange) fn set_gate(&mut self, gate: Option<Gate>) {
        self.gate = gate;
    }

    pub(super) fn judge_whole(&self, completion: &[u8]) -> Result<(), Failure> {
        let Some(gate) = &self.gate else {
            return Ok(());
        };
        gate.expected
            .score(completion)
            .map_or(Ok(()), |score| gate.judge(score))
    }

    pub(super) fn judge_stream(&self, events: &[u8], is_whole: bool) -> Result<(), Failure> {
        let Some(gate) = &self.gate else {
            return Ok(());
        };
        gate.judge(gate.expected.score_stream(events, is_whole))
    }
}

/// Thousandths as people write them.
fn ratio(thousandths: u16) -> String {
    format!("{:.2}", f64::from(thousandths) / 1000.0)
}
