use super::*;

fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat()
}

fn envelope(version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let meta = [bytes(1, version.as_bytes()), bytes(2, kind.as_bytes())].concat();
    [MAGIC.to_vec(), bytes(1, &meta), bytes(2, raw)].concat()
}

#[test]
fn an_object_becomes_json() {
    let meta =
        [bytes(1, b"c"), bytes(8, b""), bytes(11, &[bytes(1, b"a"), bytes(2, b"b")].concat())].concat();
    let data = [bytes(1, b"key"), bytes(2, b"value")].concat();
    let read =
        object(&envelope("v1", "ConfigMap", &[bytes(1, &meta), bytes(2, &data)].concat()), 100).unwrap();
    let wanted = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"key": "value"},
        "metadata": {"name": "c", "creationTimestamp": null, "labels": {"a": "b"}}});
    assert_eq!(read, wanted);
}

#[test]
fn numbers_names_of_ports_and_inlined_messages() {
    let port =
        [bytes(1, b"http"), vec![0x18, 80], bytes(4, &[vec![0x08, 1], bytes(3, b"web")].concat())].concat();
    let read = object(&envelope("v1", "Service", &bytes(2, &bytes(1, &port))), 100).unwrap();
    assert_eq!(read["spec"]["ports"], json!([{"name": "http", "port": 80, "targetPort": "web"}]));
    let volume = [bytes(1, b"v"), bytes(2, &bytes(2, b""))].concat();
    let read = object(&envelope("v1", "Pod", &bytes(2, &bytes(1, &volume))), 100).unwrap();
    assert_eq!(read["spec"]["volumes"], json!([{"name": "v", "emptyDir": {}}]));
}

#[test]
fn broken_bodies_are_refused() {
    let whole = envelope("v1", "ConfigMap", &bytes(1, &bytes(1, b"c")));
    assert!(object(&whole, 100).is_ok());
    for end in 0..whole.len() {
        // Cut where a field ends, an envelope is one of an object without content.
        let cut = object(&whole[..end], 100);
        assert!(
            cut.is_err() || end == whole.len() - bytes(2, &bytes(1, &bytes(1, b"c"))).len(),
            "{end}: {cut:?}"
        );
    }
    assert!(object(b"{}", 100).unwrap_err().contains("does not appear to be"));
    assert!(object(&envelope("v1", "Nothing", b""), 100).unwrap_err().contains("no kind \"Nothing\""));
    assert!(object(&whole, 1).unwrap_err().contains("too deep"));
}

#[test]
fn every_field_has_a_number() {
    fn names(message: &str, found: &mut Vec<String>) {
        for name in NUMBERS[message].values() {
            match name.strip_prefix('+') {
                Some(inner) => names(inner, found),
                None => found.push(name.clone()),
            }
        }
    }
    for message in NUMBERS.keys() {
        let Some(fields) = go::fields(message) else { continue };
        let mut found = Vec::new();
        names(message, &mut found);
        for field in fields.keys().filter(|field| !["kind", "apiVersion"].contains(&field.as_str())) {
            assert!(found.contains(field), "{message}.{field}");
        }
    }
}
