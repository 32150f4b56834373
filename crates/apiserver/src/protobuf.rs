//! Bodies in Kubernetes' protobuf, which kubectl's typed commands send (`kubectl create namespace`, `auth can-i`): they
//! become the JSON that the same object is.
//!
//! **Source:** `k8s.io/apimachinery/pkg/runtime/serializer/protobuf`. `protobuf/numbers.json` lists, for each message of
//! the `generated.proto` files of v0.36.3, its fields by number; `+` names a message whose fields are its own in JSON.

mod wire;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::go::{self, Fields, Type};
use wire::{Datum, fields};

/// The media type.
pub(crate) const MEDIA: &str = "application/vnd.kubernetes.protobuf";
/// What bodies start with.
const MAGIC: &[u8] = b"k8s\0";

type Numbers = BTreeMap<String, BTreeMap<u32, String>>;

#[expect(clippy::expect_used, reason = "the table is part of the program and a test reads it")]
static NUMBERS: LazyLock<Numbers> = LazyLock::new(|| {
    serde_json::from_str(include_str!("protobuf/numbers.json"))
        .expect("numbers.json is a map of maps of names")
});

/// Returns the object of a body.
///
/// **Errors:** what is wrong with it, in words for its sender: no such envelope, an unknown kind, broken messages, or
/// more than `depth` levels of them.
pub(crate) fn object(body: &[u8], depth: usize) -> Result<Value, String> {
    let envelope =
        body.strip_prefix(MAGIC).ok_or("provided data does not appear to be a protobuf message")?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for (number, datum) in fields(envelope)? {
        match number {
            1 => {
                for (number, datum) in fields(datum.bytes()?)? {
                    match number {
                        1 => api_version = datum.text()?,
                        2 => kind = datum.text()?,
                        _ => {}
                    }
                }
            }
            2 => raw = datum.bytes()?,
            _ => {}
        }
    }
    let (group, version) = crate::kinds::split_version(&api_version);
    let name = match kind.as_str() {
        "DeleteOptions" => Some("meta.v1.DeleteOptions".to_owned()),
        kind => go::struct_of(group, version, kind),
    };
    let name = name.ok_or_else(|| format!("no kind {kind:?} is registered for version {api_version:?}"))?;
    let mut object = Reader { left: depth }.message(&name, raw)?;
    object["apiVersion"] = api_version.into();
    object["kind"] = kind.into();
    Ok(object)
}

/// Reads messages with so many levels left.
#[derive(Clone, Copy)]
struct Reader {
    left: usize,
}

impl Reader {
    fn deeper(self) -> Result<Self, String> {
        let left = self.left.checked_sub(1).ok_or("the object is nested too deep")?;
        Ok(Self { left })
    }

    fn message(self, name: &str, bytes: &[u8]) -> Result<Value, String> {
        let types = go::fields(name).ok_or_else(|| format!("unknown message {name}"))?;
        let mut map = Map::new();
        self.deeper()?.fill(name, types, bytes, &mut map)?;
        Ok(map.into())
    }

    /// Reads the fields of message `layout` into `map`; their types are those of `types`.
    fn fill(
        self,
        layout: &str,
        types: &Fields,
        bytes: &[u8],
        map: &mut Map<String, Value>,
    ) -> Result<(), String> {
        let Some(numbers) = NUMBERS.get(layout) else { return Err(format!("unknown message {layout}")) };
        for (number, datum) in fields(bytes)? {
            let Some(name) = numbers.get(&number) else { continue };
            if let Some(inner) = name.strip_prefix('+') {
                self.deeper()?.fill(inner, types, datum.bytes()?, map)?;
                continue;
            }
            let Some(field) = types.get(name) else { continue };
            self.field(&field.ty, datum, map.entry(name.clone()).or_insert(Value::Null))
                .map_err(|why| format!("{name}: {why}"))?;
        }
        Ok(())
    }

    /// Adds a value to a field; lists and maps come one element at a time.
    fn field(self, ty: &Type, datum: Datum<'_>, slot: &mut Value) -> Result<(), String> {
        match ty {
            Type::Pointer(target) => return self.field(target, datum, slot),
            Type::List(element) => {
                let value = self.value(element, datum)?;
                match slot {
                    Value::Array(items) => items.push(value),
                    other => *other = json!([value]),
                }
            }
            Type::Map(element) => {
                let (key, value) = self.entry(element, datum.bytes()?)?;
                if !slot.is_object() {
                    *slot = json!({});
                }
                slot[key] = value;
            }
            _ => *slot = self.value(ty, datum)?,
        }
        Ok(())
    }

    fn entry(self, element: &Type, bytes: &[u8]) -> Result<(String, Value), String> {
        let (mut key, mut value) = (String::new(), Value::Null);
        for (number, datum) in fields(bytes)? {
            match number {
                1 => key = datum.text()?,
                2 if matches!(element, Type::List(_)) => {
                    // A list is no message: upstream wraps it in one with the field `items`.
                    for (_, item) in fields(datum.bytes()?)? {
                        self.field(element, item, &mut value)?;
                    }
                }
                2 => value = self.value(element, datum)?,
                _ => {}
            }
        }
        Ok((key, value))
    }

    fn value(self, ty: &Type, datum: Datum<'_>) -> Result<Value, String> {
        Ok(match ty {
            Type::String => datum.text()?.into(),
            Type::Bool => (datum.integer()? != 0).into(),
            Type::Integer(_) => datum.integer()?.into(),
            Type::Float => json!(datum.float()?),
            Type::Bytes => STANDARD.encode(datum.bytes()?).into(),
            Type::Quantity => first(datum)?.map_or(Ok(json!("0")), |inner| inner.text().map(Value::from))?,
            Type::Duration => {
                let nanoseconds = first(datum)?.map_or(Ok(0), Datum::integer)?;
                let duration = std::time::Duration::from_nanos(nanoseconds.unsigned_abs());
                object::time::format_duration(duration).into()
            }
            Type::Time | Type::MicroTime => time(ty, datum.bytes()?)?,
            Type::IntOrString => int_or_string(datum.bytes()?)?,
            Type::Any => match first(datum)? {
                None => Value::Null,
                Some(raw) => serde_json::from_slice(raw.bytes()?).map_err(|error| error.to_string())?,
            },
            Type::Struct(name) => self.message(name, datum.bytes()?)?,
            Type::Pointer(target) => self.value(target, datum)?,
            Type::List(_) | Type::Map(_) => return Err("a list within a list".to_owned()),
        })
    }
}

/// Returns field 1 of a message.
fn first(datum: Datum<'_>) -> Result<Option<Datum<'_>>, String> {
    let found = fields(datum.bytes()?)?.into_iter().find(|(number, _)| *number == 1);
    Ok(found.map(|(_, datum)| datum))
}

/// Seconds and nanoseconds since 1970; the zero time, which is null in JSON, has neither.
fn time(ty: &Type, bytes: &[u8]) -> Result<Value, String> {
    let (mut seconds, mut nanoseconds) = (0, 0);
    for (number, datum) in fields(bytes)? {
        match number {
            1 => seconds = datum.integer()?,
            2 => nanoseconds = datum.integer()?,
            _ => {}
        }
    }
    if (seconds, nanoseconds) == (0, 0) {
        return Ok(Value::Null);
    }
    let nanoseconds = i32::try_from(nanoseconds).map_err(|error| error.to_string())?;
    let timestamp = Timestamp::new(seconds, nanoseconds).map_err(|error| error.to_string())?;
    let time = object::Time::from_timestamp(timestamp);
    Ok(if *ty == Type::MicroTime { time.to_micro() } else { time.whole_seconds().to_string() }.into())
}

fn int_or_string(bytes: &[u8]) -> Result<Value, String> {
    let (mut is_text, mut number, mut text) = (false, 0, String::new());
    for (field, datum) in fields(bytes)? {
        match field {
            1 => is_text = datum.integer()? != 0,
            2 => number = datum.integer()?,
            3 => text = datum.text()?,
            _ => {}
        }
    }
    Ok(if is_text { text.into() } else { number.into() })
}

#[cfg(test)]
mod tests;
