//! Reads the order of Go struct fields, for whoever must reproduce the bytes of Go's `encoding/json`.
//!
//! Output, which the `rollout` crate reads: `{NAME: [FIELD, …]}`. A `FIELD` is `{"name", "type", "omit",
//! "zero", "pointer"}`, in the order in which Go writes them, inlined structs in place; the last three are
//! `omitempty`, `omitzero` and whether it is a pointer, and are left out when false. `type` is `string`, `int`,
//! `bool`, `bytes`, `time`, `quantity`, `intstr`, `raw` or another entry's name, after `[]` in lists and `{}` in
//! maps.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// What stands for Go types that write themselves, and for the widths of integers.
const NAMES: &[(&str, &str)] = &[
    ("Quantity", "quantity"),
    ("IntOrString", "intstr"),
    ("Time", "time"),
    ("MicroTime", "time"),
    ("FieldsV1", "raw"),
    ("UID", "string"),
    ("int32", "int"),
    ("int64", "int"),
];

/// A declared Go type.
enum Declared {
    Struct(Vec<Line>),
    Alias(String),
}

/// One field of a Go struct.
struct Line {
    go_type: String,
    /// Empty for an inlined struct.
    name: String,
    omit_empty: bool,
    omit_zero: bool,
}

/// Writes the fields of `root` and of all types that it reaches to `out`; `sources` are Go files.
///
/// # Errors
/// An unreadable source, a type that none of them declares, an unwritable `out`.
pub fn run(sources: &[&Path], root: &str, out: &Path) -> Result<()> {
    let mut declared = BTreeMap::new();
    for source in sources {
        let text = fs::read_to_string(source).with_context(|| format!("reading {}", source.display()))?;
        declare(&text, &mut declared);
    }
    let mut types = BTreeMap::new();
    let mut pending = vec![root.to_owned()];
    while let Some(name) = pending.pop() {
        if types.contains_key(&name) {
            continue;
        }
        let mut fields = Vec::new();
        collect(&declared, &name, &mut fields)?;
        for field in &fields {
            let base = base(field["type"].as_str().unwrap_or_default());
            if matches!(declared.get(base), Some(Declared::Struct(_))) {
                pending.push(base.to_owned());
            }
        }
        types.insert(name, fields);
    }
    fs::write(out, render(&types)?).with_context(|| format!("writing {}", out.display()))
}

/// Adds all types of a Go source. Only what `gofmt` writes is understood.
fn declare(text: &str, declared: &mut BTreeMap<String, Declared>) {
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some((name, definition)) = line.strip_prefix("type ").and_then(|rest| rest.split_once(' '))
        else {
            continue;
        };
        let definition = definition.split("//").next().unwrap_or_default().trim();
        let found = match definition {
            "struct {" => {
                let body = lines.by_ref().take_while(|line| *line != "}");
                Declared::Struct(body.filter_map(field).collect())
            }
            other => Declared::Alias(other.to_owned()),
        };
        declared.entry(name.to_owned()).or_insert(found);
    }
}

fn field(line: &str) -> Option<Line> {
    let (code, tag) = line.split_once('`')?;
    if code.trim_start().starts_with("//") {
        return None;
    }
    let tag = tag.split_once("json:\"")?.1.split('"').next()?;
    let mut options = tag.split(',');
    let name = options.next()?.to_owned();
    let options: Vec<&str> = options.collect();
    let (omit_empty, omit_zero) = (options.contains(&"omitempty"), options.contains(&"omitzero"));
    let go_type = code.split_whitespace().last()?.to_owned();
    (name != "-").then_some(Line { go_type, name, omit_empty, omit_zero })
}

fn collect(declared: &BTreeMap<String, Declared>, name: &str, fields: &mut Vec<Value>) -> Result<()> {
    let Some(Declared::Struct(lines)) = declared.get(name) else { bail!("no struct {name} in the sources") };
    for line in lines {
        if line.name.is_empty() {
            collect(declared, &plain(&line.go_type), fields)?;
            continue;
        }
        fields.push(entry(declared, line));
    }
    Ok(())
}

fn entry(declared: &BTreeMap<String, Declared>, line: &Line) -> Value {
    let pointed = line.go_type.strip_prefix('*');
    let mut entry = json!({ "name": line.name, "type": resolve(declared, pointed.unwrap_or(&line.go_type)) });
    let flags = [("omit", line.omit_empty), ("zero", line.omit_zero), ("pointer", pointed.is_some())];
    for (name, _) in flags.into_iter().filter(|(_, set)| *set) {
        entry[name] = json!(true);
    }
    entry
}

/// Without the package: `metav1.Time` is `Time`.
fn plain(go_type: &str) -> String {
    go_type.rsplit('.').next().unwrap_or(go_type).to_owned()
}

fn resolve(declared: &BTreeMap<String, Declared>, go_type: &str) -> String {
    if go_type == "[]byte" {
        return "bytes".to_owned();
    }
    if let Some(element) = go_type.strip_prefix("[]") {
        return format!("[]{}", resolve(declared, element));
    }
    if let Some((_, element)) = go_type.strip_prefix("map[").and_then(|rest| rest.split_once(']')) {
        return format!("{{}}{}", resolve(declared, element));
    }
    let name = plain(go_type);
    if let Some((_, known)) = NAMES.iter().find(|(go, _)| *go == name) {
        return (*known).to_owned();
    }
    match declared.get(&name) {
        Some(Declared::Alias(other)) => resolve(declared, other),
        Some(Declared::Struct(_)) | None => name,
    }
}

fn base(go_type: &str) -> &str {
    go_type.trim_start_matches("[]").trim_start_matches("{}")
}

fn render(types: &BTreeMap<String, Vec<Value>>) -> Result<String> {
    let mut entries = Vec::new();
    for (name, fields) in types {
        let fields: Vec<String> = fields
            .iter()
            .map(|field| Ok(format!("  {}", serde_json::to_string(field)?)))
            .collect::<Result<_>>()?;
        entries.push(format!(" \"{name}\": [\n{}\n ]", fields.join(",\n")));
    }
    Ok(format!("{{\n{}\n}}\n", entries.join(",\n")))
}
