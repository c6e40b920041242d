//! `osc match`: which addresses a pattern stands for.

use std::process::ExitCode;

use tokio_osc::{Address, Pattern};

use crate::failure::{At as _, Failure};
use crate::output;

/// Say which addresses an address pattern matches
///
/// Prints `yes ADDRESS` or `no ADDRESS` for each, quoted if it holds a control character. Exit code: 0 if any matched, 1 if none did, 2 for
/// an illegal pattern or address.
#[derive(clap::Args)]
pub(crate) struct Match {
    /// The address pattern, for example '/synth/*/{freq,gain}'
    pattern: String,

    /// Addresses, without wildcards
    #[arg(required = true, value_name = "ADDRESS")]
    addresses: Vec<String>,
}

impl Match {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let pattern: Pattern = self.pattern.parse().at(&self.pattern)?;
        let addresses: Vec<Address> = self.addresses.into_iter().map(address).collect::<Result<_, _>>()?;
        let mut exit = ExitCode::FAILURE;
        for address in &addresses {
            let matches = pattern.matches(address);
            if matches {
                exit = ExitCode::SUCCESS;
            }
            output::write(format!("{} {}\n", if matches { "yes" } else { "no" }, printed(address)))?;
        }
        Ok(exit)
    }
}

/// The address, quoted if it would break the line.
fn printed(address: &Address) -> String {
    let text = address.to_string();
    if text.contains(char::is_control) { serde_json::Value::from(text).to_string() } else { text }
}

fn address(text: String) -> Result<Address, Failure> {
    Address::new(text.clone()).ok_or_else(|| Failure::at(text, "not an address"))
}
