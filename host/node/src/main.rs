//! The `busbar` command line.

fn main() {
    let folder = std::path::PathBuf::from(std::env::args().nth(2).unwrap_or("/tmp/bb".into()));
    let name = std::env::args().nth(1).unwrap_or("paper".into());
    let work = move || {
        let script = match name.as_str() {
            "paper" => host_node::scenario::paper().unwrap(),
            _ => host_node::scenario::day(host_node::community::Season::Summer),
        };
        let began = std::time::Instant::now();
        let mut play = host_node::scenario::Play::open(script, Default::default(), &folder).unwrap();
        let r = play.run(|slot| eprintln!("settled {slot}"));
        println!("{:?} {:?} {} {:?}", r.map_err(|e| e.to_string()), play.chain().statistics(), play.chain().snapshot().hash(), began.elapsed());
        println!("attested {:?}", play.attested);
    };
    std::thread::Builder::new().stack_size(runtime_vm::VM_THREAD_STACK_BYTES).spawn(work).unwrap().join().unwrap();
}
