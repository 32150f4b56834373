use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Duration {
    SECOND * u32::try_from(seconds).unwrap()
}

fn view(names: &[&str]) -> View {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn seen(member: &str, version: u32, names: &[&str]) -> Seen {
    Seen { member: member.into(), version: version.to_string(), view: view(names), lease: at(15) }
}

/// A key that `owner` has by `of` and by each of `also`.
fn key_of(owned: &str, of: &[&str]) -> Key {
    let members = view(of);
    (0..1000)
        .map(|n| Key::new("ns", &format!("k{n}")))
        .find(|key| owner(&members, key) == Some(owned))
        .unwrap()
}

/// `a`, alone and at work since second 0.
fn alone() -> Membership {
    let mut a = Membership::new("a", Timings::default());
    a.look(vec![], at(0), at(0));
    assert!(a.announce(a.live()));
    a.published(&view(&["a"]), at(0), at(0));
    a.look(vec![], at(0), at(0));
    a
}

#[test]
fn alone_it_owns_everything_once_its_lease_is_there_and_it_has_looked() {
    let key = Key::new("ns", "k");
    let mut a = Membership::new("a", Timings::default());
    a.look(vec![], at(0), at(0));
    a.announce(a.live());
    assert!(!a.owns(&key, at(0)));
    a.published(&view(&["a"]), at(0), at(1));
    assert!(!a.owns(&key, at(1)), "somebody may have been there already");
    a.look(vec![], at(1), at(1));
    assert!(a.owns(&key, at(1)));
    assert!(a.owns(&key, at(9)) && !a.owns(&key, at(10)), "the lease was asked for at 0 s");
}

#[test]
fn who_comes_waits_until_the_others_have_given_up() {
    let both = ["a", "b"];
    let (mine, theirs) = (key_of("b", &both), key_of("a", &both));
    let mut b = Membership::new("b", Timings::default());
    b.look(vec![seen("a", 1, &["a"])], at(0), at(0));
    b.announce(b.live());
    b.published(&view(&both), at(0), at(0));
    b.look(vec![seen("a", 1, &["a"])], at(0), at(0));
    assert!(!b.owns(&mine, at(1)) && b.is_moving());
    b.look(vec![seen("a", 2, &both)], at(1), at(1));
    assert!(b.owns(&mine, at(1)) && !b.owns(&theirs, at(1)) && !b.is_moving());
}

#[test]
fn who_is_there_gives_up_at_once_and_keeps_the_rest_without_a_gap() {
    let both = ["a", "b"];
    let (mine, theirs) = (key_of("a", &both), key_of("b", &both));
    let mut a = alone();
    a.look(vec![seen("b", 1, &both)], at(2), at(2));
    assert!(a.announce(a.live()));
    assert!(a.owns(&mine, at(2)) && !a.owns(&theirs, at(2)));
    a.published(&view(&both), at(2), at(3));
    assert!(a.owns(&mine, at(3)));
    a.look(vec![seen("b", 1, &both)], at(3), at(3));
    assert!(a.owns(&mine, at(3)) && !a.is_moving());
}

#[test]
fn what_a_view_that_may_have_been_published_left_out_is_claimed_anew() {
    let both = ["a", "b"];
    let theirs = key_of("b", &both);
    let mut a = alone();
    a.look(vec![seen("b", 1, &both)], at(2), at(2));
    a.announce(view(&both));
    // No answer came, and b is gone: the key was not claimed for a while.
    a.look(vec![seen("c", 1, &["c"])], at(3), at(3));
    a.announce(view(&["a"]));
    a.published(&view(&["a"]), at(3), at(3));
    assert!(!a.owns(&theirs, at(3)));
    a.look(vec![seen("c", 1, &["c"])], at(3), at(3));
    assert!(!a.owns(&theirs, at(3)), "c claims it");
    a.look(vec![], at(4), at(4));
    assert!(a.owns(&theirs, at(4)));
}

#[test]
fn an_unchanged_lease_expires_by_our_own_clock() {
    let mut a = alone();
    let both = ["a", "b"];
    a.look(vec![seen("b", 1, &both)], at(1), at(2));
    a.look(vec![seen("b", 1, &both)], at(16), at(17));
    assert_eq!(a.live(), view(&both), "seen at 2 s, not yet unchanged for 15 s");
    a.look(vec![seen("b", 1, &both)], at(17), at(17));
    assert_eq!(a.live(), view(&["a"]));
    assert!(a.dead(at(31)).is_empty() && a.dead(at(32)).len() == 1);
    a.look(vec![seen("b", 2, &both)], at(32), at(32));
    assert_eq!(a.live(), view(&both), "it is back");
}

#[test]
fn who_renewed_too_late_starts_anew() {
    let both = ["a", "b"];
    let (mine, mut a) = (key_of("b", &both), alone());
    assert!(!a.owns(&mine, at(10)));
    // The renewal was asked for in time, but answered late: others may have seen the lease expire.
    a.published(&view(&["a"]), at(9), at(11));
    assert!(!a.owns(&mine, at(11)));
    a.look(vec![seen("b", 1, &["b"])], at(11), at(11));
    assert!(!a.owns(&mine, at(11)), "b has taken over");
    let mut prompt = alone();
    prompt.published(&view(&["a"]), at(8), at(9));
    assert!(prompt.owns(&mine, at(17)) && !prompt.owns(&mine, at(18)));
}

#[test]
fn who_takes_over_from_the_dead_waits_for_no_one() {
    let both = ["a", "b"];
    let theirs = key_of("b", &both);
    let mut a = alone();
    a.look(vec![seen("b", 1, &both)], at(0), at(0));
    a.announce(a.live());
    for second in [0, 4, 8, 12, 16] {
        a.published(&view(&both), at(second), at(second));
        a.look(vec![seen("b", 1, &both)], at(second), at(second));
    }
    assert!(!a.owns(&theirs, at(16)));
    a.announce(a.live());
    a.published(&view(&["a"]), at(16), at(16));
    a.look(vec![seen("b", 1, &both)], at(16), at(16));
    assert!(a.owns(&theirs, at(16)));
}

#[test]
fn a_lease_that_was_cleared_away_means_nothing_is_ours() {
    let (key, mut a) = (Key::new("ns", "k"), alone());
    assert!(a.owns(&key, at(1)));
    a.lost();
    assert!(!a.owns(&key, at(1)) && !a.claims(&key) && a.is_moving());
}
