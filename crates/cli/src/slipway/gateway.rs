//! `slipway gateway`.

use std::io::Write as _;

use gateway::{Gateway, GatewayConfig};
use object::json;
use runtime::{Tasks, Watches};
use tokio::net::TcpListener;

use super::ready::{ReadyFile, until_told};
use crate::Session;
use crate::connect::ConnectFlags;

/// Arguments of `slipway gateway`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    connect: ConnectFlags,
    /// Port on the loopback address; 0 for any free one
    #[arg(long, default_value_t = 8000)]
    port: u16,
    #[command(flatten)]
    ready: ReadyFile,
}

/// Serves until told to stop.
pub async fn run(arguments: Arguments, session: &mut Session) -> anyhow::Result<()> {
    let cluster = session.connect(arguments.connect.connection()).await?;
    let tasks = Tasks::new();
    let watches = Watches::new(cluster, &tasks);
    let listener = TcpListener::bind(("127.0.0.1", arguments.port)).await?;
    let address = listener.local_addr()?;
    Gateway::new(&watches, GatewayConfig::default(), &tasks).serve(listener, &tasks);
    arguments.ready.write(&json!({"gateway": address.to_string()}))?;
    writeln!(session.err, "serving http://<service>.<namespace>.localhost:{}/", address.port())?;
    until_told().await?;
    tasks.stop().await;
    Ok(())
}
