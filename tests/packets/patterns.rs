//! Address patterns against the vectors, against an obvious matcher, and under attack.

mod reference;

use proptest::prelude::*;
use reference::Reference;
use tokio_osc::pattern::PatternErrorKind;
use tokio_osc::{Address, Pattern};

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn address(text: &str) -> Address {
    Address::new(text.to_owned()).unwrap_or_else(|| panic!("{text} is not a valid address"))
}

fn matches(text: &str, to: &str) -> bool {
    pattern(text).matches(&address(to))
}

fn error(text: &str) -> (PatternErrorKind, usize) {
    let error = text.parse::<Pattern>().expect_err(text);
    (error.kind(), error.position())
}

// --- the vectors -------------------------------------------------------------------------------

/// What this library does where the specifications are silent, or the vector's address is not valid.
/// `None`: the pattern is an error.
const DECISIONS: [(&str, Option<bool>, &str); 16] = [
    ("pattern_bracket_105", Some(true), "[a-c-e] is a to c, -, and e"),
    ("pattern_bracket_107", None, "an unclosed set is an error"),
    ("pattern_bracket_109", None, "] closes always, and an empty set is an error"),
    ("pattern_bracket_111", None, "an empty set is an error, negated too"),
    ("pattern_bracket_115", Some(true), "[+--] is a range, with a comma in it"),
    ("pattern_brace_131", Some(false), "a wildcard inside braces is plain text"),
    ("pattern_brace_133", Some(false), "a set inside braces is plain text"),
    ("pattern_brace_135", None, "unclosed braces are an error"),
    ("pattern_brace_139", Some(true), "a space stands for itself"),
    ("pattern_brace_145", None, "the slash ends the part, so the braces are unclosed"),
    ("pattern_double_slash_163", Some(true), "// at the end is everything below"),
    ("pattern_mixed_175", None, "a pattern begins with a slash"),
    ("pattern_mixed_177", None, "a pattern begins with a slash"),
    ("pattern_mixed_179", Some(true), "# stands for itself"),
    ("pattern_mixed_181", Some(true), "a space stands for itself"),
    ("pattern_mixed_183", Some(false), "é is two bytes, and ? is one"),
];

#[test]
fn the_vectors_match_as_stated() {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("../vectors/patterns.json")).unwrap();
    let vectors = vectors.as_array().unwrap();
    let mut decided = Vec::new();
    for vector in vectors {
        let text = |key: &str| vector[key].as_str().unwrap();
        let name = text("name");
        let ours = text("pattern").parse::<Pattern>().map(|pattern| {
            Address::new(text("address").to_owned()).is_some_and(|address| pattern.matches(&address))
        });
        if let (Some(specified), true) = (vector["osc11_spec"].as_bool(), vector["address_valid"] == true) {
            assert_eq!(ours, Ok(specified), "{name}");
            continue;
        }
        let decision = DECISIONS.iter().find(|(decided, ..)| *decided == name);
        let (_, expected, reason) = decision.unwrap_or_else(|| panic!("{name} is undecided"));
        assert_eq!(ours.ok(), *expected, "{name}: {reason}");
        decided.push(name);
    }
    assert_eq!(vectors.len(), 92);
    assert_eq!(decided.len(), DECISIONS.len(), "a decision without its vector");
}

// --- every short pattern against every short address ---------------------------------------------

const SYMBOLS: &[u8] = b"ab*?[]!-{,}/";
const ADDRESS_SYMBOLS: &[u8] = b"abc!-,/";

/// `/` and up to `most` of the symbols, in every order.
fn texts(symbols: &[u8], most: usize) -> Vec<String> {
    let mut all = vec!["/".to_owned()];
    let mut from = 0;
    for _ in 0..most {
        let till = all.len();
        for index in from..till {
            for &symbol in symbols {
                all.push(format!("{}{}", all[index], char::from(symbol)));
            }
        }
        from = till;
    }
    all
}

fn patterns_of(symbols: usize) -> Vec<(Pattern, Reference)> {
    let mut patterns = Vec::new();
    for text in texts(SYMBOLS, symbols) {
        let reference = Reference::parse(&text);
        let ours = text.parse::<Pattern>();
        assert_eq!(ours.is_ok(), reference.is_some(), "{text}: {ours:?}");
        patterns.extend(ours.ok().zip(reference));
    }
    patterns
}

struct Addresses {
    ours: Vec<Address>,
    names: Vec<Vec<Vec<u8>>>,
}

impl Addresses {
    fn up_to(symbols: usize) -> Self {
        let texts = texts(ADDRESS_SYMBOLS, symbols);
        Self {
            ours: texts.iter().map(|text| address(text)).collect(),
            names: texts.iter().map(|text| reference::names(text)).collect(),
        }
    }

    /// One bit for each address that the pattern matches; both matchers must agree.
    fn matching(&self, pattern: &(Pattern, Reference)) -> Vec<u64> {
        let mut bits = vec![0; self.ours.len().div_ceil(64)];
        for index in 0..self.ours.len() {
            bits[index / 64] |= u64::from(self.is_match(index, pattern)) << (index % 64);
        }
        bits
    }

    fn is_match(&self, index: usize, (ours, reference): &(Pattern, Reference)) -> bool {
        let (address, expected) = (&self.ours[index], reference.matches(&self.names[index]));
        assert_eq!(ours.matches(address), expected, "{ours} against {address}");
        assert_eq!(ours.captures(address).is_some(), expected, "captures of {ours} in {address}");
        expected
    }
}

/// Why the addresses suffice to tell for every pair whether it overlaps:
///
/// - Bytes. A pattern of three symbols has no range, so its sets and strings speak of `a b ! - ,`
///   and of pattern characters, which no address holds. It cannot tell any other two bytes apart:
///   `c` stands for all of them.
/// - Length. Take the shortest address that matches both, and count the bytes after its first slash.
///   A byte of a name that each pattern reads by a `*` or a `//` could be left out, and so could a
///   level that each reads by a `//` and that is empty. So every byte is read by a symbol of one of
///   the two that reads one byte. If a pattern has no `*` and no `//`, these are all its own, 3 at
///   most. Else each has 2 at most, `*` or the second slash of `//` being the third: 4 in all. (A
///   `//` at the end reads the slash of the level it asks for by its first slash.)
///
/// `share_an_address`, a plain search that needs no addresses, gives the same result for every pair.
///
/// Each pattern is also compared with a seventh of the addresses of five symbols, each with another one. The next
/// test compares all.
#[test]
fn every_pattern_of_three_symbols_matches_addresses_as_the_reference_says() {
    let addresses = Addresses::up_to(4);
    let patterns = patterns_of(3);
    let matched: Vec<Vec<u64>> = patterns.iter().map(|pattern| addresses.matching(pattern)).collect();
    let longer = Addresses::up_to(5);
    for (first, pattern) in patterns.iter().enumerate() {
        for index in (addresses.ours.len() + first % 7..longer.ours.len()).step_by(7) {
            longer.is_match(index, pattern);
        }
    }
    let mut overlapping = 0;
    for (one, (ours, reference)) in patterns.iter().enumerate() {
        for (two, (theirs, their_reference)) in patterns.iter().enumerate() {
            let shared = matched[one].iter().zip(&matched[two]).any(|(one, two)| one & two != 0);
            assert_eq!(ours.overlaps(theirs), shared, "{ours} and {theirs}");
            assert_eq!(reference.share_an_address(their_reference), shared, "{ours} and {theirs}");
            overlapping += u32::from(shared);
        }
    }
    assert_eq!((patterns.len(), overlapping), (611, 57_834));
}

#[test]
#[ignore = "minutes in a debug build: each pattern against 19,608 addresses"]
fn every_pattern_of_five_symbols_matches_every_address_of_five_as_the_reference_says() {
    let addresses = Addresses::up_to(5);
    let patterns = patterns_of(5);
    for pattern in &patterns {
        addresses.matching(pattern);
    }
    for (index, (ours, reference)) in patterns.iter().enumerate() {
        let others = patterns.iter().cycle().skip(index).step_by(patterns.len() / 97).take(97);
        for (theirs, their_reference) in others {
            let shared = reference.share_an_address(their_reference);
            assert_eq!(ours.overlaps(theirs), shared, "{ours} and {theirs}");
            assert_eq!(theirs.overlaps(ours), shared, "{theirs} and {ours}");
        }
    }
    println!("{} patterns", patterns.len());
}

/// Any legal pattern, with ranges, long strings and up to five parts.
fn any_pattern() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        4 => "[a-d]{1,3}",
        2 => Just("*".to_owned()),
        1 => Just("?".to_owned()),
        1 => "\\[!?([a-b]-[b-d]|[a-d-]){1,3}\\]",
        1 => "\\{[a-d*?\\[]{0,3}(,[a-d]{0,3}){0,3}\\}",
    ];
    let part = prop::collection::vec(token, 0..4).prop_map(|tokens| tokens.concat());
    let parts = prop::collection::vec((prop::bool::weighted(0.2), part), 1..5);
    parts.prop_map(|parts| {
        let parts = parts
            .into_iter()
            .map(|(descend, part)| if descend { format!("//{part}") } else { format!("/{part}") });
        parts.collect::<String>()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_pattern_matches_as_the_reference_says(text in any_pattern(), to in "(/[a-d]{0,4}){1,5}") {
        let reference = Reference::parse(&text);
        let ours = text.parse::<Pattern>();
        prop_assert_eq!(ours.is_ok(), reference.is_some(), "{} {:?}", text, ours);
        if let (Ok(ours), Some(reference)) = (ours, reference) {
            prop_assert_eq!(ours.matches(&address(&to)), reference.matches(&reference::names(&to)));
        }
    }

    #[test]
    fn any_two_patterns_overlap_as_the_reference_says(one in any_pattern(), two in any_pattern()) {
        if let (Some(a), Some(b)) = (Reference::parse(&one), Reference::parse(&two)) {
            let shared = a.share_an_address(&b);
            prop_assert_eq!(pattern(&one).overlaps(&pattern(&two)), shared);
            prop_assert_eq!(pattern(&two).overlaps(&pattern(&one)), shared);
        }
    }

    #[test]
    fn any_text_is_accepted_or_refused_as_by_the_reference(text in "/[ab*?!/,{}\\[\\]# é-]{0,12}") {
        prop_assert_eq!(text.parse::<Pattern>().is_ok(), Reference::parse(&text).is_some());
    }

    /// Without empty names but at the end: in a run, one empty name reads like none.
    #[test]
    fn captures_put_back_give_the_address(text in any_pattern(), to in "(/[a-d]{1,4}){1,4}/?") {
        let Ok(pattern) = text.parse::<Pattern>() else { return Ok(()) };
        let to = address(&to);
        let Some(captures) = pattern.captures(&to) else { return Ok(()) };
        let mut captures = captures.iter().map(ToString::to_string);
        prop_assert_eq!(reference::fill(&text, &mut captures), to.to_string());
        prop_assert_eq!(captures.next(), None);
    }
}

// --- values --------------------------------------------------------------------------------------

#[test]
fn errors_say_what_and_where() {
    use PatternErrorKind::*;
    let cases = [
        ("", NoLeadingSlash, 0),
        ("a/b", NoLeadingSlash, 0),
        ("/\0", IllegalByte, 1),
        ("/a b\0", IllegalByte, 4),
        ("/a[\0-~]", IllegalByte, 3),
        ("/a[a-\0]", IllegalByte, 5),
        ("/a[b,\0]", IllegalByte, 5),
        ("/{a,b\0c}", IllegalByte, 5),
        ("/a///b", TripleSlash, 4),
        ("///", TripleSlash, 2),
        ("/ab[cd", UnclosedSet, 3),
        ("/ab[c/d]", UnclosedSet, 3),
        ("/ab[c-/d]", UnclosedSet, 3),
        ("/[", UnclosedSet, 1),
        ("/a[]", EmptySet, 2),
        ("/a[]b]", EmptySet, 2),
        ("/a[!]", EmptySet, 2),
        ("/a[xz-a]", ReversedRange, 4),
        ("/a[a--]", ReversedRange, 3),
        ("/a{b,c", UnclosedAlternatives, 2),
        ("/a{b/c}", UnclosedAlternatives, 2),
        ("/a{b,{c}}", NestedBraces, 5),
        ("/a]", LoneBracket, 2),
        ("/a[b]]", LoneBracket, 5),
        ("/a}", LoneBrace, 2),
    ];
    for (text, kind, position) in cases {
        assert_eq!(error(text), (kind, position), "{text}");
    }
}

#[test]
fn what_has_no_meaning_in_a_pattern_stands_for_itself() {
    for name in ["/a b", "/a#", "/my,thing/x", "/a\u{7f}", "/Öhr", "/灯", "/fx/50%/mix", "/\"", "/\u{1}"] {
        assert!(pattern(name).is_literal() && matches(name, name), "{name}");
        assert!(matches(&format!("{name}*"), name) && matches("//", name), "{name}");
    }
    for (text, to) in
        [("/a[ -~]", "/a#"), ("/a[b,c]", "/a,"), ("/a[b,c]", "/ac"), ("/{a,b c}", "/b c"), ("/#?", "/# ")]
    {
        assert!(matches(text, to), "{text} must match {to}");
    }
    assert!(!matches("/[a,b]", "/c") && !matches("/{a,b}", "/,"));
}

#[test]
fn an_exact_pattern_is_its_own_bytes() {
    const LAYER: Pattern = Pattern::exact("/layers[12]/x");
    assert!(LAYER.is_exact() && LAYER.is_literal() && !pattern("/layers").is_exact());
    assert!(!LAYER.matches(&address("/layers1/x")));
    assert!(LAYER.overlaps(&pattern("/layers[12]/x")) && pattern("/layers[12]/x").overlaps(&LAYER));
    for other in ["/layers1/x", "/layers*/x", "//", "/layers[1-2]/x"] {
        assert!(!LAYER.overlaps(&pattern(other)) && !pattern(other).overlaps(&LAYER), "{other}");
    }
    let plain = Pattern::try_exact("/a").unwrap();
    assert!(plain.matches(&address("/a")) && plain != pattern("/a"));
    assert_eq!(plain.captures(&address("/a")), Some(vec![]));
    assert!(!plain.overlaps(&pattern("/*")));

    let kind = |text: &'static str| Pattern::try_exact(text).unwrap_err().kind();
    assert_eq!((kind(""), kind("a\0")), (PatternErrorKind::Empty, PatternErrorKind::IllegalByte));
    assert!(Pattern::try_exact("n".repeat(Pattern::MAX_LEN)).is_ok());
    let error = Pattern::try_exact("n".repeat(Pattern::MAX_LEN + 1)).unwrap_err();
    assert_eq!((error.kind(), error.position()), (PatternErrorKind::TooLong, Pattern::MAX_LEN));
    assert!(Pattern::number((1 << 24) - 1).is_ok());
    assert_eq!(Pattern::number(1 << 24).unwrap_err().kind(), PatternErrorKind::NumberTooLarge);
}

#[test]
#[should_panic(expected = "an address has at least one byte")]
fn a_wrong_exact_literal_panics() {
    Pattern::exact("");
}

#[test]
fn limits_hold_on_both_sides() {
    let longest = format!("/{}", "a".repeat(Pattern::MAX_LEN - 1));
    let longest_wild = format!("/{}*", "a".repeat(Pattern::MAX_LEN - 2));
    assert!(pattern(&longest).is_literal() && !pattern(&longest_wild).is_literal());
    assert_eq!(error(&format!("{longest}a")), (PatternErrorKind::TooLong, Pattern::MAX_LEN));
    assert_eq!(error(&format!("{longest_wild}*")), (PatternErrorKind::TooLong, Pattern::MAX_LEN));

    let deepest = "/a".repeat(Pattern::MAX_PARTS);
    assert!(pattern(&deepest).is_literal());
    assert_eq!(error(&format!("{deepest}/a")), (PatternErrorKind::TooManyParts, deepest.len()));
    let deepest_wild = "/*".repeat(Pattern::MAX_PARTS);
    assert!(matches(&deepest_wild, &deepest));
    assert_eq!(error(&format!("{deepest_wild}/*")), (PatternErrorKind::TooManyParts, deepest.len()));
}

#[test]
fn captures_are_the_parts_that_are_not_plain_text() {
    let cases: [(&str, &str, &[&str]); 15] = [
        ("/a/b", "/a/b", &[]),
        ("/*/b", "/a/b", &["a"]),
        ("/x[0-9]/{on,off}/?", "/x4/off/z", &["x4", "off", "z"]),
        ("/a/*", "/a/", &[""]),
        ("/a//b", "/a/b", &[""]),
        ("/a//b", "/a/x/b", &["x"]),
        ("/a//b", "/a/x/y/b", &["x/y"]),
        ("//b", "/b", &[""]),
        ("//b", "/x/y/b", &["x/y"]),
        ("/a//", "/a/x/y", &["x/y"]),
        ("/a//*", "/a/x/y", &["x", "y"]),
        ("//", "/a/b", &["a/b"]),
        ("//a//*/b", "/a/a/x/b", &["", "a", "x"]),
        ("//*?//", "//a/", &["", "a", ""]),
        ("//a?//c", "/x/ab/ac/ad/c", &["x", "ab", "ac/ad"]),
    ];
    for (text, to, captures) in cases {
        assert_eq!(pattern(text).captures(&address(to)).expect(text), captures, "{text} in {to}");
    }
    assert_eq!(pattern("/a/*").captures(&address("/a")), None);
}

#[test]
fn a_pattern_is_a_value() {
    const VOICE: Pattern = Pattern::literal("/voice/*");
    let made = Pattern::new("/voice/*").unwrap();
    assert_eq!(VOICE, made);
    assert_eq!(std::collections::HashSet::from([VOICE, made.clone()]).len(), 1);
    assert_eq!((made.to_string(), format!("{made:?}")), ("/voice/*".into(), "\"/voice/*\"".into()));
    assert!(!made.is_literal() && pattern("/voice/1").is_literal() && !pattern("//voice").is_literal());
    assert_eq!(made.as_bytes(), b"/voice/*");
    assert!(size_of::<tokio_osc::pattern::PatternError>() <= 16);
}

#[test]
#[should_panic(expected = "a range runs backwards")]
fn a_wrong_literal_panics() {
    Pattern::literal("/[b-a]");
}

// --- THREATS B -----------------------------------------------------------------------------------

/// Threat 17: 12 to 60 stars against a part of `a`s, where a backtracking matcher runs for hours.
#[test]
fn many_stars_take_bounded_time() {
    for stars in [12, 30, 60] {
        for length in [64, 4_000] {
            let hostile = format!("/{}b", "*a".repeat(stars));
            let victim = format!("/{}", "a".repeat(length));
            assert!(!matches(&hostile, &victim));
            assert!(matches(&hostile, &format!("{victim}b")));
            assert!(pattern(&hostile).overlaps(&pattern(&format!("/{}*", "a*".repeat(60)))));
            assert!(!pattern(&hostile).overlaps(&pattern(&format!("/{}c", "a*".repeat(60)))));
        }
    }
}

/// Threat 18: groups that would expand to 2^30 strings, the most alternatives a pattern holds, and
/// nested braces.
#[test]
fn many_alternatives_take_bounded_time() {
    let hostile = format!("/{}", "{a,aa}".repeat(30));
    assert!(matches(&hostile, &format!("/{}", "a".repeat(45))));
    assert!(!matches(&hostile, &format!("/{}", "a".repeat(29))));
    assert!(!matches(&hostile, &format!("/{}", "a".repeat(61))));
    assert!(!matches(&hostile, &format!("/{}b", "a".repeat(45))));
    assert!(pattern(&hostile).overlaps(&pattern(&format!("/{}", "{aa,aaa}".repeat(20)))));
    assert!(!pattern(&hostile).overlaps(&pattern(&format!("/{}b", "{aa,aaa}".repeat(20)))));

    let alternatives = format!("/{{{}a}}", "b,".repeat(2_040));
    assert!(matches(&alternatives, "/a") && !matches(&alternatives, "/c"));
    assert!(pattern(&alternatives).overlaps(&pattern(&alternatives)));
    assert_eq!(error(&format!("/{}", "{".repeat(4_000))), (PatternErrorKind::NestedBraces, 2));
    assert_eq!(error(&"{".repeat(5_000)).0, PatternErrorKind::NoLeadingSlash);
}

/// Threat 19: 15 and more `//`, and paths on which each could stop anywhere.
#[test]
fn many_descents_take_bounded_time() {
    for descents in [15, 42] {
        let hostile = format!("{}/b", "//a".repeat(descents));
        assert!(!matches(&hostile, &"/a".repeat(120)));
        assert!(matches(&hostile, &format!("{}/b", "/a".repeat(120))));
        assert!(pattern(&hostile).overlaps(&pattern(&format!("{}//b", "//*a".repeat(descents)))));
        assert!(!pattern(&hostile).overlaps(&pattern(&format!("{}/c", "//*a".repeat(descents)))));
    }
}

/// Threat 22: what other matchers get wrong.
#[test]
fn what_other_matchers_get_wrong_is_right() {
    let right = [
        ("/{a,ab}c", "/abc"),
        ("/{ab,a}bc", "/abc"),
        ("/*", "/"),
        ("/a*", "/a"),
        ("/[!a]", "/b"),
        ("/a.c", "/a.c"),
        ("/a/", "/a/"),
        ("/a/{,b}", "/a/"),
        ("//b", "/a/b"),
        ("/a//", "/a/"),
    ];
    let wrong = [
        ("/a*", "/a/b"),
        ("/a?b", "/a/b"),
        ("/a[!x]b", "/a/b"),
        ("/a", "/a/b"),
        ("/a", "/ab"),
        ("/a/b", "/a"),
        ("/[ab]", "/ab"),
        ("/[ab]", "/"),
        ("/?", "/"),
        ("/a.c", "/abc"),
        ("/A", "/a"),
        ("/a//", "/a"),
        ("//b", "/ab"),
        ("/{a*,b}", "/ab"),
        ("/*/b", "/a/x/b"),
    ];
    for (text, to) in right {
        assert!(matches(text, to), "{text} must match {to}");
    }
    for (text, to) in wrong {
        assert!(!matches(text, to), "{text} must not match {to}");
    }
}

#[test]
fn alternatives_of_several_bytes_overlap_where_one_of_them_fits() {
    for (one, two, shared) in [
        ("/{ab,cd}", "/?b", true),
        ("/{ab,cd}", "/c?", true),
        ("/x{ab,cd,e}y", "/x*y", true),
        ("/x{ab,cd,e}y", "/xe?", true),
        ("/{ab,cd}", "/{,xy}", false),
        ("/x{ab,cd}", "/x?", false),
        ("/{ab,cd}", "/????", false),
        ("/x{ab,cd}y", "/x??", false),
    ] {
        assert_eq!(pattern(one).overlaps(&pattern(two)), shared, "{one} {two}");
        assert_eq!(pattern(two).overlaps(&pattern(one)), shared, "{two} {one}");
    }
}
