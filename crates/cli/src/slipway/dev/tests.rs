use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

/// In memory too: the node's processes and the kubeconfig are in the folder.
#[tokio::test]
async fn a_folder_has_one_cluster_and_the_second_touches_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let _first = Claim::take(dir.path(), "dev", &runtime::Clock::system()).await.unwrap();
    for memory in [Some("--memory"), None] {
        let folder = dir.path().display().to_string();
        let words = ["dev", "--dir", &folder, "--port", "0", "--gateway-port", "0"].into_iter().chain(memory);
        let line = Line::parse_from(words);
        let refused = run(line.arguments, &mut Session::of_process()).await.unwrap_err().to_string();
        assert!(refused.contains("is in use by another process"), "{refused}");
    }
    let files = std::fs::read_dir(dir.path()).unwrap().flatten().map(|entry| entry.file_name());
    assert_eq!(files.collect::<Vec<_>>(), ["dev.lock"]);
}
