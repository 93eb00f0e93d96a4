//! A TCP connection that can be ended with a reset instead of a close.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How a connection can end.
#[derive(Clone, Copy, PartialEq)]
pub enum End {
    /// In order (FIN).
    Close,
    /// With a reset (RST) that discards unsent bytes.
    Reset,
    /// In order, after these bytes.
    Bytes(&'static [u8]),
}

/// Decides how its connection ends: the first decision counts. Clones decide for the same
/// connection.
#[derive(Clone, Default)]
pub struct Fate(Arc<OnceLock<End>>);

impl Fate {
    /// Says how the coming end is to be.
    pub fn decide(&self, end: End) {
        self.0.set(end).ok();
    }

    fn is_reset(&self) -> bool {
        self.0.get() == Some(&End::Reset)
    }
}

/// A stream that looks at its [`Fate`] when it is dropped.
pub struct Connection {
    stream: TcpStream,
    fate: Fate,
}

impl Connection {
    /// Takes over an accepted stream and turns Nagle's algorithm off.
    pub fn new(stream: TcpStream, fate: Fate) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, fate })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.fate.is_reset() {
            // A linger time of zero is what makes the kernel send RST on close.
            // When the peer is gone already there is nothing left to reset.
            SockRef::from(&self.stream)
                .set_linger(Some(Duration::ZERO))
                .ok();
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.fate.0.get() {
            // An orderly FIN first would let the peer take the reset for an end.
            Some(End::Reset) => return Poll::Ready(Ok(())),
            // So few bytes fit into any send buffer.
            Some(End::Bytes(bytes)) => {
                self.stream.try_write(bytes).ok();
            }
            Some(End::Close) | None => {}
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
