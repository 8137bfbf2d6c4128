//! Processes that a test starts: `calc`, the examples and Python.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::{PATIENCE, root};

/// Returns the path of `calc`, which Cargo puts above the folder of the tests' binary.
pub fn program() -> PathBuf {
    let program = std::env::current_exe().unwrap().parent().unwrap().with_file_name("calc");
    assert!(program.exists(), "{} is missing; run `cargo build --release --bins --examples`", program.display());
    program
}

/// Creates a command of `calc` with none of its environment variables.
pub fn calc(args: &[&str]) -> Command {
    let mut command = Command::new(program());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CALC_") {
            command.env_remove(name);
        }
    }
    command.args(args).stdin(Stdio::null());
    command
}

/// Creates a command of an example of the `calc` package.
pub fn example(name: &str) -> Command {
    let mut command = Command::new(program().with_file_name("examples").join(name));
    command.stdin(Stdio::null());
    command
}

/// Creates a command of a Python program with the stubs of `protos/` on its path.
pub fn python(script: &str) -> Command {
    let set_up = |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; script/test sets Python up"));
    let mut command = Command::new(set_up("CALC_PYTHON"));
    command
        .arg(root().join(script))
        .env("PYTHONPATH", set_up("CALC_PYTHON_STUBS"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(root())
        .stdin(Stdio::null());
    command
}

/// Runs a command for at most [`PATIENCE`] and returns its output.
pub fn run(command: &mut Command) -> Output {
    run_within(command, PATIENCE)
}

fn run_within(command: &mut Command, bound: Duration) -> Output {
    let mut child = Running::start(command);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let stderr = thread::spawn(move || read_all(stderr.unwrap()));
    let stdout = thread::spawn(move || read_all(stdout.unwrap()));
    let status = child.wait_within(bound);
    Output { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

fn read_all(mut pipe: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Runs a command that must succeed and returns its standard output.
pub fn stdout_of(command: &mut Command) -> String {
    stdout_of_within(command, PATIENCE)
}

/// Like [`stdout_of`], for at most `bound`.
pub fn stdout_of_within(command: &mut Command, bound: Duration) -> String {
    let output = run_within(command, bound);
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A running process, killed when it is dropped.
pub struct Running {
    child: Child,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
}

impl Running {
    pub fn start(command: &mut Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Running { stdout: child.stdout.take(), stderr: child.stderr.take(), child }
    }

    pub fn id(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// Takes the piped standard input.
    pub fn stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().unwrap()
    }

    /// Takes standard error.
    pub fn stderr(&mut self) -> ChildStderr {
        self.stderr.take().unwrap()
    }

    /// Takes standard output, line by line.
    pub fn lines(&mut self) -> mpsc::Receiver<String> {
        lines(self.stdout.take().unwrap())
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends SIGTERM, SIGINT, ...
    pub fn signal(&self, signal: i32) {
        let sent = Command::new("kill").arg(format!("-{signal}")).arg(self.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for a line on standard output.
    pub fn wait_for_line(&mut self, line: &str) {
        let mut reader = BufReader::new(self.stdout.take().unwrap());
        let mut read = String::new();
        while read.trim_end() != line {
            read.clear();
            assert!(reader.read_line(&mut read).unwrap() > 0, "the program has ended");
        }
        assert!(reader.buffer().is_empty(), "there is more than the line");
        self.stdout = Some(reader.into_inner());
    }

    /// Closes the piped standard input, which ends the program, and returns the rest of its output.
    pub fn end_of_input(&mut self) -> String {
        drop(self.stdin());
        let stdout = String::from_utf8(read_all(self.stdout.take().unwrap())).unwrap();
        if !self.wait().success() {
            let stderr = self.stderr.take().map(read_all).unwrap_or_default();
            panic!("{stdout}{}", String::from_utf8_lossy(&stderr));
        }
        stdout
    }

    /// Waits for the process to exit.
    pub fn wait(&mut self) -> ExitStatus {
        self.wait_within(PATIENCE)
    }

    /// Like [`Running::wait`], for at most `bound`.
    pub fn wait_within(&mut self, bound: Duration) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < bound, "the program does not end");
            // The standard library has no wait with a timeout.
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server in a separate process.
pub struct ServerProcess {
    pub process: Running,
    /// Its addresses.
    pub targets: Vec<String>,
    /// The URL of its metrics.
    pub metrics: Option<String>,
    stdout: mpsc::Receiver<String>,
    stderr: mpsc::Receiver<String>,
    /// Its lines on standard error before it accepted RPCs.
    early: Vec<String>,
}

impl ServerProcess {
    /// Starts a server and waits until it accepts RPCs.
    pub fn start(command: &mut Command) -> ServerProcess {
        let mut process = Running::start(command);
        let stdout = lines(process.stdout.take().unwrap());
        let stderr = lines(process.stderr.take().unwrap());
        let mut server =
            ServerProcess { process, targets: Vec::new(), metrics: None, stdout, stderr, early: Vec::new() };
        match server.stdout.recv_timeout(PATIENCE) {
            Ok(line) => assert_eq!(line, "Server Start.."),
            Err(_) => panic!("{command:?} does not start: {:?}", server.stderr.try_iter().collect::<Vec<_>>()),
        }
        // These lines were written before the one on standard output.
        while let Ok(line) =
            server.stderr.recv_timeout(if server.targets.is_empty() { PATIENCE } else { Duration::ZERO })
        {
            server.targets.extend(text_after(&line, "listening on "));
            server.metrics = text_after(&line, "metrics on ").or(server.metrics);
            server.early.push(line);
        }
        server
    }

    pub fn target(&self) -> &str {
        &self.targets[0]
    }

    /// Waits for a line on standard error that begins with `start`.
    pub fn wait_for_line(&self, start: &str) {
        while !self.next_line().starts_with(start) {}
    }

    /// Waits for the next line on standard error.
    pub fn next_line(&self) -> String {
        self.stderr.recv_timeout(PATIENCE).expect("the line does not come")
    }

    /// Returns the first line on standard error that contains `part`; waits if there was none before the server accepted
    /// RPCs. The log is written by a thread of its own.
    pub fn wait_for_line_with(&self, part: &str) -> String {
        if let Some(line) = self.early.iter().find(|line| line.contains(part)) {
            return line.clone();
        }
        loop {
            let line = self.stderr.recv_timeout(PATIENCE).expect("the line does not come");
            if line.contains(part) {
                return line;
            }
        }
    }
}

/// Returns the text after `words` in a line, up to the quote that ends it in a JSON log.
fn text_after(line: &str, words: &str) -> Option<String> {
    let (_, rest) = line.split_once(words)?;
    Some(rest.split('"').next().unwrap_or(rest).to_owned())
}

fn lines(pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
