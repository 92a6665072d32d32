//! From a kube context to a client that asks with a time limit.
//!
//! What authenticates is what kubectl uses: tokens, certificates, exec plugins, OIDC. A plugin never gets the terminal:
//! it would draw over the screen and take the keys. kube starts it, at each renewal again, so what holds it in is a
//! wrapper in its command line: a session of its own without a terminal, and an end for it and what it started.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode, KubeConfigOptions};
use kube::{Client, Config};

use super::failure::{Act, config_problem, kubeconfig_problem};
use crate::children::confinement;
use crate::environment::{has_program, ours};
use crate::problem::{Code, Problem};
use crate::source::kubeconfig::{self, Places};

/// How long one call of the API server may take at most: a page of objects comes in a fraction of that, and somebody waits.
pub const CALL: Duration = Duration::from_secs(10);

/// Where a pod finds its own credentials.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// The name of the context that a pod's service account is.
pub const IN_CLUSTER: &str = "in-cluster";

/// A cluster that can be asked. Cheap to clone.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    /// The name of its context.
    pub context: String,
    /// The API server's address, without user info.
    pub server: String,
    /// The namespace that the context gives, if it gives one.
    pub namespace: Option<String>,
    /// The address of the proxy on the way, without user info.
    proxy: Option<String>,
    /// Bound of one call.
    limit: Duration,
}

impl fmt::Debug for Cluster {
    /// Nothing of what logs in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cluster({} at {})", self.context, self.server)
    }
}

impl Cluster {
    /// The cluster of the context `asked`, else of the current one, else the one in which this process is a pod; `None` if
    /// there is none of these. Exec plugins run here, the API server is not asked yet. `limit` bounds each call.
    ///
    /// # Errors
    /// A kubeconfig that can not be used, and a plugin that fails or takes too long.
    pub async fn connect(
        places: &Places,
        asked: Option<&str>,
        limit: Duration,
    ) -> Result<Option<Self>, Problem> {
        let in_force = kubeconfig::in_force(places, asked)?;
        let Some(context) = in_force else {
            return if is_pod() { Self::of_pod(limit).await.map(Some) } else { Ok(None) };
        };
        let config = kubeconfig::read(places)?;
        let has_proxy = kubeconfig::has_proxy(&config, &context.name);
        let options =
            KubeConfigOptions { context: Some(context.name.clone()), ..KubeConfigOptions::default() };
        let made = Config::from_custom_kubeconfig(config, &options).await;
        let mut made = made.map_err(|error| kubeconfig_problem(&context.name, &error))?;
        if !has_proxy {
            // kube compares `NO_PROXY` with the address of the proxy and not of the server.
            let is_proxied = Matcher::from_env().intercept(&made.cluster_url).is_some();
            made.proxy_url = proxy().filter(|_| is_proxied).and_then(|proxy| proxy.parse().ok());
        }
        if made.proxy_url.as_ref().is_some_and(|proxy| is_socks_with_login(&proxy.to_string())) {
            let message =
                "the kubeconfig's proxy-url has a login, which kube's client does not send to a SOCKS proxy";
            return Err(Problem::new(Code::Config, &context.name, message)
                .hint("Use an HTTP proxy, or a SOCKS proxy that lets this machine in without a login."));
        }
        let proxy = made.proxy_url.as_ref().map(|proxy| without_login(&proxy.to_string()));
        let client = client_of(made, &context.name, limit).await?;
        let server = context.server.unwrap_or_default();
        Ok(Some(Self { client, context: context.name, server, namespace: context.namespace, proxy, limit }))
    }

    async fn of_pod(limit: Duration) -> Result<Self, Problem> {
        let config = Config::incluster().map_err(|error| {
            Problem::new(Code::Config, IN_CLUSTER, "the pod's service account cannot be used")
                .caused_by(&error)
        })?;
        let (server, namespace) = (config.cluster_url.to_string(), Some(config.default_namespace.clone()));
        let client = client_of(config, IN_CLUSTER, limit).await?;
        Ok(Self { client, context: IN_CLUSTER.to_owned(), server, namespace, proxy: None, limit })
    }

    /// A cluster behind a client that is there already.
    pub fn of_client(client: Client, context: &str, limit: Duration) -> Self {
        let (context, server) = (context.to_owned(), String::new());
        Self { client, context, server, namespace: None, proxy: None, limit }
    }

    /// The same cluster, with another bound of each call.
    #[must_use]
    pub fn within(&self, limit: Duration) -> Self {
        Self { limit, ..self.clone() }
    }

    /// What speaks to the API server. Calls go through [`Self::call`].
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// What `question` answers, within the time limit of a call. `act` says in a problem what was being done; it has to be about
    /// the object of the question, whose name is looked at before anything is asked.
    ///
    /// # Errors
    /// The API server was not reached, is not trusted, refuses, or took too long; a name that no object can have.
    pub async fn call<T>(
        &self,
        act: &Act,
        question: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, Problem> {
        self.ask(act, question).await?.map_err(|error| self.located(act.problem(&self.context, &error)))
    }

    /// Where a server that was not reached, or is silent, was looked for.
    fn located(&self, problem: Problem) -> Problem {
        if !matches!(problem.code, Code::Unreachable | Code::Timeout) || self.server.is_empty() {
            return problem;
        }
        problem.hint(match &self.proxy {
            Some(proxy) => format!("{} was asked for through the proxy {proxy}: look at both addresses.", self.server),
            None => format!("{} was asked: look at the address in the kubeconfig, choose another context with --context, or leave the cluster out with --source files.", self.server),
        })
    }

    /// As [`Self::call`], but what the API server refuses is left to who asked.
    pub(super) async fn ask<T>(
        &self,
        act: &Act,
        question: impl Future<Output = kube::Result<T>>,
    ) -> Result<kube::Result<T>, Problem> {
        act.check()?;
        let answer = tokio::time::timeout(self.limit, question).await;
        answer.map_err(|_late| self.located(act.too_slow(&self.context, self.limit)))
    }
}

/// The proxy that the environment names for servers with TLS. A SOCKS proxy is always asked by the server's name.
fn proxy() -> Option<String> {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let named = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].into_iter().find_map(set);
    named.map(|proxy| proxy.replacen("socks5h://", "socks5://", 1))
}

/// An address without user name and password.
fn without_login(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").unwrap_or(("http", address));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{}", rest.trim_end_matches('/'))
}

fn is_socks_with_login(proxy: &str) -> bool {
    proxy.starts_with("socks") && proxy.contains('@')
}

fn is_pod() -> bool {
    std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() && Path::new(SERVICE_ACCOUNT).exists()
}

/// Keeps a plugin from the terminal, where it would ask at every renewal of a token again, and from secrets of ours; ends it
/// soon after `limit`, when nobody waits for it any more.
fn confine(auth: &mut AuthInfo, limit: Duration) {
    let ours: Vec<String> = ours().filter_map(|name| name.into_string().ok()).collect();
    if let Some(provider) = &mut auth.auth_provider {
        provider.config.insert("cmd-drop-env".to_owned(), ours.join(" "));
    }
    if let Some(exec) = &mut auth.exec {
        exec.interactive_mode = Some(ExecInteractiveMode::Never);
        exec.drop_env = Some(ours);
        wrap(exec, limit);
    }
}

/// Puts what confines a plugin in front of its command, as far as the system has it. One that is not there stays as it is:
/// that it cannot be started is said best by who starts it.
fn wrap(exec: &mut ExecConfig, limit: Duration) {
    let Some(command) = exec.command.clone().filter(|name| has_program(name)) else { return };
    let words = confinement(limit).into_iter();
    let mut line = words.chain([command]).chain(exec.args.take().unwrap_or_default());
    exec.command = line.next();
    exec.args = Some(line.collect());
}

/// Making a client runs the context's plugin, which nothing can interrupt: a thread of its own waits for it, and the
/// program does not wait for the thread.
async fn client_of(mut config: Config, context: &str, limit: Duration) -> Result<Client, Problem> {
    crate::http::install_tls_provider();
    // What bounds a call bounds all of it: a client that gave up by itself would say so in words of its own.
    config.connect_timeout = None;
    // kube would send an order again, too, of which nobody knows whether it was done.
    config.default_retry = false;
    let command = config.auth_info.exec.as_ref().and_then(|exec| exec.command.clone());
    confine(&mut config.auth_info, limit);
    let (send, answer) = tokio::sync::oneshot::channel();
    let runtime = tokio::runtime::Handle::current();
    std::thread::spawn(move || {
        let _inside = runtime.enter();
        // Nobody listens any more if it took too long.
        drop(send.send(Client::try_from(config)));
    });
    match tokio::time::timeout(limit, answer).await {
        Ok(Ok(Ok(client))) => Ok(client),
        Ok(Ok(Err(error))) => Err(config_problem(context, &error)),
        Ok(Err(_)) => Err(Problem::new(Code::Internal, context, "a thread ended early")),
        Err(_) => {
            let what = command.map_or_else(|| "logging in".to_owned(), |name| format!("the plugin {name}"));
            let message = format!("{what} took longer than {} s", limit.as_secs());
            Err(Problem::new(Code::Timeout, context, message)
                .hint("A plugin that asks has no terminal here: log in with its own command first."))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    /// The answer to connecting with a kubeconfig whose user is this.
    fn connect_as(user: &str, limit: Duration) -> Result<Option<Cluster>, Problem> {
        let folder = tempfile::tempdir().unwrap();
        let path: PathBuf = folder.path().join("config");
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: staging\nclusters:\n- name: s\n  cluster: {{server: \
             'https://user:hunter2@127.0.0.1:1'}}\ncontexts:\n- name: staging\n  context: {{cluster: s, user: u, \
             namespace: shop}}\nusers:\n- name: u\n  user: {user}\n"
        );
        fs::write(&path, text).unwrap();
        let places = Places { flag: Some(path), ..Places::default() };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(Cluster::connect(&places, None, limit))
    }

    fn plugin(script: &str) -> String {
        format!(
            "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: sh, args: ['-c', '{script}'], \
             interactiveMode: Always}}}}"
        )
    }

    #[test]
    fn a_cluster_shows_its_context_and_no_credential() {
        let cluster = connect_as("{token: hunter2}", Duration::from_secs(5)).unwrap().unwrap();
        assert_eq!((cluster.context.as_str(), cluster.namespace.as_deref()), ("staging", Some("shop")));
        assert_eq!(format!("{cluster:?}"), "Cluster(staging at https://127.0.0.1:1/)");
    }

    #[test]
    fn without_a_context_there_is_no_cluster() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let none = runtime.block_on(Cluster::connect(&Places::default(), None, Duration::from_secs(1)));
        assert!(none.unwrap().is_none());
    }

    #[test]
    fn a_plugin_that_fails_is_quoted_and_one_that_answers_nothing_is_named() {
        let failed =
            connect_as(&plugin("echo session expired >&2; exit 3"), Duration::from_secs(5)).unwrap_err();
        assert_eq!(
            (failed.code, failed.causes.as_slice()),
            (Code::Config, ["session expired".to_owned()].as_slice())
        );
        let empty = connect_as(&plugin("echo hunter2"), Duration::from_secs(5)).unwrap_err();
        assert!(empty.message.ends_with("answered with no credential"), "{empty:?}");
        assert!(!format!("{empty:?}").contains("hunter2"));
    }

    #[test]
    fn a_plugin_that_asks_reads_no_terminal() {
        let asks =
            connect_as(&plugin("read answer || { echo no terminal >&2; exit 4; }"), Duration::from_secs(5));
        assert_eq!(asks.unwrap_err().causes, ["no terminal"]);
    }

    #[test]
    fn a_plugin_has_no_terminal_to_open_and_no_secret_of_ours() {
        let leads = connect_as(
            &plugin(
                "read -r _ _ _ parent _ session terminal _ </proc/self/stat; echo $((parent == session)) $terminal >&2; exit 4",
            ),
            Duration::from_secs(5),
        );
        assert_eq!(leads.unwrap_err().causes, ["1 0"], "not the second of a session without a terminal");
        let mut auth: AuthInfo = serde_json::from_value(serde_json::json!({
            "exec": { "command": "sh", "args": ["-c", "true"], "interactiveMode": "Always" },
        }))
        .unwrap();
        confine(&mut auth, Duration::from_secs(5));
        let exec = auth.exec.unwrap();
        let mut line: Vec<String> = exec.command.into_iter().chain(exec.args.unwrap()).collect();
        let own = line.split_off(line.len() - 3);
        assert_eq!(
            (line, own),
            (confinement(Duration::from_secs(5)), ["sh", "-c", "true"].map(str::to_owned).to_vec())
        );
        assert_eq!(exec.interactive_mode, Some(ExecInteractiveMode::Never));
        let names: Vec<String> = ours().filter_map(|name| name.into_string().ok()).collect();
        assert_eq!(exec.drop_env, Some(names));
    }

    #[test]
    fn a_plugin_that_is_given_up_ends_with_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept");
        let script = format!("(sleep 2; echo lives > {}) & wait", kept.display());
        let hung = connect_as(&plugin(&script), Duration::from_millis(100)).unwrap_err();
        assert_eq!(hung.code, Code::Timeout);
        std::thread::sleep(Duration::from_millis(2600));
        assert!(!kept.exists(), "what the plugin started lives on");
    }

    #[test]
    fn a_plugin_that_is_not_there_is_named_as_that() {
        let none = connect_as(
            "{exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin}}",
            Duration::from_secs(5),
        );
        assert_eq!(none.unwrap_err().message, "the kubeconfig's login plugin cannot be started");
    }

    #[test]
    fn a_plugin_that_hangs_is_given_up() {
        let hung = connect_as(&plugin("exec sleep 2"), Duration::from_millis(100)).unwrap_err();
        assert_eq!((hung.code, hung.message.as_str()), (Code::Timeout, "the plugin sh took longer than 0 s"));
    }
}
