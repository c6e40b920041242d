//! `osc completions` and `osc man`: made from the same definitions as the help texts.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man as Page;

use crate::failure::{At as _, Failure};
use crate::{Cli, output};

/// Print the completions of a shell
///
/// For example `osc completions bash > ~/.local/share/bash-completion/completions/osc`, or
/// `osc completions zsh > "${fpath[1]}/_osc"`.
#[derive(clap::Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "osc", &mut script);
        output::write(script)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Print the man page of the tool, or of a command
///
/// For example `osc man send | man -l -`. With --directory, all pages are written there: `osc.1`,
/// `osc-send.1` and so on.
#[derive(clap::Args)]
pub(crate) struct Man {
    /// The command
    command: Option<String>,

    /// Write all pages to this directory, which is created if it does not exist
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "command")]
    directory: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let mut all = Cli::command();
        // Gives the commands their whole names.
        all.build();
        if let Some(directory) = &self.directory {
            let written =
                std::fs::create_dir_all(directory).and_then(|()| clap_mangen::generate_to(all, directory));
            written.at(directory.display())?;
            return Ok(ExitCode::SUCCESS);
        }
        let page = match &self.command {
            None => Page::new(all),
            Some(name) => {
                let unknown = || Failure::at(name, "not a command of osc");
                let command = all.find_subcommand(name).ok_or_else(unknown)?.clone();
                Page::new(command).title(format!("osc-{name}"))
            }
        };
        let mut text = Vec::new();
        page.render(&mut text).at("man page")?;
        output::write(text)?;
        Ok(ExitCode::SUCCESS)
    }
}
