//! What is different on Azure: paths, versions, and the content filter's annotations.
//!
//! Source: Azure OpenAI reference, "Chat completions", and its guide "Content filtering",
//! read 2026-11-21.

use serde_json::json;

use super::super::{Head, Objection, data_event};
use super::{Reply, bad};
use crate::reply::{Script, Step};

/// Whether the path is one of Azure's: the v1 API's, or a deployment's, which needs a version.
pub fn is_here(head: &Head) -> Result<bool, Objection> {
    let Some(rest) = head.path.strip_prefix("/openai/") else {
        return Ok(false);
    };
    let is_version = |pair: &str| {
        pair.strip_prefix("api-version=")
            .is_some_and(|v| !v.is_empty())
    };
    let has_version = head.query.split('&').any(is_version);
    if rest.starts_with("deployments/") && !has_version {
        return Err(Objection {
            status: 404,
            ..bad("404", "api-version", "Resource not found")
        });
    }
    Ok(true)
}

/// The filter's word on the prompt comes first, and one on the answer last: neither says anything.
pub fn annotate(reply: &mut Reply) {
    let Script::Steps { steps, .. } = &mut reply.body else {
        return;
    };
    let safe = json!({"hate": {"filtered": false, "severity": "safe"}});
    let head = json!({
        "id": "", "object": "", "created": 0, "model": "", "choices": [],
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": safe}],
    });
    let tail = json!({
        "id": "", "object": "", "created": 0, "model": "",
        "choices": [{
            "index": 0, "finish_reason": null, "content_filter_results": safe,
            "content_filter_offsets": {"check_offset": 1, "start_offset": 1, "end_offset": 9},
        }],
    });
    steps.push_front(Step::Send(data_event(&head)));
    let done = steps.len().saturating_sub(1);
    steps.insert(done, Step::Send(data_event(&tail)));
}

/// A prompt that the filter has stopped.
pub fn filtered() -> Reply {
    let results = json!({"hate": {"filtered": true, "severity": "high"}});
    let error = json!({"error": {
        "message": "The response was filtered due to the prompt triggering Azure OpenAI's \
                    content management policy.",
        "type": null, "param": "prompt", "code": "content_filter", "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation", "content_filter_result": results,
        },
    }});
    Reply::json(400, error.to_string().into_bytes())
}
