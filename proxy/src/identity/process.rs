//! Which process holds a socket, and what the kernel tells of that process: read from `/proc`, as far as permitted.
//!
//! A process may end and its number be given to another while it is read about, so its start time is compared before
//! and after; facts of two processes are never mixed.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Processes that are looked at in search of a socket.
const PROCESSES_MAX: usize = 1024;
/// Open files that are looked at in one search, of all processes together.
const DESCRIPTORS_MAX: usize = 32_768;
/// Users whose last process is remembered.
const REMEMBERED_MAX: usize = 64;
/// The longest file of `/proc` that is read here.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// What is known of a process. What may not be read is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its effective group.
    pub gid: Option<u32>,
    /// The program that it runs, as the kernel names it.
    pub exe: Option<String>,
    /// Its control group: the path in the unified hierarchy, or the most telling of the older ones.
    pub cgroup: Option<String>,
}

/// Looks processes up; remembers whose sockets it found where.
#[derive(Default)]
pub struct Finder {
    /// For each user, the process that held the last socket.
    last: HashMap<u32, u32>,
}

impl Finder {
    /// What is known of process `pid`. `None` where it is not there, or went while it was read about.
    pub fn facts(&self, pid: u32) -> Option<Process> {
        let folder = folder(pid);
        let started = start_time(&folder)?;
        let exe = program(&folder);
        let process = Process { pid, gid: effective_gid(&folder), exe, cgroup: control_group(&folder) };
        (program(&folder) == process.exe && start_time(&folder)? == started).then_some(process)
    }

    /// The process of user `uid` that holds the socket `inode`. Where several share it, one of them.
    pub fn owner(&mut self, inode: u32, uid: u32) -> Option<Process> {
        let mut search = Search { link: format!("socket:[{inode}]"), descriptors_left: DESCRIPTORS_MAX };
        let remembered = self.last.get(&uid).and_then(|pid| search.within(*pid));
        let Found { pid, descriptor } = remembered.or_else(|| search.among_all(uid))?;
        let process = self.facts(pid)?;
        // Still its own after the facts were read: else the number may be another's.
        if !search.is_at(&descriptor) {
            return None;
        }
        self.remember(uid, pid);
        Some(process)
    }

    fn remember(&mut self, uid: u32, pid: u32) {
        if self.last.len() >= REMEMBERED_MAX && !self.last.contains_key(&uid) {
            self.last.clear();
        }
        self.last.insert(uid, pid);
    }
}

/// A search for one socket among open files.
struct Search {
    /// What a descriptor of the socket links to.
    link: String,
    descriptors_left: usize,
}

/// Where a socket was found.
struct Found {
    pid: u32,
    descriptor: PathBuf,
}

impl Search {
    fn among_all(&mut self, uid: u32) -> Option<Found> {
        let processes = fs::read_dir("/proc").ok()?;
        let numbers = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        // A process that ended, or belongs to another user, cannot hold it or cannot be looked into.
        numbers
            .filter(|pid| {
                fs::metadata(folder(*pid)).is_ok_and(|folder| folder.uid() == uid || folder.uid() == 0)
            })
            .take(PROCESSES_MAX)
            .find_map(|pid| self.within(pid))
    }

    /// The newest first: a socket that is looked for has just been made, and a program may have thousands.
    fn within(&mut self, pid: u32) -> Option<Found> {
        let descriptors = fs::read_dir(folder(pid).join("fd")).ok()?;
        let mut descriptors: Vec<u32> =
            descriptors.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
        descriptors.sort_unstable_by(|one, other| other.cmp(one));
        for number in descriptors {
            self.descriptors_left = self.descriptors_left.checked_sub(1)?;
            let descriptor = folder(pid).join(format!("fd/{number}"));
            if self.is_at(&descriptor) {
                return Some(Found { pid, descriptor });
            }
        }
        None
    }

    fn is_at(&self, descriptor: &Path) -> bool {
        fs::read_link(descriptor).is_ok_and(|target| target.as_os_str() == self.link.as_str())
    }
}

fn folder(pid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}"))
}

/// When the process began, in ticks since the machine did.
fn start_time(folder: &Path) -> Option<u64> {
    // The name of the program, in parentheses, may hold anything; the 22nd field is the 20th after it.
    let stat = read(&folder.join("stat"))?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

fn program(folder: &Path) -> Option<String> {
    fs::read_link(folder.join("exe")).ok()?.into_os_string().into_string().ok()
}

fn effective_gid(folder: &Path) -> Option<u32> {
    let status = read(&folder.join("status"))?;
    status.lines().find_map(|line| line.strip_prefix("Gid:"))?.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn control_group(folder: &Path) -> Option<String> {
    most_telling(&read(&folder.join("cgroup"))?).map(str::to_owned)
}

/// The path of the unified hierarchy, unless it is the root and an older hierarchy says more.
fn most_telling(listing: &str) -> Option<&str> {
    let paths = || listing.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    let unified = listing.lines().find_map(|line| line.strip_prefix("0::"));
    unified.filter(|path| *path != "/").or_else(|| paths().max_by_key(|path| path.len()))
}

fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::process::{Command, Stdio};

    use super::*;
    use crate::identity::tcp::Netlink;

    #[test]
    fn this_process_is_known() {
        let process = Finder::default().facts(std::process::id()).expect("it runs");
        assert_eq!(process.pid, std::process::id());
        assert_eq!(process.gid, Some(rustix::process::getegid().as_raw()));
        assert_eq!(process.exe, std::env::current_exe().expect("known").to_str().map(str::to_owned));
        assert!(process.cgroup.is_some_and(|path| path.starts_with('/')));
    }

    #[test]
    fn nobody_is_not() {
        let mut child = Command::new("true").spawn().expect("runs");
        child.wait().expect("ours");
        assert_eq!(Finder::default().facts(child.id()), None);
        assert_eq!(Finder::default().owner(u32::MAX, rustix::process::getuid().as_raw()), None);
    }

    #[test]
    fn a_child_is_found_by_its_socket_and_then_remembered() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let script = "import socket,sys\nc=lambda: socket.create_connection(('127.0.0.1',int(sys.argv[1])))\n\
                      s=[c(),c()]\ns[0].recv(1)";
        let port = listener.local_addr().expect("bound").port().to_string();
        let mut child = Command::new("python3")
            .args(["-c", script, &port])
            .stdin(Stdio::null())
            .spawn()
            .expect("python3");
        let mut finder = Finder::default();
        // Kept open until the end, as the child ends with its first connection.
        let connections = [listener.accept().expect("connected"), listener.accept().expect("connected")];
        for (stream, peer) in &connections {
            let local = stream.local_addr().expect("bound");
            let socket = Netlink::default().lookup(*peer, local).expect("answers").expect("connected");
            let process = finder.owner(socket.inode, socket.uid).expect("found");
            assert_eq!(process.pid, child.id());
            assert!(process.exe.is_some_and(|exe| exe.contains("python")));
            assert_eq!(finder.last.get(&socket.uid), Some(&child.id()));
        }
        child.kill().expect("running");
        child.wait().expect("ours");
    }

    #[test]
    fn the_most_telling_control_group_is_taken() {
        let check = |listing: &str, expected: Option<&str>| assert_eq!(most_telling(listing), expected);
        check("0::/user.slice/a\n", Some("/user.slice/a"));
        check("4:memory:/pods/pod1\n3:cpuset:/\n0::/\n", Some("/pods/pod1"));
        check("4:memory:/pods/pod1\n0::/unified\n", Some("/unified"));
        check("0::/\n", Some("/"));
        check("4:memory:/with:colon\n", Some("/with:colon"));
        check("", None);
    }
}
