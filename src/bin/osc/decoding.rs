//! What is accepted as a packet: `--strict`, `--lenient` and `--bare`.

use tokio_osc::packet::DecodeOptions;

#[derive(clap::Args)]
pub(crate) struct Decoding {
    /// Accept only OSC 1.0 to the letter
    #[arg(long)]
    strict: bool,

    /// Also accept faults that can be repaired: a missing comma or final padding, trailing zeros
    #[arg(long, conflicts_with = "strict")]
    lenient: bool,

    /// Also accept addresses without a leading slash, and numbers instead of an address
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
