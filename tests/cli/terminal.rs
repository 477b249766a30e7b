//! A real pseudo-terminal, with a program in it and somebody who types.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// Longest wait for something to appear.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Terminal {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    bytes: Vec<u8>,
    /// Bytes that a wait has passed over.
    seen: usize,
}

impl Terminal {
    /// Starts the command with a terminal of its own, which is its controlling one: Ctrl-C reaches it as from a keyboard.
    pub(super) fn new(command: &Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = OpenOptions::new().read(true).write(true).open(name).unwrap();
        tcsetwinsize(&slave, Winsize { ws_row: 40, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let stdio = || Stdio::from(slave.try_clone().unwrap());
        let mut inside = Command::new("setsid");
        inside.arg("--ctty").arg(command.get_program()).args(command.get_args());
        inside.current_dir(command.get_current_dir().unwrap());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        let child = inside.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().unwrap();
        let keyboard = File::from(master);
        let mut reader = keyboard.try_clone().unwrap();
        let (tell, screen) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // When the last program has closed its end, reading is an error.
            while let Ok(read) = reader.read(&mut buffer) {
                if read == 0 || tell.send(buffer[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keyboard, screen, bytes: Vec::new(), seen: 0 }
    }

    /// Waits until `text` stands on the screen, after what was waited for before.
    #[track_caller]
    pub(super) fn wait(&mut self, text: &str) -> &mut Self {
        let began = Instant::now();
        loop {
            let rest = &self.bytes[self.seen..];
            if let Some(at) = rest.windows(text.len()).position(|window| window == text.as_bytes()) {
                self.seen += at + text.len();
                return self;
            }
            match self.screen.recv_timeout(PATIENCE.saturating_sub(began.elapsed())) {
                Ok(more) => self.bytes.extend(more),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("`{text}` is missing in:\n{}", self.text())
                }
            }
        }
    }

    /// Types a line.
    pub(super) fn line(&mut self, text: &str) -> &mut Self {
        self.keys(format!("{text}\n").as_bytes())
    }

    pub(super) fn keys(&mut self, keys: &[u8]) -> &mut Self {
        self.keyboard.write_all(keys).unwrap();
        self
    }

    /// Ends the program as nothing can ward off.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the program's end: its exit code.
    pub(super) fn end(&mut self) -> Option<i32> {
        let code = self.child.wait().unwrap().code();
        while let Ok(more) = self.screen.recv_timeout(Duration::from_secs(1)) {
            self.bytes.extend(more);
        }
        code
    }

    /// All that was on the screen.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // One that has ended is not there to be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
