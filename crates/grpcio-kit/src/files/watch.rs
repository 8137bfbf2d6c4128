//! A value that comes from files, and is made anew when they change.
//!
//! Contents are compared, not time stamps: those are as coarse as the system's clock tick, and
//! say little of a symlink that has been turned to another folder, as Kubernetes does it.
//! The files are small. A change counts when two looks in a row have found the same, so that a file
//! half written, or a certificate whose key comes a moment later, is passed over.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::thread;
use std::time::Duration;

use super::reloads::Reloads;
use super::{FileError, read};

/// The time between two looks at the files, unless told otherwise: 1 second. A change is in
/// use after two of them.
pub const DEFAULT_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The shortest time between two looks; a shorter one is taken as this.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(10);

/// What the files held at a look, or why they could not be read.
type Look = Result<Vec<Vec<u8>>, String>;

/// Makes a value from the contents of the files, in their order.
type Parse<T> = Box<dyn Fn(&[Vec<u8>]) -> Result<T, FileError> + Send>;

/// A value, and which one it is: they are numbered from 1.
pub(crate) struct Versioned<T> {
    pub generation: u64,
    pub value: T,
}

/// A value that follows its files. Clones share it; the watching ends with the last of them.
pub(crate) struct Watched<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    latest: RwLock<Arc<Versioned<T>>>,
    reloads: Reloads,
    /// Hangs up on the watcher when the last handle is dropped.
    _alive: Sender<Infallible>,
}

// Not derived: that would ask for `T: Clone`.
impl<T> Clone for Watched<T> {
    fn clone(&self) -> Watched<T> {
        Watched { shared: Arc::clone(&self.shared) }
    }
}

impl<T: Send + Sync + 'static> Watched<T> {
    /// Reads `paths`, of which there is at least one, and looks at them again every `interval`. `what`
    /// names their content in the log.
    pub fn start(
        what: &'static str,
        paths: Vec<PathBuf>,
        interval: Duration,
        parse: impl Fn(&[Vec<u8>]) -> Result<T, FileError> + Send + 'static,
    ) -> Result<Watched<T>, FileError> {
        let contents = paths.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
        let value = parse(&contents)?;
        let (alive, gone) = mpsc::channel();
        let shared = Arc::new(Shared {
            latest: RwLock::new(Arc::new(Versioned { generation: 1, value })),
            reloads: Reloads::default(),
            _alive: alive,
        });
        let seen = Ok(contents);
        let mut watcher = Watcher {
            shared: Arc::downgrade(&shared),
            what,
            paths,
            parse: Box::new(parse),
            judged: Look::clone(&seen),
            seen,
        };
        let first = watcher.paths.first().cloned().unwrap_or_default();
        let interval = interval.max(MIN_POLL_INTERVAL);
        let thread = thread::Builder::new().name("file-watch".to_owned());
        thread
            .spawn(move || watcher.run(&gone, interval))
            .map_err(|source| FileError::Watch { path: first, source })?;
        Ok(Watched { shared })
    }

    /// The value of the last content that was good. Waits for no file.
    pub fn latest(&self) -> Arc<Versioned<T>> {
        Arc::clone(&self.shared.latest.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Watched<T> {
    pub fn reloads(&self) -> Reloads {
        self.shared.reloads.clone()
    }
}

/// The thread that looks at the files.
struct Watcher<T> {
    shared: Weak<Shared<T>>,
    what: &'static str,
    paths: Vec<PathBuf>,
    parse: Parse<T>,
    /// What was found at the last look.
    seen: Look,
    /// What was last taken or refused.
    judged: Look,
}

impl<T> Watcher<T> {
    fn run(&mut self, gone: &Receiver<Infallible>, interval: Duration) {
        while let Err(RecvTimeoutError::Timeout) = gone.recv_timeout(interval) {
            self.look();
        }
    }

    fn look(&mut self) {
        let look = self.paths.iter().map(|path| read(path).map_err(|error| error.to_string())).collect();
        let settled = look == self.seen;
        self.seen = look;
        if !settled || self.seen == self.judged {
            return;
        }
        self.judged = self.seen.clone();
        let made = match &self.judged {
            Ok(contents) => (self.parse)(contents).map_err(|error| error.to_string()),
            Err(error) => Err(error.clone()),
        };
        let Some(shared) = self.shared.upgrade() else {
            return;
        };
        let what = self.what;
        match made {
            Ok(value) => {
                let mut latest = shared.latest.write().unwrap_or_else(PoisonError::into_inner);
                let generation = latest.generation + 1;
                *latest = Arc::new(Versioned { generation, value });
                drop(latest);
                shared.reloads.count_success();
                tracing::info!(generation, "the new {what} are in use");
            }
            Err(error) => {
                shared.reloads.count_failure();
                tracing::warn!(error, "the new {what} are refused; the old ones stay in use");
            }
        }
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

    /// A number from each of `paths`, and where the watcher tells what it read, good or bad.
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

    /// Replaces a file in one step: nobody sees half of it, however slow this machine is.
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
    fn a_bad_content_is_refused_once_and_the_old_value_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "1").unwrap();
        let (watched, told) = numbers(&[&path]);
        put(&path, "bad");
        assert_eq!(told.recv_timeout(PATIENCE).unwrap(), "bad");
        put(&path, "worse");
        // The bad one stayed for many looks, or for two: it is parsed once.
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
    fn what_is_no_regular_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("no regular file"), "{error}");
        let path = folder.path().join("large");
        fs::write(&path, vec![0; 1024 * 1024 + 1]).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.ends_with("large is too large: it has more than 1048576 bytes"), "{error}");
    }
}
