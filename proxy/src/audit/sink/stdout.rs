//! Lines on standard output. A pipe takes nothing back, so a batch that went out in part is finished later, and the
//! chain begins anew with each process.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Sink;

/// How long a reader that takes nothing holds the audit up before that counts as an error.
const STALL_MAX: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// A stream that lines are written to.
pub(in crate::audit) struct Stream {
    out: File,
    /// The rest of a batch that went out in part.
    unsent: Vec<u8>,
}

impl Stream {
    /// Standard output, beside whatever else the process prints there.
    pub(in crate::audit) fn stdout() -> io::Result<Self> {
        Ok(Self::over(File::from(io::stdout().as_fd().try_clone_to_owned()?)))
    }

    fn over(out: File) -> Self {
        Self { out, unsent: Vec::new() }
    }

    /// Writes as much of `bytes` as the stream takes; how much, and why not more.
    fn send(&mut self, bytes: &[u8]) -> (usize, io::Result<()>) {
        let mut sent = 0;
        while sent < bytes.len() {
            match self.out.write(&bytes[sent..]) {
                Ok(0) => return (sent, Err(io::ErrorKind::WriteZero.into())),
                Ok(count) => sent += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if let Err(error) = self.wait() {
                        return (sent, Err(error));
                    }
                }
                Err(error) => return (sent, Err(error)),
            }
        }
        (sent, Ok(()))
    }

    /// Waits until the stream takes more; whoever started us may have made it non-blocking.
    fn wait(&self) -> io::Result<()> {
        match poll(&mut [PollFd::new(&self.out, PollFlags::OUT)], Some(&STALL_MAX))? {
            0 => Err(io::ErrorKind::TimedOut.into()),
            _ => Ok(()),
        }
    }
}

impl Sink for Stream {
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let unsent = std::mem::take(&mut self.unsent);
        let (sent, result) = self.send(&unsent);
        if result.is_err() {
            self.unsent = unsent[sent..].to_vec();
            return result;
        }
        match self.send(lines) {
            (0, result) => result,
            (sent, _) => {
                self.unsent = lines[sent..].to_vec();
                Ok(())
            }
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.append(b"")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::OwnedFd;

    use super::*;

    #[test]
    fn a_batch_that_went_out_in_part_is_finished_and_never_repeated() {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        rustix::io::ioctl_fionbio(&writer, true).expect("non-blocking");
        let mut stream = Stream::over(File::from(OwnedFd::from(writer)));
        let long = vec![b'a'; 100_000];
        stream.append(&long).expect("taken, in part");
        assert!(!stream.unsent.is_empty(), "a pipe holds 64 KiB");
        let full = stream.append(b"b").expect_err("nothing more goes in");
        assert_eq!(full.kind(), io::ErrorKind::TimedOut);
        let mut read = vec![0; 50_000];
        reader.read_exact(&mut read).expect("there");
        stream.append(b"c").expect("room again");
        drop(stream);
        reader.read_to_end(&mut read).expect("the rest");
        assert_eq!(read, [long.as_slice(), b"c"].concat());
    }

    #[test]
    fn a_reader_that_left_is_an_error() {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let mut stream = Stream::over(File::from(OwnedFd::from(writer)));
        assert_eq!(stream.append(b"a\n").expect_err("nobody reads").kind(), io::ErrorKind::BrokenPipe);
    }
}
