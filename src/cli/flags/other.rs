//! Flags about the program itself. Only the command line may give them, not the config file.

use super::{Complete, File, Flag, Group, Scope, Switch, Text, flag};

flags! {
    Group::new("Other", Scope::Any);

    /// Read this config file in place of the default one. Default: see [the config file](#the-config-file)
    pub static CONFIG: Flag<File> = flag("config", "FILE")
        .help("Read this config file (default: ~/.config/stern-rs/config.yaml)");

    /// Print the help and exit.
    pub static HELP: Flag<Switch> = flag("help", "").short('h').help("Print this help and exit");

    /// Print the version, with the commit and date of the build, and exit.
    pub static VERSION: Flag<Switch> = flag("version", "").short('v').help("Print the version and exit");

    /// Print the options that the help leaves out and exit.
    pub static SHOW_HIDDEN_OPTIONS: Flag<Switch> = flag("show-hidden-options", "")
        .help("Print the options not listed here and exit");

    /// Print the completion script for `bash`, `zsh`, `fish` or `powershell` and exit. See [Completion](#completion).
    pub static COMPLETION: Flag<Text> = flag("completion", "SHELL")
        .help("Print the script for bash, zsh, fish or powershell")
        .completes(Complete::Words(&["bash", "zsh", "fish", "powershell"]));

    /// Print the manual page and exit, for `man` to show: `stern-rs --man | man -l -`
    pub static MAN: Flag<Switch> = flag("man", "").help("Print the manual page, for man -l -");
}
