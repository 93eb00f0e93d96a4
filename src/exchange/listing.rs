//! `GET /v1/models` and `/v1/models/{id}`, answered from the configuration.
//!
//! Source: OpenAI API reference, "Models", read 2026-11-21.

use serde::Serialize;

use super::ImmediateResponse;
use crate::json;

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Model<'a>>,
}

#[derive(Serialize)]
struct Model<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
}

/// The models of these names.
pub(super) fn list<'c>(names: impl Iterator<Item = &'c str>) -> ImmediateResponse {
    respond(&List {
        object: "list",
        data: names.map(model).collect(),
    })
}

/// One model.
pub(super) fn one(name: &str) -> ImmediateResponse {
    respond(&model(name))
}

/// `created` is required by OpenAI's schema, and a configuration has no birthday.
fn model(id: &str) -> Model<'_> {
    Model {
        id,
        object: "model",
        created: 0,
        owned_by: "pointsman",
    }
}

fn respond<T: Serialize>(value: &T) -> ImmediateResponse {
    let mut body = Vec::new();
    json::write(&mut body, value);
    ImmediateResponse {
        status: 200,
        headers: Vec::new(),
        body,
    }
}
