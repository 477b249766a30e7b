//! JSON Schemas of what machines read, generated from the types that write it.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

use super::json::RunDocument;
use crate::compare::{Comparison, Matrix};
use crate::explain::Explanations;
use crate::explain::limits::LimitsDocument;

/// The schema of `comparison.json`.
#[must_use]
pub fn comparison_schema() -> Schema {
    schema::<Comparison>("comparison.json", "wafcanary comparison")
}

/// The schema of a run as `report RUN --format json` writes it.
#[must_use]
pub fn run_schema() -> Schema {
    schema::<RunDocument<'static>>("run.json", "wafcanary run")
}

/// The schema of `explanations.json`.
#[must_use]
pub fn explanations_schema() -> Schema {
    schema::<Explanations>("explanations.json", "wafcanary explanations")
}

/// The schema of `limits --json`.
#[must_use]
pub fn limits_schema() -> Schema {
    schema::<LimitsDocument>("limits.json", "wafcanary limits")
}

/// The schema of `matrix.json`.
#[must_use]
pub fn matrix_schema() -> Schema {
    schema::<Matrix>("matrix.json", "wafcanary matrix")
}

/// `id` is relative: the schema may be served from anywhere.
fn schema<T: JsonSchema>(id: &str, title: &str) -> Schema {
    let mut schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    schema.insert("$id".into(), id.into());
    schema.insert("title".into(), title.into());
    schema
}
