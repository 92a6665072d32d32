//! A `GitOps` monorepo made up in memory, the same every time: what a large company's tree looks like to the rewriter.
//!
//! At full size: 10,000 YAML files of 100 MB, 1,000 policies, 20,000 markers in 6 of 10 files. A marked file holds a
//! Deployment, its Service and its `ConfigMap`; the others hold a `ConfigMap` alone.

use std::fmt::Write as _;

use supercargo::domain::object::ObjectId;
use supercargo::domain::proposal::Reference;

/// How much to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Files, marked or not.
    pub(crate) files: usize,
    /// Bytes of each, roughly.
    pub(crate) bytes: usize,
    /// Policies that the markers are spread over.
    pub(crate) policies: usize,
}

/// The tree of the performance table.
pub(crate) const FULL: Size = Size { files: 10_000, bytes: 10_000, policies: 1_000 };

/// The files: path and text.
pub(crate) fn files(size: Size) -> Vec<(String, String)> {
    (0..size.files).map(|number| (path(number), text(number, size))).collect()
}

/// The policies, all of which select something newer than what the files hold.
pub(crate) fn policies(size: Size) -> Vec<(ObjectId, Reference)> {
    (0..size.policies)
        .map(|number| {
            let latest = Reference { image: image(number), tag: "2.0.1".to_owned(), digest: None };
            (ObjectId::new("flux-system", format!("app-{number}")), latest)
        })
        .collect()
}

fn path(number: usize) -> String {
    format!("clusters/c{:02}/team-{:02}/app-{number:05}.yaml", number % 20, number / 20 % 50)
}

fn image(policy: usize) -> String {
    format!("registry.example.com/team-{:02}/service-{policy}", policy % 50)
}

fn text(number: usize, size: Size) -> String {
    let mut text = String::with_capacity(size.bytes + 512);
    if number % 5 < 3 {
        push_deployment(&mut text, number, size);
    }
    push_config(&mut text, number, size.bytes);
    text
}

/// A Deployment of three or four containers, each image marked, and its Service.
fn push_deployment(text: &mut String, number: usize, size: Size) {
    let _ = write!(
        text,
        "# owned by team-{:02}\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{number}\n  namespace: prod\n  \
         labels:\n    app.kubernetes.io/name: app-{number}\nspec:\n  replicas: 3\n  template:\n    spec:\n      containers:\n",
        number % 50
    );
    for container in 0..3 + usize::from(number.is_multiple_of(3)) {
        let policy = (number * 4 + container) % size.policies;
        let _ = write!(
            text,
            "        - name: c{container}\n          image: {}:1.4.{} # {{\"$imagepolicy\": \"flux-system:app-{policy}\"}}\n          \
             args: [\"--port=8080\", \"--level\", 'info'] # see the handbook\n          env:\n",
            image(policy),
            number % 30
        );
        for variable in 0..12 {
            let _ = write!(
                text,
                "            - name: SETTING_{variable}\n              value: \"value {number}-{variable}\"\n"
            );
        }
        text.push_str("          resources:\n            limits: {cpu: 500m, memory: 256Mi}\n");
    }
    let _ = write!(
        text,
        "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: app-{number}\n  namespace: prod\nspec:\n  ports:\n    - port: 80\n      \
         targetPort: 8080\n---\n"
    );
}

/// A `ConfigMap` that fills the file up to its size.
fn push_config(text: &mut String, number: usize, bytes: usize) {
    let _ = write!(
        text,
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config-{number}\n  namespace: prod\ndata:\n"
    );
    let mut entry = 0;
    while text.len() < bytes {
        let _ = write!(
            text,
            "  key-{entry}: \"a value of some length, as they are: {number}/{entry}\"\n  file-{entry}.conf: |\n    # settings\n    \
             listen = 0.0.0.0:{}\n    path = /var/lib/app/{number}\n",
            1000 + entry
        );
        entry += 1;
    }
}
