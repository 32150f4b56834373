//! JSON and YAML.

use object::{Object, Value, yaml};

use super::ordered::ordered_json;

/// How objects are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Indented JSON.
    Json,
    /// YAML.
    Yaml,
}

/// Returns Applications as text that ends with a line feed.
pub fn shaped(value: &Value, shape: Shape) -> String {
    match shape {
        Shape::Json => ordered_json(value),
        Shape::Yaml => yaml::to_string(value),
    }
}

/// Returns the Application as the existing tool prints it: without `apiVersion` and `kind`.
pub fn plain(app: &Object) -> Value {
    let mut app = app.clone();
    app.remove(&["apiVersion"]);
    app.remove(&["kind"]);
    app.into_value()
}
