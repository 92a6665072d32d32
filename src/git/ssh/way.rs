//! The way to a host by the operator's configuration: name, port, jump hosts, and nothing of its keys.
//!
//! A login that brings its own key must not fall back on the operator's, so `ssh` reads no configuration for it; what leads to
//! the host is asked for before, with `ssh -G`, which connects nowhere.

use std::ffi::OsString;

use super::Ssh;
use super::program::{destination, option};
use crate::git::child;
use crate::git::error::GitError;
use crate::git::session::Session;

/// The settings that lead to a host; keys, known hosts and forwardings are none of them. Nor are `HostKeyAlgorithms`: named,
/// they are no longer put into the order of the known hosts.
const KEPT: [(&str, &str); 10] = [
    ("hostname", "HostName"),
    ("port", "Port"),
    ("proxycommand", "ProxyCommand"),
    ("hostkeyalias", "HostKeyAlias"),
    ("addressfamily", "AddressFamily"),
    ("bindaddress", "BindAddress"),
    ("bindinterface", "BindInterface"),
    ("kexalgorithms", "KexAlgorithms"),
    ("ciphers", "Ciphers"),
    ("macs", "MACs"),
];
/// What is kept beside them where a login brings no known hosts of its own.
const TRUST: [(&str, &str); 3] = [
    ("stricthostkeychecking", "StrictHostKeyChecking"),
    ("userknownhostsfile", "UserKnownHostsFile"),
    ("globalknownhostsfile", "GlobalKnownHostsFile"),
];

/// The options that lead to the host; `None`: the program does not take OpenSSH's.
///
/// # Errors
/// Out of time, or cancelled.
pub(super) fn options(
    ssh: &Ssh,
    session: &Session,
    user: Option<&str>,
    with_trust: bool,
) -> Result<Option<Vec<OsString>>, GitError> {
    let mut arguments = vec![OsString::from("-G")];
    arguments.extend(destination(&ssh.place, user));
    let command = child::detached_line(&ssh.program.line(arguments));
    let ran = child::run(session, command, b"", "ssh to read its configuration")?;
    let said = match ran {
        Ok(ended) if ended.status.success() => String::from_utf8_lossy(&ended.out).into_owned(),
        Ok(_) => return Ok(None),
        Err(error) => return Err(not_run(ssh, session, &error)),
    };
    Ok(Some(kept(&said, &ssh.program.proxy(), with_trust)))
}

/// The program cannot be started.
pub(super) fn not_run(ssh: &Ssh, session: &Session, error: &std::io::Error) -> GitError {
    let message = format!("could not run {}: {error}", ssh.program.shown());
    GitError::Unreachable { url: session.shown.clone(), message }
}

fn kept(said: &str, program: &str, with_trust: bool) -> Vec<OsString> {
    let mut options = Vec::new();
    let wanted = || KEPT.iter().chain(TRUST.iter().filter(|_| with_trust));
    for line in said.lines() {
        let Some((key, value)) = line.split_once(' ') else { continue };
        if key == "proxyjump" {
            options.extend(option("ProxyCommand", jump(program, value)));
        } else if let Some((_, name)) = wanted().find(|(known, _)| *known == key) {
            options.extend(option(name, value));
        }
    }
    options
}

/// What `ssh` itself makes of a list of jump hosts, but with the operator's configuration for them.
///
/// Source: openssh:ssh.c, "Construct a bare-bones `ProxyCommand` for this connection".
fn jump(program: &str, hosts: &str) -> String {
    let (before, last) = hosts.rsplit_once(',').map_or((None, hosts), |(before, last)| (Some(before), last));
    let (user, address) = last.rsplit_once('@').map_or((None, last), |(user, rest)| (Some(user), rest));
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if host.starts_with('[') || !host.contains(':') => (host, Some(port)),
        _ => (address, None),
    };
    let mut command = program.to_owned();
    let parts = [("-J", before), ("-l", user), ("-p", port), ("-W", Some("'[%h]:%p'")), ("--", Some(host))];
    for (flag, value) in parts {
        if let Some(value) = value {
            command.extend([" ", flag, " ", value.trim_matches(['[', ']'])]);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_is_kept_and_the_keys_are_not() {
        let said = "host git\nhostname 10.0.0.7\nport 2222\nidentityfile ~/.ssh/id_ed25519\n\
                    userknownhostsfile ~/.ssh/known_hosts ~/.ssh/known_hosts2\nlocalforward 1 2\n";
        assert_eq!(kept(said, "ssh", false), ["-o", "HostName=10.0.0.7", "-o", "Port=2222"]);
        let trust = kept(said, "ssh", true).pop().unwrap();
        assert_eq!(trust, "UserKnownHostsFile=~/.ssh/known_hosts ~/.ssh/known_hosts2");
    }

    #[test]
    fn jump_hosts_are_reached_with_the_operators_configuration() {
        assert_eq!(jump("ssh", "bastion"), "ssh -W '[%h]:%p' -- bastion");
        let two = "ssh -F x -J a -l rita -p 2200 -W '[%h]:%p' -- b.example";
        assert_eq!(jump("ssh -F x", "a,rita@b.example:2200"), two);
        assert_eq!(jump("ssh", "rita@[::1]:2200"), "ssh -l rita -p 2200 -W '[%h]:%p' -- ::1");
    }
}
