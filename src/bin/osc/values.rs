//! The arguments of `osc send`: type tags and words to values, as liblo's `oscsend` takes them.

use tokio_osc::packet::{Char, Color, Midi, TextBuf, TypeTag};
use tokio_osc::{Arg, Bytes, Message};

use crate::failure::{At as _, Failure};
use crate::time::parse_time_tag;

/// A message with its arguments.
const MAX_ARRAY_DEPTH: usize = 255;

/// A message of words: address, type tags, values. An address without a slash is an error
/// unless `bare` is set.
pub(crate) fn message(address: &str, types: &str, words: &[String], bare: bool) -> Result<Message, Failure> {
    let args = parse(types, words).at(address)?;
    if bare {
        return Message::with_bare_address(address, args).at(address);
    }
    if !address.starts_with('/') {
        return Err(Failure::at(address, "an address begins with `/`; --bare sends it as it is"));
    }
    Message::new(address, args).at(address)
}

/// The arguments of a message that is sent repeatedly.
#[derive(clap::Args)]
pub(crate) struct Numbered {
    /// Type tags of the values, as for `osc send` [default: i, with the number of the message]
    types: Option<String>,

    /// One value for each type tag that has one
    #[arg(value_name = "VALUE", allow_hyphen_values = true, trailing_var_arg = true)]
    values: Vec<String>,

    /// Send the address unchanged, even without a leading slash
    #[arg(long)]
    pub(crate) bare: bool,
}

impl Numbered {
    /// Whether each message contains its number.
    pub(crate) fn is_numbered(&self) -> bool {
        self.types.is_none()
    }

    pub(crate) fn message(&self, address: &str, number: u32) -> Result<Message, Failure> {
        match &self.types {
            Some(types) => message(address, types, &self.values, self.bare),
            None => message(address, "i", &[(number as i32).to_string()], self.bare),
        }
    }
}

/// The values of a type tag string, with or without its comma. `T F N I [ ]` take no word, and every
/// other type tag takes the next one.
fn parse(types: &str, words: &[String]) -> Result<Vec<Arg>, String> {
    let types = types.strip_prefix(',').unwrap_or(types);
    let mut words = words.iter();
    let mut open = vec![Vec::new()];
    for character in types.chars() {
        let tag = u8::try_from(character).ok().and_then(TypeTag::from_byte);
        let arg = match tag.ok_or_else(|| format!("unknown type tag `{character}`"))? {
            TypeTag::ArrayBegin if open.len() > MAX_ARRAY_DEPTH => {
                return Err(format!("arrays nest deeper than {MAX_ARRAY_DEPTH}"));
            }
            TypeTag::ArrayBegin => {
                open.push(Vec::new());
                continue;
            }
            TypeTag::ArrayEnd => Arg::Array(open.pop().unwrap_or_default()),
            TypeTag::True => Arg::Bool(true),
            TypeTag::False => Arg::Bool(false),
            TypeTag::Nil => Arg::Nil,
            TypeTag::Impulse => Arg::Impulse,
            tag => {
                let word = words.next().ok_or_else(|| format!("no value for the type tag `{tag}`"))?;
                parse_word(tag, word)
                    .ok_or_else(|| format!("`{word}` is not a valid value of the type tag `{tag}`"))?
            }
        };
        open.last_mut().ok_or("`]` without `[` in the type tags")?.push(arg);
    }
    if let Some(word) = words.next() {
        return Err(format!("the type tags `{types}` leave no place for the value `{word}`"));
    }
    match <[Vec<Arg>; 1]>::try_from(open) {
        Ok([args]) => Ok(args),
        Err(_) => Err("`[` without `]` in the type tags".into()),
    }
}

fn parse_word(tag: TypeTag, word: &str) -> Option<Arg> {
    let text = || TextBuf::new(word.to_owned());
    Some(match tag {
        TypeTag::Int32 => Arg::Int32(word.parse().ok()?),
        TypeTag::Int64 => Arg::Int64(word.parse().ok()?),
        TypeTag::Float32 | TypeTag::Float64 if word.starts_with("nan:") => parse_token(tag, word)?,
        TypeTag::Float32 => Arg::Float32(word.parse().ok()?),
        TypeTag::Float64 => Arg::Float64(word.parse().ok()?),
        TypeTag::String => Arg::String(text()),
        TypeTag::Symbol => Arg::Symbol(text()),
        TypeTag::Blob => Arg::Blob(Bytes::from(parse_hex(word)?)),
        TypeTag::TimeTag => Arg::TimeTag(parse_time_tag(word).ok()?),
        TypeTag::Char => Arg::Char(parse_char(word)?),
        TypeTag::Color => Arg::Color(Color::from(parse_four(word.strip_prefix('#').unwrap_or(word))?)),
        TypeTag::Midi => Arg::Midi(Midi::from(parse_four(word.strip_prefix("m:").unwrap_or(word))?)),
        _ => return None,
    })
}

/// The argument that the canonical line has this token for.
fn parse_token(tag: TypeTag, token: &str) -> Option<Arg> {
    format!("/ ,{tag} {token}").parse::<Message>().ok()?.parse().ok()
}

fn parse_char(word: &str) -> Option<Char> {
    let mut characters = word.chars();
    characters.next().filter(|_| characters.as_str().is_empty()).map(Char::from)
}

fn parse_four(digits: &str) -> Option<[u8; 4]> {
    parse_hex(digits)?.try_into().ok()
}

fn parse_hex(digits: &str) -> Option<Vec<u8>> {
    // Otherwise a sign would pass as the first digit of a pair.
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let byte = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(|at| byte(at).filter(|_| is_hex)).collect()
}
