//! What a container needs before its process starts: image, environment, mounts, command line.

use std::path::{Path, PathBuf};

use object::Value;

use super::{RETRY, Runner};
use crate::events::{Happening, image_back_off, image_never};
use crate::images::Unpacked;
use crate::process::Launch;
use crate::status::State;
use crate::{environment, volumes};

/// Why a container cannot be started now.
enum Unready {
    /// The image cannot be had.
    Image(String),
    /// The image is not there and nobody may look for it elsewhere.
    Never,
    /// Something in the container's configuration is missing or wrong.
    Config(String),
}

impl Runner<'_> {
    /// Tries to prepare until it works; `None` when the pod is stopped before.
    pub(super) async fn prepared(&self) -> Option<Launch> {
        let mut shown = None;
        let mut tries = 0_u32;
        while !self.pod.is_stopping() {
            let unready = match self.prepare().await {
                Ok(launch) => {
                    self.tell(&Happening::ImagePresent(self.image_name()));
                    return Some(launch);
                }
                Err(unready) => unready,
            };
            let (reason, message, happenings) = self.waiting(unready, tries);
            let now = Some((reason, message.clone()));
            if shown != now {
                happenings.iter().for_each(|happening| self.tell(happening));
                self.pod
                    .board
                    .set(self.slot, |container| container.state = State::Waiting(reason.into(), message));
                shown = now;
            }
            tries += 1;
            tokio::select! {
                () = self.pod.setup.cluster.clock().sleep(RETRY) => {}
                _ = self.pod.stopped() => {}
            }
        }
        None
    }

    fn image_name(&self) -> String {
        self.spec["image"].as_str().unwrap_or_default().to_owned()
    }

    /// Returns reason and message of the waiting state after this many earlier tries, and what is told of it.
    ///
    /// Source: kubelet `images.EnsureImageExists`, `kuberuntime.startContainer`.
    fn waiting(&self, unready: Unready, tries: u32) -> (&'static str, String, Vec<Happening>) {
        let image = self.image_name();
        let failed = |reason: &str| Happening::Failed(reason.to_owned());
        match unready {
            Unready::Image(why) if tries == 0 => {
                let told = vec![
                    Happening::ImagePulling(image.clone()),
                    Happening::ImageFailed(image, why.clone()),
                    failed("ErrImagePull"),
                ];
                ("ErrImagePull", why, told)
            }
            Unready::Image(why) => {
                let message = format!("{}: ErrImagePull: {why}", image_back_off(&image));
                (
                    "ImagePullBackOff",
                    message,
                    vec![Happening::ImageBackOff(image), failed("ImagePullBackOff")],
                )
            }
            Unready::Never => {
                let message = image_never(&image);
                let told = vec![Happening::ImageNever(image), failed("ErrImageNeverPull")];
                ("ErrImageNeverPull", message, told)
            }
            Unready::Config(why) => {
                let told = vec![Happening::Failed(why.clone())];
                ("CreateContainerConfigError", why, told)
            }
        }
    }

    async fn prepare(&self) -> Result<Launch, Unready> {
        let image = self.image().await?;
        let pod = &self.pod.pod;
        let cluster = &self.pod.setup.cluster;
        let sources = environment::Sources::fetch(cluster, pod).await;
        let sources = sources.map_err(|error| Unready::Config(error.to_string()))?;
        let facts = &self.pod.facts;
        let mut env =
            environment::variables(pod, self.spec, &image.env, (&sources, facts)).map_err(Unready::Config)?;
        let dir = self.dir();
        std::fs::create_dir_all(&dir).map_err(|error| Unready::Config(error.to_string()))?;
        let volumes = self.pod.dir.join("volumes");
        env.extend(volumes::mount(&dir.join("rootfs"), &volumes, self.spec).map_err(Unready::Config)?);
        self.pod.board.set(self.slot, |container| container.image_id.clone_from(&image.digest));
        let command = command(self.spec, &image, &env);
        let Some((first, args)) = command.split_first() else {
            return Err(Unready::Config(format!("image {} has no command", self.spec["image"])));
        };
        let workdir = self.spec["workingDir"].as_str().or(image.workdir.as_deref());
        let cwd = workdir.and_then(|dir| volumes::inside(&image.rootfs, dir.trim_start_matches('/')));
        let cwd = cwd.filter(|cwd| cwd.is_dir()).unwrap_or(dir);
        env.push(("SLIPWAY_IMAGE".into(), image.rootfs.display().to_string()));
        let launch =
            Launch { program: PathBuf::new(), args: args.iter().map(Into::into).collect(), env, cwd };
        Ok(Launch { program: program(first, &launch), ..launch })
    }

    /// Finds and unpacks the image.
    async fn image(&self) -> Result<Unpacked, Unready> {
        let reference = self.image_name();
        let store = self.pod.setup.images.clone();
        let name = reference.clone();
        let found = tokio::task::spawn_blocking(move || match store.find(&name)? {
            Some(digest) => store.unpack(&digest).map(Some),
            None => Ok(None),
        });
        match found.await {
            Ok(Ok(Some(image))) => Ok(image),
            Ok(Ok(None)) if self.spec["imagePullPolicy"] == "Never" => Err(Unready::Never),
            Ok(Ok(None)) => {
                Err(Unready::Image(format!("image \"{reference}\" is not in the store of this node")))
            }
            Ok(Err(error)) => Err(Unready::Image(error.to_string())),
            Err(error) => Err(Unready::Image(error.to_string())),
        }
    }
}

/// Returns the command line: the pod's, or the image's where the pod says nothing; `$(NAME)` is replaced.
fn command(spec: &Value, image: &Unpacked, env: &[(String, String)]) -> Vec<String> {
    let env = env.iter().cloned().collect();
    let words = |field: &str| {
        let words = spec[field].as_array()?;
        let words = words.iter().filter_map(|word| Some(environment::expand(word.as_str()?, &env)));
        Some(words.collect::<Vec<String>>()).filter(|words| !words.is_empty())
    };
    let (command, args) = (words("command"), words("args"));
    let own_command = command.is_some();
    let mut line = command.unwrap_or_else(|| image.entrypoint.clone());
    line.extend(args.unwrap_or_else(|| if own_command { Vec::new() } else { image.cmd.clone() }));
    line
}

/// Returns the file that `name` means: in the image if it is there, on the machine otherwise.
pub(crate) fn program(name: &str, launch: &Launch) -> PathBuf {
    let variable =
        |wanted: &str| launch.env.iter().rev().find(|(name, _)| name == wanted).map(|(_, value)| value);
    let image = variable("SLIPWAY_IMAGE").map(PathBuf::from).unwrap_or_default();
    let in_image = |path: &Path| {
        let relative = path.to_str()?.trim_start_matches('/');
        volumes::inside(&image, relative).filter(|path| !image.as_os_str().is_empty() && path.is_file())
    };
    if name.contains('/') {
        return in_image(Path::new(name)).unwrap_or_else(|| name.into());
    }
    let directories = variable("PATH").map(String::as_str).unwrap_or_default();
    let candidates: Vec<PathBuf> = directories.split(':').map(|dir| Path::new(dir).join(name)).collect();
    let found = candidates.iter().find_map(|path| in_image(path));
    found.or_else(|| candidates.into_iter().find(|path| path.is_file())).unwrap_or_else(|| name.into())
}
