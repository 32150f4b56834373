//! What commands print: aligned tables, colours, ages, JSON and YAML.

pub mod age;
pub mod arguments;
pub mod paint;
pub mod table;

pub use age::age;
pub use paint::{Ink, paint};
pub use table::Table;
