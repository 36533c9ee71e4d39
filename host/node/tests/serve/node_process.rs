//! `busbar` as a process, a node above all.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

pub fn busbar(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_busbar"));
    command.args(arguments).stdin(Stdio::null());
    command
}

pub fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

/// A node process; killed if the test fails.
pub struct Node {
    child: Child,
    /// Hash of its chain's genesis header, as it prints it.
    pub genesis: String,
    pub url: String,
}

impl Node {
    /// What every node is started with.
    pub fn line(data: &str) -> [&str; 7] {
        Self::line_at(data, "127.0.0.1:0")
    }

    /// The same, with RPC elsewhere.
    pub fn line_at<'a>(data: &'a str, rpc: &'a str) -> [&'a str; 7] {
        ["node", "--data", data, "--rpc", rpc, "--log", "warn"]
    }

    pub fn start(data: &Path, more: &[&str]) -> Self {
        let data = data.display().to_string();
        Self::spawn(busbar(&[&Self::line(&data)[..], more].concat()))
    }

    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut next = |before: &str| said.next().unwrap().unwrap().strip_prefix(before).unwrap().to_owned();
        let genesis = next("genesis ");
        let url = next("listening on ").split(' ').next().unwrap().to_owned();
        Self { child, genesis, url }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Interrupt it; whether it ends well.
    pub fn stop(mut self, signal: &str) -> bool {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        self.child.wait().unwrap().success()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
