//! The command `tagwarden`: arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser;
use tagwarden::cli::Cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    Cli::parse().run().into()
}
