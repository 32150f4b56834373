use bytes::Bytes;

use super::*;
use crate::FileEntry;

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n";

fn tree(files: &[(&str, &[u8])]) -> Tree {
    let entry = |bytes: &[u8]| FileEntry { bytes: Bytes::copy_from_slice(bytes), kind: FileKind::File };
    Tree { entries: files.iter().map(|(path, bytes)| ((*path).to_owned(), entry(bytes))).collect() }
}

fn options(recurse: bool, include: &str, exclude: &str) -> DirectoryOptions {
    DirectoryOptions { recurse, include: include.into(), exclude: exclude.into() }
}

#[track_caller]
fn selected(options: &DirectoryOptions) -> Vec<String> {
    let names =
        ["b.yaml", "a.yml", "c.json", "README.md", "sub/d.yaml", "sub/deep/e.yaml", "f.yaml.bak", "G.YAML"];
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, POD.as_bytes())).collect();
    read(&tree(&files), options).unwrap().into_iter().map(|file| file.path).collect()
}

fn file(path: &str, text: &str) -> ManifestFile {
    ManifestFile { path: path.into(), text: text.into() }
}

#[track_caller]
fn names(files: &[ManifestFile]) -> Vec<String> {
    parse(files).unwrap().iter().map(|object| object.name().to_owned()).collect()
}

#[test]
fn folders_are_read_on_demand_and_in_order() {
    assert_eq!(selected(&DirectoryOptions::default()), ["a.yml", "b.yaml", "c.json"]);
    assert_eq!(
        selected(&options(true, "", "")),
        ["a.yml", "b.yaml", "c.json", "sub/d.yaml", "sub/deep/e.yaml"]
    );
}

#[test]
fn include_and_exclude_are_globs_over_the_whole_path() {
    assert_eq!(selected(&options(false, "*.yaml", "")), ["b.yaml"]);
    assert_eq!(
        selected(&options(true, "{a.yml,sub/*.yaml}", "")),
        ["a.yml", "sub/d.yaml", "sub/deep/e.yaml"]
    );
    assert_eq!(selected(&options(true, "*.yaml", "sub/deep/*")), ["b.yaml", "sub/d.yaml"]);
    assert_eq!(selected(&options(true, "{*.yml,*.json}", "a.*")), ["c.json"]);
    let error = read(&tree(&[]), &options(true, "{a", "")).unwrap_err();
    assert!(matches!(error, DirectoryError::Glob { .. }), "{error}");
}

#[test]
fn marked_files_are_skipped_and_jsonnet_is_refused() {
    let marked = format!("# +argocd:skip-file-rendering\n{POD}");
    assert_eq!(read(&tree(&[("a.yaml", marked.as_bytes())]), &DirectoryOptions::default()).unwrap(), []);
    let jsonnet = tree(&[("main.jsonnet", b"{}")]);
    assert_eq!(
        read(&jsonnet, &DirectoryOptions::default()),
        Err(DirectoryError::Jsonnet { path: "main.jsonnet".into() })
    );
    assert_eq!(read(&jsonnet, &options(false, "", "*.jsonnet")), Ok(vec![]));
}

#[test]
fn utf16_is_read_and_other_bytes_are_refused() {
    let little: Vec<u8> =
        "\u{feff}".encode_utf16().chain(POD.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> =
        "\u{feff}".encode_utf16().chain(POD.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    let files = read(&tree(&[("a.yaml", &little), ("b.yaml", &big)]), &DirectoryOptions::default()).unwrap();
    assert_eq!(files, [file("a.yaml", POD), file("b.yaml", POD)]);
    let error = read(&tree(&[("a.yaml", b"\xff\x00")]), &DirectoryOptions::default()).unwrap_err();
    assert_eq!(error, DirectoryError::Encoding { path: "a.yaml".into() });
}

#[test]
fn documents_and_lists_become_objects() {
    let two = format!("{POD}---\n# nothing\n---\n{}", POD.replace("name: a", "name: b"));
    let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: c}}\n\
                - {apiVersion: v1, kind: Pod, metadata: {name: d}}\n";
    let empty = "apiVersion: v1\nkind: List\nmetadata: {}\nitems: null\n";
    let files = [file("a.yaml", &two), file("b.yaml", list), file("c.yaml", empty)];
    assert_eq!(names(&files), ["a", "b", "c", "d"]);
}

#[test]
fn what_does_not_look_like_a_manifest_is_skipped() {
    for text in ["replicas: 3\n", "- a\n- b\n", "a: [1\n", "", "plain"] {
        assert_eq!(names(&[file("values.yaml", text)]), [""; 0], "{text}");
    }
}

#[test]
fn a_broken_manifest_names_the_file() {
    let error = parse(&[file("cm.yaml", &format!("{POD}data: [1\n"))]).unwrap_err();
    assert_eq!((error.file.as_str(), error.document), ("cm.yaml", None));
    let start = "Failed to unmarshal \"cm.yaml\": failed to unmarshal manifest: error converting YAML to JSON: yaml: ";
    assert!(error.to_string().starts_with(start), "{error}");
    let second = format!("{POD}---\nmetadata:\n  name: no-kind\n");
    assert_eq!(parse(&[file("two.yaml", &second)]).unwrap_err().document, Some(1));
}

#[test]
fn a_json_file_holds_one_object() {
    let one = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"j"}}"#;
    assert_eq!(names(&[file("a.json", one)]), ["j"]);
    let error = parse(&[file("a.json", &format!("{one}\n{one}"))]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Found multiple objects in \"a.json\". Only single objects are allowed in JSON files."
    );
    for text in ["", "{", "[]", "{\"a\":1}"] {
        assert!(parse(&[file("a.json", text)]).is_err(), "{text}");
    }
}
