//! Builds an image into a node's store: `cargo run -p node --example image -- <node directory> <config.json> <root>`.

use std::path::Path;

use node::ImageStore;
use node::images::Recipe;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dir, config, root] = args.as_slice() else { return eprintln!("usage: image DIRECTORY CONFIG ROOT") };
    let outcome = std::fs::read(config).map_err(|error| error.to_string()).and_then(|text| {
        let config = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        let recipe = Recipe::read(&config, Path::new(root)).map_err(|error| error.to_string())?;
        let store = ImageStore::open(Path::new(dir).join("images")).map_err(|error| error.to_string())?;
        store.build(&recipe).map_err(|error| error.to_string())
    });
    match outcome {
        Ok(image) => println!("{} {}", image.name, image.digest),
        Err(error) => eprintln!("{error}"),
    }
}
