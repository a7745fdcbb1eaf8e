//! JSON patches that would fill any memory.

use super::call;
use crate::builtins::Fault;

#[test]
fn patches_that_copy_without_end_are_stopped() {
    let check = |text: &str, times: usize| {
        let copy = r#"{"op": "copy", "from": "/0", "path": "/-"}"#;
        let outcome = call("json.patch", &format!("[[{text}], [{}]]", vec![copy; times].join(",")));
        assert_eq!(outcome, Err(Fault::Halt("the patched document is too large")), "{times}");
    };
    let long = "x".repeat(128 * 1024);
    check(&format!("\"{long}\""), 200);
    check(&format!("{{\"{long}\": 1}}"), 200);
}
