//! A child process in a group of its own, with its output in files; it ends with its owner.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::wait::eventually_within;

/// A running program and where its output goes.
pub struct Process {
    child: Child,
    /// What it wrote on standard output.
    pub stdout: PathBuf,
    /// What it wrote on standard error.
    pub stderr: PathBuf,
}

impl Process {
    /// Starts a prepared command in `dir`; the output files are called `<name>.stdout` and `<name>.stderr`.
    pub fn start(command: &mut Command, dir: &Path, name: &str) -> Process {
        let (stdout, stderr) = (dir.join(format!("{name}.stdout")), dir.join(format!("{name}.stderr")));
        let open = |path: &Path| File::create(path).expect("the case's directory is writable");
        let child = command
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(open(&stdout))
            .stderr(open(&stderr))
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        Process { child, stdout, stderr }
    }

    /// Its process id.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Its exit status once it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("our own child can be waited for")
    }

    /// Sends a signal to it alone.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the process is there to be signalled");
    }

    /// Its exit code, -1 after a signal; fails when it does not end within `limit`.
    pub fn exit_code(&mut self, limit: Duration) -> i32 {
        eventually_within(limit, "the process ends", || self.ended()).code().unwrap_or(-1)
    }

    /// Kills it and whatever it started.
    pub fn kill(&mut self) {
        // the group may be gone already, which is what is wanted
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.child.wait();
    }

    /// All that it has printed so far.
    pub fn output(&self) -> String {
        let read = |path: &Path| std::fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&[read(&self.stdout), read(&self.stderr)].concat()).into_owned()
    }

    /// A field of `/proc/PID/status` in KiB, such as `VmRSS` or `VmHWM`.
    pub fn status_kib(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it is running");
        let line = status.lines().find(|line| line.starts_with(field)).expect("the kernel has this field");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number of KiB")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
