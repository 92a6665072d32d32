//! The objects of one command, one after the other: in the time of one, and no further than the API server answers.

use serde_json::Value;

use super::super::super::Answer;
use super::super::result::{Lines, ObjectResult, answer};
use super::Remote;
use crate::domain::object::{Kind, ObjectId};
use crate::problem::{Code, Problem};
use crate::source::cluster::apply::{Effect, Target};
use crate::source::create::Made;

/// What became of the objects of one command.
pub(super) struct Turn<'r> {
    remote: &'r Remote,
    pub(super) results: Vec<ObjectResult>,
    pub(super) failed: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
    /// Why the API server is asked nothing more.
    lost: Option<Problem>,
}

impl<'r> Turn<'r> {
    pub(super) fn new(remote: &'r Remote) -> Self {
        Self { remote, results: Vec::new(), failed: Vec::new(), warnings: Vec::new(), lost: None }
    }

    /// What `work` on an object leads to, or `None` and why in [`Self::failed`]. Once a call was not answered there are no more:
    /// each would take its own time to fail.
    pub(super) fn call<T>(
        &mut self,
        id: &ObjectId,
        work: impl Future<Output = Result<T, Problem>>,
    ) -> Option<T> {
        if let Some(lost) = &self.lost {
            self.failed.push(Problem { subject: id.to_string(), ..lost.clone() });
            return None;
        }
        match self.remote.run(work) {
            Ok(done) => Some(done),
            Err(problem) => {
                // A call's problem is about the context, one of waiting about the object.
                let is_lost = matches!(problem.code, Code::Unreachable | Code::Timeout)
                    && problem.subject == self.remote.cluster.context;
                self.lost = is_lost.then(|| problem.clone());
                self.failed.push(problem);
                None
            }
        }
    }

    /// Waits for each of the objects that were `asked`, of which none has more time because there are others; `completed` is a
    /// line that is said of one before what its controller says.
    pub(super) fn wait(
        &mut self,
        (target, kind): (&Target, Kind),
        asked: Vec<Asked>,
        lines: &mut Lines<'_, '_>,
        completed: impl Fn(&ObjectId) -> Option<String>,
    ) {
        let until = self.remote.deadline();
        for Asked { mut result, handled } in asked {
            lines.line('◎', &format!("waiting for {kind} reconciliation"));
            let id = result.object.clone();
            let (remote, handled) = (self.remote, handled.as_deref());
            let waited = self.call(&id, remote.wait((target, kind, &id), handled, until));
            if let Some(text) = waited {
                for line in completed(&id).iter().chain([&text]) {
                    lines.line('✔', line);
                }
                result.message = Some(text);
            } else if result.action == Some("reconciled") {
                continue;
            }
            self.results.push(result);
        }
    }

    pub(super) fn answer(mut self, kind: Kind, found: &[(ObjectId, Value)], is_all: bool) -> Answer {
        if let ([(id, _)], [problem], []) = (found, &*self.failed, &*self.results) {
            let failed = ObjectResult::failed(Made::Flux(kind), id, None, problem);
            self.results.extend(
                (!is_all).then_some(ObjectResult { dry_run: self.remote.effect == Effect::DryRun, ..failed }),
            );
        }
        let problems = self.warnings.into_iter().chain(self.failed.iter().cloned()).collect();
        let is_list = is_all || found.len() > 1;
        answer(self.results, is_list).with_problems(problems).with_parts(found.len(), &self.failed)
    }
}

/// An object whose controller has something to do.
pub(super) struct Asked {
    pub(super) result: ObjectResult,
    /// The request that was handled before it was asked.
    pub(super) handled: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::config::Settings;
    use crate::headless::Streams;
    use crate::source::kubeconfig::Places;

    /// A cluster at this address, of which nothing takes longer than `limit`.
    fn remote(address: &str, limit: Duration) -> Remote {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: s\n  cluster: {{server: 'http://{address}'}}\n\
             contexts:\n- name: c\n  context: {{cluster: s, user: u}}\nusers:\n- name: u\n  user: {{}}\n"
        );
        std::fs::write(&path, text).unwrap();
        let places = Places { flag: Some(path), ..Places::default() };
        let settings = Settings { timeout: crate::domain::duration::GoDuration(limit), ..settings() };
        Remote::connect(&settings, &places).unwrap().unwrap()
    }

    fn settings() -> Settings {
        crate::engine::tests::settings()
    }

    fn ids() -> Vec<ObjectId> {
        ["a", "b", "c", "d"].map(|name| ObjectId::new("apps", name)).to_vec()
    }

    /// Answers every question with an object of which no controller has said anything.
    fn answer_all(listener: &TcpListener) {
        let body = r#"{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x", "generation": 1}}"#;
        let answer = |mut stream: TcpStream| {
            let (mut asked, mut part) = (Vec::new(), [0; 4096]);
            while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut part) {
                    Ok(0) | Err(_) => return,
                    Ok(count) => asked.extend_from_slice(&part[..count]),
                }
            }
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
            drop(write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()));
        };
        while let Ok((stream, _)) = listener.accept() {
            answer(stream);
        }
    }

    #[test]
    fn a_server_that_does_not_answer_is_asked_once() {
        // It takes connections and says nothing.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let limit = Duration::from_millis(700);
        let remote = remote(&listener.local_addr().unwrap().to_string(), limit);
        let target = Target::secret();
        let mut turn = Turn::new(&remote);
        let began = Instant::now();
        for id in &ids() {
            assert!(turn.call(id, remote.cluster.object(&target, id)).is_none());
        }
        assert!(began.elapsed() < limit * 2, "{:?}", began.elapsed());
        assert!(turn.failed.iter().all(|problem| problem.code == Code::Timeout), "{:?}", turn.failed);
        assert_eq!(turn.failed.len(), 4);
    }

    #[test]
    fn all_objects_together_have_the_time_of_one() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || answer_all(&listener));
        let limit = Duration::from_secs(2);
        let remote = remote(&address, limit);
        let (target, kind) = (Target::secret(), Kind::ImageRepository);
        let asked = ids().into_iter().map(|id| Asked {
            result: remote.result(Made::Flux(kind), "reconciled", &id),
            handled: Some(String::new()),
        });
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut streams = Streams { out: &mut out, err: &mut err };
        let mut turn = Turn::new(&remote);
        let began = Instant::now();
        turn.wait((&target, kind), asked.collect(), &mut Lines::new(&mut streams, &settings()), |_| None);
        assert!(began.elapsed() < limit * 2, "{:?}", began.elapsed());
        let failed: Vec<&str> = turn.failed.iter().map(|problem| problem.subject.as_str()).collect();
        assert_eq!(failed, ["apps/a", "apps/b", "apps/c", "apps/d"]);
    }
}
