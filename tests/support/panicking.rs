//! Panics on purpose: the place and the text of each.
//!
//! The hook of panics is one for the process. It is set once and notes the panics of each thread on its
//! own, so that tests run side by side.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// A panic as the hook sees it.
#[derive(Clone, Debug)]
pub struct Panicked {
    pub file: String,
    pub line: u32,
    pub message: String,
}

thread_local! {
    static LAST: RefCell<Option<Panicked>> = const { RefCell::new(None) };
}

/// Runs a call that must panic.
pub fn panic_of<T>(call: impl FnOnce() -> T) -> Panicked {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let default = take_hook();
        set_hook(Box::new(move |info| {
            let location = info.location().unwrap();
            let (file, line) = (location.file().to_owned(), location.line());
            LAST.set(Some(Panicked { file, line, message: message(info.payload()) }));
            default(info);
        }));
    });
    assert!(catch_unwind(AssertUnwindSafe(call)).is_err(), "it did not panic");
    LAST.take().unwrap()
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or_default().to_owned()
}
