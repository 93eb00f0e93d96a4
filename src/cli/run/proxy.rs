//! A local Envoy: where it is, which it is, its life.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::render::envoy::EnvoyVersion;

/// A running Envoy; ends with this value.
pub(super) struct Proxy {
    child: Child,
    title: String,
    folder: PathBuf,
}

impl Proxy {
    /// Starts `binary` with a bootstrap and these environment variables on top of our own.
    pub(super) fn start(
        binary: &Path,
        bootstrap: &str,
        environment: &[(String, String)],
    ) -> io::Result<Proxy> {
        let folder = env::temp_dir().join(format!("pointsman-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let path = folder.join("envoy.yaml");
        fs::write(&path, bootstrap)?;
        let log = File::create(folder.join("envoy.log"))?;
        let child = Command::new(binary)
            .arg("--config-path")
            .arg(&path)
            .args(["--log-level", "warning", "--use-dynamic-base-id"])
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let title = format!("Envoy {}", version_of(binary)?);
        Ok(Proxy {
            child,
            title,
            folder,
        })
    }

    pub(super) fn title(&self) -> &str {
        &self.title
    }

    /// Access log and Envoy's own messages.
    pub(super) fn log_path(&self) -> PathBuf {
        self.folder.join("envoy.log")
    }

    /// Asks `url` until it answers. An Envoy that ends before tells why in its log.
    pub(super) fn wait_until_ready(&self, url: &str, limit: Duration) -> io::Result<()> {
        let deadline = deadline(limit);
        while ureq::get(url).call().is_err() {
            if is_over(deadline) || !self.is_alive() {
                let log = fs::read_to_string(self.log_path()).unwrap_or_default();
                return Err(io::Error::other(format!(
                    "Envoy did not start:\n{}",
                    log.trim()
                )));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Waits for Ctrl-C, or for Envoy's own end.
    pub(super) async fn run_until_interrupted(&self) -> io::Result<()> {
        tokio::signal::ctrl_c().await
    }

    fn is_alive(&self) -> bool {
        // A process that has ended stays visible until it is waited for; its state says so.
        fs::read_to_string(format!("/proc/{}/stat", self.child.id()))
            .map_or(cfg!(not(target_os = "linux")), |stat| {
                !stat.contains(") Z ")
            })
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Both fail only when Envoy is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The binary that was named, else the one on PATH, else the newest in the cache.
pub(super) fn find_envoy(named: Option<&Path>) -> io::Result<PathBuf> {
    if let Some(path) = named {
        return Ok(path.to_owned());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path)
        .map(|folder| folder.join("envoy"))
        .find(|p| p.is_file());
    on_path.or_else(newest_in_cache).ok_or_else(|| {
        io::Error::other(
            "no Envoy found on PATH or in the cache: run envoy/fetch.sh 1.40.0, or name one with --envoy",
        )
    })
}

fn newest_in_cache() -> Option<PathBuf> {
    let home = env::var_os("HOME").map(PathBuf::from);
    let cache = env::var_os("POINTSMAN_CACHE")
        .map(PathBuf::from)
        .or_else(|| {
            let base = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
            Some(
                base.or_else(|| Some(home?.join(".cache")))?
                    .join("pointsman"),
            )
        })?;
    let folders = fs::read_dir(cache).ok()?.filter_map(Result::ok);
    let mut found: Vec<(EnvoyVersion, PathBuf)> = folders
        .filter_map(|folder| {
            let name = folder.file_name().into_string().ok()?;
            let version = name.strip_prefix("envoy-")?.parse().ok()?;
            Some((version, folder.path().join("envoy"))).filter(|(_, binary)| binary.is_file())
        })
        .collect();
    found.sort();
    found.pop().map(|(_, binary)| binary)
}

/// The module that was named, else the one that `make wasm` builds.
pub(super) fn find_module(named: Option<&Path>) -> io::Result<PathBuf> {
    let built = PathBuf::from("target/pointsman.wasm");
    let path = named.map_or(built, Path::to_owned);
    fs::canonicalize(&path).map_err(|_| {
        let path = path.display();
        io::Error::other(format!(
            "{path}: no such module: run `make wasm`, or name one with --module"
        ))
    })
}

/// What `envoy --version` says.
pub(super) fn version_of(binary: &Path) -> io::Result<EnvoyVersion> {
    let output = Command::new(binary)
        .arg("--version")
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", binary.display())))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // <path>/envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL
    let build = text.split("version:").nth(1).unwrap_or_default();
    let version = build.split('/').nth(1).unwrap_or_default();
    version
        .parse()
        .map_err(|error| io::Error::other(format!("{}: {error}", binary.display())))
}

#[allow(clippy::disallowed_methods, reason = "a command may look at the clock")]
fn deadline(limit: Duration) -> Instant {
    Instant::now() + limit
}

#[allow(clippy::disallowed_methods, reason = "a command may look at the clock")]
fn is_over(deadline: Instant) -> bool {
    Instant::now() > deadline
}
