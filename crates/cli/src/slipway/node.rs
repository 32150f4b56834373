//! `slipway node`.

use std::path::PathBuf;

use node::{Node, NodeConfig};
use object::json;
use runtime::Tasks;

use super::pods::PodFlags;
use super::ready::{ReadyFile, until_told};
use crate::Session;
use crate::connect::ConnectFlags;

/// Arguments of `slipway node`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    connect: ConnectFlags,
    /// Name of the Node
    #[arg(long, default_value = "slipway")]
    name: String,
    /// Folder of images, volumes and logs
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    pods: PodFlags,
    #[command(flatten)]
    ready: ReadyFile,
}

/// Joins the cluster until told to stop.
pub async fn run(arguments: Arguments, session: &mut Session) -> anyhow::Result<()> {
    let cluster = session.connect(arguments.connect.connection()).await?;
    let tasks = Tasks::new();
    let pods = arguments.pods.pods()?;
    let config = NodeConfig::new(&arguments.name, arguments.dir, pods);
    Node::new(cluster, config).run(&tasks).await?;
    arguments.ready.write(&json!({"node": arguments.name}))?;
    until_told().await?;
    tasks.stop().await;
    Ok(())
}
