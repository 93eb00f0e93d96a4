//! Messages as the clouds take them: the model in the path, the version in the body.

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::{Objection, check_shape};
use super::{bad, digest, fields, render, turns, violated};
use crate::answer::Answer;
use crate::ask::Ask;
use crate::reply::{Reply, Script, Step};

/// A cloud.
pub struct Cloud {
    /// What `anthropic_version` must say.
    pub version: &'static str,
    /// Whether the body may say `stream`.
    pub says_stream: bool,
    /// The beta features of the body; `None` where a header says them.
    pub betas: Option<&'static [&'static str]>,
}

/// Bedrock's `InvokeModel`.
pub const BEDROCK: Cloud = Cloud {
    version: "bedrock-2023-05-31",
    says_stream: false,
    betas: Some(&["context-1m-2025-08-07", "tool-search-tool-2025-10-19"]),
};

/// Vertex AI's `rawPredict`.
pub const VERTEX: Cloud = Cloud {
    version: "vertex-2023-10-16",
    says_stream: true,
    betas: None,
};

/// Digests a request for `model` that passes all checks.
pub fn examine(
    cloud: &Cloud,
    mut body: Value,
    model: String,
    stream: bool,
) -> Result<Ask, Objection> {
    let fields = body.as_object_mut().ok_or_else(|| bad("not an object"))?;
    let version = fields.remove("anthropic_version").unwrap_or_default();
    if version != cloud.version {
        return Err(bad(&format!(
            "anthropic_version: expected {}",
            cloud.version
        )));
    }
    if let (Some(known), Some(betas)) = (cloud.betas, fields.remove("anthropic_beta")) {
        let mut betas = betas.as_array().into_iter().flatten();
        if !betas.all(|beta| beta.as_str().is_some_and(|beta| known.contains(&beta))) {
            return Err(bad("invalid beta flag"));
        }
    }
    for (name, is_known) in [("model", false), ("stream", cloud.says_stream)] {
        if fields.contains_key(name) && !is_known {
            return Err(bad(&format!("{name}: Extra inputs are not permitted")));
        }
    }
    fields.insert("model".to_owned(), json!(model));
    check_shape(&fields::REQUEST, &body, violated)?;
    turns::check(&body)?;
    Ok(Ask {
        stream,
        speaks_messages: true,
        ..digest::digest(&body)
    })
}

/// Digests a request of which only the tokens are counted; the model stands in the body.
pub fn count(cloud: &Cloud, mut body: Value) -> Result<Ask, Objection> {
    let fields = body.as_object_mut().ok_or_else(|| bad("not an object"))?;
    let model = fields.remove("model");
    let model = model.as_ref().and_then(Value::as_str);
    let model = model
        .ok_or_else(|| bad("model: Field required"))?
        .to_owned();
    if fields.insert("max_tokens".to_owned(), json!(1)).is_some() {
        return Err(bad("max_tokens: Extra inputs are not permitted"));
    }
    let ask = examine(cloud, body, model, false)?;
    let reply = json!({"input_tokens": ask.input_bytes / 4 + 1});
    Ok(Ask {
        reply: Some(reply),
        speaks_messages: false,
        ..ask
    })
}

/// Words the answer with server-sent events for a stream.
pub fn reply(ask: &Ask, answer: &Answer) -> Reply {
    render::reply(ask, answer)
}

/// Words the answer; each event of a stream goes through `wrap`, without the words around it.
pub fn wrapped(
    ask: &Ask,
    answer: &Answer,
    content_type: &'static str,
    wrap: fn(&str) -> Bytes,
) -> Reply {
    let mut reply = render::reply(ask, answer);
    if let Script::Steps { steps, .. } = &mut reply.body {
        reply.content_type = content_type;
        for step in steps {
            if let Step::Send(bytes) = step {
                *step = Step::Send(wrap(&data(bytes)));
            }
        }
    }
    reply
}

fn data(event: &Bytes) -> String {
    let text = String::from_utf8_lossy(event);
    let data = text.lines().find_map(|line| line.strip_prefix("data: "));
    data.unwrap_or_default().to_owned()
}
