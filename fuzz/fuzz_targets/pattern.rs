//! Patterns and addresses: what matching, overlap, captures and the routes of a server promise to each
//! other.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tokio_osc::{Address, Pattern};

// Three texts, parted by zero bytes: two patterns and an address.
fuzz_target!(|data: &[u8]| {
    let mut texts = data.splitn(3, |&byte| byte == 0).map(<[u8]>::to_vec);
    let (one, other) = (texts.next().map(Pattern::new), texts.next().map(Pattern::new));
    let address = texts.next().and_then(Address::new);
    let Some(Ok(one)) = one else { return };
    assert_eq!(Pattern::new(one.as_bytes().to_vec()).as_ref(), Ok(&one), "a pattern reads back");
    // What is not UTF-8 is shown with replacement characters.
    if let Ok(text) = std::str::from_utf8(one.as_bytes()) {
        assert_eq!((one.to_string().as_str(), text.parse::<Pattern>().as_ref()), (text, Ok(&one)));
    }
    assert!(!one.is_literal() || Address::new(one.as_bytes().to_vec()).is_some());
    if let Some(address) = &address {
        let matches = one.matches(address);
        assert_eq!(one.captures(address).is_some(), matches, "captures of {one} in {address}");
        // With empty names an address reads as a pattern with `//` in it.
        let literal = Pattern::new(address.as_bytes().to_vec()).ok().filter(Pattern::is_literal);
        if let Some(literal) = literal {
            assert_eq!(one.overlaps(&literal), matches, "{one} and {address}");
            assert_eq!(literal.overlaps(&one), matches, "{address} and {one}");
        }
    }
    let Some(Ok(other)) = other else { return };
    let overlap = one.overlaps(&other);
    assert_eq!(other.overlaps(&one), overlap, "{one} and {other}");
    if let Some(address) = &address {
        assert!(overlap || !(one.matches(address) && other.matches(address)), "{one}, {other}: {address}");
    }
});
