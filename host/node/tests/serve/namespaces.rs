//! Validators that each have a network of their own: one of them is cut off, then half of them, and what comes of the summer
//! day's slots is what comes of them on one node.
//!
//! Every namespace ends with the test, whatever its outcome.

use crate::permission::skip;
use crate::summer_day::{Blow, Blows, play_and_compare, slots_played};
use crate::validators::{Place, VALIDATORS};
use runtime_execution::modules::markets::SlotState;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Command;

/// By default, two slots in the morning.
const SLOTS_PLAYED: &str = "44..46";
/// In order of time.
const BLOWS: &Blows = &[
    (44, SlotState::Open, Blow::Cut(1)),
    (45, SlotState::Open, Blow::Mend(1)),
    (45, SlotState::Proposed, Blow::Halve),
    (44, SlotState::Voting, Blow::Cut(3)),
    (45, SlotState::Voting, Blow::Mend(3)),
];
const ENGINE_PORT: u16 = 30_333;
/// Namespaces of this test are called so, and then by its process's number.
const PREFIX: &str = "busbar-test-";

/// Four namespaces on two switches, two on each, which a cable joins; and a third switch, by which the test reaches RPC. The
/// switches lie in a namespace of their own, so that no rule of this machine's firewall concerns them.
pub struct Namespaces {
    run: u32,
}

/// Run `ip` with these words; whether it could.
fn ip(words: &str) -> bool {
    let output = Command::new("ip").args(words.split_whitespace()).output();
    output.is_ok_and(|output| output.status.success())
}

fn must(words: &str) {
    let output = Command::new("ip").args(words.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "ip {words}: {output:?}");
}

impl Namespaces {
    /// `None` if this machine does not permit it.
    pub fn open() -> Option<Self> {
        Self::sweep();
        let own = Self { run: std::process::id() };
        let switches = own.name("switches");
        if !ip(&format!("netns add {switches}")) {
            return None;
        }
        let leg = own.leg();
        for switch in ["left", "right", "rpc"] {
            must(&format!("-n {switches} link add {switch} type bridge"));
            must(&format!("-n {switches} link set {switch} up"));
        }
        must(&format!("-n {switches} link add cable type veth peer name cable-right"));
        for (end, switch) in [("cable", "left"), ("cable-right", "right")] {
            must(&format!("-n {switches} link set {end} master {switch} up"));
        }
        must(&format!("-n {switches} link add test type veth peer name {leg}"));
        must(&format!("-n {switches} link set {leg} netns {}", std::process::id()));
        must(&format!("-n {switches} link set test master rpc up"));
        must(&format!("addr add {}/24 dev {leg}", own.rpc(VALIDATORS)));
        must(&format!("link set {leg} up"));
        (0..VALIDATORS).for_each(|number| own.add(number));
        Some(own)
    }

    fn add(&self, number: usize) {
        let (namespace, switches) = (self.name(&number.to_string()), self.name("switches"));
        must(&format!("netns add {namespace}"));
        must(&format!("-n {namespace} link set lo up"));
        let half = if number < VALIDATORS / 2 { "left" } else { "right" };
        for (name, switch, address) in
            [("engine", half, Self::engine(number)), ("rpc", "rpc", self.rpc(number))]
        {
            let end = format!("{name}-{number}");
            must(&format!("-n {switches} link add {end} type veth peer name {name} netns {namespace}"));
            must(&format!("-n {switches} link set {end} master {switch} up"));
            must(&format!("-n {namespace} addr add {address}/24 dev {name}"));
            must(&format!("-n {namespace} link set {name} up"));
        }
    }

    fn name(&self, what: &str) -> String {
        format!("{PREFIX}{}-{what}", self.run)
    }

    /// The test's own end of its cable.
    fn leg(&self) -> String {
        format!("bb{}", self.run)
    }

    fn engine(number: usize) -> IpAddr {
        IpAddr::from([10, 91, 0, u8::try_from(number + 1).unwrap()])
    }

    /// Two runs at a time, on networks of their own.
    fn rpc(&self, number: usize) -> IpAddr {
        IpAddr::from([10, 92, u8::try_from(self.run % 251).unwrap(), u8::try_from(number + 1).unwrap()])
    }

    pub fn places(&self) -> Vec<Place> {
        let place = |number| Place {
            engine: SocketAddr::new(Self::engine(number), ENGINE_PORT),
            rpc: self.rpc(number),
            namespace: Some(self.name(&number.to_string())),
        };
        (0..VALIDATORS).map(place).collect()
    }

    fn link(&self, end: &str, state: &str) {
        must(&format!("-n {} link set {end} {state}", self.name("switches")));
    }

    /// Cut a validator's link to the others.
    pub fn cut(&self, number: usize) {
        self.link(&format!("engine-{number}"), "down");
    }

    pub fn mend(&self, number: usize) {
        self.link(&format!("engine-{number}"), "up");
    }

    /// Cut the cable between the switches: two validators on each side.
    pub fn halve(&self) {
        self.link("cable", "down");
    }

    pub fn join(&self) {
        self.link("cable", "up");
    }

    /// Remove what a run left that was killed.
    fn sweep() {
        for entry in fs::read_dir("/run/netns").into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let run = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
            if run.is_some_and(|run| !Path::new("/proc").join(run).exists()) {
                ip(&format!("netns del {name}"));
            }
        }
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        let numbers = (0..VALIDATORS).map(|number| number.to_string());
        for what in numbers.chain(["switches".to_owned()]) {
            ip(&format!("netns del {}", self.name(&what)));
        }
    }
}

#[test]
fn the_summer_day_goes_on_and_stands_still_by_who_can_be_reached() {
    let Some(links) = Namespaces::open() else {
        return skip("network namespaces, or the command ip");
    };
    play_and_compare(slots_played(SLOTS_PLAYED), Some(links), BLOWS);
}
