//! A listening port and the connections that it took.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::http::Socket;
use crate::error::{Error, Result};

/// Connections that one port serves at once; more wait in the system's queue.
const MAX_CONNECTIONS: usize = 4096;

/// A port of a lab; closed with all its connections when it is dropped.
pub(super) struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// Takes a port; 0 takes any.
pub(super) async fn bind(address: IpAddr, port: u16) -> Result<TcpListener> {
    TcpListener::bind((address, port)).await.map_err(|error| {
        Error::inconclusive(format!("the lab cannot listen on `{}`: {error}", SocketAddr::new(address, port)))
            .help("choose another port, or 0 for any")
    })
}

impl Server {
    /// Serves every connection of `listener` with `serve`, over TLS when there is an acceptor.
    pub(super) fn start<F, S>(listener: TcpListener, acceptor: Option<TlsAcceptor>, serve: F) -> Result<Self>
    where
        F: Fn(Socket) -> S + Clone + Send + 'static,
        S: Future<Output = io::Result<()>> + Send + 'static,
    {
        let address = listener
            .local_addr()
            .map_err(|error| Error::inconclusive(format!("the lab's port cannot be asked for its number: {error}")))?;
        Ok(Self { address, task: tokio::spawn(accept(listener, acceptor, serve)) })
    }

    /// Address and port.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the port and waits until it is closed.
    pub(super) async fn stop(mut self) {
        self.task.abort();
        // The task ends as aborted: that is what was asked for.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept<F, S>(listener: TcpListener, acceptor: Option<TlsAcceptor>, serve: F)
where
    F: Fn(Socket) -> S + Clone + Send + 'static,
    S: Future<Output = io::Result<()>> + Send + 'static,
{
    // Dropped with this task: no connection outlives its port.
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= MAX_CONNECTIONS {
            connections.join_next().await;
        }
        tokio::select! {
            Some(_) = connections.join_next() => {}
            taken = listener.accept() => {
                let Ok((tcp, _)) = taken else {
                    // Out of descriptors, most likely: one of the open connections has to end first.
                    tokio::task::yield_now().await;
                    continue;
                };
                let (acceptor, serve) = (acceptor.clone(), serve.clone());
                // A connection that breaks is the client's business: the lab has nobody to tell.
                connections.spawn(async move {
                    tcp.set_nodelay(true)?;
                    let socket = match acceptor {
                        None => Socket::Plain(tcp),
                        Some(acceptor) => Socket::Tls(Box::new(acceptor.accept(tcp).await?)),
                    };
                    serve(socket).await
                });
            }
        }
    }
}
