//! A value that is parsed from files, and reloaded when they change.
//!
//! One thread per value reads its files at an interval and compares contents. Time stamps would not do: they are as coarse
//! as the system's clock tick, and do not change when a symlink is replaced, as Kubernetes does. A change is applied when
//! two polls in a row have read the same, so that a half-written file, or a certificate whose key follows a moment later,
//! is not.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use super::reloads::Reloads;
use super::{FileError, read};
use crate::service_manager;

/// The default interval at which files are checked for changes: 1 second. A change is in use after two of them.
pub const DEFAULT_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The minimum poll interval; shorter ones are raised to it.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A value and its generation, counted from 1.
pub(crate) struct Versioned<T> {
    pub generation: u64,
    pub value: T,
}

/// A value that follows its files. Clones share it; the thread ends when the last one is dropped.
pub(crate) struct Watched<T> {
    latest: Arc<RwLock<Arc<Versioned<T>>>>,
    reloads: Reloads,
    /// Disconnects from the thread, and so ends it, when the last clone is dropped.
    alive: Arc<Sender<Infallible>>,
}

// Not derived: that would ask for `T: Clone`.
impl<T> Clone for Watched<T> {
    fn clone(&self) -> Watched<T> {
        Watched { latest: Arc::clone(&self.latest), reloads: self.reloads.clone(), alive: Arc::clone(&self.alive) }
    }
}

impl<T: Send + Sync + 'static> Watched<T> {
    /// Reads `paths`, of which there is at least one, and polls them every `interval`. `what` names their content in the
    /// log.
    pub fn start(
        what: &'static str,
        paths: Vec<PathBuf>,
        interval: Duration,
        parse: impl Fn(&[Vec<u8>]) -> Result<T, FileError> + Send + 'static,
    ) -> Result<Watched<T>, FileError> {
        let contents = paths.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
        let value = parse(&contents)?;
        let (alive, gone) = mpsc::channel();
        let first = paths.first().cloned().unwrap_or_default();
        let interval = interval.max(MIN_POLL_INTERVAL);
        let latest = Arc::new(RwLock::new(Arc::new(Versioned { generation: 1, value })));
        let watched = Watched { latest: Arc::clone(&latest), reloads: Reloads::default(), alive: Arc::new(alive) };
        let reloads = watched.reloads();
        let watch = move || {
            // What the last poll read, and what was last applied or rejected.
            let mut seen = Ok(contents);
            let mut handled = seen.clone();
            while let Err(RecvTimeoutError::Timeout) = gone.recv_timeout(interval) {
                let read: Result<Vec<_>, String> =
                    paths.iter().map(|path| read(path).map_err(|error| error.to_string())).collect();
                let settled = read == seen;
                seen = read;
                if !settled || seen == handled {
                    continue;
                }
                handled = seen.clone();
                let parsed = seen.clone().and_then(|contents| parse(&contents).map_err(|error| error.to_string()));
                match parsed {
                    Ok(value) => {
                        let mut latest = latest.write().unwrap_or_else(PoisonError::into_inner);
                        let generation = latest.generation + 1;
                        *latest = Arc::new(Versioned { generation, value });
                        drop(latest);
                        reloads.succeeded.fetch_add(1, Ordering::Relaxed);
                        tracing::info!(generation, "the new {what} are in use");
                        service_manager::reloaded();
                    }
                    Err(error) => {
                        reloads.failed.fetch_add(1, Ordering::Relaxed);
                        tracing::warn!(error, "the new {what} are refused; the old ones stay in use");
                    }
                }
            }
        };
        let thread = thread::Builder::new().name("file-watch".to_owned());
        thread.spawn(watch).map_err(|source| FileError::Watch { path: first, source })?;
        Ok(watched)
    }

    /// Returns the last valid value. Reads no file.
    pub fn latest(&self) -> Arc<Versioned<T>> {
        Arc::clone(&self.latest.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn reloads(&self) -> Reloads {
        self.reloads.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;
    use std::sync::mpsc::Receiver;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// A number from each of `paths`, and a channel with what the watcher parsed, valid or not.
    fn numbers(paths: &[&Path]) -> (Watched<Vec<u64>>, Receiver<String>) {
        let (told, tell) = mpsc::channel();
        let first = paths[0].to_owned();
        let parse = move |contents: &[Vec<u8>]| {
            let texts: Vec<_> = contents.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
            told.send(texts.join(" ")).unwrap();
            let numbers = texts.iter().map(|text| text.parse());
            numbers.collect::<Result<Vec<_>, _>>().map_err(|_| FileError::content(&first, "no number"))
        };
        let paths = paths.iter().map(|path| path.to_path_buf()).collect();
        let watched = Watched::start("numbers", paths, Duration::ZERO, parse).unwrap();
        tell.recv_timeout(PATIENCE).unwrap();
        (watched, tell)
    }

    /// Replaces a file atomically.
    fn put(path: &Path, content: &str) {
        let next = path.with_extension("next");
        fs::write(&next, content).unwrap();
        fs::rename(&next, path).unwrap();
    }

    fn wait_for(watched: &Watched<Vec<u64>>, value: &[u64]) {
        let start = std::time::Instant::now();
        while watched.latest().value != value {
            assert!(start.elapsed() < PATIENCE, "{:?} stays", watched.latest().value);
            thread::yield_now();
        }
    }

    #[test]
    fn a_value_follows_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        fs::write(&one, "1").unwrap();
        fs::write(&two, "2").unwrap();
        let (watched, _told) = numbers(&[&one, &two]);
        assert_eq!((watched.latest().generation, &watched.latest().value[..]), (1, &[1, 2][..]));
        put(&two, "3");
        wait_for(&watched, &[1, 3]);
        assert_eq!(watched.latest().generation, 2);
        assert_eq!(watched.reloads().succeeded(), 1);
    }

    #[test]
    fn a_folder_is_swapped_behind_a_symlink() {
        let folder = tempfile::tempdir().unwrap();
        for number in ["1", "2"] {
            fs::create_dir(folder.path().join(number)).unwrap();
            fs::write(folder.path().join(number).join("file"), number).unwrap();
        }
        let (data, next) = (folder.path().join("..data"), folder.path().join("next"));
        symlink("1", &data).unwrap();
        symlink("..data/file", folder.path().join("file")).unwrap();
        let (watched, _told) = numbers(&[&folder.path().join("file")]);
        symlink("2", &next).unwrap();
        fs::rename(&next, &data).unwrap();
        wait_for(&watched, &[2]);
    }

    #[test]
    fn an_invalid_content_is_rejected_once_and_the_old_value_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "1").unwrap();
        let (watched, told) = numbers(&[&path]);
        put(&path, "bad");
        assert_eq!(told.recv_timeout(PATIENCE).unwrap(), "bad");
        put(&path, "worse");
        // However many polls saw the first one, it was parsed once.
        assert_eq!(told.recv_timeout(PATIENCE).unwrap(), "worse");
        assert_eq!(watched.latest().value, [1]);
        fs::remove_file(&path).unwrap();
        let start = std::time::Instant::now();
        while watched.reloads().failed() < 3 {
            assert!(start.elapsed() < PATIENCE);
            thread::yield_now();
        }
        assert_eq!((watched.latest().value[0], watched.reloads().succeeded()), (1, 0));
        put(&path, "4");
        wait_for(&watched, &[4]);
        assert_eq!((watched.reloads().succeeded(), watched.reloads().failed()), (1, 3));
    }

    #[test]
    fn the_watcher_ends_with_the_last_handle() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "1").unwrap();
        let (watched, told) = numbers(&[&path]);
        let clone = watched.clone();
        drop(watched);
        put(&path, "2");
        wait_for(&clone, &[2]);
        drop(clone);
        // What the watcher owned is gone with it.
        assert_eq!(told.recv_timeout(PATIENCE).as_deref(), Ok("2"));
        assert_eq!(told.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
    }

    #[test]
    fn anything_but_a_regular_file_of_at_most_1_mib_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let error = read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("not a regular file"), "{error}");
        let path = folder.path().join("large");
        fs::write(&path, vec![0; 1024 * 1024 + 1]).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.ends_with("large is too large: the maximum is 1048576 bytes"), "{error}");
    }
}
