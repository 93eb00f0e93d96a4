//! What is no chat: embeddings and rerank, as each vendor takes and answers them. Strict: a field
//! that the vendor does not document is refused.

use serde_json::{Map, Value, json};

use crate::ask::Ask;

/// Why a request is refused: a wording with status 400.
pub type Wrong = String;

/// OpenAI's `/embeddings`, and the `/rerank` of servers that speak like OpenAI.
pub fn of_openai(path: &str, body: &[u8]) -> Option<Result<Ask, Wrong>> {
    if path.ends_with("/embeddings") {
        return Some(read(body).and_then(|body| openai_embeddings(&body)));
    }
    let is_rerank = path.ends_with("/rerank");
    is_rerank.then(|| read(body).and_then(|body| rerank(&body, "model query documents top_n")))
}

/// Cohere's `/v2/embed` and `/v2/rerank`.
pub fn of_cohere(path: &str, body: &[u8]) -> Option<Result<Ask, Wrong>> {
    if path.ends_with("/v2/embed") {
        return Some(read(body).and_then(|body| cohere_embed(&body, true)));
    }
    let known = "model query documents top_n max_tokens_per_doc priority relevant_spans";
    let is_rerank = path.ends_with("/v2/rerank");
    is_rerank.then(|| read(body).and_then(|body| rerank(&body, known)))
}

/// Gemini's `batchEmbedContents` on AI Studio.
pub fn of_gemini(path: &str, body: &[u8]) -> Option<Result<Ask, Wrong>> {
    let (_, model) = path
        .strip_suffix(":batchEmbedContents")?
        .split_once("/models/")?;
    Some(read(body).and_then(|body| gemini_batch(&body, model)))
}

/// Bedrock's `InvokeModel`, by the model's family; `model` is decoded already.
pub fn of_bedrock(model: &str, body: &[u8]) -> Result<Ask, Wrong> {
    let body = read(body)?;
    let mut ask = if model.contains("titan-embed-text") {
        titan(&body)?
    } else if model.contains("cohere.embed") {
        cohere_embed(&body, false)?
    } else if body.get("api_version") == Some(&json!(2)) {
        rerank(
            &body,
            "api_version query documents top_n max_tokens_per_doc priority",
        )?
    } else {
        return Err("The provided model does not support this operation.".to_owned());
    };
    ask.model = model.to_owned();
    Ok(ask)
}

fn openai_embeddings(body: &Map<String, Value>) -> Result<Ask, Wrong> {
    check(body, "model input encoding_format dimensions user")?;
    let texts = match body.get("input") {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) if items.iter().all(Value::is_number) => vec![tokens(items)],
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| match item {
                Value::String(text) => Ok(text.clone()),
                Value::Array(items) => Ok(tokens(items)),
                _ => Err("'input' is invalid.".to_owned()),
            })
            .collect::<Result<_, _>>()?,
        _ => return Err("Missing required parameter: 'input'.".to_owned()),
    };
    let size = size(body.get("dimensions"));
    let base64 = body.get("encoding_format") == Some(&json!("base64"));
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let vector = vector(text, size);
            let embedding = match base64 {
                true => json!(encode(&vector)),
                false => json!(vector),
            };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    let model = text(body, "model");
    let count = count(&texts);
    Ok(answered(
        model,
        &texts,
        json!({
            "object": "list", "data": data, "model": model,
            "usage": {"prompt_tokens": count, "total_tokens": count},
        }),
    ))
}

fn cohere_embed(body: &Map<String, Value>, of_cohere: bool) -> Result<Ask, Wrong> {
    let known = "texts input_type embedding_types output_dimension truncate max_tokens priority";
    match of_cohere {
        true => check(body, &format!("model {known}"))?,
        false => check(body, known)?,
    }
    let types = [
        "search_document",
        "search_query",
        "classification",
        "clustering",
    ];
    if !types.contains(&text(body, "input_type")) {
        return Err("invalid request: input_type is required".to_owned());
    }
    if body.get("embedding_types") != Some(&json!(["float"])) {
        return Err("invalid request: embedding_types must be [\"float\"] here".to_owned());
    }
    let texts = strings(body, "texts")?;
    if texts.len() > 96 {
        return Err("invalid request: total number of texts must be at most 96".to_owned());
    }
    let size = size(body.get("output_dimension"));
    let vectors: Vec<_> = texts.iter().map(|text| vector(text, size)).collect();
    let mut reply = json!({
        "id": "standin", "response_type": "embeddings_by_type", "texts": texts,
        "embeddings": {"float": vectors},
    });
    if of_cohere {
        reply["meta"] = json!({
            "api_version": {"version": "2"},
            "billed_units": {"input_tokens": count(&texts)},
        });
    }
    Ok(answered(text(body, "model"), &texts, reply))
}

fn gemini_batch(body: &Map<String, Value>, model: &str) -> Result<Ask, Wrong> {
    check(body, "requests")?;
    let requests = body.get("requests").and_then(Value::as_array);
    let mut embeddings = Vec::new();
    let mut texts = Vec::new();
    for request in requests.into_iter().flatten() {
        let request = request.as_object().ok_or("requests must be objects")?;
        check(request, "model content taskType title outputDimensionality")?;
        if text(request, "model") != format!("models/{model}") {
            return Err("The model in the request does not match the one in the path.".to_owned());
        }
        let said = request
            .get("content")
            .and_then(|c| c["parts"][0]["text"].as_str());
        let said = said.ok_or("content contains an empty Part")?;
        embeddings.push(json!({"values": vector(said, size(request.get("outputDimensionality")))}));
        texts.push(said.to_owned());
    }
    if texts.is_empty() || texts.len() > 100 {
        return Err("at most 100 requests can be in one batch".to_owned());
    }
    let reply = json!({
        "embeddings": embeddings, "usageMetadata": {"promptTokenCount": count(&texts)},
    });
    Ok(answered(model, &texts, reply))
}

fn titan(body: &Map<String, Value>) -> Result<Ask, Wrong> {
    check(body, "inputText dimensions normalize embeddingTypes")?;
    let said = body.get("inputText").and_then(Value::as_str);
    let texts = [said.ok_or("Malformed input request: required key [inputText] not found")?];
    let vector = vector(texts[0], size(body.get("dimensions")));
    let texts = texts.map(str::to_owned);
    Ok(answered(
        "",
        &texts,
        json!({
            "embedding": vector, "embeddingsByType": {"float": vector},
            "inputTextTokenCount": count(&texts),
        }),
    ))
}

/// The longest documents first: an order that differs from the request's.
fn rerank(body: &Map<String, Value>, known: &str) -> Result<Ask, Wrong> {
    check(body, known)?;
    let documents = strings(body, "documents")?;
    if text(body, "query").is_empty() {
        return Err("invalid request: query is required".to_owned());
    }
    let mut order: Vec<usize> = (0..documents.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(documents.get(*index).map_or(0, String::len)));
    let top = body
        .get("top_n")
        .and_then(Value::as_u64)
        .unwrap_or(u64::MAX);
    order.truncate(usize::try_from(top).unwrap_or(usize::MAX));
    let results: Vec<_> = order
        .iter()
        .enumerate()
        .map(|(rank, index)| json!({"index": index, "relevance_score": 0.9 / (rank + 1) as f64}))
        .collect();
    let meta = json!({"api_version": {"version": "2"}, "billed_units": {"search_units": 1}});
    let reply = json!({"id": "standin", "results": results, "meta": meta});
    Ok(answered(text(body, "model"), &documents, reply))
}

fn answered(model: &str, texts: &[String], reply: Value) -> Ask {
    Ask {
        model: model.to_owned(),
        user_text: texts.last().cloned().unwrap_or_default(),
        input_bytes: texts.iter().map(String::len).sum(),
        reply: Some(reply),
        ..Ask::default()
    }
}

fn read(body: &[u8]) -> Result<Map<String, Value>, Wrong> {
    serde_json::from_slice(body).map_err(|_| "The body is not a JSON object.".to_owned())
}

fn check(body: &Map<String, Value>, known: &str) -> Result<(), Wrong> {
    let unknown = body
        .keys()
        .find(|name| !known.split(' ').any(|k| k == *name));
    unknown.map_or(Ok(()), |name| Err(format!("Unknown parameter: '{name}'.")))
}

fn strings(body: &Map<String, Value>, field: &str) -> Result<Vec<String>, Wrong> {
    let items = body.get(field).and_then(Value::as_array);
    let texts = items.map(|items| {
        let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
        texts.collect::<Option<Vec<_>>>()
    });
    let texts = texts.flatten().filter(|texts| !texts.is_empty());
    texts.ok_or_else(|| format!("invalid request: {field} must be strings"))
}

fn text<'a>(body: &'a Map<String, Value>, field: &str) -> &'a str {
    body.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn tokens(items: &[Value]) -> String {
    items
        .iter()
        .map(Value::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}

fn size(asked: Option<&Value>) -> usize {
    let asked = asked.and_then(Value::as_u64).unwrap_or(4);
    usize::try_from(asked).unwrap_or(4).clamp(1, 4096)
}

/// A quarter of the bytes, at least one for each text.
fn count(texts: &[String]) -> usize {
    texts.iter().map(|text| (text.len() / 4).max(1)).sum()
}

/// The same for the same text: its length first, then halves.
fn vector(text: &str, size: usize) -> Vec<f32> {
    let rest = (1..size).map(|i| 1.0 / (i + 1) as f32);
    std::iter::once(text.len() as f32).chain(rest).collect()
}

/// Base64 of little-endian floats.
fn encode(vector: &[f32]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u8> = vector.iter().flat_map(|n| n.to_le_bytes()).collect();
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let letter = ALPHABET[bits >> (18 - 6 * i) & 63];
            text.push(if i > chunk.len() {
                '='
            } else {
                char::from(letter)
            });
        }
    }
    text
}
