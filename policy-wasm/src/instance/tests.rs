//! x
use crate::*;
use std::sync::Arc;
use std::time::Duration;
#[test]
fn smoke() {
    let b = Bundle::read(&std::fs::read("/tmp/p/b.tar.gz").expect("x")).expect("bundle");
    let t = std::time::Instant::now();
    let p = Arc::new(
        Policy::load(&b, "claviger/authz/decision", Limits::new(Duration::from_millis(5), 64 << 20))
            .expect("load"),
    );
    eprintln!("load {:?} {:?}", t.elapsed(), p.builtins());
    let mut e = Evaluator::new(p);
    let mut tr = Trace::new();
    let r = e.evaluate_json(br#"{"request":{"method":"GET"}}"#, &mut tr);
    eprintln!("{:?} {:?}", r.map(|r| String::from_utf8(r)), tr);
    let t = std::time::Instant::now();
    for _ in 0..10000 {
        let _ = e.evaluate_json(br#"{"request":{"method":"POST"}}"#, &mut tr);
    }
    eprintln!("per eval {:?}", t.elapsed() / 10000);
}
