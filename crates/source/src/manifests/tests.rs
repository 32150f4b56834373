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

#[track_caller]
fn refused(path: &str, text: &str, words: &[&str]) {
    let error = parse(&[file(path, text)]).unwrap_err().to_string();
    for word in [path].iter().chain(words) {
        assert!(error.contains(word), "{word:?} is not in {error:?}");
    }
}

/// Each of these was, or could be, lost in silence: the object vanishes and the Application says Synced.
#[test]
fn nothing_vanishes() {
    let cases: [(&str, &[&str]); 14] = [
        ("apiVersion: v1\nkind: ConfigMap\ndata: {}\n", &["ConfigMap", "metadata.name is missing"]),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ''}\n", &["metadata.name is missing"]),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 12}\n", &["metadata.name is 12, not a string"]),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: [b]}\n",
            &["\"a\"", "metadata.namespace"],
        ),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: a\n", &["field metadata"]),
        ("apiVersion: v1\nmetadata: {name: a}\n", &["field kind"]),
        ("kind: ConfigMap\nmetadata: {name: a}\n", &["field apiVersion"]),
        ("kind: [ConfigMap]\n", &["field apiVersion"]),
        (
            "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Pod, metadata: {name: a}}, text]\n",
            &["items[1]", "expected an object"],
        ),
        ("apiVersion: v1\nkind: List\nitems: [null]\n", &["items[0]"]),
        (
            "apiVersion: v1\nkind: PodList\nitems: [{metadata: {name: a}}]\n",
            &["items[0]", "field apiVersion"],
        ),
        ("- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n", &["expected an object, found a list"]),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nmetadata: {name: b}\n", &["duplicate", "metadata"]),
        (
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations: {argocd.argoproj.io/sync-wave: 5}\n",
            &["Pod \"a\"", "sync-wave\"] is 5, not a string"],
        ),
    ];
    for (text, words) in cases {
        refused("x.yaml", text, words);
        // in whatever company
        refused("x.yaml", &format!("{POD}---\n{text}"), words);
        refused("x.yaml", &format!("{text}---\n{POD}"), words);
    }
    refused("x.yaml", "kind: ConfigMap\nmetadata:\n  name: [\n", &["yaml"]);
    refused("x.yaml", "{\"apiVersion\": \"v1\", \"kind\": [\n", &["yaml"]);
    refused(
        "x.json",
        r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "name": "b"}}"#,
        &["\"name\" is set twice"],
    );
    refused("x.json", r#"{"apiVersion": "v1", "kind": "Pod"}"#, &["metadata.name is missing"]);
}

#[test]
fn names_may_be_made_by_the_server() {
    let text =
        "apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-, labels: null, annotations: {x: null}}\n";
    assert_eq!(parse(&[file("a.yaml", text)]).unwrap()[0].str(&["metadata", "generateName"]), "a-");
}

#[test]
fn a_broken_file_of_something_else_is_left_out_and_told() {
    let all =
        load(&[file("values.yaml", "a: [1\n"), file("pod.yaml", POD), file("notes.yaml", "a: 1\n")]).unwrap();
    assert_eq!(all.objects.len(), 1);
    let told: Vec<String> = all.skipped.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("\"values.yaml\" is left out: ") && told[0].contains("line"), "{told:?}");
}

#[test]
fn links_that_lead_nowhere_and_submodules_are_told_where_they_are_picked() {
    let mut tree = tree(&[("a.yaml", POD.as_bytes())]);
    let mut put =
        |path: &str, kind| tree.entries.insert(path.into(), FileEntry { bytes: Bytes::new(), kind });
    put("b.yaml", FileKind::DanglingLink { target: "../gone.yaml".into() });
    put("notes", FileKind::DanglingLink { target: "x".into() });
    put("sub/c.yaml", FileKind::DanglingLink { target: "y".into() });
    put("vendor", FileKind::Submodule);
    let told = |options: &DirectoryOptions| -> Vec<String> {
        missing(&tree, options).unwrap().into_iter().map(|skipped| skipped.file).collect()
    };
    assert_eq!(told(&options(false, "", "")), ["b.yaml"]);
    assert_eq!(told(&options(true, "", "")), ["b.yaml", "sub/c.yaml", "vendor"]);
    assert_eq!(told(&options(true, "", "{b.*,vendor}")), ["sub/c.yaml"]);
    assert_eq!(read(&tree, &options(true, "", "")).unwrap().len(), 1);
    let text = missing(&tree, &options(false, "", "")).unwrap()[0].to_string();
    assert_eq!(
        text,
        "\"b.yaml\" is left out: it is a symbolic link to \"../gone.yaml\", which does not exist"
    );
}

#[test]
fn what_is_kept_elsewhere_is_an_error() {
    refused("a.yaml", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n", &["Git LFS"]);
}

/// Ten letters, each of which stands for ten of the one before: ten billion in a few lines.
fn bomb() -> String {
    let mut text = format!("{POD}a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let before = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    text
}

#[test]
fn documents_that_would_fill_the_memory_are_refused() {
    refused("bomb.yaml", &bomb(), &["yaml", "budget"]);
    refused("deep.yaml", &format!("{POD}x: {}", "[".repeat(100_000)), &["yaml", "recursion limit"]);
    refused(
        "deep.yaml",
        &format!("{POD}x: {}{}", "{a: ".repeat(5_000), "}".repeat(5_000)),
        &["yaml", "depth"],
    );
    refused("many.yaml", &"---\nkind: Pod\n".repeat(20_000), &["yaml", "documents"]);
    let deep = format!(r#"{{"apiVersion": "v1", "kind": "Pod", "x": {}"#, "[".repeat(100_000));
    refused("deep.json", &deep, &["recursion limit"]);
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
