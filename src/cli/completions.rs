//! `wireroom completions` and `wireroom man`: made from the command line's own definition.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap_complete::Shell;
use clap_mangen::Man;

use super::{Context, Exit, output};

const EXAMPLES: &str = "\
Examples:
  wireroom completions bash > ~/.local/share/bash-completion/completions/wireroom
  wireroom completions zsh > ~/.zfunc/_wireroom
  wireroom completions fish > ~/.config/fish/completions/wireroom.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  wireroom man | man -l -
  wireroom man --dir /usr/local/share/man/man1";

/// Print the completions of a shell
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

/// Print the manual page, or write all of them to a folder
#[derive(Debug, clap::Args)]
#[command(after_help = MAN_EXAMPLES)]
pub(crate) struct ManArgs {
    /// Write the page of every command to this folder, which is made if need be
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Runs `wireroom completions`.
pub(crate) fn run(args: &Args, _: &Context) -> anyhow::Result<Exit> {
    // Into memory first: the generator panics when its writer fails, and a pipe may close.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "wireroom", &mut script);
    print(&script)
}

/// Runs `wireroom man`.
pub(crate) fn man(args: &ManArgs, context: &Context) -> anyhow::Result<Exit> {
    if let Some(folder) = &args.dir {
        let n_pages = write_pages(folder)
            .with_context(|| format!("write the manual to {}", folder.display()))?;
        context.say(format_args!("{n_pages} pages in {}", folder.display()));
        return Ok(Exit::Success);
    }
    let mut page = Vec::new();
    Man::new(super::command()).render(&mut page)?;
    print(&page)
}

fn print(bytes: &[u8]) -> anyhow::Result<Exit> {
    let mut stdout = output::Data::new();
    stdout.write_all(bytes)?;
    stdout.finish()?;
    Ok(Exit::Success)
}

/// Writes the pages `wireroom.1`, `wireroom-run.1`, ... and returns their number.
fn write_pages(folder: &Path) -> anyhow::Result<usize> {
    fs::create_dir_all(folder)?;
    let mut command = super::command().disable_help_subcommand(true);
    command.build();
    let mut commands = vec![&command];
    let mut n_pages = 0;
    while let Some(command) = commands.pop() {
        Man::new(command.clone()).generate_to(folder)?;
        n_pages += 1;
        commands.extend(command.get_subcommands());
    }
    Ok(n_pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_manual_page() {
        let folder = tempfile::tempdir().unwrap();

        let n_pages = write_pages(&folder.path().join("man1")).unwrap();

        let n_files = fs::read_dir(folder.path().join("man1")).unwrap().count();
        assert_eq!(n_pages, n_files);
        let page = fs::read_to_string(folder.path().join("man1/wireroom-config-check.1")).unwrap();
        assert!(page.contains("wireroom config check"), "{page}");
    }
}
