//! What is run to speak ssh: the system's `ssh`, or what the operator has git run instead.

use std::ffi::{OsStr, OsString};

use crate::environment::without_ours;
use crate::git::url::SshPlace;

/// A program that speaks ssh, and what it takes for arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SshProgram {
    run: Run,
    variant: Variant,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Run {
    /// `ssh`.
    #[default]
    System,
    /// This program.
    Program(String),
    /// This line of a shell.
    Shell(String),
}

/// What arguments a program takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Variant {
    /// Those of OpenSSH.
    #[default]
    OpenSsh,
    /// A host and a command.
    Simple,
    /// Not known: OpenSSH takes `-G`.
    Unknown,
}

impl SshProgram {
    /// The line of `GIT_SSH_COMMAND` or `core.sshCommand`, else the program of `GIT_SSH`, else `ssh`; `variant` is that of
    /// `GIT_SSH_VARIANT` or `ssh.variant`.
    ///
    /// Programs of another kind than OpenSSH get a host and a command, and no options.
    pub fn new(line: Option<String>, program: Option<String>, variant: Option<&str>) -> Self {
        let run = line.map(Run::Shell).or_else(|| program.map(Run::Program)).unwrap_or_default();
        let named = match &run {
            Run::System => "ssh",
            Run::Program(program) => program,
            Run::Shell(line) => line.split_whitespace().next().unwrap_or_default(),
        };
        let is_ssh = named.rsplit('/').next() == Some("ssh");
        let variant = match variant {
            Some("ssh") => Variant::OpenSsh,
            None | Some("auto") if is_ssh => Variant::OpenSsh,
            None | Some("auto") => Variant::Unknown,
            Some(_) => Variant::Simple,
        };
        Self { run, variant }
    }

    /// What the program says its version is.
    ///
    /// # Errors
    /// Why it cannot be run.
    pub fn version(&self) -> Result<String, String> {
        let line = self.line(vec!["-V".into()]);
        let mut command = std::process::Command::new(line.first().cloned().unwrap_or_default());
        let ran =
            without_ours(&mut command).args(line.iter().skip(1)).stdin(std::process::Stdio::null()).output();
        let shown = self.shown();
        let ran = ran.map_err(|error| format!("{shown} -V: {error}"))?;
        let said = String::from_utf8_lossy(&[ran.stderr, ran.stdout].concat()).into_owned();
        match said.lines().next() {
            Some(version) if ran.status.success() => Ok(version.to_owned()),
            // Another kind than OpenSSH has another option, or none.
            _ if self.variant != Variant::OpenSsh => Ok(shown.to_owned()),
            _ => Err(format!("{shown} -V: {}", ran.status)),
        }
    }

    pub(super) fn variant(&self) -> Variant {
        self.variant
    }

    /// The program and its arguments.
    pub(super) fn line(&self, arguments: Vec<OsString>) -> Vec<OsString> {
        let program = match &self.run {
            Run::System => vec![OsString::from("ssh")],
            Run::Program(program) => vec![program.into()],
            // As git has it: the line is the operator's own, what follows it is never read by the shell.
            Run::Shell(line) => {
                ["sh".into(), "-c".into(), format!("{line} \"$@\"").into(), line.into()].to_vec()
            }
        };
        program.into_iter().chain(arguments).collect()
    }

    /// The program as the beginning of a `ProxyCommand`.
    pub(super) fn proxy(&self) -> String {
        let line = match &self.run {
            Run::System | Run::Shell(_) => self.shown().to_owned(),
            Run::Program(program) => quoted(program),
        };
        line.replace('%', "%%")
    }

    /// How it is called in messages.
    pub(super) fn shown(&self) -> &str {
        match &self.run {
            Run::System => "ssh",
            Run::Program(program) => program,
            Run::Shell(line) => line,
        }
    }
}

/// `-o KEY=VALUE`.
pub(super) fn option(key: &str, value: impl AsRef<OsStr>) -> [OsString; 2] {
    let mut set = OsString::from(format!("{key}="));
    set.push(value);
    ["-o".into(), set]
}

/// A path as the value of an option: a list of files to ssh, in which `%` stands for something else.
pub(super) fn path_value(path: &std::path::Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('%', "%%"))
}

/// The port and the host; `user` where the address names none.
pub(super) fn destination(place: &SshPlace, user: Option<&str>) -> Vec<OsString> {
    let mut arguments = Vec::new();
    if let Some(port) = place.port {
        arguments.extend(["-p".into(), port.to_string().into()]);
    }
    arguments.push(match place.user.as_deref().or(user) {
        Some(user) => format!("{user}@{}", place.host).into(),
        None => place.host.clone().into(),
    });
    arguments
}

/// The command for the other side, as git quotes it for any shell.
///
/// Source: git/git:quote.c (`sq_quote_buf`).
pub(super) fn remote_command(service: &str, path: &str) -> String {
    format!("git-{service} {}", quoted(path))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''").replace('!', "'\\!'"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(None, None, None, Variant::OpenSsh)]
    #[case(Some("/usr/bin/ssh -v"), None, None, Variant::OpenSsh)]
    #[case(Some("wrapper"), Some("ssh"), None, Variant::Unknown)]
    #[case(None, Some("wrapper"), Some("ssh"), Variant::OpenSsh)]
    #[case(Some("plink -batch"), None, Some("plink"), Variant::Simple)]
    fn what_a_program_takes_is_known_by_its_name_or_said(
        #[case] line: Option<&str>,
        #[case] program: Option<&str>,
        #[case] said: Option<&str>,
        #[case] variant: Variant,
    ) {
        let made = SshProgram::new(line.map(str::to_owned), program.map(str::to_owned), said);
        assert_eq!(made.variant(), variant);
    }

    #[test]
    fn a_path_cannot_leave_its_quotes() {
        assert_eq!(remote_command("upload-pack", "/a'; id!"), r"git-upload-pack '/a'\''; id'\!''");
    }

    #[test]
    fn a_line_of_the_operator_gets_arguments_that_its_shell_does_not_read() {
        let program = SshProgram::new(Some("ssh -v".to_owned()), None, None);
        let line = program.line(vec!["$(id)".into()]);
        assert_eq!(line, ["sh", "-c", "ssh -v \"$@\"", "ssh -v", "$(id)"]);
    }
}
