//! A query for exactly one TCP socket: `NETLINK_SOCK_DIAG` with the messages of `linux/inet_diag.h`.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, connect, recv, send, socket_with,
};

use super::{Socket, State, TcpPeer};

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IPPROTO_TCP: u8 = 6;
/// The attribute with the number of the control group.
const INET_DIAG_CGROUP_ID: u16 = 21;
/// `struct nlmsghdr`.
const HEADER_BYTES: usize = 16;
/// The header and `struct inet_diag_req_v2`.
const REQUEST_BYTES: usize = HEADER_BYTES + 56;
/// `struct inet_diag_msg`.
const MESSAGE_BYTES: usize = 72;
/// More than the kernel says of one socket.
const ANSWER_BYTES_MAX: usize = 4096;
/// The kernel answers within the call; this is for one that does not.
const ANSWER_SECONDS_MAX: Duration = Duration::from_millis(200);
/// Answers to earlier questions that may still be waiting.
const STALE_ANSWERS_MAX: usize = 16;

/// An open socket to the kernel.
pub(super) struct Query {
    socket: OwnedFd,
    sequence: u32,
}

impl Query {
    pub(super) fn open() -> io::Result<Self> {
        let socket =
            socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(SOCK_DIAG))?;
        set_socket_timeout(&socket, Timeout::Recv, Some(ANSWER_SECONDS_MAX))?;
        // A connected socket takes messages from the kernel alone.
        connect(&socket, &SocketAddrNetlink::new(0, 0))?;
        Ok(Self { socket, sequence: 0 })
    }

    /// The socket at `at` that is connected to `to`.
    pub(super) fn find(&mut self, at: SocketAddr, to: SocketAddr) -> io::Result<Option<Socket>> {
        self.sequence = self.sequence.wrapping_add(1);
        send(&self.socket, &request(self.sequence, at, to), SendFlags::empty())?;
        let mut buffer = [0; ANSWER_BYTES_MAX];
        for _ in 0..=STALE_ANSWERS_MAX {
            let (length, _) = recv(&self.socket, &mut buffer, RecvFlags::empty())?;
            if let Some(answer) = Answer::read(&buffer[..length], self.sequence) {
                return answer.of(at, to);
            }
        }
        Err(io::Error::other("the kernel answers other questions"))
    }
}

/// The bytes of a question.
fn request(sequence: u32, at: SocketAddr, to: SocketAddr) -> [u8; REQUEST_BYTES] {
    let mut bytes = [0; REQUEST_BYTES];
    let mut put = |offset: usize, field: &[u8]| bytes[offset..offset + field.len()].copy_from_slice(field);
    put(0, &(REQUEST_BYTES as u32).to_ne_bytes());
    put(4, &SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    put(6, &NLM_F_REQUEST.to_ne_bytes());
    put(8, &sequence.to_ne_bytes());
    put(16, &[if at.is_ipv4() { AF_INET } else { AF_INET6 }, IPPROTO_TCP]);
    // Sockets in any state; which states count is judged here.
    put(20, &u32::MAX.to_ne_bytes());
    put(24, &at.port().to_be_bytes());
    put(26, &to.port().to_be_bytes());
    for (offset, address) in [(28, at.ip()), (44, to.ip())] {
        match address {
            IpAddr::V4(address) => put(offset, &address.octets()),
            IpAddr::V6(address) => put(offset, &address.octets()),
        }
    }
    // No cookie: the socket is known by its addresses.
    put(64, &[0xff; 8]);
    bytes
}

/// What the kernel says to a question.
enum Answer<'a> {
    /// `struct inet_diag_msg`, and the attributes after it.
    Found(&'a [u8; MESSAGE_BYTES], &'a [u8]),
    Refused(Errno),
}

impl<'a> Answer<'a> {
    /// `None` for whatever is not the answer to the question with this number.
    fn read(bytes: &'a [u8], sequence: u32) -> Option<Self> {
        let (header, body) = bytes.split_at_checked(HEADER_BYTES)?;
        let length = u32::from_ne_bytes(array(header, 0)) as usize;
        if u32::from_ne_bytes(array(header, 8)) != sequence || length != bytes.len() {
            return None;
        }
        match u16::from_ne_bytes(array(header, 4)) {
            SOCK_DIAG_BY_FAMILY => {
                let (message, attributes) = body.split_first_chunk()?;
                Some(Self::Found(message, attributes))
            }
            NLMSG_ERROR => {
                let code = i32::from_ne_bytes(*body.first_chunk()?);
                Some(Self::Refused(Errno::from_raw_os_error(code.wrapping_neg())))
            }
            _ => None,
        }
    }

    /// The socket at `at` connected to `to`, if it is what was found: where no connection fits, the kernel answers
    /// with a listener.
    fn of(self, at: SocketAddr, to: SocketAddr) -> io::Result<Option<Socket>> {
        match self {
            Self::Refused(Errno::NOENT) => Ok(None),
            Self::Refused(error) => Err(error.into()),
            Self::Found(message, _) if ends(message) != Some((at, to)) => Ok(None),
            Self::Found(message, attributes) => Ok(Some(Socket {
                peer: TcpPeer {
                    uid: u32::from_ne_bytes(array(message, 64)),
                    inode: u32::from_ne_bytes(array(message, 68)),
                    cgroup_id: cgroup_id(attributes),
                },
                state: State(message[1]),
            })),
        }
    }
}

/// The addresses of a socket and of what it is connected to.
fn ends(message: &[u8; MESSAGE_BYTES]) -> Option<(SocketAddr, SocketAddr)> {
    let end = |address: usize, port: usize| {
        let ip = match message[0] {
            AF_INET => IpAddr::from(array::<4>(message, address)),
            AF_INET6 => IpAddr::from(array::<16>(message, address)).to_canonical(),
            _ => return None,
        };
        Some(SocketAddr::new(ip, u16::from_be_bytes(array(message, port))))
    };
    Some((end(8, 4)?, end(24, 6)?))
}

/// The number of the control group, where the kernel tells.
fn cgroup_id(mut attributes: &[u8]) -> Option<u64> {
    const ATTRIBUTE_HEADER_BYTES: usize = 4;
    loop {
        let header = attributes.get(..ATTRIBUTE_HEADER_BYTES)?;
        let length = usize::from(u16::from_ne_bytes(array(header, 0)));
        let value = attributes.get(ATTRIBUTE_HEADER_BYTES..length)?;
        if u16::from_ne_bytes(array(header, 2)) == INET_DIAG_CGROUP_ID {
            return Some(u64::from_ne_bytes(value.try_into().ok()?));
        }
        attributes = attributes.get(length.next_multiple_of(ATTRIBUTE_HEADER_BYTES)..)?;
    }
}

/// `N` bytes from `offset`, which the caller knows to be there.
fn array<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    *bytes[offset..].first_chunk().expect("offsets lie within structures of known length")
}
