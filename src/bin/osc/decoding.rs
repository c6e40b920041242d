//! What is accepted as a packet: `--strict`, `--lenient` and `--bare`.

use tokio_osc::packet::DecodeOptions;

#[derive(clap::Args)]
pub(crate) struct Decoding {
    /// Accept only OSC 1.0 to the letter
    #[arg(long)]
    strict: bool,

    /// Accept also what can be repaired: no comma, no padding at the end, zeros behind it
    #[arg(long, conflicts_with = "strict")]
    lenient: bool,

    /// Accept also addresses without a leading slash, and numbers in place of an address
    #[arg(long)]
    bare: bool,
}

impl Decoding {
    pub(crate) fn options(&self) -> DecodeOptions {
        let options = match (self.strict, self.lenient) {
            (true, _) => DecodeOptions::strict(),
            (_, true) => DecodeOptions::lenient(),
            _ => DecodeOptions::default(),
        };
        options.accept_bare_addresses(self.bare)
    }
}
