//! `slipway image build|import|list`.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use node::ImageStore;
use node::images::Recipe;
use object::{json, yaml};

use crate::Session;

/// Arguments of `slipway image`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Build an image from a folder: its content becomes the root of the image
    #[command(
        after_help = "Example:\n  slipway image build --dir ./cluster --tag colorapi:1.0 --file image.yaml ./root"
    )]
    Build {
        /// Folder of the cluster or node
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// Name and tag of the image; the configuration's `name` when absent
        #[arg(long, short, value_name = "NAME:TAG")]
        tag: Option<String>,
        /// YAML file with name, entrypoint, cmd, env and workdir
        #[arg(long, short, value_name = "FILE")]
        file: PathBuf,
        /// Folder to build from
        root: PathBuf,
    },
    /// Import an OCI layout, a folder or a tar file
    #[command(
        after_help = "Example:\n  slipway image import --dir ./cluster --tag colorapi:1.0 ./layout.tar"
    )]
    Import {
        /// Folder of the cluster or node
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// Name and tag to give the image
        #[arg(long, short, value_name = "NAME:TAG")]
        tag: Option<String>,
        /// The layout
        source: PathBuf,
    },
    /// List the images
    #[command(after_help = "Example:\n  slipway image list --dir ./cluster")]
    List {
        /// Folder of the cluster or node
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
}

/// Runs the command.
pub fn run(arguments: &Arguments, session: &mut Session) -> anyhow::Result<()> {
    match &arguments.command {
        Command::Build { dir, tag, file, root } => {
            let text =
                std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            let mut config =
                yaml::document(&text).with_context(|| format!("cannot read {}", file.display()))?;
            if let (Some(tag), Some(map)) = (tag, config.as_object_mut()) {
                map.insert("name".into(), json!(tag));
            }
            let image = store(dir)?.build(&Recipe::read(&config, root)?)?;
            writeln!(session.out, "{} {}", image.name, image.digest)?;
        }
        Command::Import { dir, tag, source } => {
            for image in store(dir)?.import(source, tag.as_deref())? {
                writeln!(session.out, "{} {}", image.name, image.digest)?;
            }
        }
        Command::List { dir } => {
            for image in store(dir)?.list()? {
                writeln!(session.out, "{}\t{}\t{}", image.name, image.digest, image.size)?;
            }
        }
    }
    Ok(())
}

fn store(dir: &std::path::Path) -> anyhow::Result<ImageStore> {
    Ok(ImageStore::open(dir.join("images"))?)
}
