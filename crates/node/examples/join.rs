//! Joins a cluster as a node of real processes: `cargo run -p node --example join -- <kubeconfig> <directory> <name>`.
//! Ends on Ctrl-C.

use std::path::Path;

use node::{Node, NodeConfig, Pods};
use runtime::{Clock, Cluster, Tasks};

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [kubeconfig, dir, name] = args.as_slice() else {
        return eprintln!("usage: join KUBECONFIG DIRECTORY NAME");
    };
    let cluster = match Cluster::from_kubeconfig(Some(Path::new(kubeconfig)), Clock::system()).await {
        Ok(cluster) => cluster,
        Err(error) => return eprintln!("{error}"),
    };
    let tasks = Tasks::new();
    if let Err(error) = Node::new(cluster, NodeConfig::new(name, dir, Pods::Processes)).run(&tasks).await {
        return eprintln!("{error}");
    }
    let _ = tokio::signal::ctrl_c().await;
    tasks.stop().await;
}
