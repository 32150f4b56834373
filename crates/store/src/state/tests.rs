use bytes::Bytes;

use super::*;
use crate::Expect;
use crate::batch::{Batch, Write};

fn write(state: &mut State, key: &str, value: Option<&'static str>) {
    let value = value.map(|value| Bytes::from_static(value.as_bytes()));
    let mut batch = Batch::after(state.revision());
    let change = batch.stage(state, Write { key: key.into(), value, expect: Expect::Any });
    state.apply(change.unwrap());
}

fn versions(state: &State) -> usize {
    state.keys.values().map(VecDeque::len).sum()
}

#[test]
fn compaction_leaves_one_version_of_what_is_there_and_nothing_of_what_is_gone() {
    let mut state = State::new(1, Vec::new(), Limits::default());
    for _ in 0..10 {
        write(&mut state, "kept", Some("1"));
        write(&mut state, "gone", Some("1"));
        write(&mut state, "gone", None);
    }
    assert_eq!(versions(&state), 30);
    state.compact(state.revision());
    assert_eq!(state.keys.keys().map(|key| &**key).collect::<Vec<_>>(), ["kept"]);
    assert_eq!(versions(&state), 1);
}

#[test]
fn memory_stays_bounded_under_endless_writes() {
    let limits = Limits { history_revisions: 50, ..Limits::default() };
    let mut state = State::new(1, Vec::new(), limits);
    for n in 0..1000 {
        let key = format!("k{n}");
        write(&mut state, &key, Some("1"));
        write(&mut state, &key, None);
    }
    assert!(versions(&state) <= 51, "{} versions for a history of 50", versions(&state));
}
