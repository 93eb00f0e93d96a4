//! Embeddings, in the three forms that Google has for them.
//!
//! Source: Gemini API reference, "Embeddings"; Vertex AI reference, "Text embeddings API"; the
//! official SDK 3.4 (google-genai), which chooses between the forms by the model's name, read
//! 2026-11-21.

use crate::failure::Failure;
use crate::fidelity::Report;
use crate::json::{self, Json, Raw};
use crate::schema::embeddings::{Asked, EmbeddingsReply, array, purpose};
use crate::schema::fields::{Fields, to_json};
use crate::schema::{OperationSchema, Reply, ReplyContext, Target, TranslateError, Translated};
use crate::usage::Usage;
use crate::wire;

/// A form of request and reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Embeddings {
    /// `batchEmbedContents` of AI Studio.
    Batch,
    /// `batchEmbedContents` of Vertex, for Gemini's models.
    VertexBatch,
    /// `predict` of Vertex, for other models.
    Predict,
}

const VENDOR: &str = "Gemini";

wire! {
    /// The reply, in any form.
    pub struct EmbedReply<'a> {
        /// Of `batchEmbedContents`, in the requests' order.
        embeddings: Vec<Embedding<'a>>,
        /// Of `predict`, in the instances' order.
        predictions: Vec<Prediction<'a>>,
        /// Of `batchEmbedContents`.
        usage_metadata = "usageMetadata": EmbedUsage<'a>,
    }
}

wire! {
    /// One vector of `predict`.
    pub struct Prediction<'a> {
        /// It.
        embeddings: Embedding<'a>,
    }
}

wire! {
    /// One vector.
    pub struct Embedding<'a> {
        /// Numbers.
        values: Raw<'a>,
        /// Of Vertex.
        statistics: Statistics<'a>,
    }
}

wire! {
    /// What Vertex counts for each text.
    pub struct Statistics<'a> {
        /// Tokens, written as a fraction.
        token_count: f64,
        /// The same in newer forms.
        token_count_camel = "tokenCount": f64,
    }
}

wire! {
    /// What a batch cost.
    pub struct EmbedUsage<'a> {
        /// Tokens of all texts.
        prompt_token_count = "promptTokenCount": u64,
    }
}

impl Embeddings {
    /// The form that Vertex wants for a model.
    pub fn of_vertex(model: &str) -> Embeddings {
        match model.contains("gemini") {
            true => Embeddings::VertexBatch,
            false => Embeddings::Predict,
        }
    }

    /// The last part of the path.
    pub fn method(self) -> &'static str {
        match self {
            Embeddings::Batch | Embeddings::VertexBatch => "batchEmbedContents",
            Embeddings::Predict => "predict",
        }
    }

    /// The most texts in a request. AI Studio says in its refusal of more that a batch holds 100
    /// ("at most 100 requests can be in one batch", seen in public reports until 2026-11-21).
    fn most(self) -> usize {
        match self {
            Embeddings::Batch | Embeddings::VertexBatch => 100,
            Embeddings::Predict => 250,
        }
    }

    fn body(self, asked: &Asked<'_>, target: &Target<'_>, settings: &Fields<'_>) -> Vec<u8> {
        let texts = asked.texts.iter();
        let mut body = Fields::default();
        if self == Embeddings::Predict {
            let of_text = |(name, _): &(&str, _)| matches!(*name, "task_type" | "title");
            let instance = |text: &Raw<'_>| {
                let mut instance = Fields::default();
                instance.set("content", Json::Borrowed(*text));
                for (name, value) in settings.iter().filter(of_text) {
                    instance.set(name, Json::Borrowed(value));
                }
                to_json(&instance)
            };
            let mut parameters = Fields::default();
            for (name, value) in settings.iter().filter(|setting| !of_text(setting)) {
                parameters.set(name, Json::Borrowed(value));
            }
            body.set("instances", array(&texts.map(instance).collect::<Vec<_>>()));
            if !parameters.is_empty() {
                body.set("parameters", to_json(&parameters));
            }
        } else {
            let request = |text: &Raw<'_>| to_json(&self.request(text, target, settings));
            body.set("requests", array(&texts.map(request).collect::<Vec<_>>()));
        }
        json::to_string(&body).into_bytes()
    }

    /// One text of a batch.
    fn request<'s>(
        self,
        text: &Raw<'_>,
        target: &Target<'_>,
        settings: &'s Fields<'_>,
    ) -> Fields<'s> {
        let mut request = Fields::default();
        let content = format!(r#"{{"parts":[{{"text":{}}}]}}"#, text.get());
        if self == Embeddings::Batch {
            request.set("model", to_json(&format!("models/{}", target.model)));
            request.set("content", json::owned(content));
            for (name, value) in settings.iter() {
                request.set(name, Json::Borrowed(value));
            }
        } else {
            request.set("content", json::owned(content));
            if !settings.is_empty() {
                request.set("embedContentConfig", to_json(settings));
            }
        }
        request
    }
}

impl OperationSchema for Embeddings {
    fn translate_request(
        &self,
        target: &Target<'_>,
        _media_type: &str,
        report: &mut Report,
    ) -> Result<Translated, TranslateError> {
        let asked = Asked::read(target, VENDOR, self.most(), is_ours, report)?;
        let mut settings = Fields::default();
        if let Some(word) = &asked.purpose {
            let name = match self {
                Embeddings::Predict => "task_type",
                Embeddings::Batch | Embeddings::VertexBatch => "taskType",
            };
            match purpose::of_gemini(word) {
                Some(task) => settings.set(name, to_json(task)),
                None => report.dropped("input_type", "Gemini has no such task"),
            }
        }
        if let Some(dimensions) = asked.dimensions {
            settings.set("outputDimensionality", Json::Borrowed(dimensions));
        }
        asked.settle(target, &mut settings, report);
        Ok(Translated {
            body: self.body(&asked, target, &settings),
            hints: asked.hints,
            ..Translated::default()
        })
    }

    fn translate_response(
        &self,
        context: &ReplyContext,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Reply, Failure> {
        let EmbedReply {
            embeddings,
            predictions,
            usage_metadata,
            extra: _, // what is billed in characters
        } = json::read(body).map_err(|_| malformed())?;
        let predicted = predictions.unwrap_or_default().into_iter();
        let vectors = embeddings.unwrap_or_default().into_iter();
        let vectors = vectors.chain(predicted.filter_map(|prediction| prediction.embeddings));
        let mut reply = EmbeddingsReply::begin(context.hints, out);
        let mut counted = 0.0;
        for Embedding {
            values,
            statistics,
            extra: _, // shape, of other media
        } in vectors
        {
            counted += statistics
                .and_then(|s| s.token_count.or(s.token_count_camel))
                .unwrap_or(0.0);
            reply.vector(values.ok_or_else(malformed)?)?;
        }
        let told = usage_metadata.and_then(|usage| usage.prompt_token_count);
        let usage = Usage {
            input_tokens: told.unwrap_or(counted.max(0.0) as u64),
            ..Usage::default()
        };
        reply.end(&context.model, usage)
    }
}

fn is_ours(name: &str) -> bool {
    matches!(
        name,
        "model" | "content" | "contents" | "requests" | "instances"
    )
}

fn malformed() -> Failure {
    let message = "the provider's reply is not a list of embeddings";
    Failure::malformed(message)
}
