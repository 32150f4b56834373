use super::*;

fn recipe(root: &Path, name: &str) -> Recipe {
    fs::create_dir_all(root.join("bin")).unwrap();
    fs::write(root.join("bin/app"), "#!/bin/sh\necho hi\n").unwrap();
    let config = json!({"name": name, "entrypoint": ["/bin/app"], "env": ["COLOR=red"], "workdir": "/bin"});
    Recipe::read(&config, root).unwrap()
}

#[test]
fn build_list_find_unpack() {
    let dir = tempfile::tempdir().unwrap();
    let store = ImageStore::open(dir.path().join("images")).unwrap();
    let recipe = recipe(&dir.path().join("root"), "app:1.0");
    let image = store.build(&recipe).unwrap();
    assert_eq!(store.build(&recipe).unwrap().digest, image.digest, "the same input gives the same digest");
    assert_eq!(store.list().unwrap(), std::slice::from_ref(&image));
    assert_eq!(store.find("docker.io/library/app:1.0").unwrap(), Some(image.digest.clone()));
    assert_eq!(store.find("app").unwrap(), None);
    let unpacked = store.unpack(&image.digest).unwrap();
    assert_eq!(
        (unpacked.entrypoint, unpacked.env),
        (vec!["/bin/app".to_owned()], vec!["COLOR=red".to_owned()])
    );
    assert!(fs::read_to_string(unpacked.rootfs.join("bin/app")).unwrap().contains("echo hi"));
}

#[test]
fn an_image_is_unpacked_by_many_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = ImageStore::open(dir.path().join("images")).unwrap();
    let image = store.build(&recipe(&dir.path().join("root"), "app:1.0")).unwrap();
    std::thread::scope(|scope| {
        let unpack = || store.unpack(&image.digest).map(|unpacked| unpacked.rootfs.join("bin/app").is_file());
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(unpack)).collect();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap().unwrap()));
    });
}

#[test]
fn import_checks_digests() {
    let dir = tempfile::tempdir().unwrap();
    let from = ImageStore::open(dir.path().join("from")).unwrap();
    let image = from.build(&recipe(&dir.path().join("root"), "app:1.0")).unwrap();
    let to = ImageStore::open(dir.path().join("to")).unwrap();
    assert_eq!(to.import(&from.dir, None).unwrap(), std::slice::from_ref(&image));
    let tar = dir.path().join("layout.tar");
    let mut builder = tar::Builder::new(fs::File::create(&tar).unwrap());
    builder.append_dir_all("", &from.dir).unwrap();
    builder.finish().unwrap();
    let other = ImageStore::open(dir.path().join("other")).unwrap();
    assert_eq!(other.import(&tar, None).unwrap(), std::slice::from_ref(&image));
    fs::write(from.blob(&image.digest).unwrap(), "{}").unwrap();
    let third = ImageStore::open(dir.path().join("third")).unwrap();
    assert!(third.import(&from.dir, None).unwrap_err().to_string().contains("another digest"));
}

#[test]
fn a_recipe_names_what_is_wrong() {
    let error = Recipe::read(&json!({"name": "a:1", "entrypoint": "x"}), Path::new("/")).unwrap_err();
    assert_eq!(error.to_string(), "image configuration: entrypoint: not a list of strings");
    let error = Recipe::read(&json!({"nam": "a:1"}), Path::new("/")).unwrap_err();
    assert_eq!(error.to_string(), "image configuration: nam: unknown key");
}

fn layer_with(path: &str, kind: tar::EntryType, link: &str) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
    if !link.is_empty() {
        header.set_link_name(link).unwrap();
    }
    header.set_size(if link.is_empty() { 4 } else { 0 });
    header.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&header, if link.is_empty() { &b"evil"[..] } else { &b""[..] }).unwrap();
    builder.into_inner().unwrap()
}

#[test]
fn layers_do_not_leave_the_image() {
    let dir = tempfile::tempdir().unwrap();
    let (root, blob) = (dir.path().join("root"), dir.path().join("blob"));
    fs::create_dir_all(&root).unwrap();
    fs::write(&blob, layer_with("../evil", tar::EntryType::Regular, "")).unwrap();
    assert!(layer::unpack(&blob, &root).unwrap_err().to_string().contains("leaves the image"));
    fs::write(&blob, layer_with("out", tar::EntryType::Symlink, "..")).unwrap();
    layer::unpack(&blob, &root).unwrap();
    fs::write(&blob, layer_with("out/evil", tar::EntryType::Regular, "")).unwrap();
    assert!(layer::unpack(&blob, &root).is_err(), "a link does not lead out");
    assert!(!dir.path().join("evil").exists());
}

#[test]
fn whiteouts_hide_lower_layers() {
    let dir = tempfile::tempdir().unwrap();
    let (root, blob) = (dir.path().join("root"), dir.path().join("blob"));
    fs::create_dir_all(root.join("a")).unwrap();
    fs::write(root.join("a/gone"), "x").unwrap();
    fs::write(&blob, layer_with("a/.wh.gone", tar::EntryType::Regular, "")).unwrap();
    layer::unpack(&blob, &root).unwrap();
    assert!(!root.join("a/gone").exists());
}

#[test]
fn what_cannot_be_unpacked_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let store = ImageStore::open(dir.path().join("images")).unwrap();
    let image = store.build(&recipe(&dir.path().join("root"), "app:1.0")).unwrap();
    let layer = store.manifest(&image.digest).unwrap().layers()[0].digest().to_string();
    fs::write(store.blob(&layer).unwrap(), "no layer").unwrap();
    assert!(store.unpack(&image.digest).is_err());
    assert_eq!(fs::read_dir(store.dir.join("unpacked")).into_iter().flatten().count(), 0);
}
