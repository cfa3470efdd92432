//! Command lines and config files.

use std::{ffi::OsString, os::unix::ffi::OsStringExt, path::PathBuf};

use super::{Args, Command, config, parse, pflag};
use crate::{environment::Environment, fuzz::assert_one_line, plan::Plan};

fn words(input: &[u8]) -> Vec<OsString> {
    input.split(|&byte| byte == 0 || byte == b'\n').map(|word| OsString::from_vec(word.to_vec())).collect()
}

/// A command line becomes a plan, or one line that says why not; each beginning of it can be completed.
pub fn command_line(input: &[u8]) {
    // A file of that name could be anything.
    if input.windows(6).any(|word| word == b"config") {
        return;
    }
    let (words, env) = (words(input), Environment::bare());
    let program = std::iter::once(OsString::from("stern-rs"));
    match parse(program.chain(words.clone()), &env) {
        Ok(Command::Run(args)) => {
            args.warnings.iter().for_each(|warning| assert_one_line(warning));
            if let Err(error) = Plan::new(&args, &env) {
                assert_one_line(&error.to_string());
            }
        }
        Ok(_) => {}
        Err(error) => assert_one_line(&error.to_string()),
    }
    let walked = pflag::walk(words.clone());
    let (found, _) = pflag::unfinished(words.clone().into_iter().chain([OsString::new()]).collect());
    if let Ok(walked) = walked {
        assert_eq!(found, walked, "the same words, and one that has not begun");
    }
    pflag::unfinished(words);
}

/// A config file gives flags that exist, or one line that says why not.
pub fn config_file(input: &[u8]) {
    let Ok(args) = Args::new(Vec::new(), &[]) else { return };
    let env = Environment::bare();
    match config::read(PathBuf::from("config.yaml"), input, &args) {
        Ok(defaults) => {
            defaults.warnings.iter().for_each(|warning| assert_one_line(warning));
            match args.with_defaults(defaults.flags) {
                Ok(args) => {
                    let plan = Plan::new(&args, &env);
                    plan.err().iter().for_each(|error| assert_one_line(&error.to_string()));
                }
                Err(error) => assert_one_line(&defaults.places.blame(error).to_string()),
            }
        }
        Err(error) => assert_one_line(&error.to_string()),
    }
}
