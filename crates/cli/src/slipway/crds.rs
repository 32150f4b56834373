//! `slipway crds`.

use std::io::Write as _;

use object::yaml;

use crate::Session;

/// Prints the CustomResourceDefinitions as one YAML stream.
pub fn run(session: &mut Session) -> anyhow::Result<()> {
    for definition in api::crds::all() {
        writeln!(session.out, "---\n{}", yaml::to_string(&definition.into_value()).trim_end())?;
    }
    Ok(())
}
