//! The slow, obvious matcher: the specification written down, with backtracking and all.

/// What one place of a part asks for.
#[derive(Clone, Debug)]
enum Item {
    One(Vec<u8>),
    Star,
    Strings(Vec<Vec<Item>>),
}

/// A pattern by parts; `None` is `//`.
#[derive(Clone, Debug)]
pub(super) struct Reference(Vec<Option<Vec<Item>>>);

/// The names of an address.
pub(super) fn names(address: &str) -> Vec<Vec<u8>> {
    address.split('/').skip(1).map(|name| name.as_bytes().to_vec()).collect()
}

/// The pattern with its parts that are not plain text replaced, in order.
pub(super) fn fill(pattern: &str, captures: &mut dyn Iterator<Item = String>) -> String {
    let texts: Vec<&str> = pattern.split('/').skip(1).collect();
    let mut names = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let is_last = index + 1 == texts.len();
        let is_below = is_last && index > 0 && text.is_empty() && texts[index - 1].is_empty();
        if text.is_empty() && !is_last {
            let run = captures.next().unwrap();
            let is_end = index + 2 == texts.len() && texts[index + 1].is_empty();
            if is_end || !run.is_empty() {
                names.push(run);
            }
        } else if text.contains(['*', '?', '[', '{']) {
            names.push(captures.next().unwrap());
        } else if !is_below {
            names.push((*text).to_owned());
        }
    }
    format!("/{}", names.join("/"))
}

/// What stands for itself outside of sets and strings.
fn is_plain(byte: u8) -> bool {
    !b"\0*/?[]{}".contains(&byte)
}

/// Every byte that an address may hold, on the wire too.
fn every_byte() -> Vec<u8> {
    (1..=255).filter(|byte| !b"/*?[]{}".contains(byte)).collect()
}

impl Reference {
    /// `None` for a text that is not a valid pattern.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if !text.starts_with('/') || text.contains("///") {
            return None;
        }
        let texts: Vec<&[u8]> = text.as_bytes().split(|&byte| byte == b'/').skip(1).collect();
        let mut parts = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let is_last = index + 1 == texts.len();
            if text.is_empty() && !is_last {
                parts.push(None);
            } else if text.is_empty() && matches!(parts.last(), Some(None)) {
                parts.push(Some(vec![Item::Star]));
            } else {
                parts.push(Some(parse_part(text)?));
            }
        }
        Some(Self(parts))
    }

    pub(super) fn matches(&self, names: &[Vec<u8>]) -> bool {
        path_matches(&self.0, names)
    }

    /// Whether the two can be read side by side.
    pub(super) fn share_an_address(&self, other: &Self) -> bool {
        paths_share(&self.0, &other.0)
    }
}

fn parse_part(mut text: &[u8]) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    while let Some(&first) = text.first() {
        text = &text[1..];
        items.push(match first {
            b'*' => Item::Star,
            b'?' => Item::One(every_byte()),
            b'[' => {
                let end = text.iter().position(|&byte| byte == b']')?;
                let set = parse_set(&text[..end])?;
                text = &text[end + 1..];
                Item::One(set)
            }
            b'{' => {
                let end = text.iter().position(|&byte| byte == b'}')?;
                let list = &text[..end];
                text = &text[end + 1..];
                if list.iter().any(|byte| b"\0{".contains(byte)) {
                    return None;
                }
                let plain = |string: &[u8]| string.iter().map(|&byte| Item::One(vec![byte])).collect();
                Item::Strings(list.split(|&byte| byte == b',').map(plain).collect())
            }
            byte if is_plain(byte) => Item::One(vec![byte]),
            _ => return None,
        });
    }
    Some(items)
}

fn parse_set(text: &[u8]) -> Option<Vec<u8>> {
    let negated = text.first() == Some(&b'!');
    let text = &text[usize::from(negated)..];
    if text.is_empty() || text.contains(&0) {
        return None;
    }
    let mut listed = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if at + 2 < text.len() && text[at + 1] == b'-' {
            if text[at] > text[at + 2] {
                return None;
            }
            listed.extend(text[at]..=text[at + 2]);
            at += 3;
        } else {
            listed.push(text[at]);
            at += 1;
        }
    }
    Some(if negated {
        every_byte().into_iter().filter(|byte| !listed.contains(byte)).collect()
    } else {
        listed
    })
}

fn path_matches(parts: &[Option<Vec<Item>>], names: &[Vec<u8>]) -> bool {
    match parts {
        [] => names.is_empty(),
        [None, rest @ ..] => (0..=names.len()).any(|skipped| path_matches(rest, &names[skipped..])),
        [Some(items), rest @ ..] => match names {
            [] => false,
            [name, below @ ..] => part_matches(items, name) && path_matches(rest, below),
        },
    }
}

fn part_matches(items: &[Item], name: &[u8]) -> bool {
    match items {
        [] => name.is_empty(),
        [Item::Star, rest @ ..] => (0..=name.len()).any(|skipped| part_matches(rest, &name[skipped..])),
        [Item::One(set), rest @ ..] => {
            name.first().is_some_and(|first| set.contains(first)) && part_matches(rest, &name[1..])
        }
        [Item::Strings(strings), rest @ ..] => strings.iter().any(|string| {
            name.len() >= string.len()
                && part_matches(string, &name[..string.len()])
                && part_matches(rest, &name[string.len()..])
        }),
    }
}

fn paths_share(one: &[Option<Vec<Item>>], two: &[Option<Vec<Item>>]) -> bool {
    match (one, two) {
        ([], []) => true,
        ([None, rest @ ..], _) if paths_share(rest, two) => true,
        (_, [None, rest @ ..]) if paths_share(one, rest) => true,
        ([None, ..], [Some(items), rest @ ..]) | ([Some(items), rest @ ..], [None, ..]) => {
            let run = if one.first().is_some_and(Option::is_none) { one } else { two };
            parts_share(items, &[Item::Star]) && paths_share(run, rest)
        }
        ([Some(items), rest @ ..], [Some(others), below @ ..]) => {
            parts_share(items, others) && paths_share(rest, below)
        }
        _ => false,
    }
}

fn parts_share(one: &[Item], two: &[Item]) -> bool {
    let chosen = |strings: &[Vec<Item>], rest: &[Item], other: &[Item]| {
        strings.iter().any(|string| parts_share(&[string.as_slice(), rest].concat(), other))
    };
    match (one, two) {
        ([], []) => true,
        ([Item::Strings(strings), rest @ ..], _) => chosen(strings, rest, two),
        (_, [Item::Strings(strings), rest @ ..]) => chosen(strings, rest, one),
        ([Item::Star, rest @ ..], _) if parts_share(rest, two) => true,
        (_, [Item::Star, rest @ ..]) if parts_share(one, rest) => true,
        ([Item::Star, ..], [Item::One(set), rest @ ..]) => holds_any(set) && parts_share(one, rest),
        ([Item::One(set), rest @ ..], [Item::Star, ..]) => holds_any(set) && parts_share(rest, two),
        ([Item::One(set), rest @ ..], [Item::One(other), below @ ..]) => {
            set.iter().any(|&byte| holds_any(&[byte]) && other.contains(&byte)) && parts_share(rest, below)
        }
        _ => false,
    }
}

fn holds_any(set: &[u8]) -> bool {
    set.iter().any(|&byte| byte != 0 && !b"/*?[]{}".contains(&byte))
}
