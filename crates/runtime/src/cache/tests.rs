use super::*;
use object::json;

fn pod(name: &str, version: u32, owner: &str) -> Object {
    Object::from_value(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "ns", "uid": name, "resourceVersion": version.to_string(),
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": owner,
                "controller": true}]}
    }))
}

#[test]
fn own_writes_are_seen_at_once_and_never_undone() {
    let cache = Cache::new();
    cache.deliver(pod("a", 5, "o"));
    cache.note(pod("b", 7, "o"));
    assert_eq!(cache.owned_by("o").len(), 2);
    cache.deliver(pod("a", 6, "o"));
    cache.note(pod("a", 4, "o"));
    assert_eq!(cache.get(&Key::new("ns", "a")).unwrap().resource_version(), "6");
}

#[test]
fn a_late_answer_does_not_revive_what_the_watch_saw_go() {
    let cache = Cache::new();
    cache.deliver_gone(&pod("a", 9, "o"));
    cache.note(pod("a", 8, "o"));
    assert!(cache.is_empty());
}

#[test]
fn a_listing_removes_what_is_gone_but_keeps_newer_writes() {
    let cache = Cache::new();
    cache.deliver(pod("old", 3, "o"));
    cache.note(pod("new", 20, "o"));
    cache.deliver(pod("kept", 10, "o"));
    cache.deliver_listed(&BTreeSet::from([Key::new("ns", "kept")]));
    let names: Vec<String> = cache.list().iter().map(|object| object.name().to_owned()).collect();
    assert_eq!(names, ["kept", "new"]);
    assert!(cache.is_synced());
}

#[tokio::test]
async fn subscriptions_start_with_what_is_there() {
    let cache = Cache::new();
    cache.deliver(pod("a", 1, "o"));
    let mut changes = cache.subscribe();
    cache.deliver_gone(&pod("a", 2, "o"));
    assert!(changes.next().await.unwrap().old.is_none());
    assert!(changes.next().await.unwrap().new.is_none());
    assert!(cache.owned_by("o").is_empty());
}
