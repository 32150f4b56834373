//! A program of the user's choice that shows differences.

use std::process::Command;

use object::{Object, yaml};

use crate::argocd::context::Failure;

/// Returns what `program` (with arguments, split at spaces) prints for two files with the objects as YAML; an absent one
/// is an empty file. Source: `KUBECTL_EXTERNAL_DIFF`, as `argocd app diff` uses it.
pub(super) fn external(
    program: &str,
    name: &str,
    from: Option<&Object>,
    to: Option<&Object>,
) -> Result<String, Failure> {
    let folder = tempfile::tempdir()?;
    let write = |name: String, object: Option<&Object>| {
        let path = folder.path().join(name);
        let text = object.map(|object| yaml::to_string(&object.to_value())).unwrap_or_default();
        std::fs::write(&path, text).map(|()| path)
    };
    let live = write(format!("{name}-live.yaml"), from)?;
    let target = write(name.to_owned(), to)?;
    let mut words = program.split_whitespace();
    let program = words.next().unwrap_or("diff");
    let done = Command::new(program).args(words).args([&live, &target]).output();
    let done = done.map_err(|error| Failure::fatal(format!("cannot run {program}: {error}")))?;
    Ok(String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr))
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::json;

    #[test]
    fn the_program_gets_both_files() {
        let object = Object::from_value(json!({"kind": "A"}));
        let out = external("cat -A", "x", Some(&object), None).unwrap();
        assert_eq!(out, "kind: A$\n");
        let failure = external("/no/such/program", "x", None, None).unwrap_err();
        assert!(matches!(failure, Failure::Fatal { message, .. } if message.contains("/no/such/program")));
    }
}
