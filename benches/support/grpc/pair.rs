//! A server and the floor beside it, on both kinds of sockets.

use std::rc::Rc;

use bytes::Bytes;

use super::child;
use super::load::Target;

/// A server and the floor, with the same questions.
pub(crate) struct Pair {
    folder: tempfile::TempDir,
    method: &'static str,
    messages: Rc<[Bytes]>,
    pub(crate) ours: child::Server,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Socket {
    Tcp,
    Unix,
}

impl Socket {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Unix => "Unix socket",
        }
    }

    pub(crate) fn of(self, server: &child::Server) -> String {
        match self {
            Self::Tcp => server.tcp.clone(),
            Self::Unix => server.unix.clone(),
        }
    }
}

impl Pair {
    pub(crate) fn start(world: &str, method: &'static str, questions: &[Vec<u8>]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("ours");
        let ours = child::Server::start(&["--serve", "ours", "--world", world], &socket);
        Self {
            folder,
            method,
            messages: frames(questions),
            ours,
        }
    }

    pub(crate) fn target(&self, address: String) -> Target {
        Target {
            address,
            method: self.method,
            messages: Rc::clone(&self.messages),
            decisions: 1,
        }
    }

    /// The floor, answering what is answered on a socket most of the time.
    pub(crate) fn floor(&self, socket: Socket) -> child::Server {
        let target = self.target(socket.of(&self.ours));
        let mut answers = target.answers(self.messages.len().min(101));
        answers.sort_by_key(Bytes::len);
        let answer = self.folder.path().join("answer");
        std::fs::write(&answer, &answers[answers.len() / 2][5..]).unwrap();
        let kind = if self.method.contains("Tagging") {
            "tagging"
        } else {
            "authorize"
        };
        let answer = answer.to_str().unwrap();
        let arguments = ["--serve", "bare", "--kind", kind, "--answer", answer];
        let socket = format!("floor-{}", socket.name());
        child::Server::start(&arguments, &self.folder.path().join(socket))
    }
}

/// Messages as they stand in bodies.
pub(crate) fn frames(messages: &[Vec<u8>]) -> Rc<[Bytes]> {
    messages.iter().map(|bytes| Target::frame(bytes)).collect()
}
