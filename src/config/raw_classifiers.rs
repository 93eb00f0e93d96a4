//! Classifiers outside, as the document writes them.

use super::names::{CaFile, CandidateName, EndpointUrl, LabelName, LabelValue, TemplateText};
use super::raw::Key;
use super::shape::object;
use super::values::{Duration, Int, List, Map, OneOrMore, Size};

object! {
    /// A model or a webhook that is asked for the class of a request. Whatever goes wrong, the
    /// request goes on: with the default class, or without one.
    pub(super) struct RawClassifier {
        /// The model that is asked: a name under `models`, or `provider/model` of a candidate that
        /// stands under one.
        model: CandidateName,
        /// What the model is asked, such as `What does the user want done?`; say what the classes
        /// mean.
        instruction: TemplateText,
        /// The most tokens that the model may answer with; 16 when not said. Models that think
        /// need more.
        max_tokens: Int<1, 8_192>,
        /// The endpoint that is asked instead of a model.
        webhook: RawWebhook,
        /// What it may answer.
        classes: List<LabelValue, 2, 64> = required,
        /// The class when none is told, in time or at all.
        default: LabelValue,
        /// The longest that a request waits; 500ms when not said.
        deadline: Duration<10, 10_000>,
        /// For how long an answer counts for equal questions; 10m when not said, 0s for not at all.
        cache: Duration<0, 86_400_000>,
        /// The most of the last user message that is shown; 2KiB when not said.
        excerpt: Size<16, 16_384>,
    }
}

object! {
    /// An endpoint of your own: it gets a POST with JSON and answers with JSON.
    pub(super) struct RawWebhook {
        /// Where it is.
        url: EndpointUrl = required,
        /// Where its key is, which is sent as a bearer token.
        key: Key,
        /// File with the certificate authority that signed its certificate; the system's own when
        /// not said.
        ca_file: CaFile,
        /// What it promises: a request that requires labels goes there only if it keeps them.
        labels: Map<LabelName, OneOrMore<LabelValue>, 0>,
        /// Whether it gets text besides features: the beginning of the last user message, and where it
        /// scores answers, of the answer; false when not said.
        send_text: bool,
    }
}
