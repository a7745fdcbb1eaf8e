use std::net::{Shutdown, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};

use super::*;

/// A connection within this process: the connecting end and ours.
#[expect(clippy::disallowed_methods, reason = "a test connects to itself")]
fn connection(bind: &str) -> (std::net::TcpStream, std::net::TcpStream) {
    let listener = TcpListener::bind(bind).expect("bound");
    let theirs = std::net::TcpStream::connect(listener.local_addr().expect("an address")).expect("connected");
    (theirs, listener.accept().expect("accepted").0)
}

fn ends(ours: &std::net::TcpStream) -> (SocketAddr, SocketAddr) {
    (ours.peer_addr().expect("connected"), ours.local_addr().expect("bound"))
}

/// What a lookup finds, which must be what the table shows too.
#[track_caller]
fn found(ours: &std::net::TcpStream) -> Option<TcpPeer> {
    let (peer, local) = ends(ours);
    let found = Netlink::default().lookup(peer, local).expect("the kernel answers");
    let shown = table::find(canonical(peer), canonical(local)).expect("readable");
    let shown = shown.filter(|socket| socket.state.is_connected() && socket.peer.inode != 0);
    assert_eq!(
        found.map(|peer| (peer.uid, peer.inode)),
        shown.map(|socket| (socket.peer.uid, socket.peer.inode))
    );
    found
}

fn inode(stream: &std::net::TcpStream) -> u32 {
    let link = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(stream));
    u32::try_from(std::fs::metadata(link).expect("open").ino()).expect("socket inodes are 32 bits")
}

fn own_uid() -> u32 {
    rustix::process::getuid().as_raw()
}

#[test]
fn the_peer_of_a_connection_within_this_process_is_this_process() {
    for bind in ["127.0.0.1:0", "[::1]:0", "[::]:0"] {
        if bind.contains("::") && TcpListener::bind(bind).is_err() {
            continue;
        }
        let (theirs, ours) = connection(bind);
        let peer = found(&ours).expect("connected");
        assert_eq!((peer.uid, peer.inode), (own_uid(), inode(&theirs)), "{bind}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test connects to itself")]
fn ipv4_through_a_socket_of_both_families_is_found() {
    let Ok(listener) = TcpListener::bind("[::]:0") else { return };
    let port = listener.local_addr().expect("bound").port();
    for target in [format!("127.0.0.1:{port}"), format!("[::ffff:127.0.0.1]:{port}")] {
        let theirs = std::net::TcpStream::connect(&target).expect("connected");
        let (ours, _) = listener.accept().expect("accepted");
        assert_eq!(found(&ours).map(|peer| peer.inode), Some(inode(&theirs)), "{target}");
    }
}

#[test]
fn a_half_closed_peer_is_known_and_a_closed_one_is_not() {
    let (theirs, ours) = connection("127.0.0.1:0");
    theirs.shutdown(Shutdown::Write).expect("half closed");
    assert_eq!(found(&ours).map(|peer| peer.inode), Some(inode(&theirs)));
    drop(theirs);
    assert_eq!(found(&ours), None, "nobody has it open any more");
}

#[test]
fn a_socket_that_lost_its_process_is_nobodys() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let script = "import socket,sys\ns=socket.create_connection(('127.0.0.1',int(sys.argv[1])))\ns.recv(1)";
    let port = listener.local_addr().expect("bound").port().to_string();
    let mut child =
        Command::new("python3").args(["-c", script, &port]).stdin(Stdio::null()).spawn().expect("python3");
    let (ours, _) = listener.accept().expect("connected");
    assert_eq!(found(&ours).map(|peer| peer.uid), Some(own_uid()));
    child.kill().expect("running");
    child.wait().expect("ours");
    assert_eq!(found(&ours), None);
}

#[test]
fn another_tuple_finds_nothing() {
    let (_theirs, ours) = connection("127.0.0.1:0");
    let (peer, local) = ends(&ours);
    let mut netlink = Netlink::default();
    let mut check = |peer: SocketAddr, local: SocketAddr| {
        assert_eq!(netlink.lookup(peer, local).expect("the kernel answers"), None, "{peer} → {local}");
    };
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    check(listener.local_addr().expect("bound"), local);
    check(peer, SocketAddr::new(local.ip(), local.port() ^ 1));
    check(SocketAddr::new([127, 0, 0, 2].into(), peer.port()), local);
    assert!(
        netlink.lookup(peer, local).expect("the kernel answers").is_some(),
        "one socket serves many queries"
    );
}

#[test]
fn rows_of_the_table_read_as_the_kernel_writes_them() {
    if cfg!(target_endian = "big") {
        return;
    }
    let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
        0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0 20 4 30 10 -1\n   \
        1: 0000000000000000FFFF00000100007F:1F91 0000000000000000FFFF00000100007F:C350 08 00000000:00000000 \
        00:00000000 00000000  1001        0 4243 1 0 20 4 30 10 -1\n   \
        2: 00000000000000000000000001000000:1F92 00000000000000000000000001000000:C350 06 00000000:00000000 \
        00:00000000 00000000     0        0 0 1 0 20 4 30 10 -1\n";
    let check = |at: &str, to: &str, expected: Option<(u32, u32, bool)>| {
        let found = table::find_in(table.as_bytes(), at.parse().expect("valid"), to.parse().expect("valid"));
        let found = found.expect("readable");
        assert_eq!(
            found.map(|socket| (socket.peer.uid, socket.peer.inode, socket.state.is_connected())),
            expected
        );
    };
    check("127.0.0.1:8080", "127.0.0.1:50000", Some((1000, 4242, true)));
    check("127.0.0.1:8081", "127.0.0.1:50000", Some((1001, 4243, true)));
    check("[::1]:8082", "[::1]:50000", Some((0, 0, false)));
    check("127.0.0.1:8080", "127.0.0.1:50001", None);
}
