//! Reads JSON as a Go type would, and gives back what that type would write.

use std::collections::BTreeSet;

use object::{Time, quantity};
use serde_json::{Map, Value, json};

use super::{Field, Omit, Type, fields};

/// How deep an object may be nested.
const MAX_DEPTH: usize = 100;

/// What was read.
#[derive(Debug, PartialEq)]
pub(crate) struct Decoded {
    /// Only known fields, each of its type; what Go leaves out is left out.
    pub value: Value,
    /// Paths of fields that are not known, e.g. `spec.foo`.
    pub unknown: Vec<String>,
}

/// Reads `value` as the struct `name`.
///
/// **Errors:** the text of Go's JSON decoder.
pub(crate) fn decode(name: &str, value: &Value) -> Result<Decoded, String> {
    let mut reader = Reader { unknown: Vec::new() };
    let place = Place { owner: "", path: String::new(), shown: String::new(), depth: 0 };
    let value = reader.read(&Type::Struct(name.to_owned()), value, &place)?;
    Ok(Decoded { value, unknown: reader.unknown })
}

/// Reads `value` as the struct `name`, refusing fields that are not known.
///
/// **Errors:** the text of Go's JSON decoder for the first wrong field in the order of the names.
pub(crate) fn strict(name: &str, value: &Value) -> Result<(), String> {
    let mut reader = Reader { unknown: Vec::new() };
    let place = Place { owner: "", path: String::new(), shown: String::new(), depth: 0 };
    let read = reader.read(&Type::Struct(name.to_owned()), value, &place);
    // What is unknown was met before what ended the reading.
    match reader.unknown.first() {
        Some(path) => Err(format!("json: unknown field {:?}", path.rsplit('.').next().unwrap_or_default())),
        None => read.map(|_| ()),
    }
}

/// Where a value is: Go's name of the struct and the path without indices, and the path for people.
struct Place<'a> {
    owner: &'a str,
    path: String,
    shown: String,
    depth: usize,
}

impl Place<'_> {
    fn wrong(&self, found: &str, ty: &Type) -> String {
        let wanted = ty.name();
        if self.path.is_empty() {
            return format!("json: cannot unmarshal {found} into Go value of type {wanted}");
        }
        let owner = self.owner.rsplit('.').next().unwrap_or_default();
        format!("json: cannot unmarshal {found} into Go struct field {owner}.{} of type {wanted}", self.path)
    }
}

struct Reader {
    unknown: Vec<String>,
}

impl Reader {
    fn read(&mut self, ty: &Type, value: &Value, place: &Place<'_>) -> Result<Value, String> {
        if place.depth > MAX_DEPTH {
            return Err("json: exceeded max depth".to_owned());
        }
        if let Type::Pointer(target) = ty {
            return if value.is_null() { Ok(Value::Null) } else { self.read(target, value, place) };
        }
        if value.is_null() {
            return Ok(zero(ty));
        }
        match (ty, value) {
            (Type::Any, _) | (Type::String, Value::String(_)) | (Type::Bool, Value::Bool(_)) => {
                Ok(value.clone())
            }
            (Type::List(element), Value::Array(items)) => self.list(element, items, place),
            (Type::Map(element), Value::Object(map)) => self.map(element, map, place),
            (Type::Struct(name), Value::Object(map)) => self.object(name, map, place),
            _ => scalar(ty, value, place),
        }
    }

    fn list(&mut self, element: &Type, items: &[Value], place: &Place<'_>) -> Result<Value, String> {
        let mut read = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let shown = format!("{}[{index}]", place.shown);
            let at = Place { owner: place.owner, path: place.path.clone(), shown, depth: place.depth + 1 };
            read.push(self.read(element, item, &at)?);
        }
        Ok(Value::Array(read))
    }

    fn map(&mut self, element: &Type, map: &Map<String, Value>, place: &Place<'_>) -> Result<Value, String> {
        let mut read = Map::new();
        for (key, item) in map {
            let shown = join(&place.shown, key);
            let at = Place { owner: place.owner, path: place.path.clone(), shown, depth: place.depth + 1 };
            read.insert(key.clone(), self.read(element, item, &at)?);
        }
        Ok(Value::Object(read))
    }

    fn object(&mut self, name: &str, map: &Map<String, Value>, place: &Place<'_>) -> Result<Value, String> {
        let Some(known) = fields(name) else { return Ok(Value::Object(map.clone())) };
        let mut read = Map::new();
        let names: BTreeSet<&String> = map.keys().chain(known.keys()).collect();
        for key in names {
            let Some(field) = known.get(key) else {
                self.unknown.push(join(&place.shown, key));
                continue;
            };
            let value = map.get(key).unwrap_or(&Value::Null);
            let (path, shown) = (join(&place.path, key), join(&place.shown, key));
            let at = Place { owner: name, path, shown, depth: place.depth + 1 };
            let value = self.read(&field.ty, value, &at)?;
            if !omitted(field, &value) {
                read.insert(key.clone(), value);
            }
        }
        Ok(Value::Object(read))
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn omitted(field: &Field, value: &Value) -> bool {
    if matches!(field.ty, Type::Time | Type::MicroTime) && field.omit != Omit::Zero {
        return false;
    }
    let empty = match value {
        Value::Null => true,
        _ if matches!(field.ty, Type::Pointer(_)) => false,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => {
            map.is_empty() && (field.omit == Omit::Zero || matches!(field.ty, Type::Map(_)))
        }
    };
    empty && field.omit != Omit::Never && (!matches!(field.ty, Type::IntOrString))
}

/// What Go has for a value that is not there.
fn zero(ty: &Type) -> Value {
    match ty {
        Type::String => json!(""),
        Type::Bool => json!(false),
        Type::Integer(_) | Type::Float | Type::IntOrString => json!(0),
        Type::Quantity => json!("0"),
        Type::Duration => json!("0s"),
        Type::Struct(name) => {
            let known = fields(name).into_iter().flatten();
            let present = known.map(|(key, field)| (key, field, zero(&field.ty)));
            let kept = present.filter(|(_, field, value)| !omitted(field, value));
            kept.map(|(key, _, value)| (key.clone(), value)).collect::<Map<_, _>>().into()
        }
        Type::Bytes
        | Type::Time
        | Type::MicroTime
        | Type::Any
        | Type::List(_)
        | Type::Map(_)
        | Type::Pointer(_) => Value::Null,
    }
}

fn scalar(ty: &Type, value: &Value, place: &Place<'_>) -> Result<Value, String> {
    match (ty, value) {
        (Type::Integer(name), Value::Number(number)) => match whole(number) {
            Some(whole) if fits(name, whole) => Ok(json!(whole)),
            _ => Err(place.wrong(&format!("number {number}"), ty)),
        },
        (Type::Float, Value::Number(_)) | (Type::IntOrString, Value::String(_)) => Ok(value.clone()),
        (Type::IntOrString, Value::Number(number)) => match whole(number) {
            Some(whole) if fits("int32", whole) => Ok(json!(whole)),
            _ => Err(place.wrong(&format!("number {number}"), &Type::Integer("int32"))),
        },
        (Type::Bytes, Value::String(text)) => bytes(text),
        (Type::Quantity, Value::String(text)) => canonical(text),
        (Type::Quantity, Value::Number(number)) => canonical(&number.to_string()),
        (Type::Time, Value::String(text)) => {
            time(text, place).map(|time| time.map_or(Value::Null, |time| json!(time.to_string())))
        }
        (Type::MicroTime, Value::String(text)) => {
            micro(text)?;
            time(text, place).map(|time| time.map_or(Value::Null, |time| json!(time.to_micro())))
        }
        (Type::Duration, Value::String(text)) => match object::time::parse_duration(text) {
            Ok(duration) => Ok(json!(object::time::format_duration(duration))),
            Err(error) => Err(error.to_string()),
        },
        (Type::Time | Type::MicroTime | Type::Duration, _) => Err(place.wrong(kind_of(value), &Type::String)),
        _ => Err(place.wrong(kind_of(value), ty)),
    }
}

fn whole(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15)?;
        format!("{float:.0}").parse().ok()
    })
}

fn fits(name: &str, whole: i64) -> bool {
    match name {
        "int32" => i32::try_from(whole).is_ok(),
        "uint32" => u32::try_from(whole).is_ok(),
        _ => true,
    }
}

fn bytes(text: &str) -> Result<Value, String> {
    use base64::Engine;
    let engine = base64::engine::general_purpose::STANDARD;
    let compact: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    match engine.decode(&compact) {
        Ok(data) => Ok(json!(engine.encode(data))),
        Err(error) => {
            let at = match error {
                base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _) => at,
                base64::DecodeError::InvalidLength(_) | base64::DecodeError::InvalidPadding => compact.len(),
            };
            Err(format!("illegal base64 data at input byte {at}"))
        }
    }
}

fn canonical(text: &str) -> Result<Value, String> {
    quantity::canonical(text).map(Value::String).map_err(|_| {
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            .to_owned()
    })
}

/// A `MicroTime` must have six digits of a second.
fn micro(text: &str) -> Result<(), String> {
    let fraction = text.split_once('.').map_or("", |(_, rest)| rest);
    let digits = fraction.chars().take_while(char::is_ascii_digit).count();
    if text.is_empty() || digits == 6 {
        return Ok(());
    }
    let rest = text.get(19..).unwrap_or_default();
    Err(format!(
        "parsing time {text:?} as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse {rest:?} as \".000000\""
    ))
}

fn time(text: &str, _place: &Place<'_>) -> Result<Option<Time>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    Time::parse(text).map(Some).map_err(|_| {
        format!("parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {text:?} as \"2006\"")
    })
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_as_go() {
        let read =
            decode("core.v1.ConfigMap", &json!({"metadata": {"labels": {}, "foo": 1}, "data": {"a": "b"}}));
        let read = read.unwrap();
        assert_eq!(read.value, json!({"metadata": {}, "data": {"a": "b"}}));
        assert_eq!(read.unknown, ["metadata.foo"]);
        let wrong = decode("apps.v1.Deployment", &json!({"spec": {"replicas": "x"}})).unwrap_err();
        assert_eq!(
            wrong,
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
        );
    }
}
