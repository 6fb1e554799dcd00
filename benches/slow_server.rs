//! An HTTP server that lets everybody wait, in a process of its own: the sockets of ten thousand requests and those of
//! their answers would be more than one process may have open.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What makes the bench's own program a server.
pub const ARGUMENT: &str = "slow-server";

/// The server under way. Killed when dropped.
pub struct SlowServer {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    pub address: SocketAddr,
}

impl SlowServer {
    /// Starts one that tells when `expected` requests wait.
    pub fn start(expected: usize) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([ARGUMENT, &expected.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let mut from = BufReader::new(child.stdout.take().unwrap());
        let address = line(&mut from).parse().unwrap();
        Self { child, to, from, address }
    }

    /// Waits until all requests are there.
    pub fn all_wait(&mut self) {
        assert_eq!(line(&mut self.from), "all wait");
    }

    /// Answers them all.
    pub fn answer(&mut self) {
        self.to.write_all(b"answer\n").unwrap();
    }
}

impl Drop for SlowServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// The server's side: says its address, then when `expected` requests wait, and answers at a line of its input.
pub async fn serve(expected: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    let (answer, answered) = watch::channel(false);
    std::thread::spawn(move || {
        line(&mut std::io::stdin().lock());
        answer.send(true).unwrap();
    });
    let (came, mut coming) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        for _ in 0..expected {
            coming.recv().await;
        }
        println!("all wait");
    });
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (came, answered) = (came.clone(), answered.clone());
        tokio::spawn(async move {
            // A client that has gone needs no answer.
            let _ = wait_and_answer(stream, came, answered).await;
        });
    }
}

async fn wait_and_answer(
    mut stream: TcpStream,
    came: tokio::sync::mpsc::UnboundedSender<()>,
    mut answered: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let _ = came.send(());
    let _ = answered.wait_for(|answer| *answer).await;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await
}
