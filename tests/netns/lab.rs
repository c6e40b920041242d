//! Hosts and networks on one machine: network namespaces, joined by virtual cables and bridges.

use std::fs::File;
use std::future::Future;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, setns};
use tokio::runtime::Handle;

/// Time for a network to come up, and for a packet to arrive.
pub(super) const SOON: Duration = Duration::from_secs(10);

/// A few hosts. They are removed when it is dropped, also by a panic.
pub(super) struct Lab {
    tag: String,
    spaces: Vec<String>,
}

impl Lab {
    /// An empty room; `None`, with a word about it, for who may not have one.
    pub(super) fn new() -> Option<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        if !nix::unistd::geteuid().is_root() {
            println!("skipped: network namespaces need root");
            return None;
        }
        remove_left_over();
        let tag = format!("osc{}x{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
        Some(Self { tag, spaces: Vec::new() })
    }

    /// Three hosts, `a`, `b` and `c`, on one network: 10.77.0.1 to 3, `fd77::1` to 3, interface
    /// `eth0`.
    pub(super) fn three_hosts() -> Option<Self> {
        let mut lab = Self::new()?;
        lab.add_network("lan", 77, &[("a", "eth0", 1), ("b", "eth0", 2), ("c", "eth0", 3)]);
        lab.wait_for_links();
        Some(lab)
    }

    /// A host `a` without a network.
    pub(super) fn one_host() -> Option<Self> {
        let mut lab = Self::new()?;
        lab.space("a");
        Some(lab)
    }

    /// A host `a` on two networks, 10.77.0.1 by `eth0` and 10.78.0.1 by `eth1`; `b` is on the first,
    /// 10.77.0.2, and `c` on the second, 10.78.0.3.
    pub(super) fn two_networks() -> Option<Self> {
        let mut lab = Self::new()?;
        lab.add_network("left", 77, &[("a", "eth0", 1), ("b", "eth0", 2)]);
        lab.add_network("right", 78, &[("a", "eth1", 1), ("c", "eth0", 3)]);
        lab.wait_for_links();
        Some(lab)
    }

    /// Adds a network `10.NUMBER.0.0/24` and `fdNUMBER::/64`, and the hosts that are not there yet.
    pub(super) fn add_network(&mut self, name: &str, number: u8, hosts: &[(&str, &str, u8)]) {
        self.space(name);
        self.ip(name, "link add br0 type bridge mcast_snooping 0");
        self.ip(name, "link set br0 up");
        for (host, interface, last) in hosts {
            self.space(host);
            let peer = self.name_of(host);
            self.ip(name, &format!("link add v{host} type veth peer name {interface} netns {peer}"));
            self.ip(name, &format!("link set v{host} master br0 up"));
            self.ip(
                host,
                &format!("addr add 10.{number}.0.{last}/24 broadcast 10.{number}.0.255 dev {interface}"),
            );
            self.ip(host, &format!("addr add fd{number}::{last}/64 dev {interface} nodad"));
            self.ip(host, &format!("link set {interface} up"));
        }
    }

    fn space(&mut self, host: &str) {
        let name = self.name_of(host);
        if self.spaces.contains(&name) {
            return;
        }
        run("ip", &format!("netns add {name}"));
        self.spaces.push(name);
        // Addresses count at once, without being probed for.
        self.on(host, || std::fs::write("/proc/sys/net/ipv6/conf/default/accept_dad", "0").unwrap());
        self.ip(host, "link set lo up");
    }

    fn name_of(&self, host: &str) -> String {
        format!("{}{host}", self.tag)
    }

    /// Runs `ip` for a host.
    pub(super) fn ip(&self, host: &str, command: &str) -> String {
        run("ip", &format!("-n {} {command}", self.name_of(host)))
    }

    /// Runs `tc`, which sets the queues of an interface, for a host.
    pub(super) fn tc(&self, host: &str, command: &str) -> String {
        run("tc", &format!("-n {} {command}", self.name_of(host)))
    }

    /// Waits until every host sees its cables plugged in, and has its link-local addresses.
    pub(super) fn wait_for_links(&self) {
        let ready = |host: &String| {
            let links = run("ip", &format!("-n {host} -o link show type veth"));
            let locals = run("ip", &format!("-n {host} -o -6 addr show scope link"));
            let cables = links.lines().count();
            let up =
                links.lines().filter(|line| line.contains("LOWER_UP") && line.contains("state UP")).count();
            let own = links.lines().filter(|line| line.contains(": eth")).count();
            let local = locals.lines().filter(|line| line.contains(": eth") || line.contains(" eth")).count();
            up == cables && local >= own && !locals.contains("tentative")
        };
        let begin = Instant::now();
        while !self.spaces.iter().all(ready) {
            assert!(begin.elapsed() < SOON, "the network does not come up");
            std::thread::yield_now();
        }
    }

    /// Runs a function on a host. A socket that it makes stays there.
    pub(super) fn on<T: Send>(&self, host: &str, run: impl FnOnce() -> T + Send) -> T {
        let path = format!("/run/netns/{}", self.name_of(host));
        let runtime = Handle::try_current();
        std::thread::scope(|scope| {
            let thread = scope.spawn(move || {
                let _entered = runtime.as_ref().map(Handle::enter);
                let space = File::open(path).unwrap();
                setns(space, CloneFlags::CLONE_NEWNET).unwrap();
                run()
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Runs a future on a host. A socket that it makes stays there.
    pub(super) fn wait_on<T: Send>(&self, host: &str, future: impl Future<Output = T> + Send) -> T {
        let runtime = Handle::current();
        self.on(host, move || runtime.block_on(future))
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for name in &self.spaces {
            let _ = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}

/// Removes the hosts of test programs that were killed.
fn remove_left_over() {
    for space in std::fs::read_dir("/run/netns").into_iter().flatten().flatten() {
        let name = space.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix("osc").and_then(|rest| rest.split_once('x')).map(|(owner, _)| owner);
        let owner = owner.and_then(|owner| owner.parse::<u32>().ok());
        if owner.is_some_and(|owner| !std::path::Path::new(&format!("/proc/{owner}")).exists()) {
            let _ = Command::new("ip").args(["netns", "del", &name]).status();
        }
    }
}

fn run(program: &str, command: &str) -> String {
    let output = Command::new(program).args(command.split(' ')).output().expect("iproute2 is installed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {command}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}
