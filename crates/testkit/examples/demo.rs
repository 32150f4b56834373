//! The demo: one commit becomes one canary, with real processes and real requests. Run it with `cargo xtask demo`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use testkit::processes::{Processes, Server, build_images};
use testkit::scenario::{Driver as _, Observed, Scenario, play_step};

/// Where things are.
struct Places {
    slipway: PathBuf,
    colorapi: PathBuf,
    scenario: PathBuf,
    dir: PathBuf,
    stay: bool,
}

/// Reads `demo <slipway> <colorapi> <scenario folder> <working folder> [--stay]`.
fn places() -> Option<Places> {
    let mut arguments = std::env::args_os().skip(1);
    let mut next = || arguments.next().map(PathBuf::from);
    let places = Places {
        slipway: next()?,
        colorapi: next()?,
        scenario: next()?,
        dir: next()?,
        stay: next().is_some(),
    };
    Some(places)
}

#[tokio::main]
async fn main() -> ExitCode {
    let Some(places) = places() else {
        eprintln!("usage: demo <slipway> <colorapi> <scenario folder> <working folder> [--stay]");
        return ExitCode::from(2);
    };
    match run(&places).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n✖ {error}");
            eprintln!("  the log is {}", places.dir.join("dev.log").display());
            ExitCode::FAILURE
        }
    }
}

async fn run(places: &Places) -> io::Result<()> {
    let Places { slipway, colorapi, scenario, dir, stay } = places;
    std::fs::create_dir_all(dir)?;
    build_images(slipway, colorapi, dir).await?;
    let folder = dir.display().to_string();
    let flags = ["--port", "0", "--gateway-port", "0", "--app-resync", "2s", "--app-resync-jitter", "0s"];
    let arguments: Vec<&str> = ["dev", "--dir", &folder].into_iter().chain(flags).collect();
    let server = Server::start(slipway, dir, "dev", &arguments).await?;
    let ready = server.ready();
    let kubeconfig = PathBuf::from(ready["kubeconfig"].as_str().unwrap_or_default());
    let gateway = ready["gateway"].as_str().unwrap_or_default().parse().map_err(io::Error::other)?;
    let driver = Processes::new(slipway, dir, &kubeconfig, gateway, scenario).await?;
    println!("cluster https://{}   gateway http://{gateway}", ready["server"].as_str().unwrap_or_default());
    let text = std::fs::read_to_string(scenario.join("scenario.yaml"))?;
    let story = Scenario::parse(&text).map_err(io::Error::other)?;
    println!("\n{}\n", story.scenario);
    for (index, step) in story.steps.iter().enumerate() {
        let observed = play_step(index + 1, step, &driver).await.map_err(io::Error::other)?;
        show(&observed, &driver).await;
    }
    println!("\nevery step was observed");
    if *stay {
        hold(&driver, &kubeconfig, gateway.port()).await?;
    }
    server.stop().await;
    Ok(())
}

/// Prints a step and, where there is a Rollout, its tree.
async fn show(step: &Observed, driver: &Processes) {
    println!("✔ {}. {} ({:.1} s)", step.number, step.step, step.took.as_secs_f64());
    step.seen.iter().for_each(|line| println!("    {line}"));
    let command = ["kubectl-argo-rollouts", "get", "rollout", "colorapi", "--no-color"];
    let tree = driver.run(command.iter().map(|word| (*word).to_owned()).collect()).await;
    if let Ok(tree) = tree
        && tree.exit == 0
    {
        println!();
        tree.text.lines().for_each(|line| println!("      {line}"));
        println!();
    }
    let _ = io::stdout().flush();
}

/// Prints what to export and try, and waits for Ctrl-C.
async fn hold(driver: &Processes, kubeconfig: &Path, gateway: u16) -> io::Result<()> {
    println!("\nEverything stays up until Ctrl-C. In another terminal:\n");
    println!("  export KUBECONFIG={}", kubeconfig.display());
    println!("  export PATH={}:$PATH", driver.links().display());
    println!("  kubectl get rollouts,replicasets,pods");
    println!("  kubectl argo rollouts get rollout colorapi --watch");
    println!("  argocd app get colorapi");
    println!("  curl http://colorapi.default.localhost:{gateway}/");
    println!("  the Application follows {}", driver.repository());
    tokio::signal::ctrl_c().await
}
