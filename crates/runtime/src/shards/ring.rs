//! Which member of a view owns a key.

use std::collections::BTreeSet;

use object::Key;

/// The members that share the work, by name.
pub type View = BTreeSet<String>;

/// Returns the member that owns `key`, the same for everybody with the same view; `None` when nobody is in it.
///
/// Rendezvous hashing: each member draws a number for the key, the highest wins. So keys are spread evenly, a member that
/// comes takes its share from all others alike, and a member that goes leaves its share to all others alike; no other key
/// moves. **Source:** Thaler and Ravishankar, 1998.
pub fn owner<'a>(view: &'a View, key: &Key) -> Option<&'a str> {
    view.iter().map(String::as_str).max_by_key(|member| (draw(member, key), *member))
}

fn draw(member: &str, key: &Key) -> u64 {
    let parts = [member.as_bytes(), b"\0", key.namespace.as_bytes(), b"\0", key.name.as_bytes()];
    let hash = parts.iter().flat_map(|part| part.iter()).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // FNV leaves alike what differs in the end only; this mixes all bits (the finalizer of MurmurHash3)
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(names: &[&str]) -> View {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn keys() -> impl Iterator<Item = Key> {
        (0..1000).map(|at| Key::new("shop", &format!("r{at}")))
    }

    #[test]
    fn keys_are_spread_evenly() {
        let members = view(&["a", "b", "c", "d"]);
        for member in &members {
            let share = keys().filter(|key| owner(&members, key) == Some(member)).count();
            assert!((200..300).contains(&share), "{member}: {share}");
        }
        assert_eq!(owner(&View::new(), &Key::new("ns", "a")), None);
    }

    #[test]
    fn only_the_share_of_who_comes_or_goes_moves() {
        let (three, four) = (view(&["a", "b", "c"]), view(&["a", "b", "c", "d"]));
        let moved = keys().filter(|key| owner(&three, key) != owner(&four, key));
        let moved: Vec<Key> = moved.collect();
        assert!(moved.iter().all(|key| owner(&four, key) == Some("d")));
        assert!((200..300).contains(&moved.len()), "{}", moved.len());
    }
}
